/** What each option of a level does, in float64. */
import { describe, expect, it } from "vitest";
import { loadEngine } from "../../../src/core/engines/index.ts";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import type { TowerLevel } from "../../../src/core/hyperoptimizers/tower.ts";
import { level, smallProblem } from "../../support/problems.ts";

/** Trains a small problem; the state before and after every update, and the outputs. */
function trained(levels: readonly TowerLevel[], steps: number) {
  const { training, initialState, batchSize, batch } = smallProblem(levels);
  const engine = new ReferenceExecutable(training.program);
  engine.restore(initialState);
  const states = [];
  const outputs = [];
  for (let t = 0; t < steps; t++) {
    outputs.push(engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)));
    states.push(engine.stateNow());
  }
  return { states, outputs };
}

const column = (outputs: Record<string, number>[], name: string) => outputs.map((o) => o[name]!);
/** Steps before which a value was moved. */
const movedBefore = (values: number[]) => values.flatMap((value, t) => (t > 0 && value !== values[t - 1] ? [t] : []));

describe("when a level moves", () => {
  // The first update (before step 1) sees hypergradients of 0 and moves nothing in any case.
  it.each([
    ["at every step", {}, [2, 3, 4, 5, 6, 7, 8, 9]],
    ["after a wait", { warmUp: 4 }, [5, 6, 7, 8, 9]],
    ["every third step", { every: 3 }, [4, 7]],
    ["every third step after a wait", { warmUp: 1, every: 3 }, [2, 5, 8]],
    ["until it freezes", { until: 5 }, [2, 3, 4, 5]],
  ])("%s", (_, options, expected) => {
    const { outputs } = trained([level("adam"), level("sgd", { alpha: 1e-3, ...options })], 10);
    expect(movedBefore(column(outputs, "L0.alpha"))).toEqual(expected);
  });

  it("counts its own updates, so that an Adam that waited corrects its bias from there", () => {
    const { outputs } = trained([level("sgd", { alpha: 0.1 }), level("adam", { alpha: 0.01, warmUp: 5 })], 8);
    const alpha = column(outputs, "L0.alpha");
    // Adam's first step is its step size in the direction of the hypergradient.
    expect(Math.abs(alpha[6]! - alpha[5]!)).toBeCloseTo(0.01, 4);
  });
});

describe("a step size", () => {
  it("in log space is multiplied and never turns negative, where adding would", () => {
    const bold = { alpha: 50 };
    const raw = trained([level("sgd", { alpha: 0.1 }), level("sgd", bold)], 30);
    const log = trained([level("sgd", { alpha: 0.1, alphaAs: "log" }), level("sgd", bold)], 30);
    expect(Math.min(...column(raw.outputs, "L0.alpha"))).toBeLessThan(0);
    // Stored as a logarithm, any value is a positive step size.
    expect(column(log.outputs, "L0.alpha").every(Number.isFinite)).toBe(true);
    const [before, after] = column(log.outputs, "L0.alpha").slice(1, 3);
    const slope = log.outputs[1]!["L0.alpha.hypergradient"]!;
    expect(after).toBeCloseTo(before! - 50 * slope, 12);
  });
});

describe("clipping", () => {
  it("cuts each hypergradient, and the norm of all of a level's", () => {
    const moves = (options: object) => {
      const { outputs } = trained([level("adam", { alpha: 0.01 }), level("sgd", { alpha: 1, ...options })], 4);
      return ["L0.alpha", "L0.beta1", "L0.beta2"].map((name) => outputs[3]![name]! - outputs[2]![name]!);
    };
    const free = moves({});
    expect(Math.max(...free.map(Math.abs))).toBeGreaterThan(1e-3);
    for (const move of moves({ clipValue: 1e-6 })) expect(Math.abs(move)).toBeLessThanOrEqual(1e-6 * (1 + 1e-9));
    const scaled = moves({ clipNorm: 1e-4 });
    expect(Math.hypot(...scaled)).toBeCloseTo(1e-4, 10);
  });

  it("of the weights' gradients changes the step, not its direction", () => {
    const step = (options: object) => {
      const { states } = trained([level("sgd", { alpha: 0.1, ...options })], 2);
      return states[1]!["small"]!.map((w, i) => w - states[0]!["small"]![i]!);
    };
    const [free, clipped] = [step({}), step({ clipNorm: 1e-3 })];
    expect(Math.hypot(...clipped)).toBeCloseTo(1e-4, 12);
    const ratio = Math.hypot(...clipped) / Math.hypot(...free);
    clipped.forEach((value, i) => expect(value).toBeCloseTo(ratio * free[i]!, 12));
  });
});

