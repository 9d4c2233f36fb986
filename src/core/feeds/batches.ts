/** Batches of examples, in a seeded order or in the stored order. */
import { arrayLike, type Examples } from "../datasets/dataset.ts";
import { Random } from "../models/random.ts";
import type { GeneratorVersion } from "../../shared/random.ts";
import { augmentInto, type Augmentation } from "./augment.ts";

export interface Batch {
  readonly size: number;
  readonly features: Examples["features"];
  readonly labels: Examples["labels"];
}

/** An epoch's batches: the examples and their order, for whichever thread makes them. */
export interface BatchPlan {
  readonly examples: Examples;
  /** Indices of the examples. */
  readonly order: Uint32Array;
  readonly batchSize: number;
  readonly augmentation?: Augmented | undefined;
}

/** Random changes depend only on `seed` and the batch's number, so a resumed run repeats them. */
export interface Augmented extends Augmentation {
  /** `[channels, height, width]` */
  readonly shape: readonly number[];
  readonly seed: number;
  readonly generator: GeneratorVersion;
}

export const batchCount = ({ order, batchSize }: Pick<BatchPlan, "order" | "batchSize">): number => Math.ceil(order.length / batchSize);
/** Number of examples in a batch; the last may be smaller. */
export const sizeOfBatch = ({ order, batchSize }: Pick<BatchPlan, "order" | "batchSize">, number: number): number => Math.min(batchSize, order.length - number * batchSize);

/** Writes batch `number` into arrays that are large enough. */
export function fillBatch({ examples, order, batchSize, augmentation }: BatchPlan, number: number, features: Examples["features"], labels: Examples["labels"]): void {
  const width = examples.features.length / examples.count;
  const random = augmentation && new Random(augmentation.seed, "augmentation", augmentation.generator, number);
  const first = number * batchSize;
  const size = sizeOfBatch({ order, batchSize }, number);
  for (let i = 0; i < size; i++) {
    const example = order[first + i]!;
    if (augmentation) augmentInto(features, i * width, examples.features, example * width, augmentation.shape, augmentation, random!);
    else features.set(examples.features.subarray(example * width, (example + 1) * width), i * width);
    labels[i] = examples.labels[example]!;
  }
}

/** Arrays for the batches of a plan by number; batches of equal size share them. */
export function batchBuffers(plan: BatchPlan): (number: number) => Batch {
  const { features, labels, count } = plan.examples;
  const width = features.length / count;
  const buffers = new Map<number, Batch>();
  return (number) => {
    const size = sizeOfBatch(plan, number);
    let batch = buffers.get(size);
    if (!batch) buffers.set(size, (batch = { size, features: arrayLike(features, size * width), labels: arrayLike(labels, size) }));
    return batch;
  };
}

/** The batches of a plan from number `first` on. A later batch overwrites the arrays. */
export function* batchesInOrder(plan: BatchPlan, first = 0): Generator<Batch> {
  const buffers = batchBuffers(plan);
  for (let number = first; number < batchCount(plan); number++) {
    const batch = buffers(number);
    fillBatch(plan, number, batch.features, batch.labels);
    yield batch;
  }
}

/** The examples in stored order, in batches that are views of them. */
export function* batchesAsTheyStand(examples: Examples, batchSize: number): Generator<Batch> {
  const width = examples.features.length / examples.count;
  for (let start = 0; start < examples.count; start += batchSize) {
    const end = Math.min(start + batchSize, examples.count);
    yield {
      size: end - start,
      features: examples.features.subarray(start * width, end * width),
      labels: examples.labels.subarray(start, end),
    };
  }
}
