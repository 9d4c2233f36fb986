/** Recurrent networks that learn to write text, trained as in the workbench. */
import { encodeText, readText, type EncodedText } from "../core/datasets/formats/text.ts";
import { loadEngine } from "../core/engines/index.ts";
import type { Executable } from "../core/engines/engine.ts";
import { toEffective } from "../core/hyperoptimizers/stored.ts";
import { buildModel } from "../core/models/build.ts";
import { Random } from "../core/models/random.ts";
import { latestGenerator } from "../shared/random.ts";
import { StepMasks } from "../core/training/masks.ts";
import { alphabetOf } from "../shared/alphabet.ts";
import { generate } from "../core/prediction/generate.ts";
import { textFeed } from "../core/feeds/textFeed.ts";
import { buildTrainingProgram, type TrainingProgram } from "../core/training/trainingProgram.ts";
import { requireEngine } from "./engines.ts";
import type { EngineKind } from "../shared/engines.ts";
import { stepsPerEpoch, validateExperiment, type Experiment } from "../shared/experiment.ts";
import { describeModel } from "../shared/models/architecture.ts";
import { dataShape } from "../shared/models/data.ts";
import { checkSeed } from "./data.ts";
import { checkedTower, Optimizer } from "./optimizers.ts";
import { DivergenceError, notFinite, type StepResult } from "./training.ts";
import { checkOptions } from "./options.ts";
import { openEndedLevels } from "./schedules.ts";

/** A text as character codes, with its end held out for testing. */
export interface Text {
  /** Characters by code. */
  readonly vocabulary: readonly string[];
  readonly train: Uint8Array | Uint16Array;
  readonly test: Uint8Array | Uint16Array;
}

export interface TextOptions {
  /** Share of the text, at its end, used for testing; 0.1 by default. */
  readonly testShare?: number;
}

/**
 * @throws RangeError for an invalid share, Error for an empty text or more than 65,536
 * different characters
 */
export function textOf(text: string, options: TextOptions = {}): Text {
  checkTextOptions("textOf", options);
  return divided("textOf", encodeText(Buffer.from(text), "textOf"), options);
}

/**
 * Reads a UTF-8 file. @throws Error naming the file, the line and the invalid byte; RangeError as
 * textOf()
 */
export async function loadText(path: string, options: TextOptions = {}): Promise<Text> {
  checkTextOptions("loadText", options);
  return divided(`loadText: ${path}`, await readText(path), options);
}

function checkTextOptions(where: string, options: TextOptions): void {
  checkOptions<Required<TextOptions>>(where, options, { testShare: true });
}

function divided(where: string, { vocabulary, codes }: EncodedText, { testShare = 0.1 }: TextOptions): Text {
  if (!(testShare > 0 && testShare < 1)) throw new RangeError(`${where}: testShare is ${testShare}; allowed: shares between 0 and 1`);
  if (codes.length < 2) throw new Error(`${where}: the text has fewer than 2 characters`);
  const end = codes.length - Math.max(1, Math.floor(codes.length * testShare));
  return { vocabulary, train: codes.subarray(0, end), test: codes.subarray(end) };
}

export interface CharRnnOptions {
  readonly optimizer: Optimizer;
  /** `lstm` by default. */
  readonly cell?: "lstm" | "gru";
  /** Number of recurrent layers, 2 by default, and the width of each, 128. */
  readonly layers?: number;
  readonly hidden?: number;
  /** Width of the embedding, 128 by default; 0 for one-hot characters. */
  readonly embedding?: number;
  /** Dropout probability between layers; 0 by default. */
  readonly dropout?: number;
  /** Characters per step; 50 by default. Gradients reach back no further, the hidden state does. */
  readonly steps?: number;
  /** Parallel streams of the text; 64 by default. */
  readonly batchSize?: number;
  /** Seed of the initial parameters; 0 by default. */
  readonly seed?: number;
  readonly engine?: EngineKind;
  readonly threads?: number;
}

