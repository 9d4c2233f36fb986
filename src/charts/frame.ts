/** The frame of a picture (title, legend, footer) and the axes of its plots. */
import type { AxisScale } from "./axes.ts";
import { lookOf, type ChartSettings, type Look, type TooltipContent } from "./theme.ts";

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Approximate width of a text in pixels. */
export function roomFor(text: string, fontSize: number): number {
  return text.length * fontSize * 0.57;
}

/** Lines of a text that fit into a width; a word that is wider is cut into parts. */
export function wrapped(content: string, fontSize: number, width: number): string[] {
  const most = Math.max(1, Math.floor(width / roomFor("x", fontSize)));
  const lines: string[] = [];
  for (const word of content.split(/ +/).flatMap((one) => one.match(new RegExp(`.{1,${most}}`, "gsu")) ?? [])) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export interface LegendEntry {
  /** Series name; the first series of that name supplies the legend's symbol. */
  readonly name: string;
  /** A line without a symbol. */
  readonly plain?: boolean;
}

interface Frame {
  readonly look: Look;
  /** Area of the plots. */
  readonly inner: Box;
  /** Options of title, legend and footer. */
  readonly parts: Record<string, unknown>;
}

export const margin = 14;

/** Lays out a picture; `inner` is the area between head and foot. */
export function frameOf(settings: ChartSettings, legend: readonly LegendEntry[]): Frame {
  const look = lookOf(settings);
  const { width, height, title, subtitle, footer = [] } = settings;
  const { fontSize, fontFamily } = look;
  const texts: Record<string, unknown>[] = [];
  let top = title !== undefined ? margin : 4;
  if (title !== undefined) {
    const size = fontSize + 4;
    // Semibold letters are wider.
    const lines = wrapped(title, 1.06 * size, width - 2 * margin);
    texts.push(text(lines.join("\n"), { left: margin, top, fontSize: size, fontWeight: 600, color: look.text, fontFamily, width: width - 2 * margin }));
    top += lines.length * size * 1.3;
  }
  if (subtitle !== undefined) {
    const size = fontSize + 0.5;
    const lines = wrapped(subtitle, size, width - 2 * margin);
    texts.push(text(lines.join("\n"), { left: margin, top: top + 2, fontSize: size, color: look.soft, fontFamily, width: width - 2 * margin }));
    top += lines.length * size * 1.3 + 3;
  }
  if (title !== undefined) top += 6;

  const entryWidth = (name: string) => 24 + 7 + roomFor(name, fontSize) + 16;
  const rows = legendRows(legend.map(({ name }) => entryWidth(name)), width - 2 * margin);
  const rowHeight = fontSize + 8;
  const legendTop = top;
  if (legend.length > 0) top += rows * rowHeight + 6;

  const footSize = Math.max(8, fontSize - 2.5);
  const foot = footer.flatMap((line) => wrapped(line, footSize, width - 2 * margin));
  const footHeight = foot.length === 0 ? 0 : foot.length * footSize * 1.45 + 10;
  foot.forEach((line, i) => {
    texts.push(text(line, { left: margin, top: height - footHeight + 2 + i * footSize * 1.45, fontSize: footSize, color: look.faint, fontFamily, width: width - 2 * margin }));
  });
  return {
    look,
    inner: { left: margin, top, width: width - 2 * margin, height: height - top - footHeight - 4 },
    parts: {
      animation: false,
      backgroundColor: settings.footer || settings.title ? look.background : "transparent",
      textStyle: { fontFamily, fontSize },
      title: texts,
      ...(legend.length > 0 && { legend: legendOption(legend, { look, top: legendTop, width: width - 2 * margin }) }),
    },
  };
}

function legendRows(widths: readonly number[], room: number): number {
  let [rows, used] = [1, 0];
  for (const width of widths) {
    if (used > 0 && used + width > room) [rows, used] = [rows + 1, 0];
    used += width;
  }
  return rows;
}

interface TextStyle {
  readonly left: number;
  readonly top: number;
  readonly fontSize: number;
  readonly color: string;
  readonly fontFamily: string;
  readonly fontWeight?: number;
  readonly width?: number;
  readonly textAlign?: "left" | "center" | "right";
}

/** Text at a position on the picture; what is wider than `width` ends with an ellipsis. */
export function text(content: string, { left, top, textAlign, width, ...textStyle }: TextStyle): Record<string, unknown> {
  return {
    text: content,
    left,
    top,
    padding: 0,
    ...(textAlign && { textAlign }),
    textStyle: { fontWeight: 400, lineHeight: textStyle.fontSize * 1.3, ...textStyle, ...(width !== undefined && { width, overflow: "truncate" }) },
  };
}

function legendOption(entries: readonly LegendEntry[], { look, top, width }: { look: Look; top: number; width: number }): Record<string, unknown> {
  return {
    show: true,
    top,
    left: margin,
    width,
    padding: 0,
    itemGap: 16,
    itemWidth: 26,
    itemHeight: 9,
    textStyle: { color: look.text, fontFamily: look.fontFamily, fontSize: look.fontSize },
    inactiveColor: look.axis,
    data: entries.map(({ name, plain }) => ({ name, ...(plain && { itemStyle: { opacity: 0 } }) })),
  };
}

export interface AxisSettings {
  readonly look: Look;
  readonly log: boolean;
  readonly scale: AxisScale | undefined;
  readonly gridIndex: number;
  /** Title with symbol and unit; omitted where a neighboring plot shows it. */
  readonly name?: string;
  readonly nameGap?: number;
  readonly labels?: boolean;
  readonly lines?: boolean;
  readonly label?: (tick: number) => string;
}

/** An axis of a plot with the scale's ticks, thin lines and a centered title. */
export function axisOption(direction: "x" | "y", settings: AxisSettings): Record<string, unknown> {
  const { look, log, scale, gridIndex, name, nameGap = 30, labels = true, lines = direction === "y", label = scale?.label } = settings;
  const font = { fontFamily: look.fontFamily, fontSize: look.fontSize };
  // Labels that are differences say from what.
  const offset = scale?.offset ?? null;
  const title = name === undefined || offset === null ? name : `${name} − ${offset}`;
  return {
    type: log ? "log" : "value",
    gridIndex,
    min: scale?.min,
    max: scale?.max,
    ...(title !== undefined && { name: title, nameLocation: "middle", nameGap, nameTextStyle: { ...font, fontSize: look.fontSize + 0.5, color: look.soft } }),
    axisLine: { show: direction === "x", onZero: false, lineStyle: { color: look.axis, width: 1 } },
    axisTick: { show: direction === "x", length: 4, lineStyle: { color: look.axis }, customValues: scale?.ticks },
    axisLabel: { ...font, show: labels && scale !== undefined, color: look.soft, hideOverlap: true, margin: 7, customValues: scale?.ticks, formatter: (tick: number) => label?.(tick) ?? "" },
    splitLine: { show: lines && scale !== undefined, lineStyle: { color: look.grid, width: 1 } },
  };
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** `10⁻³` for a power of ten; null otherwise. */
export function powerOfTen(value: number): string | null {
  const exponent = Math.round(Math.log10(value));
  if (Math.abs(Math.log10(value) - exponent) > 1e-9) return null;
  const digits = [...String(Math.abs(exponent))].map((digit) => superscripts[Number(digit)]!).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/**
 * Labels of a logarithmic axis: powers of ten where every tick is one and the span is large enough.
 */
export function logLabels(scale: AxisScale | undefined): ((tick: number) => string) | undefined {
  if (!scale || scale.max / scale.min < 1e3 || scale.ticks.some((tick) => powerOfTen(tick) === null)) return scale?.label;
  return (tick) => powerOfTen(tick) ?? scale.label(tick);
}

/** Width of the labels of a vertical axis. */
export function labelRoom(scale: AxisScale | undefined, fontSize: number, label = scale?.label): number {
  const widest = scale?.ticks.reduce((most, tick) => Math.max(most, label?.(tick).length ?? 0), 1) ?? 2;
  return widest * fontSize * 0.6 + 10;
}

/** A chart item that supplies its own tooltip. */
export interface TooltipItem {
  readonly told?: () => TooltipContent;
}

/** Tooltips for items that supply their own content. */
export function tooltipOption({ tooltip }: ChartSettings): Record<string, unknown> {
  if (!tooltip) return {};
  return {
    tooltip: {
      trigger: "item",
      confine: true,
      transitionDuration: 0,
      className: "chart-tooltip",
      formatter: ({ data }: { data?: TooltipItem }) => (data?.told ? tooltip(data.told()) : ""),
    },
  };
}
