/** What a run is fed with: the task it learns, its batches in order, and those it is evaluated on. */
import type { EvaluatedSet } from "../../shared/metrics.ts";
import type { InputValue } from "../engines/engine.ts";
import type { Random } from "../models/random.ts";
import type { PredictiveTask } from "../tasks/task.ts";

export interface FeedBatch {
  /** By which the procedures that take it are named: `step@256`. */
  readonly size: number;
  /** What losses are means over: examples, or symbols of a text. */
  readonly examples: number;
  readonly inputs: Readonly<Record<string, InputValue>>;
}

/** The batches of an epoch whose order has been drawn, from the one numbered `first` on. */
export interface Epoch extends Iterable<FeedBatch> {
  /** The same epoch from another batch on. */
  from(first: number): Iterable<FeedBatch>;
}

export const epochOf = (from: Epoch["from"], first: number): Epoch => ({ from, [Symbol.iterator]: () => from(first)[Symbol.iterator]() });

export interface Feed {
  readonly task: PredictiveTask;
  /** Sizes of all training batches, and of all evaluation batches, each once. */
  readonly batchSizes: readonly number[];
  readonly evaluationBatchSizes: readonly number[];
  /** Of an epoch. */
  readonly examples: number;
  /** Sets that can be evaluated: the test set, and what is held out for validation. */
  readonly sets: readonly EvaluatedSet[];
  /**
   * The batches of an epoch from the one numbered `first` on. Their arrays are written over by a later one.
   * An iterator that is not used up is returned, as leaving a loop does: it may hold what makes its batches.
   * @param random where their order comes from; drawn at once, and as much whatever `first` is
   */
  epoch(random: Random, first: number): Epoch;
  evaluation(set: EvaluatedSet): Iterable<FeedBatch>;
  /** Characters of a text by their codes; null of examples with labels. */
  readonly vocabulary: readonly string[] | null;
  /** Largest value of a feature: 255 for the pixels of most images; null where features have no common range. */
  readonly range: number | null;
}
