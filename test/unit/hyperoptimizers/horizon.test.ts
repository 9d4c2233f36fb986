/** Hypergradients with a horizon against finite differences of whole trainings, in float64. */
import { describe, expect, it } from "vitest";
import { level as levelSchema, tower } from "../../../src/shared/tower.ts";
import { fieldErrors } from "../../../src/shared/experiment.ts";
import { towerState } from "../../../src/shared/towerState.ts";
import type { TowerLevel } from "../../../src/core/hyperoptimizers/tower.ts";
import { everything } from "../../support/edition.ts";
import { batchSize, modelCases, modelProblem } from "../../support/modelProblems.ts";
import { hypergradientChecks } from "../../support/hypergradients.ts";
import { level, smallProblem } from "../../support/problems.ts";
import { trajectoryChecks, weightedChecks, type TrajectoryCheck } from "../../support/trajectories.ts";

/** Moves nothing, so that level 0's hyperparameters are constant. */
const still = (horizon = 1) => level("sgd", { alpha: 0, horizon });
const all = { learned: ["alpha", "beta1", "beta2", "logEps", "weightDecay"], logEps: -2, weightDecay: 0.1 };

/** Level 0 of every optimizer that can be followed, away from the kinks of its maxima. */
const bottoms: Record<string, TowerLevel> = {
  SGD: level("sgd", { alpha: 0.5 }),
  "SGD with momentum": level("sgd", { alpha: 0.3, mu: 0.9, learned: ["alpha", "mu", "weightDecay"], weightDecay: 0.01 }),
  "SGD with Nesterov's momentum, dampening and coupled decay in log space": level("sgd", { alpha: 0.3, alphaAs: "log", mu: 0.9, nesterov: true, dampening: 0.3, weightDecay: 0.1, weightDecayAs: "coupled" }),
  Adam: level("adam", { alpha: 0.02 }),
  "Adam with everything learned, AMSGrad, as in PyTorch": level("adam", { ...all, alpha: 0.02, amsgrad: true, convention: "pytorch" }),
  AdaGrad: level("adaGrad", { alpha: 0.1 }),
  "AdaGrad as in PyTorch": level("adaGrad", { alpha: 0.1, convention: "pytorch" }),
  RMSProp: level("rmsProp", { alpha: 0.01 }),
  NAdam: level("nAdam", { ...all, alpha: 0.02 }),
  "Schedule-Free SGD": level("scheduleFreeSgd", { alpha: 0.3 }),
  "Schedule-Free AdamW": level("scheduleFreeAdam", { alpha: 0.03, logEps: -2 }),
  Prodigy: level("prodigy", { d0: 1e-2, logEps: -2 }),
  "D-Adaptation SGD": level("dAdaptSgd", { d0: 1e-2, mu: 0.5 }),
  "D-Adaptation Adam": level("dAdaptAdam", { d0: 1e-2, logEps: -2 }),
  DoG: level("dog", { firstMove: 0.1, alpha: 0.7 }),
  LDoG: level("lDog", { firstMove: 0.1, alpha: 0.7 }),
  DoWG: level("dowg", { d0: 0.5, logEps: -2 }),
  MoMo: level("moMo", { alpha: 0.05 }),
  "MoMo-Adam": level("moMoAdam", { alpha: 0.02, logEps: -2 }),
  Muon: level("muon", { logEps: -2 }),
  "SGD under Mechanic, everything learned": level("sgd", { alpha: 1, mu: 0.5, mechanic: true, sInit: 0.5, sDecay: 0.5, sLogEps: -2, learned: ["alpha", "mu", "sInit", "sDecay", "sLogEps"] }),
  "Adam under Mechanic with a recomputed sum": level("adam", { alpha: 0.1, logEps: -2, mechanic: true, mechanicUpdates: "recomputed", sInit: 0.5, sLogEps: -2, learned: ["alpha", "sInit"] }),
  LAMB: level("lamb", { alpha: 0.02, logEps: -2 }),
  "groups, clipped together": level("adam", { alpha: 0.02, logEps: -2, clipNorm: 0.05, groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.5, mu: 0.5, clipValue: 0.02 }] }),
  "a frozen layer": level("sgd", { alpha: 0.5, freeze: "layer1.weight" }),
  "a schedule": level("sgd", { alpha: 0.5, schedules: { alpha: [{ kind: "warmUp", from: 0.2, until: 0.6 }, { kind: "cosine", to: 0.1 }] } }),
};

function expectEqual({ analytic, numeric }: TrajectoryCheck): void {
  // Below this the difference of two losses near 1 has too few digits to tell.
  expect(Math.abs(numeric)).toBeGreaterThan(1e-7);
  expect(Math.abs(numeric - analytic)).toBeLessThan(1e-6 * Math.abs(numeric) + 1e-9);
}

describe.each(Object.entries(bottoms))("horizon 1 over %s: the loss after 6 steps by a constant hyperparameter", (_, bottom) => {
  it.each(trajectoryChecks(smallProblem([bottom, still()])))("$name", expectEqual);
});

