/**
 * A metric of the towers of a study without axes: a row for each tower and a dot for every run, or
 * at
 * the right edge a cross (diverged) or triangle (exploded).
 */
import { hasDiverged, hasExploded, type Curve, type CurvePoint } from "../shared/study/curves.ts";
import { linearScale, logScale, type AxisScale } from "./axes.ts";
import { frameOf, logLabels, tooltipOption } from "./frame.ts";
import type { DrawApi } from "./heatMapChart.ts";
import { layOutPlots, type Plot } from "./plots.ts";
import { bandOf, crossPath, explodedPath, idsOf, pointContent, type ChartItem, type SensitivityPanel, type SensitivitySettings } from "./sensitivityPanel.ts";
import { curveNames, metricTitle } from "./studyText.ts";
import { variantStyle } from "./theme.ts";

export function towersChart(panels: readonly SensitivityPanel[], settings: SensitivitySettings): Record<string, unknown> {
  const frame = frameOf(settings, []);
  const plots = panels.map((panel) => plotOf(panel, settings, panels.length > 1));
  const { title, ...rest } = layOutPlots(plots, { look: frame.look, inner: frame.inner, columns: plots.length, gap: 30 });
  return { ...frame.parts, title: [...(frame.parts.title as Record<string, unknown>[]), ...title], ...rest, ...tooltipOption(settings) };
}

/** Towers have one point each. */
const pointOf = ({ points }: Curve): CurvePoint | undefined => points[0];

function scaleOf(curves: readonly Curve[], { yLog = false, band = "standardError" }: SensitivitySettings): AxisScale | undefined {
  const values = curves.flatMap((curve) => {
    const point = pointOf(curve);
    return point ? [...point.runs.flatMap(({ value }) => value ?? []), ...(bandOf(point, band) ?? []), ...(point.mean === null ? [] : [point.mean])] : [];
  });
  const scale = yLog ? logScale(values) : linearScale(values, 5);
  if (!scale) return undefined;
  // Leave room at the right edge for runs that count as worst.
  return yLog ? { ...scale, max: scale.max * (scale.max / scale.min) ** 0.08 } : { ...scale, max: scale.max + 0.08 * (scale.max - scale.min) };
}

function plotOf(panel: SensitivityPanel, settings: SensitivitySettings, titled: boolean): Plot {
  const { curves } = panel.curves;
  const { yLog = false, band = "standardError", dots = true, theme } = settings;
  const names = curveNames(panel.study, curves);
  const rows = curves.length;
  const label = (tick: number) => names[rows - 1 - tick] ?? "";
  const x = scaleOf(curves, settings);
  const drawn = (value: number | null): value is number => value !== null && (!yLog || value > 0);
  const series = curves.flatMap((curve, i): Record<string, unknown>[] => {
    const point = pointOf(curve);
    if (!point || !x) return [];
    const look = variantStyle(i, rows, curve.stack !== null, theme);
    const { color } = look;
    const y = rows - 1 - i;
    const told = () => pointContent(panel, names[i]!, { name: names[i]!, height: null, mark: "circle", ...look }, point);
    const base = { animation: false, clip: false, itemStyle: { color }, cursor: "pointer" };
    const ends = bandOf(point, band);
    const item = (value: number, runs: readonly string[]): ChartItem => ({ value: [value, y], runs, height: curve.height, told });
    const single = dots ? point.runs.filter(({ value }) => drawn(value)) : [];
    return [
      {
        ...base,
        type: "custom",
        silent: true,
        data: ends && drawn(ends[0]) ? [[ends[0], y]] : [],
        renderItem: (_: unknown, api: DrawApi) => {
          const [[x1, middle], [x2]] = [api.coord([ends![0], y]), api.coord([ends![1], y])];
          return { type: "line", shape: { x1, y1: middle, x2, y2: middle }, style: { stroke: color, lineWidth: 7, opacity: 0.28 }, silent: true };
        },
      },
      { ...base, type: "scatter", symbol: "circle", symbolSize: 4.5, itemStyle: { color, opacity: 0.55 }, data: single.map((run) => item(run.value!, idsOf([run]))) },
      { ...base, type: "scatter", symbol: "diamond", symbolSize: 10, z: 4, data: drawn(point.mean) ? [item(point.mean, idsOf(point.runs))] : [] },
      ...([[hasDiverged, crossPath], [hasExploded, explodedPath]] as const).map(([of, symbol], place) => {
        const runs = point.runs.filter(of);
        const both = place === 1 && point.diverged > 0;
        const label = { show: !both && point.runs.length > 1, position: "right", distance: 3, fontSize: 9, color, formatter: `${point.diverged + point.exploded}/${point.runs.length}` };
        return {
          ...base,
          type: "scatter",
          symbol,
          symbolSize: 6,
          symbolOffset: both ? [-8, 0] : [0, 0],
          itemStyle: { color, borderColor: color, borderWidth: symbol === crossPath ? 1.6 : 0 },
          data: runs.length > 0 ? [{ ...item(x.max, idsOf(runs)), label }] : [],
        };
      }),
    ];
  });
  return {
    ...(titled && panel.title !== undefined && { title: panel.title }),
    x: { scale: x, log: yLog, label: (yLog ? logLabels(x) : undefined) ?? x?.label, lines: true, name: metricTitle(panel.curves.metric, panel.study.base) },
    y: { scale: { min: -0.6, max: rows - 0.4, ticks: names.map((_, i) => i), label, value: label, offset: null }, log: false, label, lines: false },
    ...(!x && { empty: "No run has got this far yet." }),
    series,
  };
}
