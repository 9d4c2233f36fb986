/** What a training thread and the thread that makes its batches share: places for batches, and who makes which. */
import { batchCount, type Batch, type BatchPlan } from "../batches.ts";

/** What has become of a batch. */
export const todo = 0;
export const underWay = 1;
export const ready = 2;
/** The training thread makes it, or has used it. */
export const taken = 3;

/** Batches that are made ahead at most. */
const places = 4;

type Place = Pick<Batch, "features" | "labels">;

/** All of it lies in shared memory. */
export interface Ring {
  /** Number of the batch that the training is at. */
  readonly position: Int32Array;
  /** One of the above for every batch of the plan. */
  readonly states: Int32Array;
  readonly places: readonly Place[];
}

/** An array of the same kind in shared memory, zeros. */
function sharedLike<A extends Uint8Array | Float32Array>(array: A, length: number): A {
  const memory = new SharedArrayBuffer(length * array.BYTES_PER_ELEMENT);
  return (array instanceof Uint8Array ? new Uint8Array(memory) : new Float32Array(memory)) as A;
}

export const isShared = (array: Uint8Array | Float32Array): boolean => array.buffer instanceof SharedArrayBuffer;

/** The array itself where it lies in shared memory, else a copy that does. */
export function shared<A extends Uint8Array | Float32Array>(array: A): A {
  if (isShared(array)) return array;
  const copy = sharedLike(array, array.length);
  copy.set(array);
  return copy;
}

export function makeRing(plan: BatchPlan, first: number): Ring {
  const { features, labels, count } = plan.examples;
  const width = features.length / count;
  const position = new Int32Array(new SharedArrayBuffer(4));
  position[0] = first;
  return {
    position,
    states: new Int32Array(new SharedArrayBuffer(4 * batchCount(plan))),
    places: Array.from({ length: places }, () => ({ features: sharedLike(features, plan.batchSize * width), labels: sharedLike(labels, plan.batchSize) })),
  };
}

/** Where a batch is put. */
export const placeOf = (ring: Ring, number: number): Place => ring.places[number % places]!;

/** The next batch that there is a place for and nobody has begun, from `from` on; null where there is none for now. */
export function nextToMake({ position, states }: Ring, from: number): number | null {
  const at = Atomics.load(position, 0);
  const end = Math.min(states.length, at + places);
  for (let number = Math.max(from, at); number < end; number++) {
    if (Atomics.compareExchange(states, number, todo, underWay) === todo) return number;
  }
  return null;
}
