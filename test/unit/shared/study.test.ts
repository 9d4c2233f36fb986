import { describe, expect, it } from "vitest";
import { stepsPerEpoch, totalSteps } from "../../../src/shared/experiment.ts";
import { countRuns, expandStudy, type StudyCell } from "../../../src/shared/study/expand.ts";
import { studyPresets } from "../../../src/shared/study/presets.ts";
import { study, validateStudy, type StudyInput } from "../../../src/shared/study/study.ts";
import { table1Rows } from "../../../src/shared/table1.ts";
import { notation } from "../../../src/shared/tower.ts";

const sgd = { tower: [{ optimizer: "sgd" }] } satisfies StudyInput["base"];
const alpha = (from: number, to: number, points: number, level = 0) =>
  ({ level, hyperparameter: "alpha", values: { kind: "grid", from, to, points } }) as const;

function cells(input: StudyInput): StudyCell[] {
  const of = study.parse(input);
  const expansion = expandStudy(of);
  if (!expansion.ok) throw new Error(expansion.errors.map(({ path, message }) => `${path}: ${message}`).join("; "));
  expect(countRuns(of)).toBe(expansion.cells.length);
  expect(new Set(expansion.cells.map(({ key }) => key)).size).toBe(expansion.cells.length);
  return expansion.cells;
}

/** `path: message` of everything wrong, by form or by contradiction. */
function problems(input: unknown): string[] {
  const validation = validateStudy(input);
  const { errors } = validation.ok ? (expandStudy(validation.study) as { errors: { path: string; message: string }[] }) : validation;
  return errors.map(({ path, message }) => `${path}: ${message}`);
}

const stacks = (of: readonly StudyCell[]) => of.map(({ experiment }) => notation(experiment.tower));