/** Means over the characters of the test text. */
export interface TextEvaluation {
  /** Nats per character. */
  readonly loss: number;
  readonly perplexity: number;
  readonly bitsPerCharacter: number;
  /** Share of characters that were not the most probable one. */
  readonly error: number;
}

export interface WriteOptions {
  /** Number of characters to add; 200 by default. */
  readonly length?: number;
  /**
   * 1 as trained (the default), lower is more conservative, 0 always takes the most probable
   * character.
   */
  readonly temperature?: number;
  readonly seed?: number;
}

/** A network trains for as long as its user wants; schedules that need a budget are refused. */
const longest = { epochs: 100_000 };

/**
 * A recurrent network that predicts the next character of a text.
 * @throws RangeError naming an invalid option, OptimizerError, Error when the engine cannot be
 * loaded
 */
export async function charRnn(text: Text, options: CharRnnOptions): Promise<CharRnn> {
  checkOptions<Required<CharRnnOptions>>("charRnn", options, {
    optimizer: true, cell: true, layers: true, hidden: true, embedding: true, dropout: true, steps: true, batchSize: true, seed: true, engine: true, threads: true,
  });
  const { optimizer, batchSize = 64, seed = 0, engine = "onnx-cpu", threads = 1, ...model } = options;
  const chosen: unknown = optimizer;
  if (!(chosen instanceof Optimizer)) throw new TypeError("charRnn: optimizer is missing; give one, such as adam({ alpha: 2e-3, optimizer: sgd(2e-5) })");
  checkSeed("charRnn", seed);
  requireEngine("charRnn", engine);
  const facts = { title: "the text", task: "text", trainExamples: text.train.length, testExamples: text.test.length, exampleShape: [], classNames: [], symbols: text.vocabulary.length };
  const tower = checkedTower("charRnn", optimizer.levels);
  const result = validateExperiment({ dataset: { kind: "own/text", facts }, model: { kind: "charRnn", ...model }, tower, budget: longest, batchSize, seed, generator: latestGenerator, engine: { kind: engine, threads } });
  if (!result.ok) throw new RangeError(`charRnn: ${result.errors.map(({ message }) => message).join("; ")}`);
  const { experiment } = result;

  const network = buildModel(describeModel(experiment.model, dataShape(experiment)));
  const feed = textFeed({ task: "text", ...text }, experiment, network);
  const training = buildTrainingProgram({
    task: feed.task,
    levels: openEndedLevels("charRnn", tower, stepsPerEpoch(experiment)),
    batchSizes: feed.batchSizes,
    evaluationBatchSizes: feed.evaluationBatchSizes,
    hypergradients: "moving",
  });
  const executable = await (await loadEngine[engine]()).compile(training.program, { threads });
  const random = new Random(seed, "initialization", experiment.generator);
  executable.restore(training.initialState(Object.fromEntries(network.parameters.map(({ name, initialize }) => [name, initialize(random)]))));
  return new CharRnn({ text, experiment, feed, training, executable, masks: new StepMasks(network.masks, seed, experiment.generator) });
}

interface Parts {
  readonly text: Text;
  readonly experiment: Experiment;
  readonly feed: ReturnType<typeof textFeed>;
  readonly training: TrainingProgram;
  readonly executable: Executable;
  readonly masks: StepMasks;
}

/**
 * Made by charRnn(). Await each call before the next; between two steps of an epoch, any call is
 * allowed.
 */
export class CharRnn {
  readonly vocabulary: readonly string[];
  readonly stepsPerEpoch: number;
  readonly #parts: Parts;
  /** Texts are read in order; the feed's interface requires a generator. */
  readonly #order = new Random(0, "shuffling", latestGenerator);
  #steps = 0;

  /** Used by charRnn(). */
  constructor(parts: Parts) {
    this.#parts = parts;
    this.vocabulary = parts.text.vocabulary;
    this.stepsPerEpoch = stepsPerEpoch(parts.experiment);
  }