describe("weight decay", () => {
  const decays = { weightDecay: 0.5 };
  const change = (options: object, optimizer = "sgd") => {
    const { states } = trained([level(optimizer, { alpha: 0.1, ...options })], 2);
    return { before: states[0]!["small"]!, after: states[1]!["small"]! };
  };

  it("is the same for SGD coupled or not: w - alpha (g + lambda w)", () => {
    const plain = change({});
    for (const weightDecayAs of ["coupled", "decoupled"]) {
      const { before, after } = change({ ...decays, weightDecayAs });
      after.forEach((w, i) => expect(w).toBeCloseTo(plain.after[i]! - 0.1 * 0.5 * before[i]!, 12));
    }
  });

  it("decoupled from Adam's division shrinks the weights alone (AdamW)", () => {
    const plain = change({}, "adam");
    const { before, after } = change(decays, "adam");
    after.forEach((w, i) => expect(w).toBeCloseTo(plain.after[i]! - 0.1 * 0.5 * before[i]!, 12));
  });
});

describe("momentum", () => {
  it("that starts at 0 is learned when asked for, and stays off otherwise", () => {
    const above = level("sgd", { alpha: 0.1 });
    const learned = trained([level("sgd", { alpha: 0.1, momentumFromZero: true }), above], 6);
    expect(column(learned.outputs, "L0.mu")[1]).toBe(0);
    expect(column(learned.outputs, "L0.mu")[5]).not.toBe(0);
    const off = trained([level("sgd", { alpha: 0.1 }), above], 6);
    expect(off.outputs[5]).not.toHaveProperty("L0.mu");
  });

  it("takes PyTorch's Nesterov and dampening: the first buffer is the gradient itself", () => {
    const { states } = trained([level("sgd", { alpha: 0.1, mu: 0.9, nesterov: true, dampening: 0.4 })], 3);
    const gradient = (t: number) => states[t]!["small.gradient"]!;
    const buffer = gradient(0).map((g, i) => 0.9 * g + 0.6 * gradient(1)[i]!);
    states[2]!["L0.momentum.small"]!.forEach((b, i) => expect(b).toBeCloseTo(buffer[i]!, 14));
    const moved = states[2]!["small"]!.map((w, i) => states[1]!["small"]![i]! - w);
    moved.forEach((m, i) => expect(m).toBeCloseTo(0.1 * (gradient(1)[i]! + 0.9 * buffer[i]!), 12));
  });
});

it("AMSGrad never lets the second moment fall", () => {
  const { states } = trained([level("adam", { amsgrad: true, beta2: 0.5 })], 8);
  const largest = states.map((s) => s["L0.largestV.small"]!);
  for (let t = 2; t < 8; t++) largest[t]!.forEach((v, i) => expect(v).toBeGreaterThanOrEqual(largest[t - 1]![i]!));
  expect(states.slice(2).some((s, t) => s["L0.v.small"]!.some((v, i) => v < states[t + 1]!["L0.v.small"]![i]!))).toBe(true);
});

describe("a second moment of Adam that has underflowed", () => {
  it.each(["reference", "onnx-cpu"] as const)("leaves every hypergradient finite on %s", async (kind) => {
    const { training, initialState, batchSize, batch } = smallProblem([level("adam"), level("sgd", { alpha: 1e-5 })]);
    const engine = await (await loadEngine[kind]()).compile(training.program, { threads: 1 });
    engine.restore(initialState);
    await engine.run(`begin@${batchSize}`, batch(0));
    // As after very many steps without a gradient: nothing is left of the moment, and there is still none.
    const empty = Object.entries(await engine.state()).filter(([name]) => /\.(v|m|gradient)\b|gradient$/.test(name) && !name.includes("hyper"));
    expect(empty.length).toBeGreaterThan(2);
    engine.restore(Object.fromEntries(empty.map(([name, values]) => [name, values.map(() => 0)])));
    const outputs = await engine.run(`step@${batchSize}`, batch(1));
    expect(Object.values(outputs).every(Number.isFinite)).toBe(true);
    await engine.dispose();
  });
});

describe("coupled decay that is learned", () => {
  it("has a finite hypergradient where a weight, its gradient and its second moment are 0", () => {
    const learned = level("adam", { weightDecay: 0.01, weightDecayAs: "coupled", learned: ["weightDecay"] });
    const { training, initialState, batchSize, batch } = smallProblem([learned, level("sgd", { alpha: 1e-3 })], { hypergradients: "moving" });
    const engine = new ReferenceExecutable(training.program);
    const moments = training.durableState.filter((name) => /(^|[^a-z])v([^a-z]|$)/i.test(name));
    expect(moments.length).toBeGreaterThan(0);
    // Dead weights: all are 0, and so are features and second moments.
    const zero = (name: string) => new Float64Array(initialState[name]!.length);
    const weights = Object.keys(initialState).filter((name) => initialState[name]!.length > 1);
    engine.restore({ ...initialState, ...Object.fromEntries([...weights, ...moments].map((name) => [name, zero(name)])) });
    for (let t = 0; t < 3; t++) {
      const outputs = engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t));
      for (const [name, value] of Object.entries(outputs)) expect([name, Number.isFinite(value)]).toEqual([name, true]);
    }
  });
});
