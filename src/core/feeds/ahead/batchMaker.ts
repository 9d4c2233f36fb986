/**
 * Prepares batches in a worker thread, ahead of training. A batch depends only on its plan and its
 * number, so either thread can make it: if the worker is late, the training thread makes the batch
 * itself and never waits for long.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { MessageChannel, Worker } from "node:worker_threads";
import { messageOf } from "../../../shared/errors.ts";
import { batchBuffers, batchCount, batchesInOrder, fillBatch, type Batch, type BatchPlan } from "../batches.ts";
import { makeRing, slotOf, ready, taken, todo, underWay } from "./ring.ts";
import type { WorkerData, WorkerOrder } from "./worker.ts";

/**
 * Milliseconds that training waits for a batch in progress before it makes the batch itself: the
 * worker may lack a core.
 */
const patience = 2;

/**
 * Maximum number of epochs prepared at once, since each needs memory; others make their own
 * batches.
 */
const most = 4;

/** Next to the sources, or next to the built trainer. */
function workerFile(): string {
  const here = import.meta.dirname;
  if (import.meta.filename.endsWith(".ts")) return join(here, "worker.ts");
  const built = join(here, "batchWorker.js");
  return existsSync(built) ? built : join(dirname(here), "batchWorker.js");
}

/** The worker thread failed, not the engine. */
export class BatchError extends Error {}

interface Running {
  readonly thread: Worker;
  readonly send: (order: WorkerOrder) => void;
}

export class BatchMaker {
  readonly #wake = new Int32Array(new SharedArrayBuffer(4));
  readonly #entry: string;
  #worker: Running | undefined;
  #failure: Error | undefined;
  #ids = 0;
  #underWay = 0;
  #handedOver = 0;

  /** The thread starts with the first epoch and does not keep the process alive. */
  constructor(entry = workerFile()) {
    this.#entry = entry;
  }

  /** Number of epochs that the worker prepares. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Number of batches that the worker made in time. */
  get handedOver(): number {
    return this.#handedOver;
  }

  /**
   * The batches of a plan from number `first` on. A later batch overwrites the arrays.
   * @throws BatchError when the worker thread has failed
   */
  *batches(plan: BatchPlan, first = 0): Generator<Batch> {
    if (this.#underWay >= most) {
      yield* batchesInOrder(plan, first);
      return;
    }
    this.#underWay++;
    const id = this.#ids++;
    const ring = makeRing(plan, first);
    const buffers = batchBuffers(plan);
    try {
      this.#send({ type: "begin", id, plan, ring });
      for (let number = first; number < batchCount(plan); number++) {
        if (this.#failure) throw this.#failure;
        const batch = buffers(number);
        Atomics.store(ring.position, 0, number);
        let state = Atomics.compareExchange(ring.states, number, todo, taken);
        if (state === underWay) {
          Atomics.wait(ring.states, number, underWay, patience);
          state = Atomics.load(ring.states, number);
        }
        if (state === ready) {
          // Copied, because engines may not accept shared memory.
          const place = slotOf(ring, number);
          batch.features.set(place.features.subarray(0, batch.features.length) as never);
          batch.labels.set(place.labels.subarray(0, batch.size) as never);
          Atomics.store(ring.position, 0, number + 1);
          this.#handedOver++;
        } else fillBatch(plan, number, batch.features, batch.labels);
        this.#rouse();
        yield batch;
      }
    } finally {
      this.#underWay--;
      this.#send({ type: "end", id });
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.thread.terminate();
  }

  #send(order: WorkerOrder): void {
    this.#worker ??= this.#start();
    this.#worker.send(order);
    this.#rouse();
  }

  #rouse(): void {
    Atomics.add(this.#wake, 0, 1);
    Atomics.notify(this.#wake, 0);
  }

  #start(): Running {
    const { port1, port2 } = new MessageChannel();
    const workerData: WorkerData = { orders: port2, wake: this.#wake };
    const thread = new Worker(this.#entry, { workerData, transferList: [port2], name: "batches" });
    thread.on("error", (error) => (this.#failure = new BatchError(`the worker thread for batches failed: ${messageOf(error)}`, { cause: error })));
    thread.unref();
    port1.unref();
    return { thread, send: (order) => port1.postMessage(order) };
  }
}
