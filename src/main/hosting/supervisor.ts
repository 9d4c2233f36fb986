/** Starts and controls the trainers of a machine, one process per run, limited to its capacity. */
import { isActive, type Evaluation, type RunEvent, type RunSummary } from "../../shared/run.ts";
import { ActiveRun, type ActiveRunHooks, type Beginning, type EngineTrouble } from "./activeRun.ts";
import { CheckpointFolder } from "./checkpoint/folder.ts";
import { CohortProcess } from "./cohortProcess.ts";
import type { Machine } from "./machine.ts";
import type { RemotePlace, RemoteProgram } from "./process.ts";
import type { RunLog } from "./runLog.ts";
import type { WatchdogOptions } from "./watchdog.ts";
import { WeightsFolder } from "./weights/folder.ts";

export interface SupervisorOptions {
  readonly machine: Pick<Machine, "startTrainer" | "places" | "hasFreeCore">;
  readonly log: RunLog;
  /** Folder of the store, for checkpoints and weights; without it, neither is saved. */
  readonly storeFolder?: string;
  /** Milliseconds between checkpoints of a run. */
  readonly checkpointEvery?: number;
  /** Number of concurrent runs currently requested, even beyond the machine's capacity; further runs wait. Paused runs do not count. */
  readonly wanted?: () => number;
  /** A run changed; `atOnce`: its status did. */
  readonly onChange: (run: RunSummary, atOnce: boolean) => void;
  readonly onEvaluation: (run: string, evaluation: Evaluation) => void;
  readonly onKept?: (run: string) => void;
  /** Another process has taken a run, so its trainer here was ended. @param dropped number of unwritten steps that were lost */
  readonly onLost?: (run: RunSummary, dropped: number) => void;
  readonly onEvent?: (run: string, event: RunEvent) => void;
  readonly onEngineFailure?: (run: RunSummary, reason: string, kind: EngineTrouble) => void;
  /** Limits of a trainer's silence. */
  readonly watch?: WatchdogOptions | undefined;
  /** Max wait of pause, resume and stop for the trainer's answer (milliseconds). */
  readonly answerWithin?: number;
  /** A trainer that does not stop within this time (milliseconds) is killed. */
  readonly stopWithin?: number;
  /** The same on close (milliseconds). */
  readonly closeWithin?: number;
}

/** Runs that train together as one program. */
export interface Cohort {
  readonly size: number;
  isComplete: boolean;
  /** Call when all its runs have been started. */
  complete(): void;
}

/** A run's seat in a cohort, numbered from 0; no two runs share one. */
export interface CohortSeat {
  readonly cohort: Cohort;
  readonly number: number;
}

