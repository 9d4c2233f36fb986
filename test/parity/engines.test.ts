/** The engines agree with the float64 reference: every operation, and whole training steps of every kind of stack. */
import { describe, expect, it } from "vitest";
import type { Engine, StateValues } from "../../src/main/engines/engine.ts";
import { loadEngine } from "../../src/main/engines/index.ts";
import { referenceEngine } from "../../src/main/engines/reference/engine.ts";
import type { TowerLevel } from "../../src/main/hyperoptimizers/tower.ts";
import type { OpName } from "../../src/main/program/node.ts";
import { operations } from "../../src/main/program/operations/index.ts";
import { makeProgram } from "../../src/main/program/program.ts";
import { presentEngines } from "../support/engines.ts";
import { samples, sampleState } from "../support/operationSamples.ts";
import { level, smallProblem } from "../support/problems.ts";

/** A few roundings of float32 (6e-8 each), relative to the largest entry. */
const operationTolerance = 2e-6;
/** After 30 steps: roundings add up and pass through square roots and divisions. */
const trainingTolerance = 2e-4;

const stacks: Record<string, readonly TowerLevel[]> = {
  SGD: [level("sgd")],
  "SGD with momentum / SGD": [level("sgd", { mu: 0.9 }), level("sgd", { alpha: 1e-4 })],
  "SGD / SGD / SGD": [level("sgd"), level("sgd"), level("sgd")],
  "SGD / Adam": [level("sgd"), level("adam")],
  Adam: [level("adam")],
  "Adam / SGD(1e-5)": [level("adam"), level("sgd", { alpha: 1e-5 })],
  "Adam / Adam / SGD": [level("adam"), level("adam"), level("sgd", { alpha: 1e-6 })],
  "Adam^α / SGD with momentum": [level("adamBaydin"), level("sgd", { alpha: 1e-5, mu: 0.5 })],
  "AdaGrad / RMSProp / SGD": [level("adaGrad"), level("rmsProp", { alpha: 1e-4 }), level("sgd", { alpha: 1e-6 })],
  "RMSProp / AdaGrad": [level("rmsProp"), level("adaGrad", { alpha: 1e-4 })],
  "RMSProp^α / Adam": [level("rmsPropAlpha"), level("adam")],
  "every option": [
    level("sgd", { alpha: 0.1, mu: 0.9, nesterov: true, dampening: 0.3, weightDecay: 0.01, weightDecayAs: "coupled", clipNorm: 0.5, clipValue: 0.1, learned: ["alpha", "mu", "weightDecay"] }),
    level("adam", { alpha: 1e-3, alphaAs: "log", amsgrad: true, weightDecay: 1e-3, warmUp: 3, every: 2, until: 21, clipNorm: 1 }),
    level("sgd", { alpha: 1e-6, momentumFromZero: true, clipValue: 0.1 }),
  ],
  "AMSGrad / squared SGD": [
    level("adam", { amsgrad: true, weightDecay: 0.01, clipNorm: 0.1, learned: ["alpha", "beta1", "beta2", "logEps", "weightDecay"] }),
    level("sgd", { alpha: 1e-6, alphaAs: "squared" }),
  ],
  "within bounds and a largest change": [
    level("sgd", { alpha: 0.1, alphaAs: "log", bounds: { alpha: [0.05, 0.3] } }),
    level("adam", { alpha: 0.01, bounds: { alpha: [null, 0.011], beta1: [0.5, 0.99] }, atBounds: "reflect", maxChange: 0.05 }),
    level("sgd", { maxChange: 0.5 }),
  ],
  "groups with optimizers of their own": [
    level("adam", { groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1, mu: 0.9 }] }),
    level("sgd", { alpha: 1e-5, groups: [{ name: "bias", match: "*[bias]", optimizer: "adam", alpha: 1e-4, warmUp: 2 }] }),
  ],
  "a frozen layer": [level("adam", { freeze: "layer1.*" }), level("sgd", { alpha: 1e-5 })],
  "everything frozen": [level("adam", { frozen: true }), level("sgd", { alpha: 1e-5 })],
  "SGDPerParam / SGD": [level("sgdPerParam", { alphas: { "layer1.weight": 0.1, "layer2.bias": 0.05 } }), level("sgd", { alpha: 1e-4 })],
  "SGD x 20": Array.from({ length: 20 }, () => level("sgd")),
};

