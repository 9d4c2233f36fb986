/** Training a transformer on blocks of a text: how they are drawn, what an epoch is, gradients, generation. */
import { describe, expect, it } from "vitest";
import { alphabetOf } from "../../../src/shared/alphabet.ts";
import { onnxCpuEngine } from "../../../src/core/engines/onnx/engine.ts";
import { blockFeed, blocksInOrder, randomBlocks } from "../../../src/core/feeds/blockFeed.ts";
import type { FeedBatch } from "../../../src/core/feeds/feed.ts";
import { buildModel } from "../../../src/core/models/build.ts";
import { Random } from "../../../src/core/models/random.ts";
import { generate } from "../../../src/core/prediction/generate.ts";
import { input } from "../../../src/core/program/operations/index.ts";
import { RunControl } from "../../../src/core/training/control.ts";
import { scheduledLevel, type PreparedRun } from "../../../src/core/training/prepare.ts";
import { TrainingRun } from "../../../src/core/training/run.ts";
import { settledWeights } from "../../../src/core/training/settledWeights.ts";
import { buildTrainingProgram } from "../../../src/core/training/trainingProgram.ts";
import { languageModelling } from "../../../src/core/tasks/languageModelling.ts";
import { experiment, stepsPerEpoch, totalSteps, validateExperiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { asSequential, describeModel, parametersOf } from "../../../src/shared/models/architecture.ts";
import { dataShape } from "../../../src/shared/models/data.ts";
import { model as modelSchema, type ModelConfig } from "../../../src/shared/models/schema.ts";
import { findPreset } from "../../../src/shared/presets.ts";
import type { Evaluation } from "../../../src/shared/run.ts";
import { findStudyPreset, quickEdition } from "../../../src/shared/study/presets.ts";
import { gradientError, pseudoRandom } from "../../support/finiteDifferences.ts";

const codes = Uint8Array.from({ length: 50 }, (_, i) => i);
const copied = (batches: Iterable<FeedBatch>) =>
  Array.from(batches, ({ inputs, size, examples }) => ({ size, examples, symbols: [...inputs["symbols"]!], targets: [...inputs["targets"]!] }));

describe("blocks of a text", () => {
  const plan = { rows: 3, steps: 4, batches: 40, seed: 5, generator: 2 as const };

  it("are drawn from everywhere, each target the symbol that follows", () => {
    const batches = copied(randomBlocks(codes, plan));
    expect(batches).toHaveLength(40);
    expect(batches[0]).toMatchObject({ size: 3, examples: 12 });
    for (const { symbols, targets } of batches) {
      expect(targets).toEqual(symbols.map((symbol) => symbol + 1));
      for (const row of [0, 4, 8]) expect(symbols.slice(row, row + 4)).toEqual([0, 1, 2, 3].map((i) => symbols[row]! + i));
    }
    // 120 blocks of 46 places: the first and the last place are among them.
    const starts = batches.flatMap(({ symbols }) => [symbols[0]!, symbols[4]!, symbols[8]!]);
    expect([Math.min(...starts), Math.max(...starts)]).toEqual([0, 45]);
  });

  it("depend on the seed and the number of their batch alone", () => {
    const all = copied(randomBlocks(codes, plan));
    expect(copied(randomBlocks(codes, plan, 33))).toEqual(all.slice(33));
    expect(copied(randomBlocks(codes, { ...plan, seed: 6 }))).not.toEqual(all);
  });

  it("of an evaluation cover the text once", () => {
    const symbols = copied(blocksInOrder(new Uint8Array(1000).map((_, i) => i % 250), 7));
    expect(symbols.map(({ size }) => size)).toEqual([64, 64, 14]);
    expect(symbols.flatMap(({ symbols: own }) => own)).toEqual(Array.from({ length: 994 }, (_, i) => i % 250));
    expect(symbols.at(-1)!.targets.at(-1)).toBe(994 % 250);
  });
});

describe("an experiment with a transformer", () => {
  const dataset = { kind: "tiny-shakespeare" };
  const errors = (of: object) => {
    const result = validateExperiment(of);
    return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
  };

  it("has as many steps in an epoch as would read the text once, or as many as it says", () => {
    const steps = (changes: ExperimentInput) => stepsPerEpoch(experiment.parse({ dataset, model: { kind: "transformer" }, batchSize: 12, ...changes }));
    expect(steps({})).toBe(Math.floor(Math.floor(1_003_854 / 12) / 64));
    expect(steps({ budget: { stepsPerEpoch: 250 } })).toBe(250);
    expect(steps({ shuffle: false })).toBe(Math.floor(Math.floor(1_003_854 / 12) / 64));
  });

  it("says where steps of an epoch cannot be chosen", () => {
    const message = /^budget.stepsPerEpoch: budget.stepsPerEpoch is for blocks of a text drawn at random/;
    for (const of of [{}, { dataset }, { dataset, model: { kind: "transformer" }, shuffle: false }]) expect(errors({ ...of, budget: { stepsPerEpoch: 5 } })).toEqual([expect.stringMatching(message)]);
    const own = asSequential(modelSchema.parse({ kind: "transformer" }), dataShape({ dataset, model: { kind: "transformer" } }));
    expect(errors({ dataset, model: own, budget: { stepsPerEpoch: 5 } })).toEqual([]);
  });

  it("says what does not fit", () => {
    const model = { kind: "transformer" };
    expect(errors({ dataset, model: { ...model, heads: 3 } })).toEqual(["model.heads: model.heads is 3, which does not divide model.width, 128: every head has width / heads values"]);
    expect(errors({ dataset: { ...dataset, testExamples: 64 }, model })).toEqual(["dataset.testExamples: dataset.testExamples is 64; a block needs 65 characters"]);
    expect(errors({ model })[0]).toMatch(/which needs a text/);
    const layers = [{ kind: "embedding", width: 8 }, { kind: "linear", tied: "wte" }];
    expect(errors({ dataset, model: { kind: "sequential", layers } })).toEqual(["model.layers.1: tied is wte, but no embedding before this layer has that name"]);
    expect(errors({ dataset, model: { kind: "sequential", layers: [{ ...layers[0], name: "wte" }, { kind: "linear", width: 4 }, layers[1]] } })[0]).toMatch(/an embedding of width 8; this layer gets 4/);
    expect(errors({ dataset, model: { kind: "sequential", layers: [layers[0], { kind: "causalAttention", heads: 3 }] } })[0]).toMatch(/8 is no multiple of 9/);
  });

  it("gpt-mini is nanoGPT's configuration", () => {
    const e = experiment.parse(findPreset("gpt-mini")!.experiment);
    expect([totalSteps(e), e.batchSize, e.model]).toMatchObject([2000, 12, { layers: 4, heads: 4, width: 128, context: 64, bias: false, dropout: 0 }]);
    const parameters = parametersOf(describeModel(e.model, dataShape(e)));
    // nanoGPT counts 0.80 million without the table of positions.
    expect(parameters.reduce((sum, { name, shape }) => sum + (name.includes("wpe") ? 0 : shape.reduce((a, b) => a * b, 1)), 0)).toBe(795_904);
    // Only what has one axis is not decayed.
    const [level] = e.tower;
    const undecayed = parameters.filter(({ name }) => /ln_/.test(name));
    expect(undecayed).toEqual(parameters.filter(({ shape }) => shape.length === 1));
    expect([level!.groups[0], level]).toMatchObject([{ match: ["*ln_*"], weightDecay: 0 }, { weightDecay: 0.1, clipNorm: 1 }]);
    // nanoGPT: alpha (t + 1) / 101 for the first 100 steps, then a cosine from alpha to a tenth.
    const { alpha } = scheduledLevel(level!, { stepsPerEpoch: 250, totalSteps: 2000 }).schedules!;
    expect(alpha).toMatchObject([{ begin: 0, end: 100 }, { begin: 100, end: 2000 }]);
  });

  it("has a study of its step size with a quick edition", () => {
    expect(quickEdition("gpt-mini-steps")).toBe("gpt-mini-steps-quick");
    expect(findStudyPreset("gpt-mini-steps")!.study).toMatchObject({ heights: { values: [0, 1, 2] } });
  });
});

describe("the initialization", () => {
  it("is nanoGPT's: 0.02, residual projections divided by the root of twice the layers, biases 0", () => {
    const config = modelSchema.parse({ kind: "transformer", layers: 8, bias: true });
    const described = describeModel(config, { input: { kind: "tokens", shape: [64], vocabulary: 65 }, classes: 65 });
    const random = new Random(1, "initialization", 2);
    for (const { name, initialize } of buildModel(described).parameters) {
      const values = initialize(random);
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
      if (name.endsWith(".bias")) expect(deviation, name).toBe(0);
      else if (name.includes("ln_")) expect(values.every((value) => value === 1), name).toBe(true);
      else expect(deviation / (name.includes("c_proj") ? 0.02 / 4 : 0.02), name).toBeCloseTo(1, 1);
    }
  });
});

describe("gradients of a whole transformer", () => {
  it.each<[string, object]>([
    ["nanoGPT's", {}],
    ["with every option", { bias: true, norm: "rms", activation: "swiglu", tied: false, qkNorm: true, zLoss: 0.01 }],
  ])("%s are those of central differences", (_, options) => {
    const config: ModelConfig = modelSchema.parse({ kind: "transformer", layers: 2, heads: 2, width: 6, context: 4, ...options });
    const model = buildModel(describeModel(config, { input: { kind: "tokens", shape: [4], vocabulary: 5 }, classes: 5 }));
    const inputs = model.parameters.map(({ name, shape }, i) => ({ node: input(name, shape), values: pseudoRandom(shape.reduce((a, b) => a * b, 1), i) }));
    const { loss } = languageModelling({ model, steps: 4, zLoss: config.kind === "transformer" ? config.zLoss : 0 }).loss(inputs.map(({ node }) => node), 2);
    const given = { symbols: Int32Array.of(0, 1, 2, 3, 4, 0, 2, 1), targets: Int32Array.of(1, 2, 3, 4, 0, 2, 1, 3) };
    expect(gradientError({ inputs, result: loss, given })).toBeLessThan(1e-7);
  });
});

/** "abcacb": after an a comes what the second symbol before it tells. */
const phrase = [0, 1, 2, 0, 2, 1];
const vocabulary = ["a", "b", "c"];
const codesOf = (length: number) => Uint8Array.from({ length }, (_, i) => phrase[i % phrase.length]!);

async function prepared(): Promise<PreparedRun> {
  const e = experiment.parse({
    dataset: { kind: "tiny-shakespeare", trainExamples: 1000, testExamples: 300 },
    model: { kind: "transformer", layers: 2, heads: 2, width: 12, context: 6 },
    tower: [{ optimizer: "adam", alpha: 5e-3 }, { optimizer: "sgd", alpha: 1e-6 }],
    batchSize: 8,
    budget: { epochs: 2, stepsPerEpoch: 150 },
  });
  const model = buildModel(describeModel(e.model, { input: { kind: "tokens", shape: [6], vocabulary: 3 }, classes: 3 }));
  const feed = blockFeed({ task: "text", vocabulary, train: codesOf(1000), test: codesOf(300) }, e, model);
  const { task, batchSizes, evaluationBatchSizes } = feed;
  const training = buildTrainingProgram({ task, levels: e.tower.map((level) => scheduledLevel(level)), batchSizes, evaluationBatchSizes, hypergradients: "moving" });
  const executable = await onnxCpuEngine.compile(training.program, { threads: 1 });
  const random = new Random(0, "initialization", 2);
  executable.restore(training.initialState(Object.fromEntries(model.parameters.map(({ name, initialize }) => [name, initialize(random)]))));
  return { experiment: e, feed, model, training, executable, device: "", driver: null, memory: null, precision: "float32" as const, libraries: {} };
}

describe("a transformer", () => {
  it("learns a phrase, is evaluated on the whole text, and writes it from any beginning", async () => {
    const run = await prepared();
    const evaluations: Evaluation[] = [];
    const losses: number[] = [];
    const ignore = () => undefined;
    const listener = { step: ({ values }: { values: readonly number[] }) => losses.push(values[0]!), evaluation: (one: Evaluation) => evaluations.push(one), paused: ignore, resumed: ignore, rolledBack: ignore };
    expect(await new TrainingRun(run, new RunControl(), listener).train()).toMatchObject({ outcome: "finished", step: 300 });
    expect(losses[0]).toBeGreaterThan(1);
    // Every block begins with an a, after which two symbols are as likely.
    expect(evaluations).toHaveLength(2);
    expect(evaluations.at(-1)!.testLoss).toBeLessThan(0.5);

    const arrays = await settledWeights(run);
    const say = (prime: string, length: number) => generate({ ...run.experiment, engine: { kind: "reference", threads: 1 } }, alphabetOf({ vocabulary }), arrays, { prime, length, temperature: 0, seed: 0 });
    // Shorter than the context, and far beyond it.
    expect(await say("abc", 12)).toBe("acbabcacbabc");
    expect(await say("abcacbabcacbabc", 3)).toBe("acb");
    await run.executable.dispose();
  });

  it("draws the same blocks after a resume", async () => {
    const run = await prepared();
    const batches = (first: number) => copied(run.feed.epoch(new Random(3, "shuffling", 2), first));
    expect(batches(50)).toEqual(batches(0).slice(50));
    expect(batches(0)).toHaveLength(stepsPerEpoch(run.experiment));
    await run.executable.dispose();
  });
});

describe("a text of bytes", () => {
  it("has 256 symbols, and gives back what it encodes", () => {
    const bytes = alphabetOf({ vocabulary: [], unit: "bytes" });
    expect(bytes.symbols).toHaveLength(256);
    expect(bytes.codesOf("é!")).toEqual([0xc3, 0xa9, 0x21]);
    expect(bytes.textOf([0xc3, 0xa9, 0x21, 0xff])).toBe("é!\ufffd");
  });
});
