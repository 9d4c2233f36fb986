/** Starts and steers the trainers of a machine, one process a run, not more at a time than fit on it. */
import { isActive, type Evaluation, type RunEvent, type RunSummary } from "../../shared/run.ts";
import { ActiveRun, type ActiveRunHooks, type Beginning, type EngineTrouble } from "./activeRun.ts";
import { CheckpointFolder } from "./checkpoint/folder.ts";
import { CohortProcess } from "./cohortProcess.ts";
import type { Machine } from "./machine.ts";
import type { RunLog } from "./runLog.ts";
import type { WatchdogOptions } from "./watchdog.ts";
import { WeightsFolder } from "./weights/folder.ts";

export interface SupervisorOptions {
  readonly machine: Pick<Machine, "startTrainer" | "places" | "hasFreeCore">;
  readonly log: RunLog;
  /** Folder of the store, for checkpoints; without it, none are kept. */
  readonly storeFolder?: string;
  /** Milliseconds between two checkpoints of a run. */
  readonly checkpointEvery?: number;
  /** Runs that are to train at the same time at present even where the machine has fewer places; more wait in line. A paused run takes no place. */
  readonly wanted?: () => number;
  /** A run changed; `atOnce` when its status did. */
  readonly onChange: (run: RunSummary, atOnce: boolean) => void;
  readonly onEvaluation: (run: string, evaluation: Evaluation) => void;
  readonly onKept?: (run: string) => void;
  /** Another process has taken a run, so its trainer here is ended; `dropped` steps that were not written yet are gone. */
  readonly onLost?: (run: RunSummary, dropped: number) => void;
  readonly onEvent?: (run: string, event: RunEvent) => void;
  readonly onEngineFailure?: (run: RunSummary, reason: string, kind: EngineTrouble) => void;
  /** How long a trainer may be silent before it is taken to hang. */
  readonly watch?: WatchdogOptions | undefined;
  /** How long pause, resume and stop wait for the trainer's answer before they return (milliseconds). */
  readonly answerWithin?: number;
  /** A trainer that has not stopped by then is killed (milliseconds). */
  readonly stopWithin?: number;
  /** The same while closing (milliseconds). */
  readonly closeWithin?: number;
}

/** Runs that train as one program. */
export interface Cohort {
  readonly size: number;
  isComplete: boolean;
  /** Every run that belongs to it has been started. */
  complete(): void;
}

/** A run's place in a cohort, from 0; each is taken once. */
export interface CohortSeat {
  readonly cohort: Cohort;
  readonly number: number;
}

