/** Runs of one configuration as one line: mean ± one standard error. */
import { standardErrorOf, summarize } from "@shared/statistics.ts";
import { coarsen, type Bucket } from "@shared/series.ts";
import { metricValue, type MetricName } from "@shared/metrics.ts";
import type { Evaluation } from "@shared/run.ts";
import { lineOf, type BandPoint, type ChartLine, type Point } from "@charts/chartLines.ts";
import type { LineStyle } from "@charts/palette.ts";
import { smooth } from "@charts/smoothing.ts";
import type { HeldSeries } from "./seriesCache.ts";

/** Most points of a line that are marked with a dot each. */
const maxSymbols = 200;

interface Spread {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Mean ± standard error; zero width for a single value. */
function spreadOf(values: readonly number[]): Spread {
  const summary = summarize(values);
  const error = standardErrorOf(summary) ?? 0;
  return { mean: summary.mean, low: summary.mean - error, high: summary.mean + error };
}

/** A bucket in which every value is `value`. */
const uniform = (start: number, count: number, value: number): Bucket => ({
  start, count, nonFinite: 0, min: value, minStep: start, max: value, maxStep: start, sum: value * count,
});

/**
 * Mean of a logged metric over the runs that reached each step, so it may jump where a run ends.
 * Buckets are
 * brought to a common width and represented by their mean.
 */
export function meanLine(name: string, style: LineStyle, held: readonly (HeldSeries | undefined)[], steps: number, perX = 1): ChartLine {
  const series = held.filter((one) => one !== undefined);
  const width = series.reduce((widest, one) => Math.max(widest, one.width), 1);
  const at = new Map<number, { count: number; values: number[] }>();
  const broken = new Set<number>();
  for (const { buckets } of series) {
    for (const { start, count, nonFinite, sum } of coarsen(buckets, width)) {
      if (count === nonFinite) {
        broken.add(start);
        continue;
      }
      const entry = at.get(start) ?? { count: 0, values: [] };
      at.set(start, { count: Math.max(entry.count, count), values: [...entry.values, sum / (count - nonFinite)] });
    }
  }
  const spreads = [...at].sort(([a], [b]) => a - b).map(([start, { count, values }]) => ({ start, count, ...spreadOf(values) }));
  const bucketsOf = (which: keyof Spread) => spreads.map(({ start, count, [which]: value }) => uniform(start, count, value));
  const edge = (which: "low" | "high"): readonly Point[] =>
    steps > 1 ? smooth(bucketsOf(which), 1 - 1 / steps) : spreads.map(({ start, [which]: value }): Point => [start, value]);
  const [low, high] = [edge("low"), edge("high")];
  const line = lineOf(name, style, { buckets: bucketsOf("mean"), total: series.reduce((most, one) => Math.max(most, one.total), 0) }, steps, perX);
  return {
    ...line,
    // The mean continues over the other runs, if any.
    gaps: [...broken].filter((start) => !at.has(start)).sort((a, b) => a - b).map((start) => start / perX),
    nonFinite: series.reduce((sum, { buckets }) => sum + buckets.reduce((all, { nonFinite }) => all + nonFinite, 0), 0),
    ...(series.length > 1 && { band: low.map(([x, value], i): BandPoint => ({ x: x / perX, low: value, high: high[i]![1] })) }),
  };
}

/**
 * An evaluation metric over epochs: a single run's values, or the mean of the runs evaluated there.
 */
export function measureLine(name: string, style: LineStyle, runs: readonly (readonly Evaluation[])[], metric: MetricName): ChartLine {
  const at = new Map<number, number[]>();
  for (const evaluations of runs) {
    for (const one of evaluations) {
      const value = metricValue(metric, one);
      if (value !== null) at.set(one.epoch, [...(at.get(one.epoch) ?? []), value]);
    }
  }
  const spreads = [...at].sort(([a], [b]) => a - b).map(([epoch, values]) => ({ x: epoch, ...spreadOf(values) }));
  return {
    name,
    style,
    points: spreads.map(({ x, mean }): Point => [x, mean]),
    smoothed: null,
    total: runs.reduce((most, evaluations) => Math.max(most, evaluations.filter((one) => metricValue(metric, one) !== null).length), 0),
    nonFinite: 0,
    // A dot for each of thousands would hide the line, and take as long to draw.
    symbols: spreads.length <= maxSymbols,
    ...(runs.length > 1 && { band: spreads }),
  };
}
