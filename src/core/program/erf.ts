/** The error function in float64, to about 1e-15. */
export function erf(x: number): number {
  const size = Math.abs(x);
  // erf(6) is 1 - 2e-17.
  if (size >= 6) return Math.sign(x);
  // exp(-x x) times the sum of (2 x x)^n x / (1 3 5 .. 2n + 1): no term cancels another.
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
