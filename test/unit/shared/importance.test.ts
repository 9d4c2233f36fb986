import { describe, expect, it } from "vitest";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { importance, type Importance } from "../../../src/shared/importance.ts";

/** Every combination of the values, so many times. */
function grid(sizes: readonly number[], times: number): number[][] {
  const all = sizes.reduce<number[][]>((rows, size) => rows.flatMap((row) => Array.from({ length: size }, (_, i) => [...row, i])), [[]]);
  return all.flatMap((row) => Array<number[]>(times).fill(row));
}
const factorsOf = (rows: readonly number[][], labels: readonly string[]) => labels.map((label, i) => ({ label, values: rows.map((row) => row[i]) }));
const found = (result: Importance) => {
  if (!result.ok) throw new Error(result.reason);
  return result;
};

describe("importance", () => {
  it("gives each setting of an additive grid its share of the variance", () => {
    // Variances of 3 a and of b on 0, 1, 2: 9 and 1 parts in 10.
    const rows = grid([3, 3], 2);
    const { factors, pairs, rest } = found(importance(factorsOf(rows, ["a", "b"]), rows.map(([a, b]) => 3 * a! + b!)));
    expect(factors.map(({ label }) => label)).toEqual(["a", "b"]);
    // Within the groups of a lies the variance of b, which a random grouping would share in too: hence not quite 0.9.
    expect(factors[0]?.share).toBeCloseTo(0.9, 12);
    expect(factors[1]?.share).toBeCloseTo(0.1, 12);
    expect(pairs[0]?.share).toBeCloseTo(0, 12);
    expect(rest).toBeCloseTo(0, 12);
  });

  it("finds what only two settings together do", () => {
    const rows = grid([2, 2], 5);
    const { factors, pairs } = found(importance(factorsOf(rows, ["a", "b"]), rows.map(([a, b]) => (a === b ? 1 : 0))));
    expect(factors.map(({ share }) => share)).toEqual([0, 0]);
    expect(pairs[0]?.share).toBeCloseTo(1, 12);
  });

  it("takes chance from within the groups where no configuration has two runs", () => {
    const rows = grid([4, 3], 1);
    const { factors, pairs, chance } = found(importance(factorsOf(rows, ["a", "b"]), rows.map(([a, b]) => 3 * a! + b!)));
    // Sums of squares 135 and 8; within the groups of a lies that of b, 8 over 8 degrees of freedom, and 3 * 1 is taken off.
    expect(factors[0]?.share).toBeCloseTo(132 / 143, 12);
    expect(chance).toBe("groups");
    expect(factors[1]?.share).toBe(0);
    expect(pairs).toEqual([]);
  });

  it("credits noise to the rest, on average", () => {
    const generator = xoroshiro128plus(5);
    const rows = grid([4, 3], 5);
    let rest = 0;
    for (let trial = 0; trial < 50; trial++) rest += found(importance(factorsOf(rows, ["a", "b"]), rows.map(() => uniformFloat64(generator)))).rest / 50;
    expect(rest).toBeGreaterThan(0.85);
  });

  it("takes settings that always vary together for one", () => {
    const rows = grid([3], 4).map(([a]) => [a!, 10 * a!]);
    expect(found(importance(factorsOf(rows, ["a", "b"]), rows.map(([a], i) => a! + 0.01 * i))).factors.map(({ label }) => label)).toEqual(["a, b"]);
  });

  it("gathers numbers that hardly repeat in bins, and leaves names alone", () => {
    const values = Array.from({ length: 40 }, (_, i) => i / 40);
    const names = values.map((_, i) => `run ${i}`);
    const { factors } = found(importance([{ label: "x", values }, { label: "name", values: names }], values.map((x) => x * x)));
    expect(factors[0]).toMatchObject({ label: "x", groups: 8, binned: true });
    expect(factors[0]?.share).toBeGreaterThan(0.9);
    expect(factors[1]).toMatchObject({ label: "name", share: null, binned: false });
  });

  it("takes having no value for a value", () => {
    const values = Array.from({ length: 12 }, (_, i) => (i < 6 ? undefined : 0.1));
    expect(found(importance([{ label: "α of level 1", values }], [90, 91, 89, 90, 91, 89, 5, 4, 6, 5, 4, 6])).factors[0]?.share).toBeGreaterThan(0.99);
  });

  it("says why there is nothing to say", () => {
    const x = { label: "x", values: Array.from({ length: 12 }, (_, i) => i % 2) };
    expect(importance([x], [1, 2, 1, 2, 1, 2])).toEqual({ ok: false, reason: "6 runs have a result; at least 12 are needed" });
    expect(importance([x], Array<number>(12).fill(3))).toMatchObject({ ok: false, reason: "all results are the same" });
    expect(importance([{ label: "x", values: Array<number>(12).fill(1) }], x.values.map((_, i) => i))).toMatchObject({ ok: false, reason: "nothing but the seed varies" });
  });

  it("gives no more than the whole to settings that vary together, and says so", () => {
    // Each setting follows the result but for one run: each explains most of it by itself.
    const half = Array.from({ length: 14 }, (_, i) => (i < 7 ? 0 : 1));
    const factors = [0, 1, 2].map((off) => ({ label: `x${off}`, values: half.map((value, i) => (i === off ? 1 - value : value)) }));
    const { factors: shares, pairs, rest, overlap } = found(importance(factors, half.map((value, i) => value + 0.01 * i)));
    expect(overlap).toBeGreaterThan(2);
    const sum = [...shares, ...pairs].reduce((all, { share }) => all + (share ?? 0), rest);
    expect(sum).toBeCloseTo(1, 12);
    expect(rest).toBe(0);
    expect(shares[0]?.share).toBeGreaterThan(shares[1]!.share! - 0.1);
  });

  it("adds up to the whole, however unbalanced the runs are", () => {
    const generator = xoroshiro128plus(7);
    for (let trial = 0; trial < 200; trial++) {
      const rows = Array.from({ length: 12 + (trial % 20) }, () => Array.from({ length: 3 }, () => Math.floor(3 * uniformFloat64(generator) ** 2)));
      const result = importance(factorsOf(rows, ["a", "b", "c"]), rows.map(([a, b]) => a! + b! + 0.1 * uniformFloat64(generator)));
      if (!result.ok) continue;
      expect([...result.factors, ...result.pairs].reduce((all, { share }) => all + (share ?? 0), result.rest)).toBeCloseTo(1, 9);
    }
  });
});
