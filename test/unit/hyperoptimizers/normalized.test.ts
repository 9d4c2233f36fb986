/** Normalized hypergradients, in float64: cosines by finite differences of what each hyperparameter moves. */
import { describe, expect, it } from "vitest";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import type { LearnedHyperparameter, TowerLevel } from "../../../src/core/hyperoptimizers/tower.ts";
import { experiment } from "../../../src/shared/experiment.ts";
import { level as levelSchema, notation } from "../../../src/shared/tower.ts";
import { level, smallProblem } from "../../support/problems.ts";

const normalized = { normalized: true };
const stacks: Record<string, readonly TowerLevel[]> = {
  "SGD / SGD / SGD": [level("sgd", { alpha: 0.1 }), level("sgd", { alpha: 0.05, ...normalized }), level("sgd", { alpha: 0.01, ...normalized })],
  "SGD with momentum / SGD": [level("sgd", { alpha: 0.1, mu: 0.9, weightDecay: 0.1, learned: ["alpha", "mu", "weightDecay"] }), level("sgd", normalized)],
  "Adam, everything learned / Adam / SGD": [
    level("adam", { alpha: 0.01, logEps: -2, weightDecay: 0.01, learned: ["alpha", "beta1", "beta2", "logEps", "weightDecay"] }),
    level("adam", { alpha: 0.01, ...normalized }),
    level("sgd", normalized),
  ],
  "in log space and squared": [level("sgd", { alpha: 0.1, alphaAs: "log" }), level("adam", { alpha: 0.01, alphaAs: "squared", ...normalized }), level("sgd", normalized)],
  "groups, some of whose hypergradients are normalized": [
    level("adam", { alpha: 0.01, groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1, mu: 0.5 }, { name: "last", match: "layer2.*", alpha: 0.02 }] }),
    level("sgd", { alpha: 0.01, groups: [{ name: "bias", match: "*[bias]", optimizer: "adam", alpha: 0.01, ...normalized }] }),
    level("sgd", { alpha: 0.01, ...normalized }),
  ],
  "clipped by norm, a schedule, a frozen layer": [
    level("sgd", { alpha: 0.1, clipNorm: 0.05, freeze: "layer1.weight", schedules: { alpha: [{ kind: "cosine", to: 0.1 }] } }),
    level("sgd", { alpha: 0.01, ...normalized }),
  ],
  "Muon / SGD": [level("muon", { weightDecay: 0.01, learned: ["alpha", "beta", "adamScale"] }), level("sgd", normalized)],
};

/** The same stack without normalization. */
const plain = (levels: readonly TowerLevel[]): TowerLevel[] =>
  levels.map((of) => ({
    ...of,
    options: { ...of.options, normalized: false },
    groups: of.groups.map((group) => ({ ...group, options: { ...group.options, normalized: false } })),
  }));

/** Hypergradients of one step from the same state, plain and normalized, and cosines by central differences. */
function checks(levels: readonly TowerLevel[]) {
  const problem = smallProblem(levels);
  const { training, initialState, batchSize, batch } = problem;
  const raw = new ReferenceExecutable(smallProblem(plain(levels)).training.program);
  raw.restore(initialState);
  raw.runNow(`begin@${batchSize}`, batch(0));
  for (let t = 1; t < 5; t++) raw.runNow(`step@${batchSize}`, batch(t));
  const before = raw.stateNow();
  const rawOutputs = raw.runNow(`step@${batchSize}`, batch(5));
  const at = raw.stateNow();
  const engine = new ReferenceExecutable(training.program);
  engine.restore(before);
  const outputs = engine.runNow(`step@${batchSize}`, batch(5));

  const after = (name: string, nudge: number) => {
    engine.restore({ ...before, [name]: before[name]!.map((value) => value + nudge) });
    engine.runNow(`step@${batchSize}`, batch(5));
    return engine.stateNow();
  };
  const cosine = ({ level, name }: LearnedHyperparameter) => {
    const h = 1e-6;
    const [more, less] = [after(name, h), after(name, -h)];
    const below = level === 0 ? Object.keys(before).filter((variable) => `${variable}.gradient` in before) : training.hyperparameters.filter((other) => other.level === level - 1).map((other) => other.name);
    const pairs = below.flatMap((variable) => {
      const derivative = [...more[variable]!].map((value, i) => (value - less[variable]![i]!) / (more[name]![0]! - less[name]![0]!));
      const gradient = level === 0 ? at[`${variable}.gradient`]! : Float64Array.of(rawOutputs[`${variable}.hypergradient`]!);
      // What it does not move counts in neither norm.
      return derivative.every((value) => Math.abs(value) < 1e-13) ? [] : derivative.map((value, i) => [gradient[i]!, value] as const);
    });
    const sum = (product: (g: number, d: number) => number) => pairs.reduce((total, [g, d]) => total + product(g, d), 0);
    return sum((g, d) => g * d) / Math.sqrt(sum((g) => g * g)) / Math.sqrt(sum((_, d) => d * d));
  };
  return training.hyperparameters.map((h) => ({ name: h.name, normalized: h.normalized, value: outputs[h.hypergradient]!, raw: rawOutputs[h.hypergradient]!, cosine: h.normalized ? cosine(h) : null }));
}

