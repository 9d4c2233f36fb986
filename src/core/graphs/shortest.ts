/** The shortest decimal that a float32 value stands for: 0.30000001192092896 is 0.3. Other numbers stay. */
export function shortest(value: number): number {
  if (!Number.isFinite(value) || Math.fround(value) !== value) return value;
  for (let digits = 1; digits <= 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
