import { describe, expect, test } from "vitest";
import { expandStudy } from "../../../../src/shared/study/expand.ts";
import { methodColumns, methodRows, rankText } from "../../../../src/shared/study/methodTable.ts";
import { sensitivityOf } from "../../../../src/shared/study/sensitivity.ts";
import type { StudyPoint } from "../../../../src/shared/study/result.ts";
import type { Study } from "../../../../src/shared/study/study.ts";
import { makePoint, makeStudy, type Result } from "../../../support/studyPoints.ts";

const study = (seeds: number): Study =>
  makeStudy({
    methods: {
      factors: { kind: "grid", from: 1e-2, to: 1e2, points: 5 },
      list: [
        { name: "SGD", tower: [{ optimizer: "sgd" }] },
        { name: "Prodigy", tower: [{ optimizer: "prodigy" }] },
        { name: "tower", tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }], knobs: [{ level: 1, hyperparameter: "alpha" }] },
        { name: "idle", tower: [{ optimizer: "lion" }] },
      ],
    },
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
  });

function pointsOf(of: Study, result: (method: string, values: readonly number[], seed: number) => Result): StudyPoint[] {
  const expansion = expandStudy(of);
  if (!expansion.ok) throw new Error(JSON.stringify(expansion.errors));
  return expansion.cells.map(({ key, height, stack, values, seed }) => ({ ...makePoint(height, values, seed, result(stack!, values, seed)), key, stack: stack! }));
}

/** Small deterministic differences between seeds. */
const jitter = (seed: number, scale: number) => scale * [0, 1, -1, 0.5, -0.5][seed % 5]!;

/** SGD and Prodigy are alike up to the seeds; the tower is flat but slower and worse at its best; idle learns nothing. */
const made = (method: string, [start = 1, knob = 1]: readonly number[], seed: number): Result => {
  const far = Math.abs(Math.log10(start));
  const upper = Math.abs(Math.log10(knob));
  if (method === "SGD") return start > 10 ? { error: null, stepTime: 1 } : { error: 2 + 20 * far + jitter(seed, 0.3), stepTime: 1 };
  if (method === "Prodigy") return { error: 2.02 + 20 * far + jitter((seed + 1) % 3, 0.3), stepTime: 1.5 };
  if (method === "tower") return { error: 3 + 0.1 * far + 5 * upper + jitter(seed, 0.05), stepTime: 2 };
  return { error: 90, stepTime: 1 };
};

