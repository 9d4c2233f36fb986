import { describe, expect, it } from "vitest";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { numberColumns } from "../../../../src/charts/numberTable.ts";
import { percentileInterval, quantile, resample } from "../../../../src/shared/study/bootstrap.ts";
import { studyCurves, studyGrids } from "../../../../src/shared/study/curves.ts";
import { intervalWords } from "../../../../src/shared/study/numbers.ts";
import { sensitivityOf } from "../../../../src/shared/study/sensitivity.ts";
import { makePoints, makeStudy, stepSizeStudy, type Result } from "../../../support/studyPoints.ts";

const byError = { name: "testError", at: "final" } as const;

const powers = [-4, -3, -2, -1, 0, 1];
const decade = (values: readonly number[]) => Math.round(Math.log10(values[0] ?? NaN));

describe("curves", () => {
  const study = stepSizeStudy([-2, -1], [0, 1], [0, 1, 2]);
  const points = makePoints(study, (height, [x], seed) => (height === 1 ? { error: 5 } : x === 0.1 && seed === 2 ? { error: null } : { error: 10 + seed }));
  const { curves, axis, penalty } = studyCurves(study, points, { metric: byError });

  it("has a mean, a standard error and extremes per value and height", () => {
    expect(axis).toMatchObject({ label: "α of level 0", words: "step size", scale: "log" });
    expect(curves.map(({ height }) => height)).toEqual([0, 1]);
    expect(curves[0]?.points.map(({ x }) => x)).toEqual([0.01, 0.1]);
    expect(curves[0]?.points[0]).toMatchObject({ n: 3, diverged: 0, mean: 11, min: 10, max: 12 });
    expect(curves[0]?.points[0]?.standardError).toBeCloseTo(1 / Math.sqrt(3), 12);
  });

  it("counts a diverged run as the worst and never drops it", () => {
    expect(penalty).toBeCloseTo(90, 12);
    expect(curves[0]?.points[1]).toMatchObject({ n: 3, diverged: 1, mean: (10 + 11 + 90) / 3, max: 90 });
    expect(curves[0]?.points[1]?.runs.map(({ value }) => value)).toEqual([10, 11, null]);
  });

  it("does not count runs that failed, are missing or not there yet", () => {
    const partial = makePoints(study, (_, __, seed) => (seed === 0 ? { error: 8 } : { error: 50, status: seed === 1 ? "failed" : "running" }));
    const [point] = studyCurves(study, partial, { metric: byError }).curves[0]!.points;
    expect(point).toMatchObject({ n: 1, lost: 1, pending: 1, mean: 8, standardError: null });
    expect(point?.runs).toHaveLength(3);
  });

  it("draws either of two axes, the other one fixed or averaged over, and both as a grid", () => {
    const two = makeStudy({
      base: { tower: [{ optimizer: "sgd" }] },
      axes: [{ values: { kind: "list", values: [0.01, 0.1] } }, { hyperparameter: "mu", values: { kind: "list", values: [0, 0.5, 0.9] } }],
      seeds: [0, 1],
    });
    const made = makePoints(two, (_, [alpha, mu]) => ({ error: 100 * alpha! + 10 * mu! }));
    const over = studyCurves(two, made, { metric: byError, axis: 1 });
    expect(over.axis).toMatchObject({ scale: "linear", words: "momentum" });
    expect(over.curves[0]?.points.map(({ n }) => n)).toEqual([4, 4, 4]);
    expect(over.curves[0]?.points[1]?.mean).toBeCloseTo(5.5 + 5, 12);
    const held = studyCurves(two, made, { metric: byError, axis: 1, fixed: { 0: 0.1 } });
    expect(held.curves[0]?.points.map(({ mean }) => mean)).toEqual([10, 15, 19]);
    const { grids } = studyGrids(two, made, { metric: byError });
    expect(grids[0]?.cells).toHaveLength(6);
    expect(grids[0]?.cells.at(-1)).toMatchObject({ x: 0.1, y: 0.9, n: 2, mean: 19 });
    expect(() => studyCurves(two, made, { metric: byError, axis: 2 })).toThrow("no axis 2");
  });
});

