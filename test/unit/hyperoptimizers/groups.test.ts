/** Groups of what a level moves, in float64: who moves what, and what stays. */
import { describe, expect, it } from "vitest";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import type { TowerLevel } from "../../../src/core/hyperoptimizers/tower.ts";
import { nodesOf } from "../../../src/core/program/program.ts";
import { level, smallProblem } from "../../support/problems.ts";

interface Trained {
  /** After each update, weights settled. */
  readonly parameters: Record<string, Float64Array>[];
  readonly outputs: Record<string, number>[];
  readonly stateNames: string[];
}

function trained(levels: readonly TowerLevel[], steps: number): Trained {
  const { training, initialState, batchSize, batch } = smallProblem(levels);
  const engine = new ReferenceExecutable(training.program);
  engine.restore(initialState);
  const parameters = [];
  const outputs = [];
  for (let t = 0; t < steps; t++) {
    outputs.push(engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)));
    engine.runNow("settle");
    parameters.push(training.parametersOf(engine.stateNow()));
  }
  return { parameters, outputs, stateNames: training.program.state.map(({ name }) => name) };
}

const initial = (() => {
  const { training, initialState } = smallProblem([level("sgd")]);
  return training.parametersOf(initialState);
})();

const names = Object.keys(initial);

describe("groups", () => {
  it("with the level's own settings change nothing: the same numbers to the last bit", () => {
    const tower = (groups: object[]) => [level("adam", { alpha: 0.01, groups }), level("sgd", { alpha: 1e-3 })];
    const [whole, split] = [trained(tower([]), 10), trained(tower([{ name: "bias", match: "*.bias", learned: [] }]), 10)];
    // The first update moves the weights by constants; from the second on, α of the rest follows the rest alone.
    for (const name of names) expect(split.parameters[0]![name]).toEqual(whole.parameters[0]![name]);
  });

  it("each follow their own step size, first match first", () => {
    const groups = [
      { name: "first", match: "layer1.weight", alpha: 0.3 },
      { name: "weights", match: ["layer1.*t", "layer2.weight"], alpha: 0.2 },
    ];
    const grouped = trained([level("sgd", { alpha: 0.1, groups })], 1).parameters[0]!;
    const plain = trained([level("sgd", { alpha: 0.1 })], 1).parameters[0]!;
    const factor: Record<string, number> = { "layer1.weight": 3, "layer2.weight": 2, "layer1.bias": 1, "layer2.bias": 1 };
    for (const name of names) {
      grouped[name]!.forEach((w, i) => expect(w - initial[name]![i]!).toBeCloseTo(factor[name]! * (plain[name]![i]! - initial[name]![i]!), 14));
    }
  });

  it("have hyperparameters of their own that the level above moves, all of them or apart", () => {
    const bottom = level("sgd", { alpha: 0.1, groups: [{ name: "bias", match: "*.bias", optimizer: "adam", alpha: 0.01 }] });
    const together = trained([bottom, level("sgd", { alpha: 0.01 })], 5).outputs;
    const moves = (outputs: Record<string, number>[], name: string) => outputs[4]![name] !== outputs[1]![name];
    for (const name of ["L0.alpha", "L0.alpha[bias]", "L0.beta1[bias]", "L0.beta2[bias]"]) expect(moves(together, name), name).toBe(true);
    expect(together[4]).not.toHaveProperty("L0.beta1");

    const apart = trained([bottom, level("sgd", { alpha: 0.01, groups: [{ name: "bias", match: "*[bias]", frozen: true }] })], 5).outputs;
    expect(moves(apart, "L0.alpha")).toBe(true);
    expect(moves(apart, "L0.alpha[bias]")).toBe(false);
    // The first move of the rest follows the same hypergradient either way.
    expect(apart[2]!["L0.alpha"]).toBe(together[2]!["L0.alpha"]);
  });

  it("are moved as if alone: SGD of two groups is SGDPerParam", () => {
    const alphas = Object.fromEntries(names.map((name, i) => [name, 0.1 + 0.05 * i]));
    const above = level("sgd", { alpha: 0.02 });
    const perParameter = trained([level("sgdPerParam", { alphas }), above], 8);
    const groups = names.map((name, i) => ({ name, match: name, alpha: 0.1 + 0.05 * i }));
    expect(perParameter.outputs).toEqual(trained([level("sgd", { groups, frozen: true }), above], 8).outputs);
    // A closed form: α of a parameter moves by the product of its gradients of now and before.
    const slope = perParameter.outputs[3]!["L0.alpha[layer1.bias].hypergradient"]!;
    expect(perParameter.outputs[4]!["L0.alpha[layer1.bias]"]).toBeCloseTo(perParameter.outputs[3]!["L0.alpha[layer1.bias]"]! - 0.02 * slope, 14);
    expect(slope).not.toBe(0);
  });

  it("share one norm when gradients are clipped, and cut each by their own value", () => {
    const plain = trained([level("sgd", { alpha: 0.1, clipNorm: 1e-3 })], 1).parameters[0]!;
    const grouped = trained([level("sgd", { alpha: 0.1, clipNorm: 1e-3, groups: [{ name: "bias", match: "*.bias" }] })], 1).parameters[0]!;
    for (const name of names) grouped[name]!.forEach((w, i) => expect(w).toBeCloseTo(plain[name]![i]!, 15));
    const cut = trained([level("sgd", { alpha: 0.1, groups: [{ name: "bias", match: "*.bias", clipValue: 1e-6 }] })], 1).parameters[0]!;
    const change = (name: string) => Math.max(...cut[name]!.map((w, i) => Math.abs(w - initial[name]![i]!)));
    expect(change("layer1.bias")).toBeLessThan(1.0000001e-7);
    expect(change("layer1.weight")).toBeGreaterThan(1e-5);
  });
});