describe("a study of methods", () => {
  const own = study(3);
  const found = sensitivityOf(own, pointsOf(own, made));
  const [sgd, prodigy, tower, idle] = found.heights.map(({ numbers }) => numbers!);
  const ranks = found.methods!.map((method) => method.ranks!);

  test("has a curve for each method over the factors, without the sweeps of other knobs", () => {
    expect(found.curves.map(({ stack, points }) => [stack, points.map(({ x, n }) => `${x}:${n}`).join(" ")])).toEqual(["SGD", "Prodigy", "tower", "idle"].map((name) => [name, "0.01:3 0.1:3 1:3 10:3 100:3"]));
    expect(found.axis).toMatchObject({ scale: "log", words: "starting value" });
  });

  test("has the width, the best, the value at the published default and the time of each", () => {
    expect(tower!.width).toMatchObject({ value: 4 });
    expect(sgd!.width.value).toBeCloseTo(0.1, 5);
    expect(sgd!.atDefault!.value).toBeCloseTo(2);
    expect(sgd!.atDefault!.interval![0]).toBeLessThan(2);
    expect(prodigy!.best.value).toBeCloseTo(2.02);
    expect(tower!.timePerStep!.value).toBe(2);
    expect(idle!.best.value).toBe(90);
    // Flat, but at the value of guessing.
    expect(idle!.width.value).toBe(0);
  });

  test("ranks them as far as the seeds allow", () => {
    expect(ranks.map(({ width }) => width!.value)).toEqual([2, 2, 1, 4]);
    expect(ranks[2]!.width!.interval).toEqual([1, 1]);
    expect(ranks[0]!.best).toMatchObject({ value: 1, interval: [1, 2] });
    expect(ranks[1]!.best).toMatchObject({ value: 2, interval: [1, 2] });
    expect(ranks[3]!.best).toMatchObject({ value: 4, interval: [4, 4] });
    expect(ranks.map(({ timePerStep }) => rankText(timePerStep))).toEqual(["1", "3", "4", "1"]);
  });

  test("says nothing about time where runs trained as one program", () => {
    const together = { ...own, cohort: 16 };
    const shared = sensitivityOf(together, pointsOf(together, made));
    expect(shared.noTimes).toBe("Methods are not compared by time, because up to 16 runs were trained as one program and share its time; to compare it, train them with --cohort 1.");
    expect(shared.heights.map(({ numbers }) => numbers!.timePerStep)).toEqual([null, null, null, null]);
    expect(shared.methods!.map(({ ranks: own }) => own!.timePerStep)).toEqual([null, null, null, null]);
    expect(methodColumns(shared).map(({ key }) => key)).toEqual(methodColumns(found).map(({ key }) => key).filter((key) => key !== "timePerStep"));
    expect([found.verdict.headline, found.verdict.remarks.join(" ")]).toEqual([expect.stringContaining("a step takes"), expect.not.stringContaining("by time")]);
    expect([shared.verdict.headline, shared.verdict.remarks.join(" ")]).toEqual([expect.not.stringContaining("a step"), expect.stringContaining(shared.noTimes!)]);
    // All else is ranked as before.
    const others = (one: typeof found) => one.methods!.map(({ ranks: own }) => ({ ...own, timePerStep: null }));
    expect(others(shared)).toEqual(others(found));
  });

  test("has the usable range of every other knob, with everything else as published", () => {
    const [knob] = found.methods![2]!.knobs;
    expect(knob).toMatchObject({ knob: { path: "L1.alpha", published: 1e-5 } });
    expect(knob!.curve.points.map(({ x, mean }) => [x, mean])).toEqual([0.01, 0.1, 1, 10, 100].map((x) => [x, expect.closeTo(3 + 5 * Math.abs(Math.log10(x)), 5) as number]));
    expect(knob!.numbers.numbers!.width.value).toBeCloseTo(0.4);
    expect(methodRows(found).map(({ method, knob: { path } }) => `${method} ${path}`)).toEqual(["SGD L0.alpha", "Prodigy L0.d0", "tower L0.alpha", "tower L1.alpha", "idle L0.alpha"]);
  });

  test("has a verdict with rivals, losses and costs, never a bare winner", () => {
    const { finding, headline, remarks } = found.verdict;
    expect(finding).toBe("methods");
    expect(headline).toBe("The usable range of the starting value is widest with tower (at least 4.0 decades); with tower the best test error is 3.00 %, 1.00 points above the lowest, and a step takes 2 times as long as with SGD.");
    expect(remarks).toContain("The best test error is lowest with SGD (2.00 %), or as far as the seeds tell Prodigy (2.02 %).");
    expect(remarks).toContain("Other knobs, each alone and the rest as published, are usable: step size of level 1 of tower over 0.4 decades.");
    expect(remarks).toContain("1 method learned nothing better than guessing: idle.");
  });

  test("has no interval above the largest error there is", () => {
    const scattered = study(2);
    const { heights } = sensitivityOf(scattered, pointsOf(scattered, (_, __, seed) => ({ error: 30 + 40 * seed })));
    expect(heights[0]!.numbers!.atDefault).toEqual({ value: 50, interval: [0, 100] });
  });

  test("with a single seed has no intervals, and says that nothing is told from chance", () => {
    const single = study(1);
    const { verdict, methods } = sensitivityOf(single, pointsOf(single, made));
    expect(verdict.headline).toMatch(/^With a single seed no ranking can be told from chance; in these runs the usable range/);
    expect(methods![0]!.ranks!.width).toEqual({ value: 2, interval: null });
    expect(verdict.remarks.some((remark) => remark.startsWith("No confidence intervals"))).toBe(true);
  });

  test("begins without results, and says so far while runs are pending", () => {
    const points = pointsOf(own, made);
    const waiting = points.map((point): StudyPoint => ({ ...point, run: null, status: "waiting", steps: 0, trainingTime: null, evaluations: [] }));
    expect(sensitivityOf(own, waiting)).toMatchObject({ verdict: { finding: "nothing" }, methods: [{ ranks: null }, { ranks: null }, { ranks: null, knobs: [{ numbers: { numbers: null } }] }, { ranks: null }] });
    expect(methodColumns(sensitivityOf(own, waiting))).toEqual([]);
    const most = points.map((point, i) => (i === 0 ? waiting[0]! : point));
    expect(sensitivityOf(own, most).verdict.headline).toMatch(/^So far, the usable range/);
    // A method without a single run has no rank; the others keep theirs.
    const without = points.map((point, i) => (point.stack === "SGD" ? waiting[i]! : point));
    expect(sensitivityOf(own, without).methods!.map((method) => method.ranks?.width?.value)).toEqual([undefined, 2, 1, 3]);
  });
});

test("a difference between seeds is not taken for a rank more often than the confidence allows", () => {
  // Equal methods: the interval of a rank leaves out 1 or 2 in few studies.
  const two = makeStudy({
    methods: { factors: { kind: "list", values: [0.1, 1, 10] }, list: ["a", "b"].map((name) => ({ name, tower: [{ optimizer: "sgd" as const }] })) },
    seeds: [0, 1, 2],
  });
  let state = 1;
  const uniform = () => (state = (state * 16807) % 2147483647) / 2147483647;
  let wrong = 0;
  const studies = 60;
  for (let i = 0; i < studies; i++) {
    const { methods } = sensitivityOf(two, pointsOf(two, (_, [start = 1]) => ({ error: 2 + Math.abs(Math.log10(start)) + uniform() + uniform() + uniform() })), { bootstrap: { resamples: 200 } });
    const interval = methods![0]!.ranks!.atDefault!.interval!;
    if (interval[0] > 1 || interval[1] < 2) wrong++;
  }
  expect(wrong / studies).toBeLessThan(0.12);
});