describe.each(Object.entries(stacks))("%s", (_, levels) => {
  it.each(checks(levels))("$name", ({ normalized, value, raw, cosine }) => {
    if (!normalized) return expect(value).toBe(raw);
    expect(Math.abs(value)).toBeLessThanOrEqual(1);
    expect(Math.sign(value)).toBe(Math.sign(raw));
    expect(Math.abs(value - cosine!)).toBeLessThan(1e-6);
  });
});

/** Outputs of the first steps. */
function trained(levels: readonly TowerLevel[], steps: number) {
  const { training, initialState, batchSize, batch } = smallProblem(levels, { hypergradients: "moving" });
  const engine = new ReferenceExecutable(training.program);
  engine.restore(initialState);
  return Array.from({ length: steps }, (_, t) => engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)));
}

describe("a normalized hypergradient", () => {
  it("is the same however the step size is stored", () => {
    const values = ["raw", "log", "squared"].map((alphaAs) => trained([level("adam", { learned: ["alpha"], alphaAs }), level("sgd", { alpha: 0, ...normalized })], 3)[2]!["L0.alpha.hypergradient"]!);
    expect(values[0]).not.toBe(0);
    expect(values[1]).toBeCloseTo(values[0]!, 12);
    expect(values[2]).toBeCloseTo(values[0]!, 12);
  });

  it("is Baydin's cosine for SGD: minus that of the angle between consecutive gradients", () => {
    const { training, initialState, batchSize, batch } = smallProblem([level("sgd", { alpha: 0.1 }), level("sgd", normalized)], { hypergradients: "moving" });
    const engine = new ReferenceExecutable(training.program);
    engine.restore(initialState);
    const gradient = () => Object.entries(engine.stateNow()).filter(([name]) => name.endsWith(".gradient")).sort(([a], [b]) => a.localeCompare(b)).flatMap(([, values]) => [...values]);
    engine.runNow(`begin@${batchSize}`, batch(0));
    const first = gradient();
    const outputs = engine.runNow(`step@${batchSize}`, batch(1));
    const second = gradient();
    const product = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    expect(outputs["L0.alpha.hypergradient"]).toBeCloseTo(-product(first, second) / Math.sqrt(product(first, first) * product(second, second)), 12);
  });

  it("with a horizon takes the norm of the derivative along the whole run", () => {
    const { training, initialState, batchSize, batch } = smallProblem([level("adam", { learned: ["alpha"] }), level("sgd", { alpha: 0, horizon: 1, ...normalized })], { hypergradients: "moving" });
    const engine = new ReferenceExecutable(training.program);
    engine.restore(initialState);
    const outputs = Array.from({ length: 6 }, (_, t) => engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)));
    const after = engine.stateNow();
    const weights = Object.keys(initialState).filter((name) => `${name}.gradient` in initialState && !name.includes("tangent"));
    const pairs = weights.flatMap((name) => [...after[`${name}.gradient`]!].map((gradient, i) => [gradient, after[`L0.alpha.tangent.${name}`]![i]!] as const));
    const sum = (product: (g: number, d: number) => number) => pairs.reduce((total, [g, d]) => total + product(g, d), 0);
    expect(outputs[5]!["L0.alpha.hypergradient"]).toBeCloseTo(sum((g, d) => g * d) / Math.sqrt(sum((g) => g * g) * sum((_, d) => d * d)), 12);
  });

  it("is 0 where the hyperparameter has moved nothing", () => {
    // The momentum buffer is 0 before the first update.
    const [, first, second] = trained([level("sgd", { alpha: 0.1, mu: 0.9 }), level("sgd", normalized)], 3);
    expect(first!["L0.mu.hypergradient"]).toBe(0);
    expect(Math.abs(second!["L0.mu.hypergradient"]!)).toBeGreaterThan(1e-3);
  });

  it("is 0 where bias correction cancels a decay out of the first update", () => {
    const [, first, second] = trained([level("adam", { convention: "pytorch" }), level("sgd", { alpha: 0, ...normalized })], 3);
    for (const beta of ["beta1", "beta2"]) {
      expect(first![`L0.${beta}.hypergradient`]).toBe(0);
      expect(Math.abs(second![`L0.${beta}.hypergradient`]!)).toBeGreaterThan(1e-3);
    }
  });

  it("above level 0 is a sign where a single number is moved", () => {
    for (const outputs of trained([level("sgd", { alpha: 0.1 }), level("sgd", { alpha: 1e-3 }), level("sgd", normalized)], 8).slice(2)) expect(Math.abs(outputs["L1.alpha.hypergradient"]!)).toBeCloseTo(1, 12);
  });
});

describe("the option", () => {
  it("is for levels that move hyperparameters", () => {
    const { error } = experiment.safeParse({ tower: [{ optimizer: "sgd", normalized: true }, { optimizer: "sgd" }] });
    expect(error!.issues.map(({ message }) => message)).toEqual(["normalized is for levels that move hyperparameters, not for the first one"]);
    expect(levelSchema.safeParse({ optimizer: "sgd", normalized: 1 }).error!.issues[0]!.message).toBe("SGD normalized must be true or false");
  });

  it("shows in a stack's name", () => {
    expect(notation([levelSchema.parse({ optimizer: "adam" }), levelSchema.parse({ optimizer: "sgd", normalized: true })])).toBe("Adam / SGD(normalized)");
  });
});
