/** Lookaheads, in float64: hypergradients of the loss after K steps against finite differences of these K steps. */
import { describe, expect, it } from "vitest";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import type { TowerLevel } from "../../../src/core/hyperoptimizers/tower.ts";
import { validateExperiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { notation, tower } from "../../../src/shared/tower.ts";
import { level, smallProblem } from "../../support/problems.ts";

/** Moves nothing, so that a changed hyperparameter stays changed. */
const ahead = (lookahead: number, more: object = {}) => level("sgd", { alpha: 0, lookahead, ...more });

const stacks: Record<string, readonly TowerLevel[]> = {
  SGD: [level("sgd", { alpha: 0.1 }), ahead(4)],
  "SGD, 8 steps": [level("sgd", { alpha: 0.1, alphaAs: "log" }), ahead(8)],
  "SGD with momentum and decay, clipped": [level("sgd", { alpha: 0.1, mu: 0.9, weightDecay: 0.01, learned: ["alpha", "mu", "weightDecay"], clipNorm: 0.5 }), ahead(3)],
  "Adam, everything learned": [level("adam", { alpha: 0.01, logEps: -2, weightDecay: 0.01, learned: ["alpha", "beta1", "beta2", "logEps", "weightDecay"] }), ahead(3)],
  "Adam as in PyTorch": [level("adam", { alpha: 0.01, convention: "pytorch" }), ahead(2)],
  AdaGrad: [level("adaGrad", { alpha: 0.1 }), ahead(3)],
  RMSProp: [level("rmsProp", { alpha: 0.001 }), ahead(3)],
  "MoMo, which sees the loss": [level("moMo", { alpha: 0.05, weightDecay: 0.01, learned: ["alpha", "beta1"] }), ahead(3)],
  "a group of its own, and a schedule": [
    level("adam", { alpha: 0.01, schedules: { alpha: "oneCycle" }, groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1, mu: 0.5 }] }),
    ahead(3),
  ],
};

/** Hypergradients at a step, and central differences over the updates in its window. */
function checks(levels: readonly TowerLevel[], at: number) {
  const { training, initialState, batchSize, batch } = smallProblem(levels, { hypergradients: "moving" });
  const engine = new ReferenceExecutable(training.program);
  engine.restore(initialState);
  const run = (t: number) => engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t));
  const from = Math.max(1, at - levels[1]!.options.lookahead + 1);
  for (let t = 0; t < from; t++) run(t);
  const before = engine.stateNow();
  let outputs = run(from);
  for (let t = from + 1; t <= at; t++) outputs = run(t);
  const lossAfter = (name: string, nudge: number) => {
    engine.restore({ ...before, [name]: before[name]!.map((value) => value + nudge) });
    let loss = 0;
    for (let t = from; t <= at; t++) loss = run(t)["loss"]!;
    return loss;
  };
  const h = 1e-5;
  return training.withHypergradient.filter(({ level }) => level === 0).map(({ name, hypergradient }) => ({ name, analytic: outputs[hypergradient]!, numeric: (lossAfter(name, h) - lossAfter(name, -h)) / (2 * h) }));
}

describe.each(Object.entries(stacks))("%s", (_, levels) => {
  it.each(checks(levels, 10))("$name", ({ analytic, numeric }) => {
    expect(Math.abs(analytic)).toBeGreaterThan(1e-7);
    expect(Math.abs(numeric - analytic)).toBeLessThan(1e-6 * Math.abs(analytic) + 1e-9);
  });
});

describe("before the window is full", () => {
  it.each(checks(stacks["SGD, 8 steps"]!, 1))("$name after one update", ({ analytic, numeric }) => expect(numeric).toBeCloseTo(analytic, 8));
  it.each(checks(stacks["Adam, everything learned"]!, 2))("$name after two", ({ analytic, numeric }) => expect(numeric).toBeCloseTo(analytic, 8));
});

