import { expect, it } from "vitest";
import { smooth } from "../../../src/charts/smoothing.ts";
import { bucketOf, coarsen, type Bucket } from "../../../src/shared/series.ts";

const steps = (values: readonly number[]): Bucket[] => values.map((value, step) => bucketOf(step, value));

it("leaves a constant series as it is, from the first point on", () => {
  for (const [, value] of smooth(steps([3, 3, 3, 3]), 0.9)) expect(value).toBeCloseTo(3, 12);
});

it("is the bias-corrected exponential moving average", () => {
  const points = smooth(steps([1, 5]), 0.5);
  // Weights 0.25 and 0.5, over their sum.
  expect(points[1]?.[1]).toBeCloseTo((0.25 * 1 + 0.5 * 5) / 0.75, 12);
});

it("weighs a wide bucket by the steps it holds", () => {
  // Constant within each bucket, so widening loses nothing at the ends of buckets.
  const values = [2, 2, 2, 2, 7, 7, 7, 7];
  const fine = smooth(steps(values), 0.8);
  const wide = smooth(coarsen(steps(values), 4), 0.8);
  expect(wide[1]?.[1]).toBeCloseTo(fine[7]?.[1] ?? NaN, 12);
  expect(wide.map(([step]) => step)).toEqual([1.5, 5.5]);
});

it("skips values that are not finite", () => {
  expect(smooth(steps([1, NaN, Infinity, 1]), 0.5).map(([step]) => step)).toEqual([0, 3]);
});
