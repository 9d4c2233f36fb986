/**
 * Minimum and maximum of many values: `Math.min(...values)` overflows the stack at about 130,000.
 */

/** Infinity without values; NaN if any value is NaN. */
export function minOf(values: Iterable<number>): number {
  let min = Infinity;
  for (const value of values) min = Math.min(min, value);
  return min;
}

/** -Infinity without values; NaN if any value is NaN. */
export function maxOf(values: Iterable<number>): number {
  let max = -Infinity;
  for (const value of values) max = Math.max(max, value);
  return max;
}

/** Both at once, of the values that are numbers; undefined without any. */
export function extentOf(values: Iterable<number>): [low: number, high: number] | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? undefined : [low, high];
}
