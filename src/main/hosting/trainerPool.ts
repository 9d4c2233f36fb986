/**
 * Pool of trainer processes that train one run after another. Starting a process and loading its
 * data takes as long as an epoch of a small model; a warm process does it once. A crash costs one
 * run: the crashed process is not reused.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ToTrainer } from "../trainer/messages.ts";
import { LaunchingTrainer } from "./launchingTrainer.ts";
import type { LaunchTrainer, StartTrainer, Trainer } from "./process.ts";
import { TrainerListeners } from "./trainerListeners.ts";

export interface TrainerPoolOptions {
  readonly launch: LaunchTrainer;
  /** Folder of imported networks, which every process is told. */
  readonly networks?: string | undefined;
  /** An idle process is ended after this time (milliseconds). */
  readonly idleFor?: number;
  /** Max runs per process, which bounds memory leaks. */
  readonly runsEach?: number;
}

/** A process and its current lease. */
interface Worker {
  readonly trainer: Trainer;
  lease: Lease | null;
  runs: number;
  idle: NodeJS.Timeout | undefined;
}

export class TrainerPool {
  readonly #options: TrainerPoolOptions;
  readonly #workers = new Set<Worker>();
  /** Every process that runs or is launching. */
  readonly #live = new Set<LaunchingTrainer>();
  #closed = false;

  constructor(options: TrainerPoolOptions) {
    this.#options = options;
  }

  /** A trainer for one run: an idle process or a new one. It "exits" when its run has ended. */
  readonly start: StartTrainer = () => {
    const worker = [...this.#workers].find(({ lease }) => lease === null) ?? this.#newWorker();
    clearTimeout(worker.idle);
    worker.runs++;
    return (worker.lease = new Lease(worker.trainer));
  };

  /** A trainer with a new process that is not reused. */
  readonly startAlone: StartTrainer = () => {
    const trainer = new LaunchingTrainer(this.#closed ? () => Promise.reject(new Error("Hypertower is closing")) : this.#options.launch);
    this.#live.add(trainer);
    const { networks } = this.#options;
    if (networks !== undefined) trainer.send({ type: "networks", folder: networks });
    void trainer.processGone.then(() => this.#live.delete(trainer));
    return trainer;
  };

  /** Ends every process, including those still launching, and launches no more. Resolves when all have exited, or after `within` milliseconds. */
  async close(within = 5_000): Promise<void> {
    this.#closed = true;
    for (const { idle } of this.#workers) clearTimeout(idle);
    for (const trainer of this.#live) trainer.kill();
    const gone = Promise.all([...this.#live].map((trainer) => trainer.processGone));
    await Promise.race([gone, delay(within, undefined, { ref: false })]);
  }

  #newWorker(): Worker {
    const worker: Worker = { trainer: this.startAlone(), lease: null, runs: 0, idle: undefined };
    this.#workers.add(worker);
    worker.trainer.onMessage((message) => {
      if (message.type === "idle") this.#free(worker);
      else worker.lease?.receive(message);
    });
    worker.trainer.onExit((exit) => {
      this.#workers.delete(worker);
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
    worker.trainer.kill();
  }
}

/** Jobs after which a trainer is idle again. */
type Work = Extract<ToTrainer, { readonly stay?: boolean }>;
const works: ReadonlySet<string> = new Set<Work["type"]>(["start", "startCohort", "measure", "predict"]);
const isWork = (message: ToTrainer): message is Work => works.has(message.type);

/** A process for the duration of one run. */
class Lease extends TrainerListeners implements Trainer {
  readonly #trainer: Trainer;

  constructor(trainer: Trainer) {
    super();
    this.#trainer = trainer;
  }

  get pid(): number | undefined {
    return this.#trainer.pid;
  }

  get launched(): Promise<boolean> {
    return this.#trainer.launched;
  }

  send(message: ToTrainer): void {
    if (!this.gone) this.#trainer.send(isWork(message) ? { ...message, stay: true } : message);
  }

  kill(): void {
    if (!this.gone) this.#trainer.kill();
  }
}
