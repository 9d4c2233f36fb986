/** A run's feed: its task, its training batches in order, and its evaluation batches. */
import type { Alphabet } from "../../shared/alphabet.ts";
import type { EvaluatedSet } from "../../shared/metrics.ts";
import type { Codes } from "../datasets/dataset.ts";
import type { InputValue } from "../engines/engine.ts";
import type { Standardization } from "../datasets/split.ts";
import type { Random } from "../models/random.ts";
import type { PredictiveTask } from "../tasks/task.ts";

export interface FeedBatch {
  /** Suffix of the procedures that take it: `step@256`. */
  readonly size: number;
  /** What losses are averaged over: examples, or characters of a text. */
  readonly examples: number;
  readonly inputs: Readonly<Record<string, InputValue>>;
}

/** The batches of an epoch from number `first` on; the order has been drawn. */
export interface Epoch extends Iterable<FeedBatch> {
  /** The same epoch from another batch on. */
  from(first: number): Iterable<FeedBatch>;
}

export const epochOf = (from: Epoch["from"], first: number): Epoch => ({ from, [Symbol.iterator]: () => from(first)[Symbol.iterator]() });

export interface Feed {
  readonly task: PredictiveTask;
  /** Distinct sizes of the training batches, and of the evaluation batches. */
  readonly batchSizes: readonly number[];
  readonly evaluationBatchSizes: readonly number[];
  /** Examples in an epoch. */
  readonly examples: number;
  /** Sets to evaluate: the test set, and the validation set if there is one. */
  readonly sets: readonly EvaluatedSet[];
  /**
   * The batches of an epoch from number `first` on. A later batch overwrites the arrays.
   * Return an iterator that is not used up (as leaving a loop does): it may hold a batch maker.
   * @param random source of the order; drawn at once, the same amount for any `first`
   */
  epoch(random: Random, first: number): Epoch;
  evaluation(set: EvaluatedSet): Iterable<FeedBatch>;
  /** Symbols of a text; null for labelled examples. */
  readonly alphabet: Alphabet | null;
  /** Codes of an evaluated text. */
  readonly textOf?: (set: EvaluatedSet) => Codes;
  /** Largest feature value: 255 for most images; null where features have no common range. */
  readonly range: number | null;
  /** How the examples' float features were scaled. */
  readonly standardization?: Standardization | null;
}
