/**
 * Worker thread that makes batches: the next batch of every active epoch, until all slots are full.
 */
import { receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { fillBatch, type BatchPlan } from "../batches.ts";
import { nextToMake, slotOf, ready, type Ring } from "./ring.ts";

export interface WorkerData {
  /** Delivers orders; read whenever `wake` changes. */
  readonly orders: MessagePort;
  readonly wake: Int32Array;
}

export type WorkerOrder = { readonly type: "begin"; readonly id: number; readonly plan: BatchPlan; readonly ring: Ring } | { readonly type: "end"; readonly id: number };

interface Epoch {
  readonly plan: BatchPlan;
  readonly ring: Ring;
  next: number;
}

const { orders, wake } = workerData as WorkerData;
const epochs = new Map<number, Epoch>();

function read(): void {
  for (let received; (received = receiveMessageOnPort(orders)); ) {
    const order = received.message as WorkerOrder;
    if (order.type === "begin") epochs.set(order.id, { plan: order.plan, ring: order.ring, next: 0 });
    else epochs.delete(order.id);
  }
}

function makeOne(epoch: Epoch): boolean {
  const { plan, ring } = epoch;
  const number = nextToMake(ring, epoch.next);
  if (number === null) return false;
  const { features, labels } = slotOf(ring, number);
  fillBatch(plan, number, features, labels);
  Atomics.store(ring.states, number, ready);
  Atomics.notify(ring.states, number);
  epoch.next = number + 1;
  return true;
}

for (;;) {
  const seen = Atomics.load(wake, 0);
  read();
  let made = false;
  for (const epoch of epochs.values()) made = makeOne(epoch) || made;
  if (!made) Atomics.wait(wake, 0, seen);
}
