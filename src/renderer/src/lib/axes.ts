/** Ticks and extents of logarithmic axes, which follow the data instead of whole decades. */

/** Smallest and largest positive value, with a little room; undefined without any. */
export function logExtent(values: Iterable<number>): [min: number, max: number] | undefined {
  let low = Infinity;
  let high = 0;
  for (const value of values) {
    if (value <= 0) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (high === 0) return undefined;
  // A flat line still needs an axis with some width.
  const room = Math.max(0.06 * Math.log10(high / low), low === high ? 0.15 : 0.01);
  return [low / 10 ** room, high * 10 ** room];
}

/** Round values between the ends: decades where they span enough, else 1-2-5, else evenly spaced round numbers. */
export function logTicks(min: number, max: number): number[] {
  const from = Math.floor(Math.log10(min));
  const to = Math.ceil(Math.log10(max));
  const inside = (value: number) => value >= min && value <= max;
  const series = (mantissas: readonly number[], every = 1) => {
    const ticks: number[] = [];
    for (let exponent = from; exponent <= to; exponent++) {
      if (exponent % every !== 0) continue;
      for (const mantissa of mantissas) ticks.push(Number(`${mantissa}e${exponent}`));
    }
    return ticks.filter(inside);
  };
  const decades = series([1]);
  if (decades.length > 6) return series([1], Math.ceil(decades.length / 6));
  if (decades.length >= 3) return decades;
  const fine = series([1, 2, 5]);
  return fine.length >= 3 ? fine : evenTicks(min, max);
}

function evenTicks(min: number, max: number): number[] {
  const rough = (max - min) / 4;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * decade).find((s) => s >= rough) ?? 10 * decade;
  const ticks: number[] = [];
  for (let i = Math.ceil(min / step); i * step <= max; i++) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}