  /** Steps completed. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Trains one epoch, step by step, carrying the hidden state.
   * @throws DivergenceError when the loss or a hyperparameter became infinite or NaN
   */
  async *epoch(): AsyncGenerator<StepResult, void> {
    const { feed, executable, training, masks } = this.#parts;
    for (const { size, inputs } of feed.epoch(this.#order, 0)) {
      const outputs = await executable.run(`${this.#steps === 0 ? "begin" : "step"}@${size}`, { ...inputs, ...masks.at(this.#steps, size) });
      const result: StepResult = {
        step: this.#steps++,
        loss: outputs["loss"]!,
        hyperparameters: this.#effective(outputs),
        hypergradients: Object.fromEntries(training.withHypergradient.map(({ name, hypergradient }) => [name, outputs[hypergradient]!])),
      };
      const problem = notFinite(result);
      if (problem) throw new DivergenceError(problem, result);
      yield result;
    }
  }

  /** Evaluates on the test text, after the last step's update. */
  async evaluate(): Promise<TextEvaluation> {
    const { feed, executable } = this.#parts;
    await this.#settle();
    const sums: Record<string, number> = {};
    let count = 0;
    for (const { size, examples, inputs } of feed.evaluation("test")) {
      for (const [name, sum] of Object.entries(await executable.run(`evaluate@${size}`, inputs))) sums[name] = (sums[name] ?? 0) + sum;
      count += examples;
    }
    const { loss, error = NaN } = feed.task.measures(sums, count);
    return { loss, perplexity: Math.exp(loss), bitsPerCharacter: loss / Math.LN2, error: error / 100 };
  }

  /** Learned hyperparameters in effective form, after the last step's update. */
  hyperparameters(): Promise<Readonly<Record<string, number>>> {
    return this.#settle();
  }

  /** Parameters by PyTorch's names, row-major, after the last step's update. */
  async parameters(): Promise<Readonly<Record<string, Float64Array>>> {
    await this.#settle();
    const { executable, training } = this.#parts;
    return training.parametersOf(await executable.state(training.settledState));
  }

  /**
   * Continues a beginning; the same for the same seed.
   * @throws Error naming characters that the text does not contain, RangeError naming an invalid
   * option
   */
  async write(beginning: string, options: WriteOptions = {}): Promise<string> {
    checkOptions<Required<WriteOptions>>("write", options, { length: true, temperature: true, seed: true });
    const { length = 200, temperature = 1, seed = 0 } = options;
    if (!Number.isInteger(length) || length < 1) throw new RangeError(`write: length is ${length}; allowed: whole numbers from 1`);
    if (!(temperature >= 0 && Number.isFinite(temperature))) throw new RangeError(`write: temperature is ${temperature}; allowed: finite numbers from 0`);
    checkSeed("write", seed);
    const { experiment, feed } = this.#parts;
    const values = await this.parameters();
    const weights = feed.task.parameters.map(({ name, shape }) => ({ name, shape, values: values[name]! }));
    return generate(experiment, alphabetOf({ vocabulary: this.vocabulary }), weights, { prime: beginning, length, temperature, seed });
  }

  /** Frees the engine's memory. */
  async dispose(): Promise<void> {
    await this.#parts.executable.dispose();
  }

  /** Before the first step no update is pending: the settled weights are the initial ones. */
  async #settle(): Promise<Record<string, number>> {
    const { executable, training } = this.#parts;
    if (this.#steps === 0) return Object.fromEntries([...training.hyperparameters, ...training.scheduled].map(({ name, initial }) => [name, initial]));
    return this.#effective(await executable.run("settle", {}));
  }

  #effective(outputs: Readonly<Record<string, number>>): Record<string, number> {
    const { hyperparameters, scheduled } = this.#parts.training;
    const stored = hyperparameters.map(({ name, storedAs }) => [name, toEffective(outputs[name]!, storedAs)] as const);
    return Object.fromEntries([...stored, ...scheduled.map(({ name }) => [name, outputs[name]!] as const)]);
  }
}
