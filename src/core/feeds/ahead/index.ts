/** Decides when batches are prepared ahead; one worker thread serves all runs of the process. */
import type { Dataset } from "../../datasets/dataset.ts";
import { batchesInOrder, type Batch, type BatchPlan } from "../batches.ts";
import { BatchMaker } from "./batchMaker.ts";
import { isShared, shared } from "./ring.ts";

/** Bytes of features below which making a batch costs no more than handing it over. */
const smallestBatch = 64 * 1024;
/** Bytes of training examples below which a dataset is not moved to shared memory. */
const smallestSet = 1024 * 1024;

let coreFree = () => false;
let maker: BatchMaker | undefined;

/**
 * Batches are prepared ahead only if a core is free when an epoch begins; otherwise the worker
 * would compete with training.
 */
export function makeAheadWhen(free: () => boolean): void {
  coreFree = free;
}

/** The dataset with its training examples in shared memory. */
export function inSharedMemory(dataset: Dataset): Dataset {
  const { train } = dataset;
  if (train.features.byteLength < smallestSet) return dataset;
  return { ...dataset, train: { ...train, features: shared(train.features), labels: shared(train.labels) } };
}

/** Whether the worker prepares this plan: batches are large enough and a core is free. */
export function isMadeAhead({ examples, batchSize }: BatchPlan): boolean {
  const batch = (batchSize * examples.features.byteLength) / examples.count;
  return coreFree() && batch >= smallestBatch && isShared(examples.features) && isShared(examples.labels);
}

/**
 * The batches of a plan from number `first` on, made by either thread. A later batch overwrites the
 * arrays.
 */
export function batchesAhead(plan: BatchPlan, first = 0): Generator<Batch> {
  if (!isMadeAhead(plan)) return batchesInOrder(plan, first);
  return (maker ??= new BatchMaker()).batches(plan, first);
}
