import { describe, expect, it } from "vitest";
import { heldOut } from "../../../src/core/datasets/split.ts";
import { Random } from "../../../src/core/models/random.ts";
import { StepMasks } from "../../../src/core/training/masks.ts";
import { seededGenerator, shuffled, type Purpose } from "../../../src/shared/random.ts";

const seeds = Array.from({ length: 1_000 }, (_, seed) => seed);
const uniforms = (seed: number, count: number, purpose: Purpose = "initialization", index = 0) => {
  const random = new Random(seed, purpose, 2, index);
  return Array.from({ length: count }, () => random.uniform());
};
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = mean(a.map((value, i) => (value - meanA) * (b[i]! - meanB)));
  return covariance / Math.sqrt(mean(a.map((value) => (value - meanA) ** 2)) * mean(b.map((value) => (value - meanB) ** 2)));
}

describe("generator 2", () => {
  it.each(["initialization", "shuffling", "augmentation", "dropout"] as const)("first and second uniforms of 1,000 seeds are uniform (%s)", (purpose) => {
    for (const place of [0, 1]) {
      const values = seeds.map((seed) => uniforms(seed, 2, purpose)[place]!);
      const bins = new Array<number>(20).fill(0);
      for (const value of values) bins[Math.floor(value * 20)]!++;
      // The 99.99 % quantile of chi-square with 19 degrees of freedom is 52.
      expect(bins.reduce((sum, count) => sum + (count - 50) ** 2 / 50, 0)).toBeLessThan(52);
      expect(Math.abs(mean(values) - 0.5)).toBeLessThan(4 / Math.sqrt(12 * 1_000));
    }
  });

  it("seeds do not form a sequence: neither values nor their differences repeat", () => {
    for (const place of [0, 1]) {
      const values = seeds.map((seed) => uniforms(seed, 2)[place]!);
      expect(new Set(values).size).toBe(1_000);
      expect(new Set(values.slice(1).map((value, i) => (value - values[i]!).toFixed(6))).size).toBeGreaterThan(990);
      expect(Math.abs(correlation(values.slice(1), values.slice(0, -1)))).toBeLessThan(4 / Math.sqrt(999));
    }
  });

  it("streams of neighboring seeds, purposes and indices are uncorrelated at every shift up to 5", () => {
    const length = 2_000;
    const first = uniforms(41, length);
    for (const other of [uniforms(42, length), uniforms(41, length, "dropout"), uniforms(41, length, "initialization", 1)]) {
      for (let shift = -5; shift <= 5; shift++) {
        const [a, b] = [first.slice(Math.max(0, shift)), other.slice(Math.max(0, -shift))];
        const common = Math.min(a.length, b.length);
        expect(Math.abs(correlation(a.slice(0, common), b.slice(0, common)))).toBeLessThan(4.5 / Math.sqrt(common));
      }
    }
  });

  it("splits of neighboring seeds have as many examples in common as chance, at every shift", () => {
    const count = 1_000;
    const held = seeds.slice(0, 20).map((seed) => new Set(heldOut(count, 200, seed, 2).held));
    for (let seed = 1; seed < held.length; seed++) {
      for (let shift = -3; shift <= 3; shift++) {
        const common = [...held[seed]!].filter((place) => held[seed - 1]!.has(place + shift)).length;
        // Hypergeometric: mean 40, standard deviation 5.1.
        expect(Math.abs(common - 40)).toBeLessThan(26);
      }
    }
    // Nor are their orders shifted copies.
    const [a, b] = [7, 8].map((seed) => [...shuffled(count, seededGenerator(seed, "division", 2))]);
    for (let shift = -3; shift <= 3; shift++) expect(a!.filter((value, i) => b![i] === value + shift).length).toBeLessThan(12);
  });

  it("dropout draws a mask of its own at every step", () => {
    const masks = new StepMasks([{ name: "mask", shape: [2_000], p: 0.5 }], 1, 2);
    const [one, two] = [7, 8].map((step) => [...masks.at(step, 1)["mask"]!]);
    expect(Math.abs(correlation(one!, two!))).toBeLessThan(4 / Math.sqrt(2_000));
  });

  it("is a format: these numbers never change", () => {
    expect(uniforms(0, 3)).toEqual([0.7493103988003295, 0.8079699285002576, 0.9258754915277085]);
    expect(uniforms(4294967295, 2, "dropout", 5)).toEqual([0.6695342096120681, 0.8394094264049444]);
  });
});

describe("generator 1, with which stored runs were trained, is unchanged to the bit", () => {
  it.each([
    ["initialization", [0.9999998825951237, 0.18764029608155652, 0.8865066664655892, 420, 4, 3, 2, 0, 1]],
    ["shuffling", [0.8600722159258091, 0.1369242932905953, 0.7882593841973976, 233, 0, 1, 2, 3, 4]],
    ["generation", [0.1028329994568109, 0.8650934647784971, 0.4588802118249361, 645, 4, 3, 0, 2, 1]],
    ["augmentation", [0.2173320556392322, 0.1773338129508989, 0.938790583526531, 938, 4, 2, 3, 1, 0]],
    ["dropout", [0.3725399719468784, 0.4122629611532663, 0.5510325219489007, 244, 4, 1, 0, 3, 2]],
  ] as const)("%s", (purpose, frozen) => {
    const random = new Random(7, purpose, 1);
    expect([random.uniform(), random.uniform(), random.uniform(), random.below(1000), ...random.permutation(5)]).toEqual(frozen);
  });

  it("splits, masks and augmentation", () => {
    expect([...shuffled(12, seededGenerator(7, "division", 1))]).toEqual([9, 6, 8, 11, 1, 4, 3, 10, 2, 5, 7, 0]);
    expect([...heldOut(10, 3, 7, 1).held]).toEqual([2, 3, 4]);
    expect([...new StepMasks([{ name: "mask", shape: [16], p: 0.5 }], 7, 1).at(5, 1)["mask"]!]).toEqual([0, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 1]);
    const random = new Random(123, "augmentation", 1, 4);
    expect([9, 9, 2, 9, 9, 2].map((n) => random.below(n))).toEqual([2, 6, 1, 4, 3, 0]);
  });
});
