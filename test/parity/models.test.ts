/** Whole training runs of every kind of model: the engines agree with the float64 reference, buffers included. */
import { describe, expect, it } from "vitest";
import { loadEngine } from "../../src/core/engines/index.ts";
import { referenceEngine } from "../../src/core/engines/reference/engine.ts";
import { presentEngines } from "../support/engines.ts";
import { batchSize, modelCases as cases, modelProblem as problem } from "../support/modelProblems.ts";
import { modelAgreement, tolerances, trainedModel } from "../support/parity.ts";

for (const kind of presentEngines.filter((kind) => kind !== "reference")) {
  describe(kind, async () => {
    const engine = await loadEngine[kind]();

    it.each(Object.entries(cases))("12 steps of %s", async (_, of) => {
      const { values, state } = await modelAgreement(engine, of, 12);
      expect(values).toBeLessThan(tolerances.model);
      expect(state).toBeLessThan(tolerances.modelState);
    });
  });
}

describe("buffers", () => {
  it("evaluation changes nothing of training, and uses the running statistics", async () => {
    const of = cases["ResNet-8, SGD with momentum / SGD"]!;
    const { before, after, evaluation } = await trainedModel(referenceEngine, of, 5);
    expect(after).toEqual(before);
    expect(before["bn1.running_mean"]!.some((value) => value !== 0)).toBe(true);
    // The running variance after five steps still holds 0.9^5 of the initial 1.
    expect(before["bn1.running_var"]!.every((value) => value > 0.59)).toBe(true);

    const { training, initialState, batch } = problem(of);
    const executable = await referenceEngine.compile(training.program, { threads: 1 });
    executable.restore({ ...initialState, ...before, "bn1.running_mean": before["bn1.running_mean"]!.map((value) => value + 1) });
    expect((await executable.run(`evaluate@${batchSize}`, batch(0)))["loss"]).not.toBeCloseTo(evaluation["loss"]!, 3);
  });

  it("a hidden state goes on where it is carried, starts anew where it is not, and evaluation has its own", async () => {
    const { training, initialState, batch } = problem(cases["LSTM, Adam / SGD"]!);
    const executable = await referenceEngine.compile(training.program, { threads: 1 });
    executable.restore(initialState);
    const evaluate = async (carry: number) => (await executable.run(`evaluate@${batchSize}`, { ...batch(3), carry: Float64Array.of(carry) }))["loss"]!;
    const fresh = await evaluate(0);
    expect(await evaluate(0)).toBe(fresh);
    const continued = await evaluate(1);
    expect(continued).not.toBe(fresh);
    expect(await evaluate(0)).toBe(fresh);
    await executable.run(`begin@${batchSize}`, batch(0));
    expect((await executable.state(["rnn.hidden_l0"]))["rnn.hidden_l0"]!.some((value) => value !== 0)).toBe(true);
    expect(await evaluate(0)).toBe(fresh);
    // A state that has become NaN does not survive a new beginning.
    executable.restore({ "evaluation.rnn.cell_l0": new Float64Array(24).fill(NaN) });
    expect(await evaluate(0)).toBe(fresh);
  });

  it("are part of the state that checkpoints keep", () => {
    for (const of of Object.values(cases)) {
      const { training } = problem(of);
      const names = training.program.state.map(({ name }) => name).filter((name) => /running_|^rnn\.(hidden|cell)/.test(name));
      for (const name of names) expect(training.durableState).toContain(name);
    }
  });
});
