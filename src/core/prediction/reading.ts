/** How a model reads one example: what it predicts, and where its attention lies. */
import type { Alphabet } from "../../shared/alphabet.ts";
import type { Experiment } from "../../shared/experiment.ts";
import type { EvaluatedSet } from "../../shared/metrics.ts";
import { textSteps } from "../../shared/models/data.ts";
import type { InputValue } from "../engines/engine.ts";
import type { Model } from "../models/model.ts";
import { sizeOf, type Shape } from "../program/node.ts";
import { cast, reshape } from "../program/operations/index.ts";
import type { PredictiveTask } from "../tasks/task.ts";
import type { NamedArray } from "../weights/file.ts";
import { attentionIn, recorded, type FoundAttention } from "./attention.ts";
import { buildPredictor, scoresOf } from "./program.ts";

export type ReadExample =
  /** The symbols of a text from a position on. */
  | { readonly from: "text"; readonly set: "validation" | "test"; readonly position: number }
  | { readonly from: "typed"; readonly text: string }
  /** A test example, by index. */
  | { readonly from: "example"; readonly index: number };

/** Attention of one module on one example. */
export interface AttentionMap {
  readonly name: string;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** Whether no query sees a later key. */
  readonly causal: boolean;
  /** `[heads, queries, keys]` */
  readonly weights: Float32Array;
}

export interface Reading {
  /** Codes of the text's symbols that were read; null for labelled examples. */
  readonly codes: readonly number[] | null;
  /** Code of the symbol after them; null at the end of the text. */
  readonly next: number | null;
  /** Names of all symbols of a text. */
  readonly symbols: readonly string[];
  /** Number of symbols of the text, where it is one of the dataset. */
  readonly length: number | null;
  /** Label of an example. */
  readonly label: number | null;
  /** Log probabilities (or the predicted value), `[positions, width]`; one position for an example. */
  readonly scores: Float32Array;
  readonly width: number;
  readonly maps: readonly AttentionMap[];
}

/** What reading needs of a run's feed. */
export interface ReadFeed {
  readonly task: PredictiveTask;
  readonly alphabet: Alphabet | null;
  readonly sets: readonly EvaluatedSet[];
  textOf?(set: EvaluatedSet): ArrayLike<number>;
  evaluation(set: EvaluatedSet): Iterable<{ readonly size: number; readonly inputs: Given["inputs"] }>;
}

export interface ReadingOptions {
  readonly experiment: Experiment;
  readonly model: Model;
  /** Makes the feed whose task has a model. */
  readonly feedOf: (model: Model) => Promise<ReadFeed>;
  readonly weights: readonly NamedArray[];
  readonly example: ReadExample;
}

/** Maximum number of attention weights of one reading: 64 MB. */
const maxWeights = 2 ** 24;

/** @throws Error where there is no such example, or the maps are too large */
export async function readExample({ experiment, model, feedOf, weights, example }: ReadingOptions): Promise<Reading> {
  const recorder = recorded(model);
  const feed = await feedOf(recorder.model);
  const { task, alphabet } = feed;
  const given = alphabet ? textGiven(feed, experiment, example) : labelledGiven(feed, example);
  let found: readonly FoundAttention[] = [];
  const { executable, width } = await buildPredictor({
    experiment,
    model,
    task,
    batchSizes: [1],
    weights,
    probes(scores) {
      found = attentionIn(scores, recorder.modules());
      const total = found.reduce((sum, one) => sum + sizeOf(one.weights.shape), 0);
      if (total > maxWeights) throw new Error(`the attention on one example has ${total} weights; at most ${maxWeights} can be shown`);
      return Object.fromEntries(found.map(({ weights: node }, i) => [probeName(i), reshape(cast(node, "float"), [sizeOf(node.shape)])]));
    },
  });
  try {
    await executable.run("predict@1", given.inputs);
    const values = await executable.state([scoresOf(1), ...found.map((_, i) => probeName(i))]);
    const rows = given.codes?.length ?? 1;
    const maps = found.map(({ name, weights: node }, i) => mapOf(name, node.shape, Float32Array.from(values[probeName(i)]!)));
    const cut = given.padded ? maps.map((map) => shortened(map, rows, textSteps(experiment.model))) : maps;
    return {
      codes: given.codes,
      symbols: alphabet?.symbols ?? [],
      next: given.next,
      length: given.length,
      label: given.label,
      scores: Float32Array.from(values[scoresOf(1)]!.subarray(0, rows * width)),
      width,
      maps: cut,
    };
  } finally {
    await executable.dispose();
  }
}