describe("a study's runs", () => {
  it("are every height, value and seed, in this order, under keys that say which", () => {
    const runs = cells({ name: "S", base: sgd, axes: [alpha(1e-2, 1, 3)], heights: { values: [0, 2] }, seeds: [0, 7] });
    expect(runs.map(({ key }) => key)).toEqual([
      "h0|L0.alpha=0.01|s0", "h0|L0.alpha=0.01|s7", "h0|L0.alpha=0.1|s0", "h0|L0.alpha=0.1|s7", "h0|L0.alpha=1|s0", "h0|L0.alpha=1|s7",
      "h2|L0.alpha=0.01|s0", "h2|L0.alpha=0.01|s7", "h2|L0.alpha=0.1|s0", "h2|L0.alpha=0.1|s7", "h2|L0.alpha=1|s0", "h2|L0.alpha=1|s7",
    ]);
    const { experiment, ...of } = runs.at(-1)!;
    expect(of).toEqual({ key: "h2|L0.alpha=1|s7", height: 2, values: [1], seed: 7 });
    expect(experiment).toMatchObject({ name: "S, height 2, L0 alpha 1, seed 7", seed: 7, tower: [{ alpha: 1 }, { alpha: 1 }, { alpha: 1 }] });
  });

  it("stay the same when a grid becomes finer or longer, exact decades included", () => {
    const coarse = cells({ base: sgd, axes: [alpha(1e-8, 1e2, 11)] });
    const fine = cells({ base: sgd, axes: [alpha(1e-8, 1e2, 21)] });
    const longer = cells({ base: sgd, axes: [alpha(1e-9, 1e3, 13)] });
    expect(coarse.map(({ values }) => values[0])).toEqual([1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100]);
    for (const more of [fine, longer]) expect(more.map(({ key }) => key)).toEqual(expect.arrayContaining(coarse.map(({ key }) => key)));
  });

  it("are crossed over grids and lists, and sampled together", () => {
    const mu = (values: object) => ({ hyperparameter: "mu", values }) as NonNullable<StudyInput["axes"]>[number];
    const grid = cells({ base: sgd, axes: [alpha(1e-2, 1, 3), mu({ kind: "list", values: [0, 0.9] })] });
    expect(grid.map(({ values }) => values)).toEqual([[0.01, 0], [0.01, 0.9], [0.1, 0], [0.1, 0.9], [1, 0], [1, 0.9]]);
    for (const kind of ["random", "quasiRandom"] as const) {
      const of = (points: number) =>
        cells({ base: sgd, axes: [{ values: { kind, from: 1e-4, to: 1, points } }, mu({ kind, scale: "linear", from: 0, to: 0.9, points })] }).map(({ values }) => values);
      const many = of(200);
      expect(many).toHaveLength(200);
      expect(of(50)).toEqual(many.slice(0, 50));
      const decades = many.map(([a]) => Math.log10(a!));
      const momenta = many.map(([, m]) => m!);
      expect(Math.min(...decades)).toBeGreaterThanOrEqual(-4);
      expect(Math.max(...decades)).toBeLessThan(0);
      // Evenly over the range, and the two axes independent of one another.
      for (const [x, middle] of [[decades, -2], [momenta, 0.45]] as const) {
        expect(x.filter((v) => v < middle).length).toBeGreaterThan(80);
        expect(x.filter((v) => v < middle).length).toBeLessThan(120);
      }
      expect(many.filter(([a, m]) => Math.log10(a!) < -2 === m! < 0.45).length).toBeGreaterThan(70);
      expect(many.filter(([a, m]) => Math.log10(a!) < -2 === m! < 0.45).length).toBeLessThan(130);
    }
  });

  it("start the levels above as the rule says", () => {
    const at = (value: number, heights: StudyInput["heights"], base: StudyInput["base"] = sgd) =>
      stacks(cells({ base, axes: [{ values: { kind: "list", values: [value] } }], heights }));
    expect(at(1e-5, { values: [3], rule: { kind: "figure4b" } })).toEqual(["SGD(1e-5) / SGD(0.001) / SGD(1e-5) / SGD(1e-7)"]);
    expect(at(1e-4, { values: [1], rule: { kind: "figure4b" } })).toEqual(["SGD(1e-4) / SGD"]);
    // The paper has no value between; the schemes meet at 5e-4, as the help and the docs say.
    expect(at(4.9e-4, { values: [1], rule: { kind: "figure4b" } })).toEqual(["SGD(4.9e-4) / SGD(0.049)"]);
    expect(at(5e-4, { values: [1], rule: { kind: "figure4b" } })).toEqual(["SGD(5e-4) / SGD(5e-7)"]);
    expect(at(1e-3, { values: [3], rule: { kind: "figure4b" } })).toEqual(["SGD(0.001) / SGD(1e-6) / SGD(1e-7) / SGD(1e-8)"]);
    expect(at(0.5, { values: [3], rule: { kind: "fixed", alphas: [1e-3, 1e-4] } })).toEqual(["SGD(0.5) / SGD(0.001) / SGD(1e-4) / SGD(1e-4)"]);
    const seedExample = { tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }] } satisfies StudyInput["base"];
    expect(at(0.1, { values: [0, 1, 2], rule: { kind: "base" } }, seedExample)).toEqual(["Adam(0.1)", "Adam(0.1) / SGD(1e-5)", "Adam(0.1) / SGD(1e-5) / SGD(1e-5)"]);
    expect(at(0.1, { values: [1, 2], upper: { optimizer: "sgd" }, upperAt: { 2: { optimizer: "rmsProp" } } }, seedExample)).toEqual([
      "Adam(0.1) / SGD(0.1)",
      "Adam(0.1) / RMSProp(0.1) / RMSProp(0.1)",
    ]);
  });

  it("may vary a level above, where the rule leaves it alone", () => {
    expect(stacks(cells({ axes: [alpha(1e-6, 1e-4, 3, 1)] }))).toEqual(["Adam / SGD(1e-6)", "Adam / SGD(1e-5)", "Adam / SGD(1e-4)"]);
  });

  it("may vary what a group of a level starts from, which levels above do not have", () => {
    const base: StudyInput["base"] = { tower: [{ optimizer: "sgd", groups: [{ name: "bias", match: "*.bias", optimizer: "adam" }] }] };
    const runs = cells({ base, axes: [alpha(0.1, 1, 2), { hyperparameter: "alpha[bias]", values: { kind: "list", values: [1e-3, 1e-2] } }], heights: { values: [0, 1] } });
    expect(runs.map(({ key }) => key).slice(0, 2)).toEqual(["h0|L0.alpha=0.1|L0.alpha[bias]=0.001|s0", "h0|L0.alpha=0.1|L0.alpha[bias]=0.01|s0"]);
    const { tower } = runs.at(-1)!.experiment;
    expect(tower).toMatchObject([{ alpha: 1, groups: [{ name: "bias", optimizer: "adam", alpha: 0.01 }] }, { alpha: 1, groups: [] }]);
    expect(problems({ base, axes: [{ hyperparameter: "gamma[bias]", values: { kind: "list", values: [0.1] } }] })).toEqual([
      "axes.0.hyperparameter: Adam, level 0 at the base's tower, has no gamma; it has: alpha, beta1, beta2, logEps, weightDecay, sInit, sDecay, sLogEps",
    ]);
    expect(problems({ base, axes: [{ hyperparameter: "alpha[out]", values: { kind: "list", values: [0.1] } }] })).toEqual([
      "axes.0.hyperparameter: level 0 at the base's tower has no group out; it has: bias",
    ]);
  });

  it("heights give a horizon to the first upper level alone", () => {
    const upper = { optimizer: "sgd", alpha: 1e-3, horizon: 1 } as const;
    expect(stacks(cells({ base: sgd, heights: { values: [1, 3], rule: { kind: "base" }, upper } }))).toEqual([
      "SGD / SGD(0.001, horizon 1)",
      "SGD / SGD(0.001, horizon 1) / SGD(0.001) / SGD(0.001)",
    ]);
  });

  it("heights let the first upper level alone look ahead, which is refused where batches differ in size", () => {
    const [base, upper] = [{ ...sgd, dataset: { trainExamples: 2_560 } }, { optimizer: "sgd", alpha: 1e-3, lookahead: 2 } as const];
    const heights = { values: [2], rule: { kind: "base" as const }, upper };
    expect(stacks(cells({ base, heights }))).toEqual(["SGD / SGD(0.001, lookahead 2) / SGD(0.001)"]);
    expect(problems({ base: { ...base, batchSize: 100 }, heights })[0]).toContain("the last batch of an epoch has 60 examples, not 100");
  });

  it("are all made safe where that is asked for", () => {
    const runs = cells({ base: sgd, axes: [alpha(0.1, 1, 2)], heights: { values: [0, 2] }, safe: true });
    expect(runs.every(({ experiment }) => experiment.guard.on)).toBe(true);
    expect(runs.map(({ experiment }) => experiment.tower.map(({ maxChange }) => maxChange))).toEqual([[null], [null], [null, 0.03, 0.03], [null, 0.03, 0.03]]);
    expect(cells({ base: sgd, heights: { values: [2] } }).some(({ experiment }) => experiment.guard.on)).toBe(false);
  });

  it("have the base's schedule on level 0 alone, at every height", () => {
    const base = { tower: [{ optimizer: "sgd", schedules: { alpha: "cosine" } }] } as const satisfies StudyInput["base"];
    expect(stacks(cells({ base, axes: [alpha(0.1, 1, 2)], heights: { values: [0, 2] } }))).toEqual(["SGD(0.1 cosine)", "SGD(1 cosine)", "SGD(0.1 cosine) / SGD(0.1) / SGD(0.1)", "SGD(1 cosine) / SGD(1) / SGD(1)"]);
  });

  it("may be stacks with budgets of their own", () => {
    const runs = cells({ stacks: [{ name: "plain", tower: [{ optimizer: "sgd" }] }, { name: "long", tower: [{ optimizer: "sgd" }, { optimizer: "sgd" }], epochs: 9 }], axes: [alpha(0.1, 1, 2)] });
    expect(runs.map(({ key, stack, height, experiment }) => [key, stack, height, experiment.budget.epochs])).toEqual([
      ["plain|L0.alpha=0.1|s0", "plain", 0, 5], ["plain|L0.alpha=1|s0", "plain", 0, 5],
      ["long|L0.alpha=0.1|s0", "long", 1, 9], ["long|L0.alpha=1|s0", "long", 1, 9],
    ]);
  });
});

