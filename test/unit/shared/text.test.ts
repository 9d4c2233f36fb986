import { describe, expect, it } from "vitest";
import { extentOf, maxOf, minOf } from "../../../src/shared/extent.ts";
import { tQuantile } from "../../../src/shared/statistics.ts";
import { capital, countedParts, listed, nounFor, plural } from "../../../src/shared/text.ts";

describe("text", () => {
  it("counts and lists", () => {
    expect([plural(0, "run"), plural(1, "run"), plural(1200, "run"), plural(2, "entry", "entries")]).toEqual(["0 runs", "1 run", "1,200 runs", "2 entries"]);
    expect([nounFor(1, "is", "are"), nounFor(2, "is", "are")]).toEqual(["is", "are"]);
    expect([listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")]).toEqual(["", "a", "a and b", "a, b or c"]);
    expect(countedParts([[2, "diverged"], [0, "failed"], [1, "exploded"]])).toEqual(["2 diverged", "1 exploded"]);
    expect(capital("so far")).toBe("So far");
  });
});

describe("the extent of many values", () => {
  const many = Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 200_003);

  it("does not overflow the stack where Math.min(...values) does", () => {
    expect(() => Math.min(...many)).toThrow(RangeError);
    expect([minOf(many), maxOf(many)]).toEqual([many.toSorted((a, b) => a - b)[0], many.toSorted((a, b) => b - a)[0]]);
  });

  it("leaves out what is no number, and has none without values", () => {
    expect([extentOf(many), extentOf([3, NaN, -1]), extentOf([]), extentOf([NaN])]).toEqual([[minOf(many), maxOf(many)], [-1, 3], undefined, undefined]);
  });

  it("is that of Math.min and Math.max otherwise", () => {
    for (const values of [[], [3], [2, -1, 5], [1, NaN, 2], [-0, Infinity]]) {
      expect(minOf(values)).toBe(Math.min(...values));
      expect(maxOf(values)).toBe(Math.max(...values));
    }
  });
});

describe("Student's t", () => {
  it.each([
    [0.95, 1, 12.7062],
    [0.95, 2, 4.30265],
    [0.95, 3, 3.18245],
    [0.99, 4, 4.60409],
    [0.95, 9, 2.26216],
    [0.95, 30, 2.04227],
    [0.995, 1, 127.3213],
  ])("holds %d within so many standard errors, with %d degrees of freedom", (confidence, degrees, expected) => {
    expect(tQuantile(confidence, degrees)).toBeCloseTo(expected, 3);
  });

  it("refuses what has no quantile", () => {
    expect(() => tQuantile(0.95, 0)).toThrow(RangeError);
    expect(() => tQuantile(1, 3)).toThrow(RangeError);
  });
});
