/** A run's loss, evaluations and hyperparameters in one picture. */
import { maxOf, minOf } from "../shared/extent.ts";
import { linearScale } from "./axes.ts";
import { clip, markSeries, verticalScale } from "./clipping.ts";
import { drawable, type ChartLine } from "./chartLines.ts";
import { frameOf, logLabels, type LegendEntry } from "./frame.ts";
import { layOutPlots, type Plot } from "./plots.ts";
import type { ChartSettings } from "./theme.ts";

export interface RunPlot {
  readonly title: string;
  /** Follows the title: how the line was made. */
  readonly subtitle?: string;
  /** Title of the vertical axis, with its unit. */
  readonly yName: string;
  readonly xName: string;
  readonly yLog: boolean;
  readonly lines: readonly ChartLine[];
}

export interface RunSettings extends ChartSettings {
  readonly columns?: number;
  /** Names of lines, where a plot has several. */
  readonly legend?: readonly LegendEntry[];
}

export function runChart(plots: readonly RunPlot[], settings: RunSettings): Record<string, unknown> {
  const frame = frameOf(settings, settings.legend ?? []);
  const { title, ...rest } = layOutPlots(plots.map((plot) => plotOf(plot, settings.legend !== undefined)), { look: frame.look, inner: frame.inner, columns: settings.columns ?? 2 });
  return { ...frame.parts, title: [...(frame.parts.title as Record<string, unknown>[]), ...title], ...rest };
}

function plotOf({ title, subtitle, yName, xName, yLog, lines }: RunPlot, named: boolean): Plot {
  const drawn = lines.flatMap((line) => drawable(line.points, false, yLog));
  const at = (which: 0 | 1) => drawn.map((point) => point[which]);
  const x = linearScale(at(0), 5, true);
  const y = verticalScale(lines, false, yLog);
  const shown = lines.map((line) => ({ line, ...clip(line, y, false, yLog) }));
  const clipped = shown.reduce((sum, line) => sum + line.clipped, 0);
  const hidden = lines.reduce((sum, { points }) => sum + points.length, 0) - at(1).length;
  const broken = lines.reduce((sum, { nonFinite }) => sum + nonFinite, 0);
  const left = [...(hidden > 0 ? [`${hidden} at or below 0 not drawn`] : []), ...(broken > 0 ? [`${broken} not finite`] : []), ...(clipped > 0 ? [`${clipped} beyond the axis`] : [])];
  return {
    title: subtitle === undefined ? title : `${title}, ${subtitle}`,
    x: { scale: x && { ...x, min: Math.min(minOf(at(0)), 0), max: Math.max(maxOf(at(0)), 1) }, log: false, name: xName },
    y: { scale: y, log: yLog, name: yName, label: yLog ? logLabels(y) : y?.label },
    ...(at(1).length === 0 && { empty: "Nothing to draw." }),
    ...(left.length > 0 && { note: left.join("; ") }),
    series: shown.flatMap(({ line, points, smoothed, marks }) => [
      {
        type: "line",
        ...(named && { name: line.name }),
        animation: false,
        symbol: line.symbols ? "circle" : "none",
        symbolSize: 5,
        itemStyle: { color: line.style.color },
        lineStyle: { color: line.style.color, ...(named && { type: line.style.dash }), width: smoothed ? 1 : 1.5, opacity: smoothed ? 0.3 : 1 },
        data: points,
      },
      ...(smoothed ? [{ type: "line", animation: false, symbol: "none", lineStyle: { color: line.style.color, width: 1.8 }, data: smoothed }] : []),
      ...markSeries(marks, line.style.color, {}),
    ]),
  };
}
