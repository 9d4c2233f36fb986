/** Exponential moving average over a downsampled series. */
import type { Bucket } from "../shared/series.ts";

/**
 * Bias-corrected exponential moving average, one point per bucket at its middle.
 * `weight` in [0, 1) is the share retained *per step*: a bucket of n values counts as n steps at
 * its
 * mean, so the curve keeps its shape as buckets widen.
 */
export function smooth(buckets: readonly Bucket[], weight: number): [step: number, value: number][] {
  const points: [number, number][] = [];
  let average = 0;
  let missing = 1; // weight ** (values seen): the remaining share of the zero start
  for (const { start, count, nonFinite, sum } of buckets) {
    const values = count - nonFinite;
    if (values === 0) continue;
    const keep = weight ** values;
    average = average * keep + (sum / values) * (1 - keep);
    missing *= keep;
    points.push([start + (count - 1) / 2, average / (1 - missing)]);
  }
  return points;
}
