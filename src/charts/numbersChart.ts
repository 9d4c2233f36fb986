/** Key figures of every height side by side, with confidence intervals. */
import type { Sensitivity } from "../shared/study/sensitivity.ts";
import type { Study } from "../shared/study/study.ts";
import { linearScale, logScale, type AxisScale } from "./axes.ts";
import { frameOf, margin, logLabels, tooltipOption, type TooltipItem } from "./frame.ts";
import type { DrawApi } from "./heatMapChart.ts";
import { estimateText, numberColumns, type NumberColumn } from "./numberTable.ts";
import { layOutPlots, plotsInRow, type Plot } from "./plots.ts";
import { curveNames, styleIndex } from "./studyText.ts";
import { variantStyle, type ChartSettings, type Look } from "./theme.ts";

export interface NumbersSettings extends ChartSettings {
  /** Keys of the figures to draw; by default those that fit. */
  readonly numbers?: readonly string[];
}

const shownByDefault = ["best", "sensitivity", "width", "divergedShare", "explodedShare", "timePerStep"];

const columnsOf = (sensitivity: Sensitivity, wanted: readonly string[]) => numberColumns(sensitivity).filter(({ key }) => wanted.includes(key));

/** Height in pixels at which no row of plots overlaps the next, for a given window width. */
export function numbersHeight(sensitivity: Sensitivity, width: number): number {
  const count = columnsOf(sensitivity, shownByDefault).length;
  const rows = Math.ceil(count / plotsInRow(width - 2 * margin, count));
  return 10 + rows * (100 + 34 * sensitivity.heights.length);
}

export function numbersChart(study: Study, sensitivity: Sensitivity, settings: NumbersSettings): Record<string, unknown> {
  const frame = frameOf(settings, []);
  const names = curveNames(study, sensitivity.heights);
  const columns = columnsOf(sensitivity, settings.numbers ?? shownByDefault);
  const label = (tick: number) => names[names.length - 1 - tick] ?? "";
  const rows: AxisScale = { min: -0.6, max: names.length - 0.4, ticks: names.map((_, i) => i), label, value: label, offset: null };
  const plots = columns.map((column) => plotOf(study, column, sensitivity, names, rows, frame.look, settings));
  if (plots.length === 0) plots.push({ x: { scale: undefined, log: false }, y: { scale: undefined, log: false }, series: [], empty: "No run has got this far yet." });
  const { title, ...rest } = layOutPlots(plots, { look: frame.look, inner: frame.inner, columns: plots.length, shareY: true, gap: 34 });
  return { ...frame.parts, title: [...(frame.parts.title as Record<string, unknown>[]), ...title], ...rest, ...tooltipOption(settings) };
}

interface Row extends TooltipItem {
  readonly value: readonly [number, number];
}

/** Extends the scale to leave room for the text above the outermost values. */
function widened(scale: AxisScale, log: boolean): AxisScale {
  if (log) return { ...scale, min: scale.min / (scale.max / scale.min) ** 0.08, max: scale.max * (scale.max / scale.min) ** 0.08 };
  const room = 0.06 * (scale.max - scale.min);
  return { ...scale, min: scale.min - room, max: scale.max + room };
}

function plotOf(study: Study, column: NumberColumn, { heights }: Sensitivity, names: readonly string[], rows: AxisScale, look: Look, { theme }: ChartSettings): Plot {
  const colorOf = (i: number) => variantStyle(styleIndex(study, heights[i]!, i), heights.length, heights.some(({ stack }) => stack !== null), theme).color;
  const known = heights.flatMap((height, i) => {
    const estimate = column.of(height);
    return estimate === null ? [] : [{ i, estimate }];
  });
  const ends = known.flatMap(({ estimate: { value, interval } }) => [value, ...(interval ?? [])]);
  const shared = column.key === "divergedShare" || column.key === "explodedShare";
  // Without divergence the axis still starts at 0.
  const all = shared ? [0, ...ends, ...(ends.some((end) => end > 0) ? [] : [0.1])] : ends;
  const found = (column.log ? logScale(all, 3) : linearScale(all, 3)) ?? linearScale([0, 1], 2)!;
  const label = (tick: number) => (column.log ? (logLabels(found) ?? found.label)(tick) : shared ? String(Math.round(100 * tick)) : found.label(tick));
  const data = known.map(({ i, estimate }): Row => ({
    value: [estimate.value, heights.length - 1 - i],
    told: () => ({ title: `${column.title}, ${names[i]!}`, rows: [{ color: colorOf(i), name: "", value: estimateText(column, estimate) }] }),
  }));
  const draw = ({ dataIndex }: { dataIndex: number }, api: DrawApi) => {
    const { i, estimate } = known[dataIndex]!;
    const color = colorOf(i);
    const y = heights.length - 1 - i;
    const [x, middle] = api.coord([estimate.value, y]);
    const interval = estimate.interval?.map((end) => api.coord([end, y])[0]);
    const stroke = (x1: number, y1: number, x2: number, y2: number) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: color, lineWidth: 1.6 } });
    return {
      type: "group",
      children: [
        ...(interval ? [stroke(interval[0]!, middle, interval[1]!, middle), stroke(interval[0]!, middle - 4, interval[0]!, middle + 4), stroke(interval[1]!, middle - 4, interval[1]!, middle + 4)] : []),
        { type: "circle", shape: { cx: x, cy: middle, r: 4 }, style: { fill: color } },
        { type: "text", style: { text: column.format(estimate.value), x, y: middle - 9, fill: look.soft, fontSize: look.fontSize - 2, fontFamily: look.fontFamily, align: "center", verticalAlign: "bottom" } },
      ],
    };
  };
  return {
    title: column.title,
    x: { scale: { ...widened(found, column.log), label }, log: column.log, label, lines: true, name: column.unit },
    y: { scale: rows, log: false, label: rows.label, lines: false },
    series: [{ type: "custom", animation: false, clip: false, data, renderItem: draw }],
  };
}
