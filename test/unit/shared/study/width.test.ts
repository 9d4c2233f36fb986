import { describe, expect, it } from "vitest";
import { thresholdOf, usableRange } from "../../../../src/shared/study/width.ts";

const curve = (...points: [number, number][]) => points.map(([x, value]) => ({ x, value }));

describe("usableRange", () => {
  it("interpolates on the logarithmic axis", () => {
    // A V of 10 points per decade around 1e-2: 1 point above the best is reached after 0.1 decades either way.
    const found = usableRange(curve([1e-4, 24], [1e-3, 14], [1e-2, 4], [1e-1, 14]), 5, "log");
    expect(found.width).toBeCloseTo(0.2, 12);
    expect(found.parts).toHaveLength(1);
    expect(found.parts[0]?.from).toBeCloseTo(10 ** -2.1, 12);
    expect(found.parts[0]?.to).toBeCloseTo(10 ** -1.9, 12);
    expect(found).toMatchObject({ openLow: false, openHigh: false });
  });

  it("adds up parts that a hump keeps apart, and says where the values end", () => {
    const found = usableRange(curve([1e-3, 4], [1e-2, 6], [1e-1, 4], [1, 4]), 5, "log");
    expect(found.width).toBeCloseTo(2, 12);
    expect(found.parts).toHaveLength(2);
    expect(found).toMatchObject({ openLow: true, openHigh: true });
  });

  it("measures a linear axis in its own unit", () => {
    const found = usableRange(curve([0, 9], [0.5, 5], [1, 9]), 7, "linear");
    expect(found.width).toBeCloseTo(0.5, 12);
    expect(found.parts[0]).toMatchObject({ from: 0.25, to: 0.75 });
  });

  it("gives a single point no width, and nothing where nothing is usable", () => {
    expect(usableRange(curve([0.1, 4]), 5, "log")).toMatchObject({ width: 0, parts: [{ from: 0.1, to: 0.1 }], openLow: true, openHigh: true });
    expect(usableRange(curve([0.1, 4], [1, 5]), 3, "log")).toEqual({ width: 0, parts: [], openLow: false, openHigh: false });
    expect(usableRange([], 3, "log")).toEqual({ width: 0, parts: [], openLow: false, openHigh: false });
  });

  it("never shrinks as the threshold rises, and never exceeds the axis", () => {
    const values = Array.from({ length: 12 }, (_, i) => 50 + 40 * Math.sin(7.3 * i) + 9 * Math.cos(2.1 * i));
    const wavy = values.map((value, i) => ({ x: 10 ** (i - 8), value }));
    let before = 0;
    for (let threshold = 0; threshold <= 110; threshold += 0.5) {
      const { width } = usableRange(wavy, threshold, "log");
      expect(width).toBeGreaterThanOrEqual(before - 1e-12);
      before = width;
    }
    expect(before).toBeCloseTo(11, 12);
  });
});

describe("thresholdOf", () => {
  it("reads a tolerance", () => {
    expect(thresholdOf({ kind: "absolute", by: 1 }, 4)).toBe(5);
    expect(thresholdOf({ kind: "relative", by: 0.1 }, 2)).toBeCloseTo(2.2, 12);
    expect(thresholdOf({ kind: "below", value: 10 }, 4)).toBe(10);
  });
});
