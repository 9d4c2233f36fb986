/**
 * Batches of a text for a model that carries nothing from batch to batch: blocks drawn at random for
 * training, as nanoGPT draws them, and all blocks side by side for evaluation.
 */
import { blocksOf, stepsPerEpoch, validationExamples, type Experiment } from "../../shared/experiment.ts";
import { textSteps, zLossOf } from "../../shared/models/data.ts";
import { alphabetOf } from "../../shared/alphabet.ts";
import type { TextDataset } from "../datasets/index.ts";
import type { Model } from "../models/model.ts";
import { Random } from "../models/random.ts";
import type { GeneratorVersion } from "../../shared/random.ts";
import { languageModelling } from "../tasks/languageModelling.ts";
import { epochOf, type Feed, type FeedBatch } from "./feed.ts";
import { batchSizes } from "./labelledFeed.ts";

/** Blocks of an evaluation batch. */
const usualEvaluationBatch = 64;

/** Copies the blocks that begin at `starts`, and their targets, one symbol later. */
function filled(codes: TextDataset["train"], starts: readonly number[], steps: number, symbols: Int32Array, targets: Int32Array): FeedBatch {
  starts.forEach((start, row) => {
    symbols.set(codes.subarray(start, start + steps), row * steps);
    targets.set(codes.subarray(start + 1, start + steps + 1), row * steps);
  });
  return { size: starts.length, examples: starts.length * steps, inputs: { symbols, targets } };
}

export interface BlockPlan {
  readonly rows: number;
  readonly steps: number;
  /** Batches in an epoch. */
  readonly batches: number;
  /** Draws the blocks of an epoch; each batch has a substream of its own. */
  readonly seed: number;
  readonly generator: GeneratorVersion;
}

/** Batches from number `first` on of blocks that begin anywhere, all places equally likely. A later batch overwrites the arrays. */
export function* randomBlocks(codes: TextDataset["train"], { rows, steps, batches, seed, generator }: BlockPlan, first = 0): Generator<FeedBatch> {
  const [symbols, targets] = [new Int32Array(rows * steps), new Int32Array(rows * steps)];
  for (let batch = first; batch < batches; batch++) {
    const random = new Random(seed, "blocks", generator, batch);
    const starts = Array.from({ length: rows }, () => random.below(codes.length - steps));
    yield filled(codes, starts, steps, symbols, targets);
  }
}

/** Every whole block of a text once, in order; fewer than `steps` symbols at its end are left out. */
export function* blocksInOrder(codes: TextDataset["train"], steps: number, evaluationBatch = usualEvaluationBatch): Generator<FeedBatch> {
  const count = blocksOf(codes.length, steps);
  for (let block = 0; block < count; block += evaluationBatch) {
    const rows = Math.min(evaluationBatch, count - block);
    const starts = Array.from({ length: rows }, (_, row) => (block + row) * steps);
    yield filled(codes, starts, steps, new Int32Array(rows * steps), new Int32Array(rows * steps));
  }
}

export function blockFeed(text: TextDataset, experiment: Experiment, model: Model): Feed {
  const { batchSize, dataset, generator } = experiment;
  const steps = textSteps(experiment.model);
  const held = validationExamples(dataset);
  const end = dataset.trainExamples - held;
  const train = text.train.subarray(0, end);
  const sets = { test: text.test.subarray(0, dataset.testExamples), validation: text.train.subarray(end, dataset.trainExamples) };
  const evaluated = held > 0 ? (["validation", "test"] as const) : (["test"] as const);
  const batches = stepsPerEpoch(experiment);
  const evaluationBatch = model.batch ?? usualEvaluationBatch;
  return {
    task: languageModelling({ model, steps, zLoss: zLossOf(experiment.model) }),
    batchSizes: [batchSize],
    evaluationBatchSizes: [...new Set(evaluated.flatMap((set) => batchSizes(blocksOf(sets[set].length, steps), evaluationBatch)))],
    examples: batches * batchSize * steps,
    alphabet: alphabetOf(text),
    textOf: (set) => sets[set],
    range: null,
    sets: evaluated,
    epoch(random, first) {
      const seed = random.below(2 ** 31);
      return epochOf((number) => randomBlocks(train, { rows: batchSize, steps, batches, seed, generator }, number), first);
    },
    evaluation: (set) => blocksInOrder(sets[set], steps, evaluationBatch),
  };
}
