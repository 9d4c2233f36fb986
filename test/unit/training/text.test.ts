/** Training on a text: its streams, its steps, and a hidden state that lasts. */
import { describe, expect, it } from "vitest";
import { onnxCpuEngine } from "../../../src/core/engines/onnx/engine.ts";
import { buildModel } from "../../../src/core/models/build.ts";
import { Random } from "../../../src/core/models/random.ts";
import { RunControl } from "../../../src/core/training/control.ts";
import type { PreparedRun } from "../../../src/core/training/prepare.ts";
import { towerLevel } from "../../../src/core/training/prepare.ts";
import { TrainingRun } from "../../../src/core/training/run.ts";
import { streams, textFeed } from "../../../src/core/feeds/textFeed.ts";
import { buildTrainingProgram } from "../../../src/core/training/trainingProgram.ts";
import { experiment, stepsPerEpoch, textBatches, validateExperiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { describeModel } from "../../../src/shared/models/architecture.ts";
import { metricValue } from "../../../src/shared/metrics.ts";
import type { Evaluation } from "../../../src/shared/run.ts";

describe("streams", () => {
  // Written over by the next batch: copied as they come.
  const copied = (codes: Uint8Array, rows: number, steps: number, first = 0) => {
    const batches: { symbols: number[]; targets: number[]; carry: number | undefined }[] = [];
    for (const { inputs } of streams(codes, rows, steps, first)) {
      batches.push({ symbols: [...(inputs["symbols"] as Int32Array)], targets: [...(inputs["targets"] as Int32Array)], carry: inputs["carry"]![0] });
    }
    return batches;
  };
  const codes = Uint8Array.from({ length: 24 }, (_, i) => i);

  it("reads on from batch to batch, each target the symbol that follows", () => {
    expect(copied(codes, 2, 3)).toEqual([
      { symbols: [0, 1, 2, 11, 12, 13], targets: [1, 2, 3, 12, 13, 14], carry: 0 },
      { symbols: [3, 4, 5, 14, 15, 16], targets: [4, 5, 6, 15, 16, 17], carry: 1 },
      { symbols: [6, 7, 8, 17, 18, 19], targets: [7, 8, 9, 18, 19, 20], carry: 1 },
    ]);
  });

  it("begins where it is told to", () => {
    expect(copied(codes, 2, 3, 2)).toEqual(copied(codes, 2, 3).slice(2));
    expect(copied(codes, 2, 3, 3)).toEqual([]);
  });

  it("are as many as the experiment counts", () => {
    for (const [length, batchSize, steps] of [[24, 2, 3], [25, 2, 3], [100, 7, 4], [29, 4, 7], [30, 4, 7]] as const) {
      const model = { kind: "charRnn", steps } as Parameters<typeof textBatches>[0]["model"];
      expect(copied(new Uint8Array(length), batchSize, steps), `${length}`).toHaveLength(textBatches({ model, batchSize }, length));
    }
  });
});

describe("an experiment on a text", () => {
  const errors = (input: object) => {
    const result = validateExperiment(input);
    return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
  };
  const dataset = { kind: "tiny-shakespeare" };

  it("has as many steps as there are whole batches", () => {
    const e = experiment.parse({ dataset: { kind: "tiny-shakespeare" }, model: { kind: "charRnn" }, batchSize: 64 });
    expect(stepsPerEpoch(e)).toBe(Math.floor(Math.floor((1_003_855 - 1) / 64) / 50));
    expect(e.dataset).toEqual({ kind: "tiny-shakespeare", trainExamples: 1_003_855, testExamples: 111_539, validation: 0, augmentation: { crop: 0, flip: false }, splitSeed: 0 });
  });

  it("needs a model that reads texts, and enough text", () => {
    expect(errors({ dataset })).toEqual([]);
    expect(errors({ dataset, model: { kind: "mlp" } })).toEqual(["model.kind: model.kind is mlp, which needs numbers; the data is a text"]);
    expect(errors({ dataset: { ...dataset, trainExamples: 3000 }, model: { kind: "charRnn" }, batchSize: 64 })).toEqual([
      "dataset.trainExamples: dataset.trainExamples is 3000; a batch needs 64 × 50 characters, and one more for each row",
    ]);
    expect(errors({ dataset, model: { kind: "sequential", layers: [{ kind: "gru", carry: true }, { kind: "linear" }] }, batchSize: 64 })).toEqual([]);
    expect(errors({ dataset, model: { kind: "sequential", layers: [{ kind: "linear" }] }, batchSize: 64 })).toEqual(["model.layers.0: linear needs numbers; it gets 50 symbols"]);
  });
});

/** "abcacb": after an a comes what the second symbol before it tells. */
const phrase = [0, 1, 2, 0, 2, 1];
const codesOf = (length: number) => Uint8Array.from({ length }, (_, i) => phrase[i % phrase.length]!);

async function prepared(changes: ExperimentInput = {}): Promise<PreparedRun> {
  const e = experiment.parse({
    dataset: { kind: "tiny-shakespeare", trainExamples: 1000, testExamples: 300 },
    model: { kind: "charRnn", cell: "gru", layers: 1, hidden: 12, embedding: 4, steps: 6 },
    tower: [{ optimizer: "adam", alpha: 0.02 }, { optimizer: "sgd", alpha: 1e-5 }],
    batchSize: 8,
    budget: { epochs: 6 },
    ...changes,
  });
  const model = buildModel(describeModel(e.model, { input: { kind: "tokens", shape: [6], vocabulary: 3 }, classes: 3 }));
  const feed = textFeed({ task: "text", vocabulary: ["a", "b", "c"], train: codesOf(1000), test: codesOf(300) }, e, model);
  const { task, batchSizes, evaluationBatchSizes } = feed;
  const training = buildTrainingProgram({ task, levels: e.tower.map(towerLevel), batchSizes, evaluationBatchSizes, hypergradients: "moving" });
  const executable = await onnxCpuEngine.compile(training.program, { threads: 1 });
  const random = new Random(0, "initialization", 1);
  executable.restore(training.initialState(Object.fromEntries(model.parameters.map(({ name, initialize }) => [name, initialize(random)]))));
  return { experiment: e, feed, model, training, executable, device: "", driver: null, memory: null, precision: "float32" as const, libraries: {} };
}

describe("a character RNN", () => {
  it("learns a phrase to the letter", async () => {
    const run = await prepared();
    const evaluations: Evaluation[] = [];
    const ignore = () => undefined;
    const listener = { step: ignore, evaluation: (one: Evaluation) => evaluations.push(one), paused: ignore, resumed: ignore, rolledBack: ignore };
    const end = await new TrainingRun(run, new RunControl(), listener).train();
    expect(end).toMatchObject({ outcome: "finished", step: 6 * stepsPerEpoch(run.experiment) });
    // Three symbols and no knowledge: a perplexity of 3. All known but the first of each stream: close to 1.
    expect(metricValue("testPerplexity", evaluations[0]!)).toBeLessThan(3);
    expect(metricValue("testPerplexity", evaluations.at(-1)!)).toBeLessThan(1.1);
    expect(evaluations.at(-1)!.testError).toBeLessThan(5);
    await run.executable.dispose();
  });

  it("goes on from the state that checkpoints keep, hidden state included, bit for bit", async () => {
    const [whole, half] = [await prepared(), await prepared()];
    const losses = async (of: PreparedRun, first: number, count: number) => {
      const found: number[] = [];
      for (const { size, inputs } of of.feed.epoch(new Random(0, "shuffling", 1), first)) {
        if (found.length === count) break;
        found.push((await of.executable.run(`${first + found.length === 0 ? "begin" : "step"}@${size}`, inputs))["loss"]!);
      }
      return found;
    };
    await losses(whole, 0, 5);
    const state = await whole.executable.state(whole.training.durableState);
    expect(state["rnn.hidden_l0"]!.some((value) => value !== 0)).toBe(true);
    half.executable.restore(state);
    expect(await losses(half, 5, 6)).toEqual(await losses(whole, 5, 6));
    await Promise.all([whole, half].map(({ executable }) => executable.dispose()));
  });
});
