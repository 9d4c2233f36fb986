/** What a run is fed with: the task it learns, its batches in order, and those it is evaluated on. */
import type { Experiment } from "../../shared/experiment.ts";
import { loadDataset, loadText, type Dataset, type TextDataset } from "../datasets/index.ts";
import type { InputValue } from "../engines/engine.ts";
import type { Model } from "../models/model.ts";
import type { Random } from "../models/random.ts";
import { batchesAsTheyStand, batchesInOrder } from "./batches.ts";
import { classification } from "./classification.ts";
import { textFeed } from "./textFeed.ts";
import type { PredictiveTask } from "./trainingProgram.ts";

export interface FeedBatch {
  /** By which the procedures that take it are named: `step@256`. */
  readonly size: number;
  /** What losses are means over: examples, or symbols of a text. */
  readonly examples: number;
  readonly inputs: Readonly<Record<string, InputValue>>;
}

export interface Feed {
  readonly task: PredictiveTask;
  /** Sizes of all training batches, and of all evaluation batches, each once. */
  readonly batchSizes: readonly number[];
  readonly evaluationBatchSizes: readonly number[];
  /** Of an epoch. */
  readonly examples: number;
  /**
   * The batches of an epoch from the one numbered `first` on. Their arrays are written over by a later one.
   * @param random where their order comes from; as much is drawn whatever `first` is
   */
  epoch(random: Random, first: number): Iterable<FeedBatch>;
  evaluation(): Iterable<FeedBatch>;
  /** Characters of a text by their codes; null of examples with labels. */
  readonly vocabulary: readonly string[] | null;
}

/** Test examples evaluated at once. */
const evaluationBatch = 1000;

/** Sizes of the batches into which `count` examples fall, each once; the last batch may be smaller. */
export function batchSizes(count: number, batchSize: number): number[] {
  const rest = count % batchSize;
  return [...(count >= batchSize ? [batchSize] : []), ...(rest > 0 ? [rest] : [])];
}

function labelledFeed(dataset: Dataset, { batchSize, shuffle }: Experiment, model: Model): Feed {
  const { train, test } = dataset;
  const fed = ({ size, ...inputs }: { size: number; features: InputValue; labels: InputValue }): FeedBatch => ({ size, examples: size, inputs });
  return {
    task: classification({ model, ...dataset, features: train.features instanceof Uint8Array ? "uint8" : "float" }),
    batchSizes: batchSizes(train.count, batchSize),
    evaluationBatchSizes: batchSizes(test.count, evaluationBatch),
    examples: train.count,
    vocabulary: null,
    *epoch(random, first) {
      const order = shuffle ? random.permutation(train.count) : Uint32Array.from({ length: train.count }, (_, i) => i);
      for (const batch of batchesInOrder(train, order, batchSize, first)) yield fed(batch);
    },
    *evaluation() {
      for (const batch of batchesAsTheyStand(test, evaluationBatch)) yield fed(batch);
    },
  };
}

type Data = { readonly text: TextDataset } | { readonly labelled: Dataset };

/** The data of the latest run: the next one of this process is likely to train on the same. */
let held: { readonly of: string; readonly data: Promise<Data> } | undefined;

function heldData(config: Experiment["dataset"], isText: boolean): Promise<Data> {
  const of = JSON.stringify(config);
  const load = async (): Promise<Data> => (isText ? { text: await loadText(config.kind) } : { labelled: await loadDataset(config) });
  if (held?.of !== of) held = { of, data: load() };
  // What could not be read may be there the next time.
  held.data.catch(() => (held = undefined));
  return held.data;
}

/** @throws Error naming a file of the dataset that is missing or damaged */
export async function loadFeed(experiment: Experiment, model: Model, isText: boolean): Promise<Feed> {
  const data = await heldData(experiment.dataset, isText);
  return "text" in data ? textFeed(data.text, experiment, model) : labelledFeed(data.labelled, experiment, model);
}