const probeName = (index: number) => `attention.${index}`;

interface Given extends Pick<Reading, "codes" | "next" | "length" | "label"> {
  readonly inputs: Readonly<Record<string, InputValue>>;
  /** Whether symbols without meaning follow those of the text. */
  readonly padded: boolean;
}

/** As many symbols as the model reads at once, from a fresh state. */
function textGiven(feed: ReadFeed, experiment: Experiment, example: ReadExample): Given {
  if (example.from === "example") throw new Error("the model reads a text; choose a position in it or type one");
  const steps = textSteps(experiment.model);
  const inputs = (codes: readonly number[]) => {
    const symbols = new Int32Array(steps);
    symbols.set(codes.slice(0, steps));
    return { symbols, targets: new Int32Array(steps), carry: Float64Array.of(0) };
  };
  if (example.from === "typed") {
    const all = feed.alphabet!.codesOf(example.text);
    if (all.length === 0) throw new Error("the text is empty; type at least one symbol");
    const codes = all.slice(-steps);
    return { codes, next: null, length: null, label: null, padded: codes.length < steps, inputs: inputs(codes) };
  }
  const text = feed.textOf?.(example.set);
  if (!text || text.length === 0) throw new Error(`the data has no ${example.set} text; the run was made with ${feed.sets.join(" and ")}`);
  if (example.position >= text.length) throw new Error(`position ${example.position} is beyond the ${example.set} text, which has ${text.length} symbols; allowed: 0 to ${text.length - 1}`);
  const codes = Array.from({ length: Math.min(steps, text.length - example.position) }, (_, i) => text[example.position + i]!);
  return { codes, next: text[example.position + steps] ?? null, length: text.length, label: null, padded: codes.length < steps, inputs: inputs(codes) };
}

function labelledGiven(feed: ReadFeed, example: ReadExample): Given {
  if (example.from !== "example") throw new Error("the data is no text; choose a test example by its index");
  let first = 0;
  for (const { size, inputs } of feed.evaluation("test")) {
    const at = example.index - first;
    first += size;
    if (at >= size) continue;
    const { features, labels } = inputs;
    if (!features || !labels) throw new Error("the data has no labelled examples");
    const width = features.length / size;
    return { codes: null, next: null, length: null, label: labels[at]!, padded: false, inputs: { features: features.slice(at * width, (at + 1) * width), labels: labels.slice(at, at + 1) } };
  }
  throw new Error(`there is no test example ${example.index}; there are ${first}, the first of which is 0`);
}

function mapOf(name: string, shape: Shape, weights: Float32Array): AttentionMap {
  const [queries, keys] = shape.slice(-2) as [number, number];
  const isLater = (i: number) => i % keys > Math.floor(i / keys) % queries;
  const causal = queries === keys && queries > 1 && weights.every((weight, i) => weight === 0 || !isLater(i));
  return { name, heads: weights.length / (queries * keys), queries, keys, causal, weights };
}

/** The map without the steps after the text. @throws Error where the text's steps saw them */
function shortened(map: AttentionMap, steps: number, context: number): AttentionMap {
  const { heads, queries, keys, causal, weights } = map;
  if (queries !== context || keys !== context) return map;
  if (!causal) throw new Error(`the network sees all ${context} symbols of its context at once; give at least ${context}`);
  const cut = new Float32Array(heads * steps * steps);
  for (let row = 0; row < heads * steps; row++) {
    const from = (Math.floor(row / steps) * queries + (row % steps)) * keys;
    cut.set(weights.subarray(from, from + steps), row * steps);
  }
  return { ...map, queries: steps, keys: steps, weights: cut };
}
