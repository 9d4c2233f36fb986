/** ECharts options for the workbench's line charts. */
import type { EChartsCoreOption } from "echarts/core";
import { drawable, type ChartLine, type Point } from "@/lib/chartLines.ts";
import { logExtent, logTicks } from "@/lib/axes.ts";
import { formatCompact } from "@/lib/format.ts";

export interface ChartLook {
  readonly xLog: boolean;
  readonly yLog: boolean;
  readonly dark: boolean;
  readonly xName: string;
  readonly formatY: (value: number) => string;
  readonly tooltip: (x: number) => HTMLElement;
}

const colors = (dark: boolean) =>
  dark ? { text: "#8b94a3", line: "#252b36", pointer: "#5a6373" } : { text: "#69717f", line: "#e8eaee", pointer: "#a5adba" };

const font = { fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif", fontSize: 11.5 };

function axis(values: Iterable<number>, log: boolean, format: (value: number) => string, dark: boolean) {
  const { text, line } = colors(dark);
  const label = { ...font, color: text, formatter: format, hideOverlap: true };
  const common = { axisLine: { show: false }, axisTick: { show: false }, splitLine: { lineStyle: { color: line } } };
  const extent = log ? logExtent(values) : undefined;
  if (!extent) return { ...common, type: "value", axisLabel: label };
  const [min, max] = extent;
  const ticks = logTicks(min, max);
  // The library's own ticks are whole decades: too coarse where data spans less than one.
  return { ...common, type: "log", min, max, axisLabel: { ...label, customValues: ticks }, axisTick: { show: false, customValues: ticks } };
}

function* coordinates(lines: readonly { points: readonly Point[] }[], which: 0 | 1): Generator<number> {
  for (const { points } of lines) for (const point of points) yield point[which];
}

export function chartOption(lines: readonly ChartLine[], look: ChartLook): EChartsCoreOption {
  const { xLog, yLog, dark } = look;
  const shown = lines.map((line) => ({ line, points: drawable(line.points, xLog, yLog) }));
  const x = axis(coordinates(shown, 0), xLog, formatCompact, dark);
  const y = axis(coordinates(shown, 1), yLog, look.formatY, dark);
  const series = shown.flatMap(({ line, points }) => {
    const { name, style, smoothed } = line;
    const base = { type: "line", animation: false, silent: true, connectNulls: false, itemStyle: { color: style.color } };
    const raw = {
      ...base,
      name,
      data: points,
      showSymbol: line.symbols === true,
      symbol: "circle",
      symbolSize: 6,
      lineStyle: { color: style.color, type: style.dash, width: smoothed ? 1 : 1.7, opacity: smoothed ? 0.28 : 1 },
      z: 2,
    };
    if (!smoothed) return [raw];
    const over = {
      ...base,
      name: `${name} (smoothed)`,
      data: drawable(smoothed, xLog, yLog),
      showSymbol: false,
      lineStyle: { color: style.color, type: style.dash, width: 2 },
      z: 3,
    };
    return [raw, over];
  });
  return {
    animation: false,
    grid: { left: 8, right: 14, top: 10, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: {
      ...x,
      splitLine: { show: false },
      min: "min" in x ? x.min : "dataMin",
      max: "max" in x ? x.max : "dataMax",
      minInterval: 1,
      axisLabel: { ...x.axisLabel, showMaxLabel: false },
    },
    yAxis: { ...y, scale: true },
    tooltip: {
      trigger: "axis",
      confine: true,
      transitionDuration: 0,
      className: "chart-tooltip",
      axisPointer: { type: "line", lineStyle: { color: colors(dark).pointer, type: "solid", width: 1 } },
      formatter: (params: readonly { axisValue?: number | string }[]) => look.tooltip(Number(params[0]?.axisValue)),
    },
    series,
  };
}
