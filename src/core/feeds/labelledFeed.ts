/** Batches of labelled examples: shuffled for training, in stored order for evaluation. */
import { augments, validationExamples, type Experiment } from "../../shared/experiment.ts";
import { featureRange, type Dataset, type Examples } from "../datasets/dataset.ts";
import { heldOut } from "../datasets/split.ts";
import type { Model } from "../models/model.ts";
import { batchesAhead } from "./ahead/index.ts";
import { batchesAsTheyStand, batchesInOrder, type Batch } from "./batches.ts";
import { classification, type ClassificationOptions } from "../tasks/classification.ts";
import { epochOf, type Feed, type FeedBatch } from "./feed.ts";
import { regression, scalingOf } from "../tasks/regression.ts";

/** Examples per evaluation batch. */
const usualEvaluationBatch = 1000;

/** Distinct batch sizes for `count` examples; the last batch may be smaller. */
export function batchSizes(count: number, batchSize: number): number[] {
  const rest = count % batchSize;
  return [...(count >= batchSize ? [batchSize] : []), ...(rest > 0 ? [rest] : [])];
}

const fed = ({ size, ...inputs }: Batch): FeedBatch => ({ size, examples: size, inputs });

function* inBatches(batches: Iterable<Batch>): Generator<FeedBatch> {
  for (const batch of batches) yield fed(batch);
}

function taskFor(dataset: Dataset, model: Model, training: Uint32Array) {
  const { features, labels } = dataset.train;
  const options: ClassificationOptions = { model, exampleShape: dataset.exampleShape, scale: dataset.scale, features: features instanceof Uint8Array ? "uint8" : "float" };
  return dataset.task === "regression" ? regression({ ...options, scaling: scalingOf(labels as Float32Array, training) }) : classification({ ...options, labels: labels instanceof Int32Array ? "int32" : "uint8" });
}

export function labelledFeed(dataset: Dataset, { batchSize, shuffle, dataset: config, generator }: Experiment, model: Model): Feed {
  const { train, test }: Record<"train" | "test", Examples> = dataset;
  // Indices of the examples, which are not moved.
  const { training, held } = heldOut(train.count, validationExamples(config), config.splitSeed, generator);
  const evaluationBatch = model.batch ?? usualEvaluationBatch;
  return {
    task: taskFor(dataset, model, training),
    batchSizes: batchSizes(training.length, batchSize),
    evaluationBatchSizes: [...new Set([...batchSizes(test.count, evaluationBatch), ...batchSizes(held.length, evaluationBatch)])],
    examples: training.length,
    alphabet: null,
    range: featureRange(dataset),
    standardization: dataset.standardization ?? null,
    sets: held.length > 0 ? ["validation", "test"] : ["test"],
    epoch(random, first) {
      const order = shuffle ? random.permutation(training.length) : training;
      if (shuffle && held.length > 0) for (let i = 0; i < order.length; i++) order[i] = training[order[i]!]!;
      // Drawn only with augmentation, so that the order of other epochs stays the same.
      const augmentation = augments(config) ? { ...config.augmentation, shape: dataset.exampleShape, seed: random.below(2 ** 31), generator } : undefined;
      return epochOf((number) => inBatches(batchesAhead({ examples: train, order, batchSize, augmentation }, number)), first);
    },
    evaluation: (set) => inBatches(set === "test" ? batchesAsTheyStand(test, evaluationBatch) : batchesInOrder({ examples: train, order: held, batchSize: evaluationBatch })),
  };
}
