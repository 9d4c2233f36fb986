/** The number that a float32 value stands for: 0.30000001192092896 is 0.3, and 0.1666666716337204 is 1/6. Other numbers stay. */
export function shortest(value: number): number {
  if (!Number.isFinite(value) || Math.fround(value) !== value) return value;
  for (let digits = 1; digits <= 9; digits++) {
    const parts = Math.round(1 / value);
    if (digits === 7 && Math.abs(parts) <= 1000 && Math.fround(1 / parts) === value) return 1 / parts;
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
