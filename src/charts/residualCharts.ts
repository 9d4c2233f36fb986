/** A regression's predictions against the truth, and a histogram of its residuals. */
import type { RegressionReport } from "../shared/predictions.ts";
import { formatCount, formatMeasure } from "../shared/format.ts";
import { linearScale } from "./axes.ts";
import { axisOption, frameOf, labelRoom, tooltipOption, type TooltipItem } from "./frame.ts";
import type { DrawApi } from "./heatMapChart.ts";
import { lineStyle } from "./palette.ts";
import type { ChartSettings } from "./theme.ts";

type Axes = { readonly xs: readonly number[]; readonly ys: readonly number[]; readonly xName: string; readonly yName: string };

function plot(settings: ChartSettings, { xs, ys, xName, yName }: Axes, series: readonly Record<string, unknown>[]): Record<string, unknown> {
  const { look, inner, parts } = frameOf(settings, []);
  const [x, y] = [linearScale(xs), linearScale(ys)];
  const left = labelRoom(y, look.fontSize) + look.fontSize + 12;
  return {
    ...parts,
    grid: [{ left: inner.left + left, top: inner.top + 8, width: inner.width - left - 24, height: inner.height - 8 - look.fontSize * 2 - 24, outerBoundsMode: "none" }],
    xAxis: [axisOption("x", { look, log: false, scale: x, gridIndex: 0, name: xName, nameGap: look.fontSize + 16 })],
    yAxis: [axisOption("y", { look, log: false, scale: y, gridIndex: 0, name: yName, nameGap: labelRoom(y, look.fontSize) + 2 })],
    series,
    ...tooltipOption(settings),
  };
}

/** Predicted against true values; on the diagonal they are equal. */
export function predictedChart({ points }: Pick<RegressionReport, "points">, settings: ChartSettings): Record<string, unknown> {
  const values = points.flat();
  const [low, high] = [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), -Infinity)];
  const { color } = lineStyle(0, settings.theme === "dark");
  const { look } = frameOf(settings, []);
  const data = points.map((value): TooltipItem & { value: [number, number] } => ({
    value,
    told: () => ({ title: "", rows: [{ name: "true", value: formatMeasure(value[0]) }, { name: "predicted", value: formatMeasure(value[1]) }, { name: "residual", value: formatMeasure(value[1] - value[0]) }] }),
  }));
  return plot(settings, { xs: values, ys: values, xName: "True", yName: "Predicted" }, [
    { type: "line", silent: true, animation: false, symbol: "none", lineStyle: { color: look.reference, width: 1, type: "dashed" }, data: [[low, low], [high, high]] },
    { type: "scatter", animation: false, symbolSize: points.length > 500 ? 4 : 6, itemStyle: { color, opacity: points.length > 500 ? 0.45 : 0.7 }, data },
  ]);
}

/** Residuals, counted in bins. */
export function residualChart({ histogram: { edges, counts } }: Pick<RegressionReport, "histogram">, settings: ChartSettings): Record<string, unknown> {
  const { color } = lineStyle(0, settings.theme === "dark");
  const data = counts.map((count, i): TooltipItem & { value: [number, number] } => ({
    value: [(edges[i]! + edges[i + 1]!) / 2, count],
    told: () => ({ title: `${formatMeasure(edges[i]!)} to ${formatMeasure(edges[i + 1]!)}`, rows: [{ name: "examples", value: formatCount(count) }] }),
  }));
  const bar = ({ dataIndex }: { dataIndex: number }, api: DrawApi) => {
    const [left, top] = api.coord([edges[dataIndex]!, counts[dataIndex]!]);
    const [right, bottom] = api.coord([edges[dataIndex + 1]!, 0]);
    return { type: "rect", shape: { x: left + 0.5, y: top, width: Math.max(1, right - left - 1), height: bottom - top }, style: { fill: color, opacity: 0.8 } };
  };
  return plot(settings, { xs: edges, ys: [0, ...counts], xName: "Residual: predicted − true", yName: "Examples" }, [{ type: "custom", animation: false, data, renderItem: bar }]);
}