/** Members of a cohort that write checkpoints as often as a run alone; more do it less often. */
const membersAtPace = 16;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #runs = new Map<string, ActiveRun>();
  readonly #seats = new WeakMap<ActiveRun, CohortSeat>();
  /** What trainers were told last: whether a core is free. */
  readonly #told = new WeakMap<ActiveRun, boolean>();
  #closing = false;
  /** Nothing is started for now: what it logs could not be written. */
  #held = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Trains a run that the log already knows, now or when a place is free. One that is not new is queued again before.
   * @param seat in a cohort, with which it begins once that is complete
   * @param why its engine was taken
   */
  start(run: RunSummary, beginning: Beginning = "new", seat?: CohortSeat, why?: string): RunSummary {
    if (this.#closing) throw new Error("the supervisor is closing");
    const { storeFolder, checkpointEvery = 5_000 } = this.#options;
    // All members write theirs at one time, while none of them trains.
    const every = checkpointEvery * Math.max(1, (seat?.cohort.size ?? 1) / membersAtPace);
    const hooks: ActiveRunHooks = {
      ...this.#options,
      checkpoints: storeFolder === undefined ? undefined : { folder: new CheckpointFolder(storeFolder), weights: new WeightsFolder(storeFolder), every },
      onChange: (changed, atOnce) => {
        this.#options.onChange(changed, atOnce);
        if (atOnce) this.#tellCoreFree();
      },
      onLeaseLost: (lost) => this.leaseLost(lost, 0),
      onGone: () => {
        if (this.#runs.get(run.id) === active) this.#runs.delete(run.id);
        this.#fillPlaces();
      },
    };
    const active: ActiveRun = new ActiveRun(run, beginning, hooks, why);
    this.#runs.set(run.id, active);
    if (seat) this.#seats.set(active, seat);
    this.#held = false;
    this.#fillPlaces();
    return active.summary;
  }

  /** A cohort of `size` seats: runs are started into it, and train as one program once it is complete. It takes the place of one run. */
  cohort(size: number): Cohort {
    const cohort: Cohort = {
      size,
      isComplete: false,
      complete: () => {
        cohort.isComplete = true;
        this.#fillPlaces();
      },
    };
    return cohort;
  }

  /** No run can be started any more. */
  get closing(): boolean {
    return this.#closing;
  }

  /** The state of a run that is trained here; undefined for any other. */
  get(id: string): RunSummary | undefined {
    return this.#runs.get(id)?.summary;
  }

  /** Resolves when the trainer of a run that has ended is gone, or was not there. */
  async left(id: string): Promise<void> {
    await this.#runs.get(id)?.settled(() => false, this.#options.stopWithin ?? 15_000);
  }

  /** Number of runs held here that have not ended: in training, paused or waiting in line. */
  get training(): number {
    return [...this.#runs.values()].filter(({ summary }) => isActive(summary.status)).length;
  }

  /** The name a run shows from its next change on. */
  rename(id: string, name: string): void {
    this.#runs.get(id)?.rename(name);
  }

  /** Returns once the trainer has paused, or still tries after `answerWithin`. */
  async pause(id: string): Promise<RunSummary> {
    const active = this.#active(id);
    const { hasTrainer } = active;
    active.pause();
    // Its cohort begins without it.
    if (hasTrainer && !active.hasTrainer) {
      this.#seats.delete(active);
      this.#told.delete(active);
    }
    const paused = await this.#settle(active, (run) => run.status === "paused");
    this.#fillPlaces();
    return paused;
  }

  async resume(id: string): Promise<RunSummary> {
    const active = this.#active(id);
    this.#held = false;
    if (active.hasTrainer) {
      active.send({ type: "resume" });
      this.#fillPlaces();
      return this.#settle(active, (run) => run.status === "running");
    }
    if (active.summary.status === "paused") active.setWaiting("queued");
    this.#fillPlaces();
    return active.summary;
  }

  async stop(id: string): Promise<RunSummary> {
    const active = this.#active(id);
    const { stopWithin = 15_000 } = this.#options;
    active.stop("stop", stopWithin, null, {
      status: "stopped",
      reason: `The trainer did not stop within ${stopWithin / 1000} s and was ended; steps not yet reported are missing.`,
    });
    return this.#settle(active, (run) => !isActive(run.status));
  }

  /** Another process has taken a run. */
  leaseLost(id: string, dropped: number): void {
    const active = this.#runs.get(id);
    if (!active) return;
    // From now on the store alone says how the run stands.
    this.#runs.delete(id);
    active.abandon();
    this.#options.onLost?.(active.summary, dropped);
    this.#fillPlaces();
  }

  /** What a run logged cannot be written, whatever the store's state: it ends. */
  unwritable(id: string, reason: string): void {
    this.#runs.get(id)?.fail(`What it logged could not be written: ${reason}`);
  }

  /** Pauses every run, which then shows the reason, and starts no other until a person resumes or starts one. */
  holdAll(reason: string): void {
    this.#held = true;
    for (const active of this.#runs.values()) active.hold(reason);
  }

  /** Stops every trainer and waits until all are gone; those that do not stop in time are killed. */
  async close(): Promise<void> {
    this.#closing = true;
    const { closeWithin = 5_000 } = this.#options;
    const runs = [...this.#runs.values()];
    for (const active of runs) {
      active.stop("leave", closeWithin, "Hypertower was closed.", {
        status: "interrupted",
        reason: "Hypertower was closed and the trainer did not stop in time.",
      });
    }
    // Killing takes effect at once, save in a process that the system itself holds.
    await Promise.all(runs.map((active) => active.settled(() => false, closeWithin + 1_000)));
    for (const active of runs) active.end("interrupted", "Hypertower was closed and the trainer could not be ended.");
  }

  #active(id: string): ActiveRun {
    const active = this.#runs.get(id);
    if (!active) throw new Error(`run ${id} is not trained here`);
    return active;
  }

  async #settle(active: ActiveRun, done: (run: RunSummary) => boolean): Promise<RunSummary> {
    await active.settled((run) => done(run) || !isActive(run.status), this.#options.answerWithin ?? 2_000);
    return active.summary;
  }

  /** Those whose trainers are at work, or on their way. */
  #training(): ActiveRun[] {
    return [...this.#runs.values()].filter((run) => run.hasTrainer && run.summary.status !== "paused");
  }

  /** Whether the trainers' threads leave a core over. */
  #tellCoreFree(): void {
    const training = this.#training();
    const places = new Map(training.map((run) => [this.#seats.get(run)?.cohort ?? run, run.summary.experiment.engine.threads]));
    const taken = [...places.values()].reduce((sum, threads) => sum + threads, 0);
    const free = this.#options.machine.hasFreeCore(taken);
    for (const run of training) {
      if (this.#told.get(run) === free) continue;
      this.#told.set(run, free);
      run.send({ type: "coreFree", free });
    }
  }

  #fillPlaces(): void {
    this.#startWaiting();
    this.#tellCoreFree();
  }

  #startWaiting(): void {
    const { machine, wanted } = this.#options;
    const places = Math.max(machine.places, wanted?.() ?? 0);
    for (const active of [...this.#runs.values()]) {
      const taken = new Set(this.#training().map((run) => this.#seats.get(run)?.cohort ?? run)).size;
      if (taken >= places || this.#closing || this.#held) return;
      if (active.hasTrainer || active.summary.status !== "queued") continue;
      const cohort = this.#seats.get(active)?.cohort;
      if (!cohort) active.launch(machine.startTrainer);
      else if (cohort.isComplete) this.#launchCohort(cohort);
    }
  }

  /** One that was paused in the queue when the others began trains by itself later. */
  #launchCohort(cohort: Cohort): void {
    const members = [...this.#runs.values()].filter((run) => this.#seats.get(run)?.cohort === cohort && !run.hasTrainer);
    const process = new CohortProcess(this.#options.machine.startTrainer, cohort.size);
    for (const run of members) {
      if (run.summary.status === "queued") run.launch(process.at(this.#seats.get(run)!.number));
      else this.#seats.delete(run);
    }
    process.go();
  }
}
