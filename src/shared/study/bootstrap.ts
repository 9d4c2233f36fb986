/** Bootstrap confidence intervals: percentiles of a statistic over samples drawn with replacement (Efron 1979). */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { uniformInt } from "pure-rand/distribution/uniformInt";

export interface BootstrapOptions {
  readonly resamples: number;
  /** Share of the resamples inside the interval, such as 0.95. */
  readonly confidence: number;
  readonly seed: number;
}

export const defaultBootstrap: BootstrapOptions = { resamples: 1000, confidence: 0.95, seed: 0 };

export type Interval = readonly [low: number, high: number];

/** Draws as many items again, with replacement. */
export type Draw = <T>(items: readonly T[]) => T[];

/** Calls `statistics` once per resample with what draws it; the same seed gives the same draws. */
export function resample(options: BootstrapOptions, statistics: (draw: Draw) => void): void {
  const generator = xoroshiro128plus(options.seed);
  const draw: Draw = (items) => items.map(() => items[uniformInt(generator, 0, items.length - 1)]!);
  for (let i = 0; i < options.resamples; i++) statistics(draw);
}

/** Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996). @throws RangeError without values */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) throw new RangeError("there are no values to take a quantile of");
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)]!;
  const above = sorted[Math.ceil(at)]!;
  return below === above ? below : below + (at - Math.floor(at)) * (above - below);
}

/** The middle `confidence` of the values. @throws RangeError without values */
export function percentileInterval(values: readonly number[], confidence: number): Interval {
  const sorted = Float64Array.from(values).sort();
  return [quantile(sorted, (1 - confidence) / 2), quantile(sorted, (1 + confidence) / 2)];
}
