/** Means of a few runs and how far apart they are. */

export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation (n - 1); null for a single value. */
  readonly deviation: number | null;
}

/** @throws RangeError without values */
export function summarize(values: readonly number[]): Summary {
  const count = values.length;
  if (count === 0) throw new RangeError("there are no values to summarize");
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { count, mean, deviation: count === 1 ? null : Math.sqrt(squares / (count - 1)) };
}

/**
 * a.mean - b.mean in standard deviations of that difference, sqrt(s_a²/n_a + s_b²/n_b)
 * (Welch's t). Null where a deviation is unknown or both are 0: there is then no scale to measure by.
 */
export function standardizedDifference(a: Summary, b: Summary): number | null {
  if (a.deviation === null || b.deviation === null) return null;
  const deviation = Math.sqrt(a.deviation ** 2 / a.count + b.deviation ** 2 / b.count);
  return deviation === 0 ? null : (a.mean - b.mean) / deviation;
}
