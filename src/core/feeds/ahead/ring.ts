/**
 * Shared memory of the training thread and its worker: slots for batches, and which thread makes
 * each.
 */
import { arrayLike, type Labels } from "../../datasets/dataset.ts";
import { batchCount, type Batch, type BatchPlan } from "../batches.ts";

/** State of a batch. */
export const todo = 0;
export const underWay = 1;
export const ready = 2;
/** The training thread makes it, or has used it. */
export const taken = 3;

/** Maximum number of batches prepared ahead. */
const places = 4;

type BatchSlot = Pick<Batch, "features" | "labels">;

/** All fields lie in shared memory. */
export interface Ring {
  /** Number of the batch that training is at. */
  readonly position: Int32Array;
  /** A state for every batch of the plan. */
  readonly states: Int32Array;
  readonly places: readonly BatchSlot[];
}

/** A zeroed array of the same type in shared memory. */
const sharedLike = <A extends Labels>(array: A, length: number): A => arrayLike(array, length, new SharedArrayBuffer(length * array.BYTES_PER_ELEMENT));

export const isShared = (array: Labels): boolean => array.buffer instanceof SharedArrayBuffer;

/** The array itself if it is in shared memory, else a shared copy. */
export function shared<A extends Labels>(array: A): A {
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

/** Slot of a batch. */
export const slotOf = (ring: Ring, number: number): BatchSlot => ring.places[number % places]!;

/**
 * The next batch, from `from` on, with a free slot that nobody has started; null when there is
 * none.
 */
export function nextToMake({ position, states }: Ring, from: number): number | null {
  const at = Atomics.load(position, 0);
  const end = Math.min(states.length, at + places);
  for (let number = Math.max(from, at); number < end; number++) {
    if (Atomics.compareExchange(states, number, todo, underWay) === todo) return number;
  }
  return null;
}
