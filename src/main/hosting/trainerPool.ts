/**
 * Trainers that train one run after another. A process, its imports and its data cost about as
 * much as an epoch of a small model; kept warm, that is paid once for many runs. A crash still
 * costs one run: the process that crashed is not used again.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";
import type { LaunchTrainer, TrainerExit, TrainerProcess } from "./process.ts";

export interface TrainerPoolOptions {
  readonly launch: LaunchTrainer;
  /** A trainer without a run is ended after this long (milliseconds). */
  readonly idleFor?: number;
  /** Runs that a process trains at most, so that nothing can pile up in it for ever. */
  readonly runsEach?: number;
}

/** A process and who has it at present. */
interface Worker {
  readonly process: TrainerProcess;
  lease: Lease | null;
  runs: number;
  idle: NodeJS.Timeout | undefined;
}

export class TrainerPool {
  readonly #options: TrainerPoolOptions;
  readonly #workers = new Set<Worker>();
  /** Killed, and not gone yet. */
  readonly #ending = new Map<Worker, PromiseWithResolvers<void>>();
  #closed = false;

  constructor(options: TrainerPoolOptions) {
    this.#options = options;
  }

  /** A trainer for one run: one that waits, or a new one. It "exits" when its run has ended. */
  readonly launch: LaunchTrainer = () => {
    const worker = [...this.#workers].find(({ lease }) => lease === null) ?? this.#start();
    clearTimeout(worker.idle);
    worker.runs++;
    return (worker.lease = new Lease(worker.process));
  };

  /** Ends the trainers that have no run, and keeps none from now on. Resolves when they are gone, or after `within` milliseconds. */
  async close(within = 1_000): Promise<void> {
    this.#closed = true;
    for (const worker of this.#workers) if (worker.lease === null) this.#end(worker);
    const gone = Promise.all([...this.#ending.values()].map(({ promise }) => promise));
    await Promise.race([gone, delay(within, undefined, { ref: false })]);
  }

  #start(): Worker {
    const worker: Worker = { process: this.#options.launch(), lease: null, runs: 0, idle: undefined };
    this.#workers.add(worker);
    worker.process.onMessage((message) => {
      if (message.type === "idle") this.#free(worker);
      else worker.lease?.receive(message);
    });
    worker.process.onExit((exit) => {
      this.#workers.delete(worker);
      this.#ending.get(worker)?.resolve();
      this.#ending.delete(worker);
      worker.lease?.exited(exit);
    });
    return worker;
  }

  #free(worker: Worker): void {
    const { lease } = worker;
    const { idleFor = 5_000, runsEach = 1_000 } = this.#options;
    worker.lease = null;
    if (this.#closed || worker.runs >= runsEach) this.#end(worker);
    else {
      worker.idle = setTimeout(() => this.#end(worker), idleFor);
      worker.idle.unref();
    }
    lease?.exited({ code: 0, signal: null, stderr: "" });
  }

  #end(worker: Worker): void {
    this.#workers.delete(worker);
    clearTimeout(worker.idle);
    this.#ending.set(worker, Promise.withResolvers());
    worker.process.kill();
  }
}

/** What a trainer does and is then free again. */
type Work = Extract<ToTrainer, { readonly stay?: boolean }>;
const works: ReadonlySet<string> = new Set<Work["type"]>(["start", "startCohort", "measure", "predict"]);
const isWork = (message: ToTrainer): message is Work => works.has(message.type);

/** A process as long as one run has it. */
class Lease implements TrainerProcess {
  readonly #process: TrainerProcess;
  readonly #messages = new Set<(message: FromTrainer) => void>();
  readonly #exits = new Set<(exit: TrainerExit) => void>();
  #exit: TrainerExit | undefined;

  constructor(process: TrainerProcess) {
    this.#process = process;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  send(message: Parameters<TrainerProcess["send"]>[0]): void {
    if (this.#exit) return;
    this.#process.send(isWork(message) ? { ...message, stay: true } : message);
  }

  onMessage(listener: (message: FromTrainer) => void): () => void {
    this.#messages.add(listener);
    return () => this.#messages.delete(listener);
  }

  onExit(listener: (exit: TrainerExit) => void): () => void {
    if (this.#exit) queueMicrotask(() => this.#exit && listener(this.#exit));
    else this.#exits.add(listener);
    return () => this.#exits.delete(listener);
  }

  kill(): void {
    if (!this.#exit) this.#process.kill();
  }

  receive(message: FromTrainer): void {
    for (const listener of this.#messages) listener(message);
  }

  exited(exit: TrainerExit): void {
    if (this.#exit) return;
    this.#exit = exit;
    for (const listener of this.#exits) listener(exit);
  }
}
