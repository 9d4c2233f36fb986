/** Largest difference, relative to the largest expected entry, or to `least` where all are smaller; infinite if an entry is not finite. */
export function difference(ours: ArrayLike<number>, expected: ArrayLike<number>, least = 1e-6): number {
  let [worst, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const apart = Math.abs(ours[i]! - expected[i]!);
    worst = Math.max(worst, Number.isNaN(apart) ? Infinity : apart);
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return worst / Math.max(scale, least);
}
