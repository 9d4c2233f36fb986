/** Whole training runs of every kind of model: the engines agree with the float64 reference, buffers included. */
import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/main/engines/engine.ts";
import { loadEngine } from "../../src/main/engines/index.ts";
import { referenceEngine } from "../../src/main/engines/reference/engine.ts";
import { presentEngines } from "../support/engines.ts";
import { batchSize, modelCases as cases, modelProblem as problem, type ModelCase } from "../support/modelProblems.ts";

/** Roundings of float32 after so many steps; batch statistics and gates pass them on. */
const tolerance = 1e-3;
function difference(ours: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [worst, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(ours[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return worst / Math.max(scale, 1e-2);
}

async function trained(engine: Engine, of: ModelCase, count: number) {
  const { training, initialState, batch } = problem(of);
  const executable = await engine.compile(training.program, { threads: 1 });
  executable.restore(initialState);
  const losses: number[] = [];
  for (let t = 0; t < count; t++) losses.push((await executable.run(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)))["loss"]!);
  const hyperparameters = Object.values(await executable.run("settle"));
  const before = await executable.state();
  const evaluation = await executable.run(`evaluate@${batchSize}`, batch(0));
  const after = await executable.state();
  await executable.dispose();
  return { losses, hyperparameters, evaluation, before, after };
}

for (const kind of presentEngines.filter((kind) => kind !== "reference")) {
  describe(kind, async () => {
    const engine = await loadEngine[kind]();

    it.each(Object.entries(cases))("12 steps of %s", async (_, of) => {
      const [ours, reference] = [await trained(engine, of, 12), await trained(referenceEngine, of, 12)];
      expect(difference(ours.losses, reference.losses)).toBeLessThan(tolerance);
      expect(difference(ours.hyperparameters, reference.hyperparameters)).toBeLessThan(tolerance);
      expect(difference([ours.evaluation["loss"]!], [reference.evaluation["loss"]!])).toBeLessThan(tolerance);
      for (const [name, expected] of Object.entries(reference.after)) {
        if (!/^L\d/.test(name)) expect(difference(ours.after[name]!, expected), name).toBeLessThan(10 * tolerance);
      }
    });
  });
}

describe("buffers", () => {
  it("evaluation changes nothing of training, and uses the running statistics", async () => {
    const of = cases["ResNet-8, SGD with momentum / SGD"]!;
    const { before, after, evaluation } = await trained(referenceEngine, of, 5);
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