describe("a rerun of a stack", () => {
  const tower = { name: "tower", tower: [{ optimizer: "adam", alpha: 0.02 }, { optimizer: "sgd" }] } as const;

  it("has a cell for each of that stack's, which it names, with its level 0, budget and seeds", () => {
    const input: StudyInput = { base: sgd, stacks: [{ name: "again", rerunOf: "tower" }, { name: "plain", tower: [{ optimizer: "sgd" }] }, { ...tower, tower: [...tower.tower], epochs: 9, seeds: [4, 6] }], axes: [{ level: 1, values: { kind: "list", values: [0.1, 1] } }], seeds: [0, 4, 6] };
    expect(problems(input)).toEqual(["axes.0.level: there is no level 1 at plain, whose levels are 0 to 0"]);
    const runs = cells({ ...input, stacks: input.stacks!.filter(({ name }) => name !== "plain") });
    expect(runs.map(({ key, source }) => [key, source?.key])).toEqual([
      ["again|L1.alpha=0.1|s4", "tower|L1.alpha=0.1|s4"], ["again|L1.alpha=0.1|s6", "tower|L1.alpha=0.1|s6"], ["again|L1.alpha=1|s4", "tower|L1.alpha=1|s4"], ["again|L1.alpha=1|s6", "tower|L1.alpha=1|s6"],
      ["tower|L1.alpha=0.1|s4", undefined], ["tower|L1.alpha=0.1|s6", undefined], ["tower|L1.alpha=1|s4", undefined], ["tower|L1.alpha=1|s6", undefined],
    ]);
    expect(runs[0]!.source).toBe(runs[4]);
    expect(runs[0]!.experiment).toMatchObject({ seed: 4, budget: { epochs: 9 }, tower: [{ optimizer: "adam", alpha: 0.02 }] });
    expect(countRuns(study.parse({ ...input, axes: [] }))).toBe(2 + 3 + 2);
  });

  it.each([
    ["of nothing", { rerunOf: "x" }, "stacks.1.rerunOf: there is no stack named x; the study has: tower, b"],
    ["of itself", { rerunOf: "b" }, "stacks.1.rerunOf: b is a rerun itself; name a stack with a tower"],
    ["with a tower", { rerunOf: "tower", tower: [{ optimizer: "sgd" }] }, "stacks.1.rerunOf: a rerun has no tower of its own; leave out tower or rerunOf"],
    ["with epochs", { rerunOf: "tower", epochs: 3 }, "stacks.1.epochs: a rerun trains as long as the run it follows; leave out epochs"],
    ["with seeds", { rerunOf: "tower", seeds: [3] }, "stacks.1.seeds: a rerun has the seeds of the stack it reruns; leave out seeds"],
    ["neither a tower nor a rerun", {}, "stacks.1.tower: a stack needs a tower, or rerunOf with the name of the stack whose learned values it starts from"],
    ["compared with nothing", { rerunOf: "tower", against: "y" }, "stacks.1.against: there is no stack named y; the study has: tower, b"],
    ["compared with itself", { rerunOf: "tower", against: "b" }, "stacks.1.against: b is compared with itself; name another stack"],
    ["a seed of a stack twice", { tower: [{ optimizer: "sgd" }], seeds: [1, 1] }, "stacks.1.seeds: seed 1 is there twice"],
  ])("is refused: %s", (_what, input, expected) => {
    expect(problems({ stacks: [tower, { name: "b", ...input }] })).toEqual([expected]);
  });

  it("is refused of a plain optimizer, and with successive halving", () => {
    expect(problems({ stacks: [{ name: "plain", tower: [{ optimizer: "sgd" }] }, { name: "b", rerunOf: "plain" }] })).toEqual(["stacks.1.rerunOf: plain has a single level, which learns nothing; name a stack with levels above it"]);
    expect(problems({ stacks: [tower, { name: "b", rerunOf: "tower" }], halving: { rungs: [1] } })).toEqual(["stacks.1.rerunOf: successive halving stops runs early, and a rerun needs what they learned at their end; leave out halving or rerunOf"]);
  });
});

