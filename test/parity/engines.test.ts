/** The engines agree with the float64 reference: every operation, and whole training steps of every kind of stack. */
import { describe, expect, it } from "vitest";
import { loadEngine } from "../../src/core/engines/index.ts";
import type { OpName } from "../../src/core/program/node.ts";
import { operations } from "../../src/core/program/operations/index.ts";
import { presentEngines } from "../support/engines.ts";
import { operationDifference, stackAgreement, tolerances } from "../support/parity.ts";
import { level, smallProblem } from "../support/problems.ts";
import { stacks } from "../support/stacks.ts";

for (const kind of presentEngines.filter((kind) => kind !== "reference")) {
  describe(kind, async () => {
    const engine = await loadEngine[kind]();

    it.each(Object.keys(operations) as OpName[])("%s", async (op) => {
      expect(await operationDifference(engine, op)).toBeLessThan(tolerances.operation);
    });

    it.each(Object.entries(stacks))("30 steps of %s", async (_, levels) => {
      const { values, state } = await stackAgreement(engine, levels, 30);
      expect(values).toBeLessThan(tolerances.stack);
      expect(state).toBeLessThan(tolerances.stackState);
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