describe("a lookahead", () => {
  const outputs = (levels: readonly TowerLevel[], steps: number) => {
    const { training, initialState, batchSize, batch } = smallProblem(levels, { hypergradients: "moving" });
    const engine = new ReferenceExecutable(training.program);
    engine.restore(initialState);
    return Array.from({ length: steps }, (_, t) => engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)));
  };

  it("within the window is the horizon of the whole run", () => {
    const [window, whole] = [{ lookahead: 8 }, { horizon: 1 }].map((further) => outputs([level("adam", { alpha: 0.01 }), level("sgd", { alpha: 0, ...further })], 9));
    for (const [t, { "L0.alpha.hypergradient": value, "L0.beta1.hypergradient": beta }] of window!.entries()) {
      expect(value).toBeCloseTo(whole![t]!["L0.alpha.hypergradient"]!, 10);
      expect(beta).toBeCloseTo(whole![t]!["L0.beta1.hypergradient"]!, 10);
    }
  });

  it("normalized, within the window, is the normalized horizon of the whole run", () => {
    const [window, whole] = [{ lookahead: 5 }, { horizon: 1 }].map((further) => outputs([level("adam", { learned: ["alpha"] }), level("sgd", { alpha: 0, normalized: true, ...further })], 6));
    for (const [t, { "L0.alpha.hypergradient": value }] of window!.entries()) expect(value).toBeCloseTo(whole![t]!["L0.alpha.hypergradient"]!, 9);
    expect(Math.abs(window![5]!["L0.alpha.hypergradient"]!)).toBeGreaterThan(1e-3);
  });

  it("leaves the loss, and the hypergradients of the levels above, as they were", () => {
    const [window, plain] = [8, 1].map((lookahead) => outputs([level("sgd", { alpha: 0.1 }), level("sgd", { alpha: 0, lookahead }), level("sgd", { alpha: 0 })], 6));
    for (const [t, { loss }] of window!.entries()) expect(loss).toBe(plain![t]!["loss"]);
  });
});

it("goes on from a checkpoint as if it had not stopped", () => {
  const { training, initialState, batchSize, batch } = smallProblem([level("adam", { alpha: 0.01 }), level("sgd", { alpha: 1e-3, lookahead: 4 })], { hypergradients: "moving" });
  const engine = new ReferenceExecutable(training.program);
  engine.restore(initialState);
  for (let t = 0; t < 5; t++) engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t));
  const after = engine.stateNow();
  const checkpoint = Object.fromEntries(training.durableState.map((name) => [name, after[name]!]));
  const resumed = new ReferenceExecutable(training.program);
  resumed.restore(initialState);
  resumed.restore(checkpoint);
  for (let t = 5; t < 8; t++) expect(resumed.runNow(`step@${batchSize}`, batch(t))).toEqual(engine.runNow(`step@${batchSize}`, batch(t)));
});

describe("is refused by name", () => {
  const problems = (input: ExperimentInput) => {
    const result = validateExperiment(input);
    return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
  };
  const stack = (...upper: object[]) => [{ optimizer: "sgd" as const }, ...upper.map((of) => ({ optimizer: "sgd" as const, ...of }))];
  const even = { dataset: { trainExamples: 2_560 } };

  it("where batches differ in size, or there are fewer steps", () => {
    expect(problems({ ...even, tower: stack({ lookahead: 8 }) })).toEqual([]);
    expect(problems({ tower: stack({ lookahead: 2 }) })).toEqual(["tower.1.lookahead: lookahead is 2, which needs batches of one size; the last batch of an epoch has 96 examples, not 256: choose dataset.trainExamples or batchSize so that none are left"]);
    expect(problems({ dataset: { trainExamples: 512 }, budget: { epochs: 2 }, tower: stack({ lookahead: 8 }) })).toEqual(["tower.1.lookahead: lookahead is 8; the run has only 4 steps: lower it or train longer"]);
  });

  it("on other levels, beyond 8 steps, with a horizon", () => {
    expect(problems({ ...even, tower: stack({}, { lookahead: 2 }) })).toEqual(["tower.2.lookahead: lookahead is 2; level 2 moves hyperparameters of level 1, which it sees one step back: only level 1 can look ahead, set it to 1 here"]);
    expect(problems({ ...even, tower: [{ optimizer: "sgd", lookahead: 2 }, { optimizer: "sgd" }] })).toEqual(["tower.0.lookahead: lookahead is for levels that move hyperparameters, not for the first one"]);
    expect(problems({ ...even, tower: stack({ lookahead: 9 }) })).toEqual(["tower.1.lookahead: SGD lookahead is 9; allowed: a whole number, from 1 to 8"]);
    expect(problems({ ...even, tower: stack({ lookahead: 2, horizon: 0.5 }) })).toEqual(["tower.1.lookahead: lookahead is 2 and there is a horizon: both look further than one step; set lookahead to 1 or the horizon to 0"]);
  });
});

it("shows in a stack's name", () => {
  expect(notation(tower.parse([{ optimizer: "sgd" }, { optimizer: "sgd", lookahead: 4 }]))).toBe("SGD / SGD(lookahead 4)");
});