describe("a study that contradicts itself", () => {
  const axes = (...of: object[]) => ({ base: sgd, axes: of });
  it.each([
    ["zero runs", { seeds: [] }, "seeds: seeds needs at least one seed"],
    ["a million runs", { seeds: [...Array(1000).keys()], ...axes(alpha(1e-8, 1, 1000)) }, ": the study has 1,000,000 runs; at most 100,000 are allowed"],
    ["a hyperparameter varied twice", axes(alpha(0.1, 1, 2), alpha(1, 2, 3)), "axes.1.hyperparameter: axis 0 varies alpha of level 0 already"],
    ["a level that a height lacks", { ...axes(alpha(0.1, 1, 2, 1)), heights: { values: [0, 1], rule: { kind: "base" } } }, "axes.0.level: there is no level 1 at height 0, whose levels are 0 to 0"],
    ["a level that the base lacks", axes(alpha(0.1, 1, 2, 3)), "axes.0.level: there is no level 3 at the base's tower, whose levels are 0 to 0"],
    ["a step size that the rule sets", { ...axes(alpha(0.1, 1, 2, 1)), heights: { values: [1] } }, "axes.0.level: rule equal sets the step size of level 1; choose the rule base, or an axis on level 0"],
    ["a log grid through 0", axes(alpha(0, 1, 2)), "axes.0.values.from: from is 0; on a log scale it must be greater than 0"],
    ["a log grid from below 0", axes(alpha(1, -1, 2)), "axes.0.values.to: to is -1; on a log scale it must be greater than 0"],
    ["a range without width", axes(alpha(1, 1, 2)), "axes.0.values.to: 2 points need a range; from and to are both 1"],
    ["a value outside the domain", axes({ hyperparameter: "mu", values: { kind: "list", values: [0.9, 1] } }), "axes.0.values: SGD mu would be 1; allowed: from 0 to 1 (excluded)"],
    ["a hyperparameter nobody has", axes({ hyperparameter: "beta1", values: { kind: "list", values: [0.9] } }), "axes.0.hyperparameter: SGD, level 0 at the base's tower, has no beta1; it has: alpha, mu, weightDecay, dampening, sInit, sDecay, sLogEps"],
    ["a value twice", axes({ values: { kind: "list", values: [1, 2, 1] } }), "axes.0.values: the value 1 is there twice"],
    ["a seed twice", { seeds: [3, 3] }, "seeds.1: seed 3 is there twice"],
    ["a height twice", { heights: { values: [1, 1] } }, "heights.values.1: height 1 is there twice"],
    ["a level for a height that is not there", { heights: { values: [1], upperAt: { 2: { optimizer: "sgd" } } } }, "heights.upperAt.2: there is no height 2 in heights.values"],
    ["a height beyond the rule", { heights: { values: [4], rule: { kind: "figure4b" } } }, "heights.values.0: height is 4; rule figure4b names 3 levels above level 0"],
    ["a fixed step size below 0", { heights: { values: [1], rule: { kind: "fixed", alphas: [-1] } } }, "heights.rule.alphas.0: a step size is -1; allowed: 0 or more"],
    ["stacks and heights", { heights: { values: [1] }, stacks: [{ name: "a", tower: [{ optimizer: "sgd" }] }] }, "stacks: a study compares heights or stacks, not both"],
    ["a stack's name twice", { stacks: [0, 1].map(() => ({ name: "a", tower: [{ optimizer: "sgd" }] })) }, "stacks.1.name: there are two stacks named a"],
    ["samples of different number", axes({ values: { kind: "random", from: 0.1, to: 1, points: 3 } }, { hyperparameter: "mu", values: { kind: "random", scale: "linear", from: 0, to: 0.5, points: 4 } }), "axes.1.values.points: sampled axes are sampled together: points is 4, but 3 for axis 0"],
    ["rungs after the end", { halving: { rungs: [2, 5] } }, "halving.rungs.1: rung 5 must come before the end of training, epoch 5"],
    ["rungs out of order", { halving: { rungs: [3, 2] } }, "halving.rungs.1: rung 2 must be later than rung 3"],
    ["a value that only some option forbids", { base: { tower: [{ optimizer: "sgd", alphaAs: "log" }] }, axes: [{ values: { kind: "list", values: [0, 1] } }] }, "base.tower: L0 alpha 0: tower.0.alpha: SGD alpha is 0; in log space it must be greater than 0"],
    ["a schedule longer than a stack's budget", { stacks: [{ name: "short", epochs: 2, tower: [{ optimizer: "sgd", schedules: { alpha: [{ kind: "linear", until: 3 }] } }] }] }, "stacks.0: short: tower.0.schedules.alpha.pieces.0.until: alpha: piece 1 of its schedule ends at 3 epochs, after the budget of 2 epochs"],
    ["an unknown field", { seed: 1 }, "seed: there is no field named seed"],
  ])("is refused by field: %s", (_what, input, expected) => {
    expect(problems(input)).toEqual([expected]);
  });
});

