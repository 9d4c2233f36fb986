import { describe, expect, it } from "vitest";
import { piecewise, type Knot } from "../../../src/main/reports/knots.ts";

/** Linear between knots, as the generated code reads them. */
function at(knots: readonly Knot[], update: number): number {
  const i = knots.findIndex(([place]) => place >= update);
  const [x1, y1] = knots[i]!;
  if (x1 === update) return y1;
  const [x0, y0] = knots[i - 1]!;
  return y0 + ((y1 - y0) * (update - x0)) / (x1 - x0);
}

/** A step size that grows by decades, with noise and one spike. */
const curve = Float64Array.from({ length: 5000 }, (_, i) => 1e-4 * 10 ** (2 * (1 - Math.exp(-i / 600))) * (1 + 0.02 * Math.sin(i * 0.7)) * (i === 3210 ? 5 : 1));

const worstError = (knots: readonly Knot[], values: Float64Array) =>
  values.reduce((worst, value, i) => Math.max(worst, Math.abs(at(knots, i + 1) - value) / Math.abs(value)), 0);

describe("piecewise", () => {
  it("needs two knots for a line", () => {
    const line = Float64Array.from({ length: 1000 }, (_, i) => 3 + 0.25 * i);
    expect(piecewise(line, { tolerance: 1e-9, maxKnots: 256 })).toMatchObject({ knots: [[1, 3], [1000, 252.75]] });
  });

  it("keeps every update within the error it states, and the spike", () => {
    for (const tolerance of [0.1, 0.01, 0.001]) {
      const { knots, error } = piecewise(curve, { tolerance, maxKnots: 5000 });
      expect(error).toBeLessThanOrEqual(tolerance);
      expect(worstError(knots, curve)).toBeCloseTo(error, 10);
      expect(knots.find(([update]) => update === 3211)?.[1]).toBe(curve[3210]);
    }
  });

  it("needs fewer knots the larger an error is allowed", () => {
    const count = (tolerance: number) => piecewise(curve, { tolerance, maxKnots: 5000 }).knots.length;
    expect(count(0.05)).toBeLessThan(60);
    expect(count(0.005)).toBeGreaterThan(count(0.05));
  });

  it("stops at the largest number of knots, and states the error that is left", () => {
    const { knots, error } = piecewise(curve, { tolerance: 1e-9, maxKnots: 40 });
    expect(knots).toHaveLength(40);
    expect(error).toBeGreaterThan(1e-9);
    expect(worstError(knots, curve)).toBeCloseTo(error, 10);
    expect([knots[0]![0], knots.at(-1)![0]]).toEqual([1, 5000]);
  });

  it("measures against what it is told to", () => {
    const beta = Float64Array.from([0.999, 0.9985, 0.999]);
    expect(piecewise(beta, { tolerance: 0.01, maxKnots: 9 }).knots).toHaveLength(2);
    expect(piecewise(beta, { tolerance: 0.01, maxKnots: 9, scale: (value) => 1 - value }).knots).toHaveLength(3);
  });

  it("takes zeros and changes of sign, and as little as one value", () => {
    const { error, knots } = piecewise(Float64Array.from([1, 0.5, 0, -0.25, 0, 0.1]), { tolerance: 1e-3, maxKnots: 10 });
    expect(error).toBeLessThanOrEqual(1e-3);
    expect(knots.map(([, value]) => value)).toContain(-0.25);
    expect(piecewise(Float64Array.of(2), { tolerance: 0, maxKnots: 2 })).toEqual({ knots: [[1, 2]], error: 0 });
  });
});
