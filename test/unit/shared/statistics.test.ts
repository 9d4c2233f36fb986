import { describe, expect, it } from "vitest";
import { standardizedDifference, summarize } from "../../../src/shared/statistics.ts";

describe("summarize", () => {
  it("gives the mean and the sample standard deviation", () => {
    expect(summarize([2, 4, 9])).toEqual({ count: 3, mean: 5, deviation: Math.sqrt(13) });
  });

  it("knows no deviation of a single value", () => {
    expect(summarize([4.5])).toEqual({ count: 1, mean: 4.5, deviation: null });
  });

  it("refuses nothing at all", () => {
    expect(() => summarize([])).toThrow(RangeError);
  });
});

describe("standardizedDifference", () => {
  it("is the difference of the means over its standard deviation", () => {
    // sqrt(0.3² / 9 + 0.8² / 4) = sqrt(0.01 + 0.16)
    const difference = standardizedDifference({ count: 9, mean: 5, deviation: 0.3 }, { count: 4, mean: 6, deviation: 0.8 });
    expect(difference).toBeCloseTo(-1 / Math.sqrt(0.17), 12);
  });

  it("is null without a scale to measure by", () => {
    const exact = { count: 3, mean: 1, deviation: 0 };
    expect(standardizedDifference(exact, exact)).toBeNull();
    expect(standardizedDifference(exact, { count: 1, mean: 2, deviation: null })).toBeNull();
  });
});