const quick = ["CNN with batch normalization, Adam / SGD", "LSTM, Adam / SGD"];
const models = Object.entries(modelCases).filter(([name]) => everything || quick.includes(name));
describe.each(models)("horizon 1 over the model %s", (_, of) => {
  it("is the slope of the loss after 3 steps", () => {
    const problem = modelProblem({ ...of, levels: [of.levels[0]!, still()] });
    for (const check of trajectoryChecks({ ...problem, batchSize }, 3, 1e-7)) {
      expect(Math.abs(check.numeric - check.analytic), check.name).toBeLessThan(1e-5 * Math.abs(check.numeric) + 1e-7);
    }
  });
});

describe("a horizon between 0 and 1", () => {
  it.each([0.5, 0.9])("weights the part of each earlier step by a power of %d", (horizon) => {
    for (const bottom of [level("sgd", { alpha: 0.3, mu: 0.9 }), level("adam", { alpha: 0.02, logEps: -2 })]) {
      weightedChecks(smallProblem([bottom, still(horizon)]), horizon).forEach(expectEqual);
    }
  });

  it("is the one-step hypergradient at 0, and the same program as without", () => {
    const [without, zero] = [level("sgd", { alpha: 0 }), still(0)].map((above) => smallProblem([level("adam"), above]).training.program);
    expect(zero!.state).toEqual(without!.state);
    weightedChecks(smallProblem([level("adam", { alpha: 0.02 }), still(0)]), 0).forEach(expectEqual);
  });

  it("may be of one group of hyperparameters: the others look back one step and keep nothing", () => {
    const above = level("sgd", { alpha: 0, groups: [{ name: "steps", match: "alpha", alpha: 0, horizon: 1 }] });
    const problem = smallProblem([level("adam", { alpha: 0.02, logEps: -2 }), above], { hypergradients: "moving" });
    const kept = problem.training.program.state.filter(({ name }) => name.includes(".tangent."));
    expect(kept.map(({ name }) => name.split(".tangent.")[0])).toEqual(kept.map(() => "L0.alpha"));
    const [whole, oneStep] = [trajectoryChecks(problem), weightedChecks(problem, 0, 6)];
    expectEqual(whole[0]!);
    oneStep.slice(1).forEach(expectEqual);
  });
});

describe("levels above one with a horizon look back one step", () => {
  const levels = [level("sgd", { alpha: 0.3, mu: 0.9 }), level("adam", { alpha: 0.01, logEps: -2, horizon: 1 }), level("sgd", { alpha: 1e-4 })];
  it.each(hypergradientChecks(levels).filter(({ name }) => !name.startsWith("L0")))("$name", expectEqual);
});

const problems = (levels: unknown[]) => {
  const parsed = tower.safeParse(levels);
  return parsed.success ? [] : fieldErrors(parsed.error);
};

describe("a horizon is refused by name", () => {
  it.each([
    ["on level 0", [{ optimizer: "sgd", horizon: 1 }], "0.horizon", "horizon is for levels that move hyperparameters, not for the first one"],
    ["on level 2", [{ optimizer: "sgd" }, { optimizer: "sgd" }, { optimizer: "sgd", horizon: 0.5 }], "2.horizon", "only level 1 can have a horizon"],
    ["over a sign", [{ optimizer: "lion" }, { optimizer: "sgd", horizon: 1 }], "1.horizon", "Lion cannot be followed: it moves by a sign, which has no slope"],
    ["over a sign in a group", [{ optimizer: "sgd", groups: [{ name: "b", match: "*.bias", optimizer: "lion" }] }, { optimizer: "sgd", groups: [{ name: "s", match: "alpha", horizon: 1 }] }], "1.groups.0.horizon", "Lion cannot be followed"],
    ["beyond 1", [{ optimizer: "sgd" }, { optimizer: "sgd", horizon: 1.5 }], "1.horizon", "allowed: from 0 to 1"],
  ])("%s", (_, levels, path, message) => {
    const found = problems(levels);
    expect(found.map((one) => one.path)).toEqual([path]);
    expect(found[0]!.message).toContain(message);
  });

  it("but allowed where Lion moves nothing, or above it", () => {
    expect(problems([{ optimizer: "sgd", groups: [{ name: "b", match: "*.bias", optimizer: "lion", frozen: true }] }, { optimizer: "lion", horizon: 1 }])).toEqual([]);
  });
});

it("the state of a tower counts what a horizon keeps: weights, gradients and slots for each hyperparameter", () => {
  const sized = [{ name: "w", size: 10, axes: 2 }];
  const levels = [levelSchema.parse({ optimizer: "adam" }), levelSchema.parse({ optimizer: "sgd", horizon: 1 })];
  expect(towerState(levels, sized)).toEqual([{ moved: 10, slots: 20 }, { moved: 3, slots: 3 * (2 * 10 + 20) }]);
});
