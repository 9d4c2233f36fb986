/** Methods side by side: a column for each number, bars for lengths and times, dots for results, all with intervals. */
import { maxOf, minOf } from "../shared/extent.ts";
import type { Estimate } from "../shared/study/numbers.ts";
import { linearScale, logScale, type AxisScale } from "./axes.ts";
import { frameOf, logLabels, margin, tooltipOption, type TooltipItem } from "./frame.ts";
import type { DrawApi } from "./heatMapChart.ts";
import { layOutPlots, plotsInRow, type Plot } from "./plots.ts";
import { distinctColors } from "./palette.ts";
import { variantStyle, type ChartSettings, type ChartTheme, type Look } from "./theme.ts";

/** A method, or below it one of its other knobs. */
export interface MethodBarRow {
  readonly name: string;
  /** Index of the method, which gives the color. */
  readonly method: number;
  /** Whether the row is of a knob: indented and paler. */
  readonly isKnob: boolean;
}

export interface MethodBarColumn {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  /** `bar` starts at 0; `dot` shows small differences between results. */
  readonly mark: "bar" | "dot";
  /** Formats without the unit. */
  readonly format: (value: number) => string;
  /** In the order of the rows. */
  readonly values: readonly (Estimate | null)[];
  /** Rows whose true value may be larger than measured: marked with `≥`. */
  readonly atLeast?: readonly boolean[];
}

export interface MethodBars {
  readonly methods: number;
  readonly rows: readonly MethodBarRow[];
  readonly columns: readonly MethodBarColumn[];
}

const rowHeight = 30;

/** Height in pixels at which rows do not overlap, for a given window width. */
export function methodsHeight({ rows, columns }: MethodBars, width: number): number {
  const lines = Math.ceil(columns.length / plotsInRow(width - 2 * margin, columns.length));
  return 10 + Math.max(1, lines) * (76 + rowHeight * rows.length);
}

export function methodColor(index: number, count: number, theme: ChartTheme): string {
  return variantStyle(index, count, true, theme).color;
}

/** Whether a method shares its color with an earlier one: it is then drawn hollow, as its line is dashed. */
export const isHollow = (index: number): boolean => index >= distinctColors;

export function methodsChart(bars: MethodBars, settings: ChartSettings): Record<string, unknown> {
  const frame = frameOf(settings, []);
  const { rows } = bars;
  const label = (tick: number) => {
    const row = rows[rows.length - 1 - tick];
    return row === undefined ? "" : row.isKnob ? `↳ ${row.name}` : row.name;
  };
  const scale: AxisScale = { min: -0.6, max: rows.length - 0.4, ticks: rows.map((_, i) => i), label, value: label, offset: null };
  const plots = bars.columns.map((column) => plotOf(column, bars, scale, frame.look, settings));
  if (plots.length === 0) plots.push({ x: { scale: undefined, log: false }, y: { scale: undefined, log: false }, series: [], empty: "No run has got this far yet." });
  const { title, ...rest } = layOutPlots(plots, { look: frame.look, inner: frame.inner, columns: plots.length, shareY: true, gap: 26 });
  return { ...frame.parts, title: [...(frame.parts.title as Record<string, unknown>[]), ...title], ...rest, ...tooltipOption(settings) };
}

/** Room for the number at the end of the longest bar, or beside the outermost dots. */
function widened(scale: AxisScale, isBar: boolean): AxisScale {
  const span = scale.max - scale.min;
  return isBar ? { ...scale, max: scale.max + 0.25 * span } : { ...scale, min: scale.min - 0.06 * span, max: scale.max + 0.06 * span };
}

interface Row extends TooltipItem {
  readonly value: readonly [number, number];
}

/** `≥ 4.0 decades (3.1 to 4.0)` */
function estimateWords({ format, unit, atLeast }: MethodBarColumn, { value, interval }: Estimate, i: number): string {
  const range = interval === null ? "" : ` (${format(interval[0])} to ${format(interval[1])})`;
  return `${atLeast?.[i] ? "≥ " : ""}${format(value)}${unit === "" ? "" : ` ${unit}`}${range}`;
}