/** Largest difference, relative to the largest entry of what is expected. */
function difference(ours: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [worst, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(ours[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return worst / Math.max(scale, 1e-6);
}

async function trained(engine: Engine, levels: readonly TowerLevel[], steps: number) {
  const { training, initialState, batchSize, batch } = smallProblem(levels);
  const executable = await engine.compile(training.program, { threads: 1 });
  executable.restore(initialState);
  const losses: number[] = [];
  for (let t = 0; t < steps; t++) losses.push((await executable.run(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)))["loss"]!);
  const hyperparameters = Object.values(await executable.run("settle"));
  const evaluation = await executable.run(`evaluate@${batchSize}`, batch(0));
  const state: StateValues = await executable.state();
  await executable.dispose();
  return { losses, hyperparameters, evaluation, state };
}

for (const kind of presentEngines.filter((kind) => kind !== "reference")) {
  describe(kind, async () => {
    const engine = await loadEngine[kind]();

    it.each(Object.keys(operations) as OpName[])("%s", async (op) => {
      for (const { what, inputs, result } of samples[op]) {
        const program = makeProgram({ run: { outputs: {}, updates: { result } } });
        const given = Object.fromEntries(inputs.map(({ node, values }) => [node.op === "input" ? node.attributes.name : "", values]));
        const results = await Promise.all(
          [engine, referenceEngine].map(async (one) => {
            const executable = await one.compile(program, { threads: 1 });
            executable.restore(
              Object.fromEntries(Object.entries(sampleState).filter(([name]) => program.state.some((v) => v.name === name))),
            );
            await executable.run("run", given);
            const value = (await executable.state())["result"]!;
            await executable.dispose();
            return value;
          }),
        );
        expect(difference(results[0]!, results[1]!), what).toBeLessThan(operationTolerance);
      }
    });

    it.each(Object.entries(stacks))("30 steps of %s", async (_, levels) => {
      const [ours, reference] = [await trained(engine, levels, 30), await trained(referenceEngine, levels, 30)];
      expect(difference(ours.losses, reference.losses)).toBeLessThan(trainingTolerance);
      expect(difference(ours.hyperparameters, reference.hyperparameters)).toBeLessThan(trainingTolerance);
      expect(ours.evaluation["errors"]).toBe(reference.evaluation["errors"]);
      for (const [name, expected] of Object.entries(reference.state)) {
        expect(difference(ours.state[name]!, expected), name).toBeLessThan(20 * trainingTolerance);
      }
    });

    it("restores a state in the middle and goes on bit for bit", async () => {
      const { training, initialState, batchSize, batch } = smallProblem([level("adam"), level("sgd", { alpha: 1e-5 })]);
      const one = await engine.compile(training.program, { threads: 1 });
      one.restore(initialState);
      await one.run(`begin@${batchSize}`, batch(0));
      for (let t = 1; t < 5; t++) await one.run(`step@${batchSize}`, batch(t));
      const other = await engine.compile(training.program, { threads: 1 });
      other.restore(await one.state());
      for (let t = 5; t < 10; t++) {
        expect(await other.run(`step@${batchSize}`, batch(t))).toEqual(await one.run(`step@${batchSize}`, batch(t)));
      }
      expect(await other.state()).toEqual(await one.state());
    });

    it("names a missing or wrongly sized input, an unknown procedure, an unknown state", async () => {
      const { training, batchSize, batch } = smallProblem([level("sgd")]);
      const executable = await engine.compile(training.program, { threads: 1 });
      await expect(executable.run(`begin@${batchSize}`, {})).rejects.toThrow("input features is missing");
      const short = { ...batch(0), labels: new Uint8Array(3) };
      await expect(executable.run(`begin@${batchSize}`, short)).rejects.toThrow("input labels has 3 values instead of 16");
      await expect(executable.run("begin@7")).rejects.toThrow("no procedure begin@7");
      expect(() => executable.restore({ nothing: new Float64Array(1) })).toThrow("no state variable named nothing");
      expect(() => executable.restore({ small: new Float64Array(1) })).toThrow(/small has 1 values instead of/);
    });
  });
}