describe("what is frozen", () => {
  const decaying = { weightDecay: 0.5, weightDecayAs: "coupled" };
  const frozenNames = ["layer1.weight", "layer1.bias"];

  it.each([
    ["under SGD with momentum", level("sgd", { alpha: 0.1, mu: 0.9, ...decaying, freeze: "layer1.*" })],
    ["under Adam", level("adam", { alpha: 0.1, weightDecay: 0.5, freeze: ["layer1.weight", "*1.bias"] })],
    ["under RMSProp", level("rmsProp", { freeze: "layer1.*" })],
    ["as the rest", level("adam", { frozen: true, groups: [{ name: "last", match: "layer2.*" }] })],
  ])("stays bit for bit over 50 steps %s", (_, bottom) => {
    const { parameters, stateNames } = trained([bottom, level("sgd", { alpha: 1e-3 })], 50);
    for (const name of frozenNames) expect(parameters[49]![name]).toEqual(initial[name]);
    for (const name of ["layer2.weight", "layer2.bias"]) expect(parameters[49]![name]).not.toEqual(initial[name]);
    // Neither gradients nor slots are kept of it.
    const kept = stateNames.filter((name) => frozenNames.some((frozen) => name !== frozen && name.includes(frozen)));
    expect(kept).toEqual([]);
  });

  it("costs no backward pass: the first layer's gradient is not computed", () => {
    const size = (levels: TowerLevel[]) => {
      const { training, batchSize } = smallProblem(levels);
      return nodesOf(training.program.procedures[`step@${batchSize}`]!).filter(({ op }) => op === "matmul").length;
    };
    expect(size([level("sgd", { freeze: "layer1.*" })])).toBeLessThan(size([level("sgd")]));
  });

  it("may be everything: nothing moves, and the hyperparameters have nothing to follow", () => {
    const { parameters, outputs } = trained([level("sgd", { frozen: true }), level("sgd")], 4);
    for (const name of names) expect(parameters[3]![name]).toEqual(initial[name]);
    expect(Object.keys(outputs[3]!).filter((name) => name.startsWith("L0"))).toEqual([]);
  });

  it("may be a hyperparameter: the level above leaves it", () => {
    const { outputs } = trained([level("adam", { alpha: 0.01 }), level("sgd", { alpha: 0.01, freeze: "beta*" })], 6);
    expect(outputs[5]!["L0.alpha"]).not.toBe(outputs[1]!["L0.alpha"]);
    expect(outputs[5]!["L0.beta1"]).toBe(outputs[0]!["L0.beta1"]);
  });
});