function plotOf(column: MethodBarColumn, { rows, methods }: MethodBars, y: AxisScale, look: Look, { theme }: ChartSettings): Plot {
  const known = column.values.flatMap((estimate, i) => (estimate === null || !Number.isFinite(estimate.value) ? [] : [{ i, estimate }]));
  const ends = known.flatMap(({ estimate: { value, interval } }) => [value, ...(interval ?? [])]).filter((end) => Number.isFinite(end));
  const isBar = column.mark === "bar";
  // One method that fails must not press the others together.
  const log = !isBar && minOf(ends) > 0 && maxOf(ends) / minOf(ends) > 8;
  const found = (log ? logScale(ends, 3) : linearScale(isBar ? [0, ...ends] : ends, 3)) ?? linearScale([0, 1], 2)!;
  const scale = log ? { ...found, min: found.min / 1.3, max: found.max * 1.3 } : widened(found, isBar);
  const label = log ? (logLabels(found) ?? found.label) : found.label;
  const colorOf = (i: number) => methodColor(rows[i]!.method, methods, theme);
  const data = known.map(({ i, estimate }): Row => ({
    value: [estimate.value, rows.length - 1 - i],
    told: () => ({ title: rows[i]!.name, rows: [{ color: colorOf(i), name: column.title, value: estimateWords(column, estimate, i) }] }),
  }));
  const draw = ({ dataIndex }: { dataIndex: number }, api: DrawApi) => {
    const { i, estimate } = known[dataIndex]!;
    const color = colorOf(i);
    const hollow = isHollow(rows[i]!.method);
    const at = rows.length - 1 - i;
    const [x, middle] = api.coord([estimate.value, at]);
    const [zero] = isBar ? api.coord([0, at]) : [x];
    const interval = estimate.interval?.filter(Number.isFinite).map((end) => api.coord([end, at])[0]);
    const ink = isBar ? look.text : color;
    const stroke = (x1: number, y1: number, x2: number, y2: number) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: ink, lineWidth: 1.4 } });
    const whisker = interval?.length === 2 ? [stroke(interval[0]!, middle, interval[1]!, middle), stroke(interval[0]!, middle - 4, interval[0]!, middle + 4), stroke(interval[1]!, middle - 4, interval[1]!, middle + 4)] : [];
    const written = `${column.atLeast?.[i] ? "≥ " : ""}${column.format(estimate.value)}`;
    const font = { fill: look.soft, fontSize: look.fontSize - 1, fontFamily: look.fontFamily };
    const end = Math.max(x, interval?.[1] ?? x);
    return {
      type: "group",
      children: isBar
        ? [
            { type: "rect", shape: { x: zero, y: middle - 7, width: Math.max(1, x - zero), height: 14, r: [0, 3, 3, 0] }, style: { ...(hollow ? { fill: "transparent", stroke: color, lineWidth: 1.6, lineDash: [4, 3] } : { fill: color }), opacity: rows[i]!.isKnob ? 0.45 : 0.85 } },
            ...whisker,
            { type: "text", style: { ...font, text: written, x: end + 6, y: middle, align: "left", verticalAlign: "middle" } },
          ]
        : [...whisker, { type: "circle", shape: { cx: x, cy: middle, r: 4 }, style: hollow ? { fill: look.background, stroke: color, lineWidth: 1.6 } : { fill: color } }, { type: "text", style: { ...font, fontSize: look.fontSize - 2, text: written, x, y: middle - 6, align: "center", verticalAlign: "bottom" } }],
    };
  };
  return {
    title: column.title,
    x: { scale: { ...scale, label }, log, label, lines: true, name: column.unit },
    y: { scale: y, log: false, label: y.label, lines: false },
    series: [{ type: "custom", animation: false, clip: false, data, renderItem: draw }],
  };
}
