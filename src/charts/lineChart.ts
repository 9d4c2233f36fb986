/** ECharts options of line charts. */
import type { EChartsCoreOption } from "echarts/core";
import type { AxisScale } from "./axes.ts";
import { bandSeries } from "./band.ts";
import { clamp, clip, markSeries } from "./clipping.ts";
import type { ChartLine } from "./chartLines.ts";
import { formatCompact } from "../shared/format.ts";

export interface ChartLook {
  readonly xLog: boolean;
  readonly yLog: boolean;
  readonly dark: boolean;
  /** Scales of the axes; undefined without data. */
  readonly x: AxisScale | undefined;
  readonly y: AxisScale | undefined;
  /** Positions on the horizontal axis, each drawn as a vertical line. */
  readonly marks?: readonly number[];
  /** Unit after the numbers of the vertical axis. */
  readonly unit: string;
  /** Builds the tooltip at a position, as an element of the window. */
  readonly tooltip: (x: number) => unknown;
}

const colors = (dark: boolean) =>
  dark ? { text: "#8b94a3", line: "#252b36", pointer: "#5a6373" } : { text: "#69717f", line: "#e8eaee", pointer: "#a5adba" };

const font = { fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif", fontSize: 11.5 };

function axis(log: boolean, scale: AxisScale | undefined, label: (tick: number) => string, dark: boolean) {
  const { text, line } = colors(dark);
  return {
    type: log ? "log" : "value",
    min: scale?.min,
    max: scale?.max,
    axisLine: { show: false },
    // The library's ticks are whole decades on log axes: too coarse for less than a decade of data.
    axisTick: { show: false, customValues: scale?.ticks },
    axisLabel: { ...font, show: scale !== undefined, color: text, formatter: label, hideOverlap: true, customValues: scale?.ticks },
    splitLine: { lineStyle: { color: line } },
  };
}

function seriesOf(line: ChartLine, look: ChartLook, crowded: boolean) {
  const { name, style } = line;
  const { points, smoothed, marks } = clip(line, look.y, look.xLog, look.yLog);
  const base = { type: "line", animation: false, silent: true, itemStyle: { color: style.color } };
  const raw = {
    ...base,
    name,
    data: points,
    showSymbol: line.symbols === true,
    symbol: "circle",
    symbolSize: 6,
    lineStyle: { color: style.color, type: style.dash, width: smoothed ? 1 : 1.7, opacity: smoothed ? (crowded ? 0.16 : 0.3) : 1 },
    z: 2,
  };
  const outline = line.band?.filter(({ x }) => !look.xLog || x > 0).map(({ x, low, high }) => ({ x, low: look.yLog && low <= 0 ? low : clamp(low, look.y), high: look.yLog && high <= 0 ? high : clamp(high, look.y) }));
  const band = outline ? bandSeries(outline, style.color, look.yLog, { animation: false, name: `${name} (band)` }) : [];
  const marked = markSeries(marks, style.color, { name: `${name} (marks)` });
  if (!smoothed) return [raw, ...band, ...marked];
  const over = {
    ...base,
    name: `${name} (smoothed)`,
    data: smoothed,
    showSymbol: false,
    lineStyle: { color: style.color, type: style.dash, width: 2 },
    z: 3,
  };
  return [raw, over, ...band, ...marked];
}

/** Attaches the marks to the first series, so that they are drawn once. */
function withMarks(series: readonly object[], { marks = [], xLog, dark }: ChartLook): object[] {
  const [first, ...rest] = series;
  const shown = marks.filter((mark) => !xLog || mark > 0);
  if (!first || shown.length === 0) return [...series];
  const markLine = {
    silent: true,
    animation: false,
    symbol: ["none", "triangle"],
    symbolSize: 7,
    label: { show: false },
    lineStyle: { color: dark ? "#e0a04f" : "#b8731a", type: "dashed", width: 1 },
    itemStyle: { color: dark ? "#e0a04f" : "#b8731a" },
    data: shown.map((xAxis) => ({ xAxis })),
  };
  return [{ ...first, markLine }, ...rest];
}

export function lineChart(lines: readonly ChartLine[], look: ChartLook): EChartsCoreOption {
  const { xLog, yLog, dark, x, y, unit } = look;
  const xAxis = axis(xLog, x, formatCompact, dark);
  return {
    animation: false,
    grid: { left: 8, right: 14, top: 10, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: { ...xAxis, splitLine: { show: false } },
    yAxis: axis(yLog, y, (tick) => `${y?.label(tick) ?? ""}${unit}`, dark),
    tooltip: {
      trigger: "axis",
      confine: true,
      transitionDuration: 0,
      className: "chart-tooltip",
      axisPointer: { type: "line", lineStyle: { color: colors(dark).pointer, type: "solid", width: 1 } },
      formatter: (params: readonly { axisValue?: number | string }[]) => look.tooltip(Number(params[0]?.axisValue)),
    },
    series: withMarks(lines.flatMap((line) => seriesOf(line, look, lines.length > 3)), look),
  };
}
