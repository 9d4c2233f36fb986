/** Bootstrap confidence intervals: percentiles of a statistic over samples drawn with replacement (Efron 1979). */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { latestGenerator, seededGenerator } from "../random.ts";

export interface BootstrapOptions {
  readonly resamples: number;
  /** Share of the resamples inside the interval, such as 0.95. */
  readonly confidence: number;
  readonly seed: number;
}

export const defaultBootstrap: BootstrapOptions = { resamples: 1000, confidence: 0.95, seed: 0 };

export type Interval = readonly [low: number, high: number];

/**
 * Resamples every stratum with replacement, keeping its size. Calls `visit` once per resample with
 * the number of draws of each index; the array is reused. The strata partition the indices from 0
 * on. The same seed gives the same draws.
 */
export function resample(strata: readonly (readonly number[])[], { resamples, seed }: Omit<BootstrapOptions, "confidence">, visit: (weights: Uint32Array) => void): void {
  const generator = seededGenerator(seed, "bootstrap", latestGenerator);
  const weights = new Uint32Array(strata.reduce((sum, { length }) => sum + length, 0));
  for (let i = 0; i < resamples; i++) {
    weights.fill(0);
    for (const stratum of strata) {
      for (let drawn = 0; drawn < stratum.length; drawn++) weights[stratum[uniformInt(generator, 0, stratum.length - 1)]!]! += 1;
    }
    visit(weights);
  }
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
