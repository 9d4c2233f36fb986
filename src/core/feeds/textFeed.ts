/** Batches of a text: one stream per row, continued from batch to batch. */
import { textBatches, validationExamples, type Experiment } from "../../shared/experiment.ts";
import { textSteps, zLossOf } from "../../shared/models/data.ts";
import { alphabetOf } from "../../shared/alphabet.ts";
import type { Codes } from "../datasets/dataset.ts";
import type { TextDataset } from "../datasets/index.ts";
import type { Model } from "../models/model.ts";
import { epochOf, type Feed, type FeedBatch } from "./feed.ts";
import { languageModelling } from "../tasks/languageModelling.ts";

/**
 * Splits the codes into `rows` streams of equal length, read `steps` characters at a time; the
 * remainder is unused. The first batch starts with a fresh hidden state, the others carry it on.
 */
export function* streams(codes: Codes, rows: number, steps: number, first = 0): Generator<FeedBatch> {
  const length = Math.floor((codes.length - 1) / rows);
  const [symbols, targets] = [new Int32Array(rows * steps), new Int32Array(rows * steps)];
  for (let batch = first; (batch + 1) * steps <= length; batch++) {
    for (let row = 0; row < rows; row++) {
      const start = row * length + batch * steps;
      symbols.set(codes.subarray(start, start + steps), row * steps);
      targets.set(codes.subarray(start + 1, start + steps + 1), row * steps);
    }
    yield { size: rows, examples: rows * steps, inputs: { symbols, targets, carry: Float64Array.of(batch > 0 ? 1 : 0) } };
  }
}

export function textFeed(text: TextDataset, experiment: Experiment, model: Model): Feed {
  const { batchSize, dataset } = experiment;
  const steps = textSteps(experiment.model);
  const held = validationExamples(dataset);
  const end = dataset.trainExamples - held;
  const train = text.train.subarray(0, end);
  const sets = { test: text.test.subarray(0, dataset.testExamples), validation: text.train.subarray(end, dataset.trainExamples) };
  return {
    task: languageModelling({ model, steps, zLoss: zLossOf(experiment.model) }),
    batchSizes: [batchSize],
    evaluationBatchSizes: [batchSize],
    examples: textBatches(experiment, train.length) * batchSize * steps,
    alphabet: alphabetOf(text),
    textOf: (set) => sets[set],
    range: null,
    sets: held > 0 ? ["validation", "test"] : ["test"],
    epoch: (_, first) => epochOf((number) => streams(train, batchSize, steps, number), first),
    evaluation: (set) => streams(sets[set], batchSize, steps),
  };
}
