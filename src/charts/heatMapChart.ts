/**
 * A metric over two initial hyperparameters: a grid for each tower height, with a common color
 * scale.
 */
import { isPercent } from "../shared/metrics.ts";
import { maxOf, minOf } from "../shared/extent.ts";
import { worstWords, type Grid, type GridCell, type StudyGrids } from "../shared/study/curves.ts";
import type { StudyAxis } from "../shared/study/axes.ts";
import type { Study } from "../shared/study/study.ts";
import { formatHyperparameter } from "../shared/tower.ts";
import { linearScale, logScale, type AxisScale } from "./axes.ts";
import { axisOption, frameOf, labelRoom, logLabels, powerOfTen, roomFor, text, tooltipOption, type Box, type TooltipItem } from "./frame.ts";
import { axisTitle, curveNames, formatMetric, metricTitle, valueText } from "./studyText.ts";
import { channels, heatColors, orderedMix, type ChartSettings, type Look, type TooltipContent } from "./theme.ts";

export interface HeatMapSettings extends ChartSettings {
  /**
   * Whether colors are logarithmic in the metric; a linear scale shows little when a few runs are
   * far off.
   */
  readonly colorLog?: boolean;
}

/** Chart library functions passed to a custom renderer. */
export interface DrawApi {
  coord(at: readonly [number, number]): [number, number];
}

const barRoom = 76;
const gap = 16;

export function heatMapChart(study: Study, grids: StudyGrids, settings: HeatMapSettings): Record<string, unknown> {
  const frame = frameOf(settings, []);
  const { look, inner } = frame;
  const scale = colorScale(grids, settings.colorLog ?? true);
  const texts = [...(frame.parts.title as Record<string, unknown>[])];
  if (!scale) {
    texts.push(text("No run has got this far yet.", { left: settings.width / 2, top: settings.height / 2 - 8, fontSize: look.fontSize + 1, color: look.faint, fontFamily: look.fontFamily, textAlign: "center" }));
    return { ...frame.parts, title: texts };
  }
  const names = curveNames(study, grids.grids);
  const crossed = isCrossed(grids);
  const ys = placesOf(grids, "y", { crossed, look, length: inner.height - 90 });
  const left = labelRoom(ys.scale, look.fontSize, ys.label) + look.fontSize + 12;
  const columns = Math.max(1, Math.min(grids.grids.length, Math.floor((inner.width - left - barRoom) / 170)));
  const rows = Math.ceil(grids.grids.length / columns);
  const width = (inner.width - left - barRoom - gap * (columns - 1)) / columns;
  const xs = placesOf(grids, "x", { crossed, look, length: width });
  const head = look.fontSize * 1.3 + 8;
  const foot = look.fontSize * 2 + 26;
  const parts: Parts = { grid: [], xAxis: [], yAxis: [], series: [] };

  grids.grids.forEach((grid, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const top = inner.top + (row * inner.height) / rows;
    const box: Box = { left: inner.left + left + column * (width + gap), top: top + head, width, height: inner.height / rows - head - foot };
    texts.push(text(names[i]!, { left: box.left, top, fontSize: look.fontSize + 0.5, fontWeight: 600, color: look.text, fontFamily: look.fontFamily, width }));
    addPlot(parts, box, {
      look,
      x: { ...xs, name: axisTitle(grids.x) },
      y: { ...ys, name: column === 0 ? axisTitle(grids.y) : undefined },
      series: cells(grids, grid, { xs, ys, crossed, scale, box, settings, look, name: names[i]! }),
    });
  });
  addColorBar(parts, { left: settings.width - barRoom + 6, top: inner.top + head, width: 12, height: inner.height / rows - head - foot }, scale, metricTitle(grids.metric, study.base), look);
  return { ...frame.parts, title: texts, ...parts, ...tooltipOption(settings) };
}

export interface Parts {
  readonly grid: Record<string, unknown>[];
  readonly xAxis: Record<string, unknown>[];
  readonly yAxis: Record<string, unknown>[];
  readonly series: Record<string, unknown>[];
}

/** Positions of an axis's values: by rank for a crossed axis, otherwise by value. */
interface Places {
  readonly scale: AxisScale;
  readonly log: boolean;
  readonly label: (tick: number) => string;
  readonly at: (value: number) => number;
}

function isCrossed({ grids }: StudyGrids): boolean {
  const count = (which: "x" | "y") => new Set(grids.flatMap(({ cells }) => cells.map((cell) => cell[which]))).size;
  const most = maxOf([0, ...grids.map(({ cells }) => cells.length)]);
  return most * 2 > count("x") * count("y");
}

