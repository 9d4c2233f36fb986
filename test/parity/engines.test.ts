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
import { difference } from "../support/difference.ts";
import { level, smallProblem } from "../support/problems.ts";
import { stacks } from "../support/stacks.ts";

/** A few roundings of float32 (6e-8 each), relative to the largest entry. */
const operationTolerance = 2e-6;
/** After 30 steps: roundings add up and pass through square roots and divisions. */
const trainingTolerance = 2e-4;

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
