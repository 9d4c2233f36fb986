import { describe, expect, it } from "vitest";
import { sensitivityOf, type SensitivityOptions } from "../../../../src/shared/study/sensitivity.ts";
import { makePoint, makePoints, makeStudy, stepSizeStudy, type Result } from "../../../support/studyPoints.ts";

const study = stepSizeStudy([-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2], [0, 2], [0, 1]);
type Made = (height: number, power: number, seed: number) => Result;
const verdict = (made: Made, options: SensitivityOptions = {}, of = study) =>
  sensitivityOf(of, makePoints(of, (height, [x], seed) => made(height, Math.round(Math.log10(x ?? 1)), seed)), options).verdict;

/** A V of so many points per decade around 0.1, cut at guessing. */
const v = (slope: number, power: number, best = 4) => Math.min(90, best + slope * Math.abs(power + 1));

describe("the verdict", () => {
  it("says what levels gain", () => {
    const found = verdict((height, power) => ({ error: v(height === 0 ? 20 : 1, power), stepTime: height === 0 ? 2 : 2.056 }));
    expect(found.finding).toBe("wider");
    expect(found.headline).toBe("Two levels widen the usable range of the step size from 0.1 to 2.0 decades at 2.8 % more time per step.");
  });

  it("says what they lose, in the same sentence", () => {
    const found = verdict((height, power) => ({ error: height === 0 ? v(20, power, 2.4) : v(1, power, 4) }));
    expect(found.headline).toBe(
      "Two levels widen the usable range of the step size from 0.1 to 2.0 decades at no measurable cost in time, but the best test error is 1.60 points higher, 4.00 % against 2.40 %.",
    );
  });

  it("says when levels narrow the range", () => {
    const found = verdict((height, power) => ({ error: v(height === 0 ? 1 : 20, power) }));
    expect(found.finding).toBe("narrower");
    expect(found.headline).toContain("Two levels narrow the usable range of the step size from 2.0 to 0.1 decades");
  });

  it("says when nothing changes, or when the seeds scatter more than the levels change", () => {
    expect(verdict((_, power) => ({ error: v(10, power) })).finding).toBe("same");
    const noisy = verdict((height, power, seed) => ({ error: v(10, power) + (height === 2 && power === -1 ? 8 * seed : 0) }));
    expect(noisy.finding).toBe("same");
    expect(noisy.headline).toContain("no clear difference");
  });

  it("tells a lower average where curves are as narrow", () => {
    // Beside its best, height 2 stays 30 points above it, height 0 is 60.
    const flat: Made = (height, power) => ({ error: power === -1 ? 4 : height === 0 ? 64 : 34 });
    const found = verdict(flat);
    expect(found.finding).toBe("same");
    expect(found.headline).toContain(", but on average over the values tried the test error is 27.27 points lower.");
    // What is still to come could change the average.
    expect(verdict((height, power, seed) => (height === 2 && power === 2 ? { status: "waiting" } : flat(height, power, seed))).headline).not.toContain("on average");
  });

  it("takes a difference that is certain but tiny for none", () => {
    const found = verdict((height, power) => ({ error: v(height === 0 ? 40 : 25, power) }));
    expect(found.finding).toBe("same");
  });

  it("speaks of a study that is not finished as such", () => {
    const three = stepSizeStudy([-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2], [0, 2], [0, 1, 2]);
    const found = verdict((height, power, seed) => (height === 2 && power > 0 && seed === 2 ? { status: "waiting" } : { error: v(height === 0 ? 20 : 1, power) }), {}, three);
    expect(found.headline).toMatch(/^So far, two levels widen/);
    expect(found.remarks).toContain("Not finished: 2 of 66 runs are still to come.");
    expect(verdict(() => ({ status: "waiting" })).headline).toBe("No run has ended yet.");
  });

  it("withholds itself while part of the range is unknown, and says what is missing", () => {
    // Small step sizes first: so far height 2 looks narrower, and in the end it is wider.
    const made: Made = (height, power) => ({ error: height === 0 ? v(4, power) : v(1, power, 5) });
    const early = verdict((height, power, seed) => (power > -3 ? { status: "waiting" } : made(height, power, seed)));
    expect(early).toMatchObject({ finding: "waiting", of: null, against: null });
    expect(early.headline).toBe("No verdict yet: too few runs have ended at 5 points at height 0 and 5 points at height 2 (two each are needed, or the only seed).");
    expect(verdict((height, power, seed) => (seed === 1 ? { status: "running" } : made(height, power, seed))).finding).toBe("waiting");
    expect(verdict(made).finding).toBe("wider");
    // Runs that failed are not waited for.
    expect(verdict((height, power, seed) => (power === 2 && seed === 1 ? { status: "failed" } : made(height, power, seed))).finding).not.toBe("waiting");
  });

  it("calls no difference clear with a single seed", () => {
    const single = stepSizeStudy([-3, -2, -1, 0, 1], [0, 2], [0]);
    const found = verdict((height, power) => ({ error: v(height === 0 ? 20 : 1, power) }), {}, single);
    expect(found.finding).toBe("uncertain");
    expect(found.headline).toBe("With a single seed no difference can be told from chance; in these runs the usable range of the step size is 0.1 decades at height 0 and 2.0 decades at height 2.");
    expect(`${found.headline} ${found.remarks.join(" ")}`).not.toMatch(/widen|clear/);
  });

  it("corrects for having chosen the best of several heights", () => {
    // A gain that is clear for a single comparison, but not for the best of nine.
    const of = (heights: number[]) => makeStudy({ base: { tower: [{ optimizer: "sgd" }] }, heights: { values: heights }, seeds: [0, 1, 2] });
    const made: Made = (height, _, seed) => ({ error: height === 0 ? 10 + [0, 0.5, 1][seed]! : height === 1 ? 7.5 + [0, 0.5, 1][seed]! : 10.6 + [0, 0.5, 1][seed]! });
    const one = verdict(made, {}, of([0, 1]));
    expect(one.headline).toContain("With one level the best test error is 2.50 points lower");
    expect(one.remarks.join(" ")).not.toContain("Chosen among");
    const nine = verdict(made, {}, of([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    expect(nine.headline).toContain("One level makes no clear difference");
    expect(nine.remarks.join(" ")).toContain("Chosen among 9 heights");
  });

  it("counts exploded runs as the worst and names them", () => {
    const loss: Made = (height, power, seed) => ({ evaluations: [{ testLoss: height === 0 && power === 2 && seed === 0 ? 3390 : 0.1 * (1 + Math.abs(power + 1)) }], status: "finished" });
    const found = verdict(loss, { metric: { name: "testLoss", at: "final" } });
    expect(found.remarks).toContain("1 of 22 runs at height 0 exploded; each counts as the worst.");
    expect(found.remarks.join(" ")).toContain("Exploded: not finite, or far worse than guessing (a loss more than 2.3 nats above it");
    const all = verdict(() => ({ evaluations: [{ testLoss: 3390 }], status: "finished" }), { metric: { name: "testLoss", at: "final" } });
    expect(all).toMatchObject({ finding: "diverged", headline: "Every run that ended diverged or exploded." });
  });

  it("says where something was chosen on the test set", () => {
    const best = { metric: { name: "testError", at: "best" } } as const;
    expect(verdict((_, power) => ({ error: v(10, power) }), best).remarks.join(" ")).toContain("chosen on the test set, for want of validation data");
    expect(verdict((_, power) => ({ error: v(10, power) }), best, { ...study, base: { ...study.base, dataset: { ...study.base.dataset, validation: 0.1 } } }).remarks.join(" ")).not.toContain("test set");
    expect(verdict((_, power) => ({ error: v(10, power) }), {}, { ...study, halving: { rungs: [1], keep: 0.5 } }).remarks.join(" ")).toContain("Successive halving chose");
  });

  it("says when everything diverged, or nothing was learned", () => {
    expect(verdict(() => ({ error: null }))).toMatchObject({ finding: "diverged", headline: "Every run that ended diverged." });
    expect(verdict(() => ({ error: 89.6 }))).toMatchObject({ finding: "unlearned", headline: "Nothing got clearly better than guessing (90.00 %)." });
    expect(verdict((height, power) => ({ error: height === 0 ? v(20, power) : 89.9 })).headline).toBe("The levels above learned nothing: only height 0 got better than guessing.");
    expect(verdict((height, power) => ({ error: height === 0 ? 89.9 : v(20, power) })).headline).toMatch(/^At height 0 nothing is learned; at height 2 the best test error is 4.00 %/);
  });

  it("never takes a flat curve of bad runs for a wide range", () => {
    const found = verdict((height, power) => ({ error: height === 0 ? v(20, power) : 80 }));
    expect(found.headline).toContain("but the best test error is 76.00 points higher");
  });

  it("counts runs that diverged and names those that do not count", () => {
    const found = verdict((height, power, seed) => (power === 2 ? { error: height === 0 ? null : 50 } : power === -8 && seed === 1 ? { status: "failed" } : { error: v(height === 0 ? 20 : 1, power) }));
    expect(found.remarks).toContain("2 of 21 runs at height 0 diverged; each counts as the worst.");
    expect(found.remarks).toContain("2 runs failed or are missing and do not count.");
  });

  it("says that a range may go on beyond the values tried", () => {
    const found = verdict((height, power) => ({ error: height === 0 ? v(20, power) : 4 }));
    expect(found.headline).toContain("from 0.1 to at least 10.0 decades");
    expect(found.remarks.join(" ")).toContain("At height 2 the range reaches the end of the values tried");
  });

  it("describes a single height, and says that two values are no range", () => {
    const single = stepSizeStudy([-2, -1, 0], [1], [0]);
    expect(verdict((_, power) => ({ error: v(10, power) }), {}, single)).toMatchObject({
      finding: "single",
      headline: "At height 1 the best test error is 4.00 %, at step size 0.1; it stays within 1 percentage point of the best over 0.2 decades of the step size (0.079 to 0.13).",
    });
    const few = stepSizeStudy([-2, -1], [0, 1], [0, 1]);
    const found = verdict((height, power) => ({ error: v(10, power, height === 0 ? 9 : 3) }), {}, few);
    expect(found.finding).toBe("few");
    expect(found.headline).toBe("With one level the best test error is 6.00 points lower, 3.00 % against 9.00 % at no measurable cost in time.");
    expect(found.remarks).toContain("There are too few values of the step size to speak of a usable range.");
  });

  it("compares heights of a study without axes", () => {
    const plain = makeStudy({ base: { tower: [{ optimizer: "sgd" }] }, heights: { values: [1, 3] }, seeds: [0, 1] });
    const found = verdict((height) => ({ error: height === 1 ? 9 : 5 }), {}, plain);
    expect(found.headline).toBe("With two more levels the best test error is 4.00 points lower, 5.00 % against 9.00 % at no measurable cost in time.");
  });

  it("compares stacks by their names", () => {
    const stacks = makeStudy({ stacks: [{ name: "SGD", tower: [{ optimizer: "sgd" }] }, { name: "SGD / SGD", tower: [{ optimizer: "sgd" }, { optimizer: "sgd" }] }, { name: "Adam", tower: [{ optimizer: "adam" }] }], seeds: [0, 1] });
    const points = ["SGD", "Adam", "SGD / SGD"].flatMap((stack, i) => [0, 1].map((seed) => ({ ...makePoint(i % 2, [], seed, { error: [9, 6, 5][i]! + 0.1 * seed }), stack })));
    const { heights, verdict: found } = sensitivityOf(stacks, points);
    expect(heights.map(({ label }) => label)).toEqual(["SGD", "SGD / SGD", "Adam"]);
    expect(heights.map(({ numbers }) => numbers?.perLevel)).toEqual([null, null, null]);
    expect(found).toMatchObject({ of: "SGD / SGD", against: "SGD" });
    expect(found.headline).toBe("Of 3 stacks, with SGD / SGD the best test error is 4.00 points lower than with SGD, 5.05 % against 9.05 % at no measurable cost in time.");
  });

  it("compares each stack with the one it names", () => {
    const tower = [{ optimizer: "sgd" }, { optimizer: "sgd" }] as const;
    const form = makeStudy({
      stacks: [
        { name: "SGD", tower: [{ optimizer: "sgd" }] },
        { name: "a", tower: [...tower], against: "SGD" },
        { name: "b", rerunOf: "a", against: "SGD" },
        { name: "Adam", tower: [{ optimizer: "adam" }] },
        { name: "c", tower: [...tower], against: "Adam" },
      ],
      seeds: [0, 1, 2],
    });
    const errors: Record<string, number> = { SGD: 9, a: 5, b: 9.02, Adam: 4, c: 7 };
    const points = (seeds: readonly number[]) =>
      form.stacks!.flatMap(({ name }, i) => seeds.map((seed) => ({ ...makePoint(i % 2, [], seed, name === "b" && seed === 2 ? { status: "skipped" } : { error: errors[name]! + 0.1 * seed }), stack: name })));
    const { heights, verdict: found } = sensitivityOf(form, points([0, 1, 2]));
    expect(heights.map(({ numbers }) => numbers?.change && [numbers.change.from.label, numbers.change.wins, numbers.change.pairs])).toEqual([null, ["SGD", 3, 3], ["SGD", 0, 2], null, ["Adam", 0, 3]]);
    expect(found.finding).toBe("pairs");
    expect(found.headline).toBe("Of 3 stacks, each compared with the one it names, 1 has a clearly lower test error, 1 a clearly higher one; for 1 there is no clear difference.");
    expect(found.remarks).toEqual(["The lowest mean test error is 4.10 %, with Adam.", "The intervals behind this sentence allow for 3 comparisons.", "1 rerun had no learned values to start from and does not count."]);
    expect(sensitivityOf(form, points([0])).verdict.headline).toBe("With a single seed no difference can be told from chance; in these runs 1 of 3 stacks has a lower test error than the one each is compared with.");
  });

  it("speaks of a linear axis in its own unit", () => {
    const momentum = makeStudy({
      base: { tower: [{ optimizer: "sgd" }] },
      axes: [{ hyperparameter: "mu", values: { kind: "grid", scale: "linear", from: 0, to: 0.8, points: 5 } }],
      heights: { values: [0, 1] },
      seeds: [0, 1],
    });
    const listed = { ...momentum, axes: [{ ...momentum.axes[0]!, values: { kind: "list" as const, values: [0, 0.2, 0.4, 0.6, 0.8] } }] };
    const points = makePoints(listed, (height, [x]) => ({ error: 4 + (height === 0 ? 20 : 4) * Math.abs(x! - 0.4) }));
    const { headline } = sensitivityOf(momentum, points).verdict;
    expect(headline).toContain("One level widens the usable range of the momentum from 0.1 to 0.5");
  });

  it("judges by a loss, and by a fixed value", () => {
    const loss: Made = (height, power) => ({ evaluations: [{ testLoss: 0.1 * (1 + (height === 0 ? 1 : 0.1) * Math.abs(power + 1)) }], status: "finished" });
    const found = verdict(loss, { metric: { name: "testLoss", at: "best" } });
    expect(found.headline).toContain("from 0.2 to 2.0 decades");
    expect(found.remarks).toContain("Usable means within 10 % of the best of the same height.");
    const fixed = verdict((height, power) => ({ error: v(height === 0 ? 20 : 2, power) }), { tolerance: { kind: "below", value: 8 } });
    expect(fixed.headline).toContain("from 0.4 to 4.0 decades");
    expect(fixed.remarks).toContain("Usable means at most 8 %.");
  });
});