describe("the bootstrap", () => {
  it("repeats itself for a seed and differs for another", () => {
    const means = (seed: number) => {
      const found: number[][] = [];
      resample([[0, 2, 4], [1, 3]], { resamples: 20, seed }, (weights) => found.push([...weights]));
      return found;
    };
    expect(means(1)).toEqual(means(1));
    expect(means(1)).not.toEqual(means(2));
  });

  it("draws from each stratum as many as it has", () => {
    resample([[0, 2, 4], [1, 3]], { resamples: 50, seed: 3 }, ([a, b, c, d, e]) => {
      expect(a! + c! + e!).toBe(3);
      expect(b! + d!).toBe(2);
    });
  });

  it("covers the mean of a known sample as its standard error says", () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    const means: number[] = [];
    resample([items], { resamples: 4000, seed: 0 }, (weights) => means.push(weights.reduce((sum, weight, i) => sum + weight * i, 0) / 100));
    const [low, high] = percentileInterval(means, 0.95);
    // Deviation of 0..99 is sqrt((100² - 1) / 12); 1.96 standard errors either way, to a few percent.
    const half = (1.96 * Math.sqrt((100 ** 2 - 1) / 12)) / 10;
    expect(low).toBeCloseTo(49.5 - half, 0);
    expect(high).toBeCloseTo(49.5 + half, 0);
  });

  it("interpolates quantiles", () => {
    expect(quantile([1, 2, 4], 0.25)).toBe(1.5);
    expect(quantile([7], 0.9)).toBe(7);
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

describe("the numbers", () => {
  // Height 0: a V of 20 points per decade at 1e-1, cut at 90. Height 2: 4 % everywhere up to 1, 14 % at 10.
  const narrow = (x: readonly number[]) => Math.min(90, 4 + 20 * Math.abs(decade(x) + 1));
  const wide = (x: readonly number[]) => (decade(x) === 1 ? 14 : 4);
  const study = stepSizeStudy(powers, [0, 2], [0, 1]);
  const points = makePoints(study, (height, x) => ({ error: height === 0 ? narrow(x) : wide(x), stepTime: height === 0 ? 2 : 2.1 }));
  const result = sensitivityOf(study, points);
  const [plain, tower] = result.heights;

  it("agree with the analytic curve", () => {
    expect(plain?.numbers?.best.value).toBe(4);
    expect(plain?.numbers?.bestAt.value).toBe(0.1);
    expect(plain?.numbers?.width.value).toBeCloseTo(0.1, 12);
    // (60 + 40 + 20 + 0 + 20 + 40) / 6
    expect(plain?.numbers?.sensitivity.value).toBeCloseTo(30, 12);
    expect(tower?.numbers?.width.value).toBeCloseTo(4.1, 12);
    expect(tower?.numbers?.sensitivity.value).toBeCloseTo(10 / 6, 12);
    expect(tower?.numbers?.change).toMatchObject({ from: { height: 0 }, levels: 2 });
    expect(tower?.numbers?.change?.wider.value).toBeCloseTo(4, 12);
    expect(tower?.numbers?.change?.cost?.value).toBeCloseTo(0.05, 12);
    expect(tower?.numbers?.perLevel?.cost?.value).toBeCloseTo(0.025, 12);
    expect(tower?.numbers?.perLevel?.wider.value).toBeCloseTo(2, 12);
  });

  it("have no time and no cost where runs trained as one program, and say why", () => {
    const shared = sensitivityOf({ ...study, cohort: 8 }, points);
    expect(shared.noTimes).toBe("Heights are not compared by time, because up to 8 runs were trained as one program and share its time; to compare it, train them with --cohort 1.");
    expect(shared.heights.map(({ numbers }) => [numbers!.timePerStep, numbers!.change?.cost ?? null, numbers!.perLevel?.cost ?? null])).toEqual([[null, null, null], [null, null, null]]);
    expect(numberColumns(shared).map(({ key }) => key)).toEqual(numberColumns(result).map(({ key }) => key).filter((key) => key !== "timePerStep" && key !== "costPerLevel"));
    expect(shared.verdict.headline).not.toMatch(/time/);
    expect(shared.verdict.remarks).toContain(shared.noTimes);
    expect(result.noTimes).toBeNull();
    expect(result.verdict.headline).toMatch(/time per step/);
  });

  it("have intervals without width where seeds agree", () => {
    expect(plain?.noInterval).toBeNull();
    expect(plain?.numbers?.sensitivity.interval?.[0]).toBeCloseTo(30, 12);
    expect(plain?.numbers?.sensitivity.interval?.[1]).toBeCloseTo(30, 12);
  });

  it("say it in a sentence", () => {
    expect(result.verdict.headline).toBe("Two levels widen the usable range of the step size from 0.1 to at least 4.1 decades at 5 % more time per step.");
    expect(result.verdict).toMatchObject({ finding: "wider", of: "height 2", against: "height 0" });
  });

  it("cut off what is worse than guessing, and count a diverged run as that", () => {
    const bad = makePoints(study, (height, x) => (height === 0 && decade(x) === 1 ? { error: null } : { error: height === 0 && decade(x) === 0 ? 97 : 50 }));
    const [first] = sensitivityOf(study, bad).heights;
    // 4 times 50; 97 and the diverged run, whose penalty is 97, are both cut at 90.
    expect(first?.numbers?.sensitivity.value).toBeCloseTo((40 + 40) / 6, 12);
    expect(first?.numbers?.divergedShare.value).toBeCloseTo(2 / 12, 12);
    expect(first?.diverged).toBe(2);
  });

  it("have no interval with a single seed, and say why", () => {
    const single = stepSizeStudy(powers, [0, 2], [0]);
    const { heights, verdict } = sensitivityOf(single, makePoints(single, (height, x) => ({ error: height === 0 ? narrow(x) : wide(x) })));
    expect(heights[0]?.numbers?.width.interval).toBeNull();
    expect(heights[0]?.noInterval).toContain("single seed");
    expect(verdict.remarks.join(" ")).toContain("No confidence intervals");
  });

  it("have t intervals with fewer than five seeds, percentiles from five on", () => {
    const errors = [3, 4, 6, 5, 7];
    const of = (count: number) => {
      const one = stepSizeStudy([-1], [0], Array.from({ length: count }, (_, seed) => seed));
      const { heights, bootstrap } = sensitivityOf(one, makePoints(one, (_, __, seed) => ({ error: errors[seed]! })), { bootstrap: { resamples: 4000 } });
      return { interval: heights[0]!.numbers!.best.interval!, words: intervalWords(heights, bootstrap) };
    };
    // Two values: 3.5 either way 12.706 * 0.5, and no error is below 0; percentiles would say 3 to 4.
    expect(of(2).interval[0]).toBe(0);
    expect(of(2).interval[1]).toBeCloseTo(3.5 + 12.706 * 0.5, 0);
    // Three: 13/3 either way 4.303 * 1.5275 / sqrt(3).
    expect(of(3).interval[0]).toBeCloseTo(13 / 3 - (4.303 * 1.5275) / Math.sqrt(3), 0);
    expect(of(3).words).toContain("t intervals");
    expect(of(5).interval[0]).toBeGreaterThanOrEqual(3);
    expect(of(5).interval[1]).toBeLessThanOrEqual(7);
    expect(of(5).words).toBe("95 % confidence intervals over the seeds: percentiles of 4,000 bootstrap resamples");
  });

  it("count an exploded run as the worst in every number, as a diverged one", () => {
    const loss = { name: "testLoss", at: "final" } as const;
    const made = (last: Result) => makePoints(study, (height, x, seed) => (height === 0 && decade(x) === 1 && seed === 1 ? last : { evaluations: [{ testLoss: 0.5 + 0.1 * Math.abs(decade(x)) }], status: "finished" }));
    const exploded = sensitivityOf(study, made({ evaluations: [{ testLoss: 3390 }], status: "finished" }), { metric: loss });
    const diverged = sensitivityOf(study, made({ status: "diverged" }), { metric: loss });
    const [of, as] = [exploded.heights[0]!, diverged.heights[0]!];
    expect(of).toMatchObject({ exploded: 1, diverged: 0, lost: 0, n: 12 });
    expect(as).toMatchObject({ exploded: 0, diverged: 1, n: 12 });
    for (const key of ["best", "sensitivity", "excess", "width", "bestAt"] as const) expect(of.numbers![key]).toEqual(as.numbers![key]);
    expect(of.numbers!.explodedShare.value).toBeCloseTo(1 / 12, 12);
    expect(exploded.curves[0]!.points.at(-1)).toMatchObject({ n: 2, exploded: 1, mean: (0.6 + Math.LN10) / 2 });
  });

  it("contain the truth in their intervals about as often as they say, for seeds that scatter", () => {
    const scattered = stepSizeStudy(powers, [0], Array.from({ length: 12 }, (_, i) => i));
    const generator = xoroshiro128plus(7);
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniformFloat64(generator))) * Math.cos(2 * Math.PI * uniformFloat64(generator));
    const trials = 100;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const made = makePoints(scattered, (_, x) => ({ error: 30 + 5 * Math.abs(decade(x)) + normal() }));
      // Three points above the best of the V, 30 at 1: 0.6 decades to either side, were there no scatter.
      const [of] = sensitivityOf(scattered, made, { tolerance: { kind: "below", value: 33 }, bootstrap: { resamples: 200 } }).heights;
      const [low, high] = of!.numbers!.width.interval!;
      covered += low <= 1.2 && 1.2 <= high ? 1 : 0;
    }
    // 95 % by the normal theory; percentiles of 12 seeds fall a little short.
    expect(covered).toBeGreaterThanOrEqual(0.85 * trials);
    expect(covered).toBeLessThan(trials);
  });
});
