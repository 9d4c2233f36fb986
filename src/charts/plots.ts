/** Lays out several plots in one picture, in rows. */
import { maxOf } from "../shared/extent.ts";
import type { AxisScale } from "./axes.ts";
import { axisOption, labelRoom, text, type Box } from "./frame.ts";
import type { Look } from "./theme.ts";

export interface Plot {
  readonly title?: string;
  readonly x: PlotAxis;
  readonly y: PlotAxis;
  /** Chart series without axis indices. */
  readonly series: readonly Record<string, unknown>[];
  /** Text shown without data. */
  readonly empty?: string;
  /** Remark next to the title, for example on what could not be drawn. */
  readonly note?: string;
}

export interface PlotAxis {
  readonly scale: AxisScale | undefined;
  readonly log: boolean;
  readonly name?: string;
  readonly label?: (tick: number) => string;
  readonly lines?: boolean;
}

export interface PlotLayout {
  readonly look: Look;
  readonly inner: Box;
  /** Desired number of plots per row. */
  readonly columns: number;
  /** Use one vertical scale: only the first plot of each row shows labels. */
  readonly shareY?: boolean;
  /** Pixels between neighbors. */
  readonly gap?: number;
}

export interface LaidOut {
  readonly title: Record<string, unknown>[];
  readonly grid: Record<string, unknown>[];
  readonly xAxis: Record<string, unknown>[];
  readonly yAxis: Record<string, unknown>[];
  readonly series: Record<string, unknown>[];
}

const narrowest = 150;

/** Number of plots that fit in a row, each with its own labels. */
export const plotsInRow = (width: number, wanted: number, room = 0) => Math.max(1, Math.min(wanted, Math.floor(width / (narrowest + room))));

/** Options of the plots, in order. */
export function layOutPlots(plots: readonly Plot[], { look, inner, columns: wanted, shareY = false, gap = 18 }: PlotLayout): LaidOut {
  const { fontSize, fontFamily } = look;
  const roomOf = ({ y }: Plot) => labelRoom(y.scale, fontSize, y.label ?? y.scale?.label) + (y.name === undefined ? 4 : fontSize + 12);
  const room = maxOf(plots.map(roomOf));
  const columns = plotsInRow(inner.width, Math.min(wanted, plots.length), shareY ? 0 : room);
  const rows = Math.ceil(plots.length / columns);
  const width = (inner.width - 10 - (shareY ? room : columns * room) - (columns - 1) * gap) / columns;
  const head = plots.some(({ title }) => title !== undefined) ? fontSize * 1.3 + 8 : 4;
  const foot = fontSize + 14 + (plots.some(({ x }) => x.name !== undefined) ? fontSize + 10 : 0);
  const between = rows > 1 ? 12 : 0;
  const out: LaidOut = { title: [], grid: [], xAxis: [], yAxis: [], series: [] };
  plots.forEach((plot, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const top = inner.top + (row * inner.height) / rows;
    const left = inner.left + (shareY ? room : (column + 1) * room) + column * (width + gap);
    const box: Box = { left, top: top + head, width, height: Math.max(20, inner.height / rows - head - foot - between) };
    const labels = !shareY || column === 0;
    const gridIndex = out.grid.length;
    const { x, y } = plot;
    out.grid.push({ ...box, outerBoundsMode: "none" });
    out.xAxis.push(axisOption("x", { look, log: x.log, scale: x.scale, gridIndex, label: x.label, lines: x.lines ?? false, nameGap: fontSize + 16, ...(x.name !== undefined && { name: x.name }) }));
    out.yAxis.push(
      axisOption("y", { look, log: y.log, scale: y.scale, gridIndex, label: y.label, lines: y.lines ?? true, labels, ...(labels && y.name !== undefined && { name: y.name, nameGap: labelRoom(y.scale, fontSize, y.label) + 2 }) }),
    );
    if (plot.title !== undefined) {
      out.title.push(text(plot.title, { left, top, fontSize: fontSize + 0.5, fontWeight: 600, color: look.text, fontFamily, width }));
    }
    if (plot.note !== undefined) out.title.push(text(plot.note, { left: left + width, top: top + 2, fontSize: fontSize - 2.5, color: look.faint, fontFamily, textAlign: "right" }));
    if (plot.empty !== undefined) out.title.push(text(plot.empty, { left: left + width / 2, top: box.top + box.height / 2 - 8, fontSize, color: look.faint, fontFamily, textAlign: "center" }));
    for (const one of plot.series) out.series.push({ ...one, xAxisIndex: gridIndex, yAxisIndex: gridIndex });
  });
  return out;
}