/** @param length of the axis in pixels: labels that do not fit are left out */
function placesOf(grids: StudyGrids, which: "x" | "y", { crossed, look, length }: { crossed: boolean; look: Look; length: number }): Places {
  const values = [...new Set(grids.grids.flatMap(({ cells }) => cells.map((cell) => cell[which])))].sort((a, b) => a - b);
  const axis: StudyAxis = grids[which];
  if (!crossed) {
    const log = axis.scale === "log";
    const scale = (log ? logScale(values) : linearScale(values))!;
    return { scale, log, label: (log ? logLabels(scale) : scale.label) ?? scale.label, at: (value) => value };
  }
  const powers = axis.scale === "log" && values.length > 2 && values.every((value) => powerOfTen(value) !== null);
  const written = (value: number) => (powers ? (powerOfTen(value) ?? "") : formatHyperparameter(value));
  const label = (tick: number) => (values[tick] === undefined ? "" : written(values[tick]));
  const room = which === "x" ? maxOf(values.map((value) => roomFor(written(value), look.fontSize))) + 6 : look.fontSize * 1.4;
  const every = Math.max(1, Math.ceil((room * values.length) / length));
  const ticks = values.map((_, i) => i).filter((i) => i % every === 0);
  const scale: AxisScale = { min: -0.5, max: values.length - 0.5, ticks, label, value: label, offset: null };
  return { scale, log: false, label, at: (value) => values.indexOf(value) };
}

interface PlotAxis extends Places {
  readonly name: string | undefined;
}

function addPlot({ grid, xAxis, yAxis, series }: Parts, box: Box, { look, x, y, series: own }: { look: Look; x: PlotAxis; y: PlotAxis; series: readonly Record<string, unknown>[] }): void {
  const gridIndex = grid.length;
  grid.push({ ...box, outerBoundsMode: "none" });
  xAxis.push(axisOption("x", { look, log: x.log, scale: x.scale, gridIndex, label: x.label, lines: false, nameGap: look.fontSize + 16, ...(x.name !== undefined && { name: x.name }) }));
  const labels = y.name !== undefined;
  yAxis.push(axisOption("y", { look, log: y.log, scale: y.scale, gridIndex, label: y.label, lines: false, labels, ...(labels && { name: y.name, nameGap: labelRoom(y.scale, look.fontSize, y.label) + 2 }) }));
  for (const one of own) series.push({ ...one, xAxisIndex: gridIndex, yAxisIndex: gridIndex });
}

// ---- color -----------------------------------------------------------------------------------------

export interface ColorScale {
  readonly log: boolean;
  readonly axis: AxisScale;
  readonly low: number;
  readonly high: number;
}

function colorScale({ grids }: StudyGrids, wanted: boolean): ColorScale | undefined {
  const means = grids.flatMap(({ cells }) => cells.flatMap(({ mean }) => mean ?? []));
  const log = wanted && means.every((value) => value > 0);
  const axis = (log ? logScale : linearScale)(means);
  return axis && { log, axis, low: minOf(means), high: maxOf(means) };
}

/** Color of a value; the smallest value has the first color. */
function colorAt(value: number, { log, low, high }: ColorScale, theme: ChartSettings["theme"]): string {
  const on = log ? Math.log10 : (v: number) => v;
  return orderedMix(heatColors(theme), low === high ? 0 : (on(value) - on(low)) / (on(high) - on(low)));
}

/** Whether dark text is readable on a color (relative luminance as in WCAG). */
function isLight(color: string): boolean {
  const [r, g, b] = channels(color).map((value) => (value / 255) ** 2.2) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.22;
}

interface CellSettings {
  readonly xs: Places;
  readonly ys: Places;
  readonly crossed: boolean;
  readonly scale: ColorScale;
  readonly box: Box;
  readonly settings: HeatMapSettings;
  readonly look: Look;
  readonly name: string;
}

interface CellItem extends TooltipItem {
  readonly value: readonly [number, number];
  readonly runs: readonly string[];
  readonly height: number;
}

