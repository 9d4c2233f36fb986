/** Batches of examples, in a seeded order or as they stand. */
import type { Examples } from "../datasets/dataset.ts";

export interface Batch {
  readonly size: number;
  readonly features: Examples["features"];
  readonly labels: Examples["labels"];
}

/** An empty array of the same kind. */
const like = <A extends Uint8Array | Float32Array>(array: A, length: number) => (array instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length)) as A;

/** Batches in the given order from the one numbered `first` on; the last may be smaller. The arrays of a batch are written over by a later one. */
export function* batchesInOrder(examples: Examples, order: Uint32Array, batchSize: number, first = 0): Generator<Batch> {
  const width = examples.features.length / examples.count;
  const buffers = new Map<number, Batch>();
  for (let start = first * batchSize; start < order.length; start += batchSize) {
    const size = Math.min(batchSize, order.length - start);
    let batch = buffers.get(size);
    if (!batch) buffers.set(size, (batch = { size, features: like(examples.features, size * width), labels: like(examples.labels, size) }));
    for (let i = 0; i < size; i++) {
      const example = order[start + i]!;
      batch.features.set(examples.features.subarray(example * width, (example + 1) * width), i * width);
      batch.labels[i] = examples.labels[example]!;
    }
    yield batch;
  }
}

/** The examples one after another as they stand, in batches that are views of them. */
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
