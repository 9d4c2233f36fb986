/** When batches are made ahead of the training, and by what: one thread for all runs of this process. */
import type { Dataset } from "../../datasets/dataset.ts";
import { batchesInOrder, type Batch, type BatchPlan } from "../batches.ts";
import { BatchMaker } from "./batchMaker.ts";
import { isShared, shared } from "./ring.ts";

/** Below, a batch is made about as fast as it is handed over (bytes of its features). */
const smallestBatch = 64 * 1024;
/** Smaller sets are left where they are (bytes of the training examples). */
const smallestSet = 1024 * 1024;

let coreFree = () => false;
let maker: BatchMaker | undefined;

/** Batches are made ahead in epochs at whose beginning a core is free for the thread: where there is none, it would only take turns with the training. */
export function makeAheadWhen(free: () => boolean): void {
  coreFree = free;
}

/** The set with its training examples in memory that threads share. */
export function inSharedMemory(dataset: Dataset): Dataset {
  const { train } = dataset;
  if (train.features.byteLength < smallestSet) return dataset;
  return { ...dataset, train: { ...train, features: shared(train.features), labels: shared(train.labels) } };
}

/** Whether another thread makes the batches of a plan: making them takes long enough, and there is a core for it. */
export function isMadeAhead({ examples, batchSize }: BatchPlan): boolean {
  const batch = (batchSize * examples.features.byteLength) / examples.count;
  return coreFree() && batch >= smallestBatch && isShared(examples.features) && isShared(examples.labels);
}

/** The batches of a plan from the one numbered `first` on, the same whoever makes them. Their arrays are written over by a later one. */
export function batchesAhead(plan: BatchPlan, first = 0): Generator<Batch> {
  if (!isMadeAhead(plan)) return batchesInOrder(plan, first);
  return (maker ??= new BatchMaker()).batches(plan, first);
}