function cells(grids: StudyGrids, grid: Grid, { xs, ys, crossed, scale, box, settings, look, name }: CellSettings): Record<string, unknown>[] {
  const shown = grid.cells.filter(({ mean }) => mean !== null);
  const across = box.width / (xs.scale.max - xs.scale.min);
  const size = crossed ? across : Math.max(5, Math.min(16, Math.sqrt((box.width * box.height) / Math.max(1, shown.length)) / 2.5));
  const radius = size / 2;
  const data = shown.map((cell): CellItem => ({
    value: [xs.at(cell.x), ys.at(cell.y)],
    runs: cell.runs.flatMap(({ point }) => point.run ?? []),
    height: grid.height,
    told: () => cellContent(grids, name, cell),
  }));
  const draw = ({ dataIndex }: { dataIndex: number }, api: DrawApi) => {
    const cell = shown[dataIndex]!;
    const fill = colorAt(cell.mean!, scale, settings.theme);
    const ink = isLight(fill) ? "#14161c" : "#ffffff";
    const [x, y] = data[dataIndex]!.value;
    const [a, b] = crossed ? [api.coord([x - 0.5, y + 0.5]), api.coord([x + 0.5, y - 0.5])] : around(api.coord([x, y]), radius);
    const shape = { x: a[0] + 0.5, y: a[1] + 0.5, width: b[0] - a[0] - 1, height: b[1] - a[1] - 1 };
    const children: Record<string, unknown>[] = [
      crossed
        ? { type: "rect", shape, style: { fill } }
        : { type: "circle", shape: { cx: (a[0] + b[0]) / 2, cy: (a[1] + b[1]) / 2, r: radius }, style: { fill, stroke: look.axis, lineWidth: 0.5 } },
    ];
    const label = crossed ? labelIn(cell, grids, shape, look.fontSize) : null;
    if (label !== null) {
      const style = { text: label, x: shape.x + shape.width / 2, y: shape.y + shape.height / 2, fill: ink, fontSize: look.fontSize - 2, fontFamily: look.fontFamily, align: "center", verticalAlign: "middle" };
      children.push({ type: "text", style, silent: true });
    }
    if (cell.diverged + cell.exploded > 0) {
      // Corner marks: a cross where runs diverged, a triangle where they exploded.
      const arm = Math.min(3.2, shape.width / 5, shape.height / 5);
      const [cx, cy] = crossed ? [shape.x + shape.width - arm * 2, shape.y + arm * 2] : [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      if (cell.exploded > 0) {
        const drop = cell.diverged > 0 ? arm * 3 : 0;
        children.push({ type: "polygon", shape: { points: [[cx, cy + drop - arm], [cx + arm, cy + drop + arm], [cx - arm, cy + drop + arm]] }, style: { fill: ink }, silent: true });
      }
      for (const tilt of cell.diverged > 0 ? [1, -1] : []) {
        children.push({ type: "line", shape: { x1: cx - arm, y1: cy - arm * tilt, x2: cx + arm, y2: cy + arm * tilt }, style: { stroke: ink, lineWidth: 1.4 }, silent: true });
      }
    }
    return { type: "group", children };
  };
  return [{ type: "custom", animation: false, name, cursor: "pointer", data, renderItem: draw }];
}

function around([x, y]: [number, number], radius: number): [[number, number], [number, number]] {
  return [
    [x - radius, y - radius],
    [x + radius, y + radius],
  ];
}

function labelIn({ mean }: GridCell, { metric }: StudyGrids, { width, height }: { width: number; height: number }, fontSize: number): string | null {
  if (mean === null || height < fontSize + 6) return null;
  const written = isPercent(metric.name) ? mean.toFixed(mean < 9.95 ? 1 : 0) : String(Number(mean.toPrecision(2)));
  // Without room for three characters, no cell shows its number.
  return 3 * (fontSize - 2) * 0.6 + 4 > width ? null : written;
}

function cellContent({ x, y, metric, penalty }: StudyGrids, name: string, cell: GridCell): TooltipContent {
  const worst = worstWords(cell, metric, penalty);
  return {
    title: `${valueText(x, cell.x)}, ${valueText(y, cell.y)}, ${name}`,
    rows: [
      { name: `mean of ${cell.n}`, value: formatMetric(metric, cell.mean), ...(worst !== "" && { note: worst }) },
      ...cell.runs.slice(0, 12).map(({ point, value, outcome }) => ({ name: `seed ${point.seed}`, value: value === null ? outcome : formatMetric(metric, value) })),
    ],
  };
}

/** Draws the color bar as an axis. */
export function addColorBar({ grid, xAxis, yAxis, series }: Parts, box: Box, scale: ColorScale, name: string, look: Look, stops: readonly string[] = heatColors(look.theme)): void {
  const gridIndex = grid.length;
  const { low, high, log } = scale;
  const ticks = scale.axis.ticks.filter((tick) => tick >= low && tick <= high);
  const axis = axisOption("y", { look, log, scale: { ...scale.axis, min: low, max: low === high ? high + Math.abs(high || 1) * 0.01 : high, ticks }, gridIndex, lines: false, label: scale.axis.label });
  grid.push({ ...box, outerBoundsMode: "none" });
  xAxis.push({ type: "value", gridIndex, min: 0, max: 1, show: false });
  yAxis.push({ ...axis, position: "right", name, nameLocation: "middle", nameRotate: 90, nameGap: 38, nameTextStyle: { color: look.soft, fontSize: look.fontSize, fontFamily: look.fontFamily } });
  series.push({
    type: "custom",
    silent: true,
    animation: false,
    xAxisIndex: gridIndex,
    yAxisIndex: gridIndex,
    data: [[0, low]],
    renderItem: () => ({
      type: "rect",
      shape: { x: box.left, y: box.top, width: box.width, height: box.height },
      style: { fill: { type: "linear", x: 0, y: 1, x2: 0, y2: 0, colorStops: stops.map((color, i) => ({ offset: i / (stops.length - 1), color })) } },
    }),
  });
}