/** Cohorts up to this size write checkpoints as often as a single run; larger ones less often. */
const membersAtPace = 16;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #runs = new Map<string, ActiveRun>();
  readonly #seats = new WeakMap<ActiveRun, CohortSeat>();
  /** Where runs train that do not train on this machine. */
  readonly #elsewhere = new WeakMap<ActiveRun, RemotePlace>();
  /** Last `coreFree` value sent to each trainer. */
  readonly #sentCoreFree = new WeakMap<ActiveRun, boolean>();
  #closing = false;
  /** Starts nothing: the store cannot be used. */
  #held = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Trains a run that the log already contains, now or when capacity is free. Requeue a run that is not new before.
   * @param seat in a cohort, which starts once it is complete
   * @param why reason for the choice of its engine
   * @param elsewhere where it trains, unless on this machine
   */
  start(run: RunSummary, beginning: Beginning = "new", seat?: CohortSeat, why?: string, elsewhere?: RemotePlace): RunSummary {
    if (this.#closing) throw new Error("the supervisor is closing");
    const { storeFolder, checkpointEvery = 5_000 } = this.#options;
    // A cohort pauses while all its members write their checkpoints.
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
        this.#fillCapacity();
      },
    };
    const active: ActiveRun = new ActiveRun(run, beginning, hooks, why);
    this.#runs.set(run.id, active);
    if (seat) this.#seats.set(active, seat);
    if (elsewhere) this.#elsewhere.set(active, elsewhere);
    this.#fillCapacity();
    return active.summary;
  }

  /** A cohort of `size` seats. Its runs train as one program once it is complete; it counts as one run. */
  cohort(size: number): Cohort {
    const cohort: Cohort = {
      size,
      isComplete: false,
      complete: () => {
        cohort.isComplete = true;
        this.#fillCapacity();
      },
    };
    return cohort;
  }

  /** Whether close() was called; no run can be started then. */
  get closing(): boolean {
    return this.#closing;
  }

  /** State of a run that is trained here; undefined for other runs. */
  get(id: string): RunSummary | undefined {
    return this.#runs.get(id)?.summary;
  }

  /** Resolves when the trainer of an ended run has exited, at the latest after `stopWithin`. */
  async left(id: string): Promise<void> {
    await this.#runs.get(id)?.settled(() => false, this.#options.stopWithin ?? 15_000);
  }

  /** Runs here that have not ended: training, paused or queued. */
  get active(): readonly RunSummary[] {
    return [...this.#runs.values()].flatMap(({ summary }) => (isActive(summary.status) ? [summary] : []));
  }

  /** Number of runs here that close() would stop: those on other machines go on. */
  get training(): number {
    return [...this.#runs.values()].filter((run) => isActive(run.summary.status) && !this.#elsewhere.has(run)).length;
  }

  /** Renames a run from its next change on. */
  rename(id: string, name: string): void {
    this.#runs.get(id)?.rename(name);
  }

  /** Replaces the tags of a run from its next change on. */
  tag(id: string, tags: RunSummary["tags"]): void {
    this.#runs.get(id)?.tag(tags);
  }

  /** Resolves when the trainer has paused, or after `answerWithin`. */
  async pause(id: string): Promise<RunSummary> {
    const active = this.#active(id);
    const { hasTrainer } = active;
    active.pause();
    // Its cohort starts without it.
    if (hasTrainer && !active.hasTrainer) {
      this.#seats.delete(active);
      this.#sentCoreFree.delete(active);
    }
    const paused = await this.#settle(active, (run) => run.status === "paused");
    this.#fillCapacity();
    return paused;
  }

  async resume(id: string): Promise<RunSummary> {
    const active = this.#active(id);
    this.#held = false;
    if (active.hasTrainer) {
      active.resume();
      this.#fillCapacity();
      return this.#settle(active, (run) => run.status === "running");
    }
    if (active.summary.status === "paused") active.setWaiting("queued");
    this.#fillCapacity();
    return active.summary;
  }

  /** Takes back a pause that the run's trainer may not have answered yet. */
  unpause(id: string): void {
    const active = this.#runs.get(id);
    if (active?.hasTrainer) active.resume();
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
    // From now on only the store knows the run's state.
    this.#runs.delete(id);
    active.abandon();
    this.#options.onLost?.(active.summary, dropped);
    this.#fillCapacity();
  }

  /** Ends a run whose rows cannot be written although the store works. */
  unwritable(id: string, reason: string): void {
    this.#runs.get(id)?.fail(`What it logged could not be written: ${reason}`);
  }

  /** Pauses every run with a reason and starts none, until releaseAll() or until the user resumes a run. */
  holdAll(reason: string): void {
    this.#held = true;
    for (const active of this.#runs.values()) active.hold(reason);
  }

  /** Resumes the runs that holdAll() paused, except those that the user has paused since. @param because for the runs' logs */
  releaseAll(because: string): void {
    this.#held = false;
    for (const active of this.#runs.values()) active.release(because);
    this.#fillCapacity();
  }

  /** Stops every trainer and waits until all have exited; kills those that do not stop in time. */
  async close(): Promise<void> {
    this.#closing = true;
    const { closeWithin = 5_000 } = this.#options;
    const runs = [...this.#runs.values()];
    for (const active of runs) {
      const elsewhere = this.#elsewhere.get(active);
      if (elsewhere) active.leaveThere(`Hypertower was closed; ${elsewhere.name} goes on with this run, and it is taken in when Hypertower is next started.`);
      else active.stop("leave", closeWithin, "Hypertower was closed.", {
        status: "interrupted",
        reason: "Hypertower was closed and the trainer did not stop in time.",
      });
    }
    // A kill takes effect at once, except in a process blocked in the kernel.
    await Promise.all(runs.map((active) => active.settled(() => false, closeWithin + 1_000)));
    for (const active of runs) active.end("interrupted", "Hypertower was closed and the trainer could not be ended.");
  }

  #active(id: string): ActiveRun {
    const active = this.#runs.get(id);
    if (!active) throw new Error(`run ${id} is not trained here`);
    return active;
  }

  async #settle(active: ActiveRun, done: (run: RunSummary) => boolean): Promise<RunSummary> {
    // Other machines answer when they next hand something in.
    const within = this.#elsewhere.has(active) ? 0 : (this.#options.answerWithin ?? 2_000);
    await active.settled((run) => done(run) || !isActive(run.status), within);
    return active.summary;
  }

  /** Runs whose trainers are training or launching on this machine. */
  #training(): ActiveRun[] {
    return [...this.#runs.values()].filter((run) => run.trains && !this.#elsewhere.has(run));
  }

  /** Tells trainers whether a core is free. */
  #tellCoreFree(): void {
    const training = this.#training();
    const units = new Map(training.map((run) => [this.#seats.get(run)?.cohort ?? run, run.summary.experiment.engine.threads]));
    const taken = [...units.values()].reduce((sum, threads) => sum + threads, 0);
    const free = this.#options.machine.hasFreeCore(taken);
    for (const run of training) {
      if (this.#sentCoreFree.get(run) === free) continue;
      this.#sentCoreFree.set(run, free);
      run.send({ type: "coreFree", free });
    }
  }

  #fillCapacity(): void {
    this.#startQueued();
    this.#tellCoreFree();
  }

  /** Hands queued runs over that train elsewhere: this machine's capacity does not limit them. */
  #startElsewhere(): void {
    for (const active of [...this.#runs.values()]) {
      const place = this.#elsewhere.get(active);
      if (this.#closing || this.#held) return;
      if (!place || active.hasTrainer || active.summary.status !== "queued") continue;
      const cohort = this.#seats.get(active)?.cohort;
      if (cohort?.isComplete) this.#launchCohort(cohort, place.program(cohort.size));
      if (cohort) continue;
      const program = place.program(1);
      active.launch(program.at(0));
      program.go();
    }
  }

  #startQueued(): void {
    this.#startElsewhere();
    const { machine, wanted } = this.#options;
    const capacity = Math.max(machine.places, wanted?.() ?? 0);
    for (const active of [...this.#runs.values()]) {
      const taken = new Set(this.#training().map((run) => this.#seats.get(run)?.cohort ?? run)).size;
      if (taken >= capacity || this.#closing || this.#held) return;
      if (active.hasTrainer || active.summary.status !== "queued" || this.#elsewhere.has(active)) continue;
      const cohort = this.#seats.get(active)?.cohort;
      if (!cohort) active.launch(machine.startTrainer);
      else if (cohort.isComplete) this.#launchCohort(cohort, new CohortProcess(machine.startTrainer, cohort.size));
    }
  }

  /** Launches the queued members together. A member paused in the queue trains alone later. */
  #launchCohort(cohort: Cohort, process: RemoteProgram): void {
    const members = [...this.#runs.values()].filter((run) => this.#seats.get(run)?.cohort === cohort && !run.hasTrainer);
    for (const run of members) {
      if (run.summary.status === "queued") run.launch(process.at(this.#seats.get(run)!.number));
      else this.#seats.delete(run);
    }
    process.go();
  }
}