describe("study presets", () => {
  it("are valid, and the paper's are the paper's", () => {
    const runs = Object.fromEntries(studyPresets.map(({ name, study: of }) => [name, cells(of)]));
    expect(runs["figure4a"]).toHaveLength(4 * 11 * 3);
    expect(new Set(runs["figure4a"]!.map(({ experiment }) => experiment.budget.epochs))).toEqual(new Set([30]));
    expect(runs["figure4b"]).toHaveLength(4 * 11 * 3);
    expect(runs["figure4c"]).toHaveLength(4 * 9);
    expect(runs["figure4d"]).toHaveLength(4 * 6);
    // 50,000 steps, or the epoch in which they end.
    const { experiment: rnn } = runs["figure4d"]![0]!;
    expect(totalSteps(rnn) - stepsPerEpoch(rnn)).toBeLessThan(50_000);
    expect(totalSteps(rnn)).toBeGreaterThanOrEqual(50_000);
    expect(new Set([...runs["figure4c"]!, ...runs["figure4c-quick"]!].map(({ experiment }) => JSON.stringify(experiment.dataset.augmentation)))).toEqual(new Set(['{"crop":4,"flip":true}']));
    // Momentum and weight decay are of the level that moves the weights alone.
    for (const { experiment } of runs["figure4c"]!) {
      expect(experiment.tower[0]).toMatchObject({ mu: 0.9, weightDecay: 1e-4, learned: ["alpha"] });
      for (const above of experiment.tower.slice(1)) expect(above).toMatchObject({ optimizer: "sgd", mu: 0, weightDecay: 0 });
    }
    // A quick edition asks the same question.
    for (const name of ["figure4a", "figure4b", "figure4c", "figure4d"]) {
      expect(new Set(runs[`${name}-quick`]!.map(({ key }) => key))).toEqual(new Set(runs[name]!.filter(({ seed }) => seed === 0).map(({ key }) => key)));
    }
    expect(runs["table1"]!.filter(({ seed, source }) => seed === 0 && !source).map(({ experiment }) => [notation(experiment.tower), experiment.budget.epochs])).toEqual(
      table1Rows.map(({ tower, epochs }) => [notation(study.parse({ stacks: [{ name: "x", tower: [...tower] }] }).stacks![0]!.tower!), epochs]),
    );
  });
});
