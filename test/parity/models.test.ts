/** Whole training runs of every kind of model: the engines agree with the float64 reference, buffers included. */
import { describe, expect, it } from "vitest";
import type { Engine, InputValue } from "../../src/main/engines/engine.ts";
import { loadEngine } from "../../src/main/engines/index.ts";
import { referenceEngine } from "../../src/main/engines/reference/engine.ts";
import type { TowerLevel } from "../../src/main/hyperoptimizers/tower.ts";
import { buildModel } from "../../src/main/models/build.ts";
import { Random } from "../../src/main/models/random.ts";
import { classification } from "../../src/main/training/classification.ts";
import { languageModelling } from "../../src/main/training/languageModelling.ts";
import { buildTrainingProgram } from "../../src/main/training/trainingProgram.ts";
import { presentEngines } from "../support/engines.ts";
import { describeModel } from "../../src/shared/models/architecture.ts";
import { model as modelSchema } from "../../src/shared/models/schema.ts";
import { values, type DataShape } from "../../src/shared/models/shape.ts";
import { level } from "../support/problems.ts";

/** Roundings of float32 after so many steps; batch statistics and gates pass them on. */
const tolerance = 1e-3;
const batchSize = 4;

const image: DataShape = { input: values(2, 8, 8), classes: 3 };
const steps = 7;
const text: DataShape = { input: { kind: "tokens", shape: [steps], vocabulary: 5 }, classes: 5 };

const sgd = [level("sgd", { alpha: 0.02 }), level("sgd", { alpha: 1e-4 })];
const adam = [level("adam", { alpha: 1e-3 }), level("sgd", { alpha: 1e-6 })];

const cases: Record<string, { data: DataShape; model: unknown; levels: readonly TowerLevel[] }> = {
  "CNN, SGD / SGD": { data: image, model: { kind: "cnn", channels: [3, 4], kernel: 3 }, levels: sgd },
  "CNN with batch normalization, Adam / SGD": { data: image, model: { kind: "cnn", channels: [4], batchNorm: true, hidden: [5] }, levels: adam },
  "ResNet-8, SGD with momentum / SGD": { data: image, model: { kind: "resnet", depth: 8, width: 4 }, levels: [level("sgd", { alpha: 0.02, mu: 0.9 }), sgd[1]!] },
  "linear, Adam / SGD": { data: image, model: { kind: "linear" }, levels: adam },
  "own layers": {
    data: image,
    model: {
      kind: "sequential",
      layers: [
        { kind: "conv2d", channels: 4, stride: 2, padding: 0 },
        { kind: "sigmoid" },
        { kind: "avgPool", size: 3 },
        { kind: "flatten" },
        { kind: "linear", width: 6, initialization: "orthogonal" },
        { kind: "batchNorm" },
        { kind: "tanh" },
        { kind: "linear" },
      ],
    },
    levels: sgd,
  },
  "own blocks around images, sequences and vectors": {
    data: image,
    model: {
      kind: "sequential",
      layers: [
        { kind: "residual", layers: [{ kind: "conv2d", channels: 5, stride: 2, bias: false }, { kind: "batchNorm" }] },
        { kind: "imageRows" },
        { kind: "residual", layers: [{ kind: "gru", hidden: 20 }, { kind: "tanh" }] },
        { kind: "lastStep" },
        { kind: "residual", layers: [{ kind: "linear", width: 20 }, { kind: "relu" }, { kind: "linear", width: 20 }] },
        { kind: "linear" },
      ],
    },
    levels: adam,
  },
  "image rows through a GRU": {
    data: image,
    model: { kind: "sequential", layers: [{ kind: "imageRows" }, { kind: "gru", hidden: 5, layers: 2 }, { kind: "lastStep" }, { kind: "linear" }] },
    levels: adam,
  },
  "LSTM, Adam / SGD": { data: text, model: { kind: "charRnn", hidden: 6, embedding: 4, steps }, levels: adam },
  "LSTM on one-hot symbols, SGD / SGD": { data: text, model: { kind: "charRnn", hidden: 6, layers: 1, embedding: 0, steps }, levels: sgd },
  "GRU, Adam / SGD": { data: text, model: { kind: "charRnn", cell: "gru", hidden: 6, embedding: 4, steps }, levels: adam },
  "GRU on one-hot symbols, SGD / SGD": { data: text, model: { kind: "charRnn", cell: "gru", hidden: 6, layers: 1, embedding: 0, steps }, levels: sgd },
};

function problem({ data, model, levels }: (typeof cases)[string]) {
  const built = buildModel(describeModel(modelSchema.parse(model), data));
  const isText = data.input.kind === "tokens";
  const task = isText ? languageModelling({ model: built, steps }) : classification({ model: built, exampleShape: data.input.shape, scale: 1 / 255 });
  const training = buildTrainingProgram({ task, levels, batchSizes: [batchSize], evaluationBatchSizes: [batchSize], hypergradients: "moving" });
  const random = new Random(1, "initialization");
  const initialState = training.initialState(Object.fromEntries(built.parameters.map(({ name, initialize }) => [name, initialize(random)])));
  const batch = (n: number): Record<string, InputValue> => {
    const draw = new Random(1000 + n, "shuffling");
    if (isText) {
      // The next symbol is the one before last plus one, now and then any.
      const rows = Array.from({ length: batchSize }, () => {
        const row = [draw.below(5), draw.below(5)];
        while (row.length <= steps) row.push(draw.below(4) === 0 ? draw.below(5) : (row.at(-2)! + 1) % 5);
        return row;
      });
      const part = (from: number) => Int32Array.from(rows.flatMap((row) => row.slice(from, from + steps)));
      return { symbols: part(0), targets: part(1), carry: Float64Array.of(n % 5 === 0 ? 0 : 1) };
    }
    const labels = Uint8Array.from({ length: batchSize }, () => draw.below(3));
    const features = Uint8Array.from({ length: batchSize * 128 }, (_, i) => (i % 3 === labels[Math.floor(i / 128)] ? 120 : 0) + draw.below(130));
    return { features, labels };
  };
  return { training, initialState, batch };
}

function difference(ours: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [worst, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(ours[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return worst / Math.max(scale, 1e-2);
}

async function trained(engine: Engine, of: (typeof cases)[string], count: number) {
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
