/** Mean and spread of a few runs. */

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

/** Standard error of the mean; null for a single value. */
export function standardErrorOf({ count, deviation }: Summary): number | null {
  return deviation === null ? null : deviation / Math.sqrt(count);
}

/**
 * Welch's t: a.mean - b.mean over sqrt(s_a²/n_a + s_b²/n_b). Null where a deviation is unknown or
 * both
 * are 0.
 */
export function standardizedDifference(a: Summary, b: Summary): number | null {
  if (a.deviation === null || b.deviation === null) return null;
  const deviation = Math.sqrt(a.deviation ** 2 / a.count + b.deviation ** 2 / b.count);
  return deviation === 0 ? null : (a.mean - b.mean) / deviation;
}

/** Two-sided probability of |t| below `t`, for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4). */
function withinT(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const square = Math.cos(angle) ** 2;
  const odd = degrees % 2 === 1;
  let term = odd ? Math.cos(angle) : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < degrees; k += 2) {
    term *= (square * (k - 1)) / k;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}

/**
 * Half-width, in standard errors, of an interval with this `confidence` under Student's t
 * distribution.
 * @throws RangeError unless degrees of freedom are a positive whole number and 0 < confidence < 1
 */
export function tQuantile(confidence: number, degrees: number): number {
  if (!Number.isInteger(degrees) || degrees < 1 || !(confidence > 0 && confidence < 1)) throw new RangeError(`no t quantile for ${confidence} with ${degrees} degrees of freedom`);
  let [low, high] = [0, 1];
  while (withinT(high, degrees) < confidence) high *= 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (withinT(middle, degrees) < confidence) low = middle;
    else high = middle;
  }
  return high;
}
