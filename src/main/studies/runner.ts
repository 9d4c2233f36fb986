/** Trains a study: at most `workers` programs at a time, until every cell has its result. */
import { messageOf } from "../../shared/errors.ts";
import { totalSteps, type Experiment } from "../../shared/experiment.ts";
import { isActive, type Evaluation, type RunSummary } from "../../shared/run.ts";
import { groupBy } from "../../shared/study/curves.ts";
import { cohortSize, cohortsOf } from "../../shared/study/cohorts.ts";
import type { StudyCell } from "../../shared/study/expand.ts";
import { trainingRanks } from "../../shared/study/order.ts";
import { startOf, type CellStart } from "../../shared/study/reruns.ts";
import type { StudyStatus } from "../../shared/study/result.ts";
import { TrainedClock } from "../hosting/trainedClock.ts";
import type { CellRun, CellState, StoredStudy } from "../store/studies.ts";
import type { Cohort, CohortSeat } from "../hosting/supervisor.ts";
import { isOutage } from "../store/errors.ts";
import { atRung, rungsOf, type Rungs } from "./halving.ts";
import { Speed } from "./speed.ts";

/** A run's study and cell, and the reason for its engine where the study chose it. */
export interface RunOrigin {
  readonly study: string;
  readonly cell: string;
  readonly why?: string | undefined;
}

/** Starts and controls single runs. */
export interface RunControls {
  /** Starts a run of a study, alone or in a cohort. */
  start(experiment: Experiment, origin: RunOrigin, seat?: CohortSeat): Promise<RunSummary>;
  /** Resumes a paused run, or one that ended early from its checkpoint, or from its first step if it has none. */
  resume(run: string, seat?: CohortSeat): Promise<RunSummary>;
  /** Takes back a pause that the run's trainer may not have answered yet. */
  unpause(run: string): void;
  /** A cohort of `size` seats, which starts once it is complete. */
  cohort(size: number): Cohort;
  pause(run: string): Promise<RunSummary>;
  stop(run: string): Promise<RunSummary>;
  /** State of a run that is trained here; undefined for others. */
  live(run: string): RunSummary | undefined;
  /** Resolves when the trainer of an ended run is free for another run. */
  left(run: string): Promise<void>;
}

export interface RunnerOptions {
  readonly stored: StoredStudy;
  readonly cells: readonly StudyCell[];
  readonly known: readonly CellRun[];
  readonly controls: RunControls;
  /** Measured duration of the whole study in milliseconds; null if unknown. */
  readonly expected: number | null;
  /** Reason for the engine, where the study chose it. */
  readonly engineWhy?: string | undefined;
  readonly save: (study: StoredStudy) => void;
  /** False when the store cannot be written at present. */
  readonly markPruned: (run: string, pruned: boolean) => boolean;
  /** The study's state or counts changed; `atOnce`: its status did. */
  readonly onChange: (atOnce: boolean) => void;
  /** A cell's state changed. */
  readonly onAdvance: (cell: StudyCell) => void;
}

/** State of a cell that has or had a run. */
interface Progress extends CellState {
  steps: number;
  evaluations: readonly Evaluation[];
  hyperparameters: RunSummary["hyperparameters"];
  /** Whether its run must be resumed, or replaced if it is in the bin. */
  again: boolean;
}

/** Failures of a cell after which it is not retried automatically. */
const maxFailures = 3;
/** Consecutive failed runs that stop the study: the machine, not the runs, is the likely cause. */
const maxFailuresInARow = 6;

/** Milliseconds until a run is started again that the store could not take. */
const retryAfter = 1_000;

export class StudyRunner {
  readonly #options: RunnerOptions;
  readonly #byRun = new Map<string, StudyCell>();
  readonly #progress = new Map<string, Progress>();
  readonly #failures = new Map<string, number>();
  /** Keys of cells whose run is being started or resumed. */
  readonly #beginning = new Set<string>();
  /** Cells of each cell's cohort, including itself, by key. */
  #cohorts = new Map<string, readonly StudyCell[]>();
  /** Program that each cell trains in, by key; each program occupies one worker. */
  readonly #units = new Map<string, object>();
  /** Runs that are stopping at a rung. */
  readonly #parked = new Set<string>();
  readonly #speed: Speed;
  readonly #clock: TrainedClock;
  #stored: StoredStudy;
  #cells: readonly StudyCell[] = [];
  /** Reruns by the key of their source cell. */
  #followers = new Map<string, StudyCell[]>();
  #ranks: ReadonlyMap<string, number> = new Map();
  #queue: StudyCell[] = [];
  #rungs: Rungs | null = null;
  #failed = 0;
  #abandoned = false;
  /** Whether the study is paused only because the store cannot be used. */
  #held = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#stored = options.stored;
    this.#clock = new TrainedClock(options.stored.trained);
    for (const run of options.known) this.#progress.set(run.cell, { ...run, again: false });
    this.#speed = new Speed(options.expected);
    this.define(options.stored.study, options.cells);
  }

  get stored(): StoredStudy {
    return this.#stored;
  }

  get held(): boolean {
    return this.#held;
  }

  /** Whether another process has taken the study. */
  get isAbandoned(): boolean {
    return this.#abandoned;
  }

  get cells(): readonly StudyCell[] {
    return this.#cells;
  }

  get states(): ReadonlyMap<string, CellState> {
    return this.#progress;
  }

  get millisecondsLeft(): number | null {
    if (this.#stored.status !== "running") return null;
    let left = 0;
    for (const cell of this.#cells) {
      const { key, experiment } = cell;
      const at = this.#progress.get(key);
      if (!at) left += this.#startOf(cell).kind === "impossible" ? 0 : totalSteps(experiment);
      else if (isActive(at.status) || this.#waits(at)) left += totalSteps(experiment) - at.steps;
    }
    return this.#speed.timeFor(left);
  }

  /** Replaces the study's definition; keeps its name and state. */
  define(study: StoredStudy["study"], cells: readonly StudyCell[]): void {
    this.#cells = cells;
    this.#stored = { ...this.#stored, study, total: cells.length };
    this.#ranks = trainingRanks(study, cells);
    this.#cohorts = new Map(cohortsOf(cells, study.seeds, cohortSize(study)).flatMap((cohort) => cohort.map(({ key }) => [key, cohort] as const)));
    this.#followers = groupBy(cells.filter(({ source }) => source), ({ source }) => source!.key);
    this.#byRun.clear();
    for (const cell of cells) {
      const at = this.#progress.get(cell.key);
      if (at) this.#byRun.set(at.run, cell);
    }
    this.#refillQueue();
  }

  /** Starts, or resumes after a pause or stop. */
  async run(): Promise<void> {
    this.#held = false;
    this.#failed = 0;
    this.#speed.restart();
    for (const at of this.#progress.values()) if (!at.deleted && (at.status === "stopped" || at.status === "interrupted")) at.again = true;
    this.#refillQueue();
    this.#set("running", null, { startedAt: this.#stored.startedAt ?? Date.now(), finishedAt: null });
    const { live, unpause } = this.#options.controls;
    const training = this.#training();
    const paused = training.filter((run) => live(run)?.status === "paused");
    // Trainers that were asked to pause and have not answered yet.
    for (const run of training) if (!paused.includes(run)) unpause(run);
    this.#fill();
    await Promise.all(paused.map((run) => this.#options.controls.resume(run).catch(() => undefined)));
  }

  async pause(): Promise<void> {
    this.#held = false;
    this.#set("paused", null);
    // A run that has just ended cannot be paused.
    await Promise.all(this.#training().map((run) => this.#options.controls.pause(run).catch(() => undefined)));
  }

  /** Starts no run until release(). The supervisor pauses the runs. */
  hold(reason: string): void {
    if (this.#stored.status !== "running") return;
    this.#held = true;
    this.#set("paused", reason);
  }

  /** Continues after hold(), unless the user has paused or stopped the study since. */
  release(): void {
    if (!this.#held || this.#stored.status !== "paused") return;
    this.#held = false;
    this.#set("running", null);
    this.#fill();
  }

  async stop(reason: string | null = null): Promise<void> {
    this.#end("stopped", reason);
    await Promise.all(this.#training().map((run) => this.#options.controls.stop(run).catch(() => undefined)));
  }

  /** Marks the study as interrupted when the host closes. The host stops the runs. */
  leave(): void {
    this.#end("interrupted", "Hypertower was closed.");
  }

  /** Stops the study's runs and saves nothing more: another process has taken the study. */
  async abandon(): Promise<void> {
    this.#abandoned = true;
    this.#stored = { ...this.#stored, status: "interrupted", reason: "Another Hypertower process took this study over." };
    await Promise.all(this.#training().map((run) => this.#options.controls.stop(run).catch(() => undefined)));
  }

  /** Frees the worker of a run that another process has taken; that process trains the cell. */
  lost(run: RunSummary): void {
    const [cell, at] = this.#latest(run.id);
    if (!cell || !at) return;
    at.status = run.status;
    this.#options.onAdvance(cell);
    this.#fill();
  }

  /** Requeues failed and missing runs. */
  retry(): void {
    this.#failures.clear();
    for (const at of this.#progress.values()) if (at.deleted || at.status === "failed") at.again = true;
  }

  /** A run was moved to the bin or back. */
  deleted(run: string, deleted: boolean): void {
    const [cell, at] = this.#latest(run);
    if (!cell || !at || at.deleted === deleted) return;
    at.deleted = deleted;
    this.#options.onAdvance(cell);
    this.#options.onChange(false);
  }

  evaluated(run: string, evaluation: Evaluation): void {
    const [cell, at] = this.#latest(run);
    if (!cell || !at) return;
    at.evaluations = [...at.evaluations.filter(({ step }) => step < evaluation.step), evaluation];
    this.#options.onAdvance(cell);
    const until = this.#rungs?.until;
    if (until !== null && until !== undefined && evaluation.epoch >= until && evaluation.epoch < cell.experiment.budget.epochs && !this.#parked.has(run)) {
      this.#parked.add(run);
      void this.#options.controls.stop(run).catch(() => undefined);
    }
  }

  /** A run of this study that is trained here changed. */
  changed(run: RunSummary): void {
    const [cell, at] = this.#latest(run.id);
    if (!cell || !at) return;
    this.#speed.add(Math.max(0, run.steps - at.steps));
    const news = at.status !== run.status;
    const ended = isActive(at.status) && !isActive(run.status);
    at.steps = run.steps;
    at.status = run.status;
    at.hyperparameters = run.hyperparameters;
    if (news) this.#options.onAdvance(cell);
    if (ended) this.#ended(cell, run);
    this.#options.onChange(false);
  }

  /** The cell whose latest run this is. */
  #latest(run: string): [cell?: StudyCell, at?: Progress] {
    const cell = this.#byRun.get(run);
    const at = cell && this.#progress.get(cell.key);
    return at?.run === run ? [cell, at] : [];
  }

  #ended(cell: StudyCell, { id, status, reason }: RunSummary): void {
    // A run that ended before the stop reached it is complete.
    if (this.#parked.delete(id) && status === "stopped") this.#progress.get(cell.key)!.again = true;
    if (status === "failed") {
      this.#failed++;
      const failures = (this.#failures.get(cell.key) ?? 0) + 1;
      this.#failures.set(cell.key, failures);
      if (this.#stored.status === "running" && this.#failed >= maxFailuresInARow) {
        void this.stop(`${this.#failed} runs in a row failed, the last one because: ${reason ?? "no reason was given"}`);
        return;
      }
      if (failures < maxFailures) {
        this.#progress.get(cell.key)!.again = true;
        this.#queue.push(cell);
      }
    } else if (status === "finished" || status === "diverged") this.#failed = 0;
    if (this.#stored.study.halving) this.#refillQueue();
    this.#queueFollowers(cell);
    void this.#options.controls.left(id).then(() => this.#fill());
  }

  /** Queues the reruns that an ended run makes possible, and reports those it makes impossible. */
  #queueFollowers({ key }: StudyCell): void {
    const followers = this.#followers.get(key);
    if (!followers) return;
    this.#refillQueue();
    for (const follower of followers) if (this.#startOf(follower).kind === "impossible") this.#options.onAdvance(follower);
  }

  /** What a cell trains, given the current state of its source run. */
  #startOf(cell: StudyCell): CellStart {
    const at = cell.source && this.#progress.get(cell.source.key);
    return startOf(cell, at?.deleted ? undefined : at);
  }

  /** Runs of this study that train here or are queued. */
  #training(): string[] {
    return this.#cells.flatMap(({ key }) => {
      const at = this.#progress.get(key);
      return at && isActive(at.status) && this.#options.controls.live(at.run) ? [at.run] : [];
    });
  }

  /** Whether the latest run of a cell must be resumed or replaced. */
  #waits({ again, pruned, status }: Progress): boolean {
    return again && !pruned && !isActive(status);
  }

  /**
   * Queues cells without a result, coarse to fine over the whole range (`trainingRanks`). Heights of a
   * point train together, so that a machine that gets slower affects them equally.
   */
  #refillQueue(): void {
    const { halving } = this.#stored.study;
    this.#rungs = halving ? this.#updateRungs(halving) : null;
    const due = this.#cells.filter((cell) => {
      const at = this.#progress.get(cell.key);
      if (this.#beginning.has(cell.key)) return false;
      if (this.#rungs && !this.#rungs.alive.has(cell.key)) return false;
      if (this.#rungs?.until && at && atRung(at.evaluations, this.#rungs.until)) return false;
      // A rerun needs the values that its source run learned.
      if ((!at || at.deleted) && this.#startOf(cell).kind !== "ready") return false;
      return !at || this.#waits(at);
    });
    this.#queue = due.sort((a, b) => this.#ranks.get(a.key)! - this.#ranks.get(b.key)!);
  }

  /** State of successive halving; marks eliminated runs. */
  #updateRungs(halving: NonNullable<StoredStudy["study"]["halving"]>): Rungs {
    const contenders = this.#cells.map(({ key }) => {
      const at = this.#progress.get(key);
      const failed = at?.status === "failed" && (this.#failures.get(key) ?? maxFailures) >= maxFailures;
      return { key, evaluations: at?.evaluations ?? [], out: at !== undefined && (at.deleted || at.status === "diverged" || failed) };
    });
    const rungs = rungsOf(halving, contenders, this.#stored.study.base);
    for (const cell of this.#cells) {
      const at = this.#progress.get(cell.key);
      const pruned = rungs.pruned.has(cell.key);
      if (!at || at.pruned === pruned || isActive(at.status)) continue;
      if (!this.#options.markPruned(at.run, pruned)) continue;
      at.pruned = pruned;
      if (!pruned) at.again = true;
      this.#options.onAdvance(cell);
    }
    return rungs;
  }

  #fill(): void {
    if (this.#stored.status !== "running") return;
    while (this.#unitsBusy() < this.#stored.workers) {
      const [cell] = this.#queue;
      if (!cell) break;
      const cohort = this.#cohorts.get(cell.key)!;
      const due = new Set(this.#queue.filter((queued) => cohort.includes(queued)));
      this.#queue = this.#queue.filter((queued) => !due.has(queued));
      void this.#beginTogether([...due], cohort);
    }
    if (this.#queue.length > 0 || this.#beginning.size > 0 || this.#training().length > 0) return;
    // Runs that stopped at a rung may continue now.
    this.#refillQueue();
    if (this.#queue.length > 0) return this.#fill();
    this.#end("finished", this.#missingResults());
  }

  /** Number of programs that train or are starting. */
  #unitsBusy(): number {
    const training = new Set(this.#training());
    const busy = this.#cells.filter(({ key }) => this.#beginning.has(key) || training.has(this.#progress.get(key)?.run ?? ""));
    return new Set(busy.map(({ key }) => this.#units.get(key) ?? key)).size;
  }

  /** Starts the due cells of a cohort as one program. Seats are fixed by the cohort, whichever cells are due. */
  async #beginTogether(due: readonly StudyCell[], members: readonly StudyCell[]): Promise<void> {
    const unit = {};
    for (const { key } of due) {
      this.#units.set(key, unit);
      this.#beginning.add(key);
    }
    if (members.length === 1) return this.#begin(due[0]!);
    const cohort = this.#options.controls.cohort(members.length);
    for (const cell of due) await this.#begin(cell, { cohort, number: members.indexOf(cell) });
    cohort.complete();
  }

  /** Why a finished study lacks results; null if it has all. */
  #missingResults(): string | null {
    const parts = (["failed", "stopped", "interrupted"] as const).flatMap((status) => {
      const count = this.#cells.filter(({ key }) => {
        const at = this.#progress.get(key);
        return at?.status === status && !at.pruned && !at.deleted;
      }).length;
      return count === 0 ? [] : [`${count} ${status}`];
    });
    const skipped = this.#cells.filter((cell) => !this.#progress.has(cell.key) && this.#startOf(cell).kind === "impossible").length;
    if (skipped > 0) parts.push(`${skipped} skipped, for the runs to follow learned no values to start from`);
    return parts.length === 0 ? null : `Not every run has a result: ${parts.join(", ")}.`;
  }

  async #begin(cell: StudyCell, seat?: CohortSeat): Promise<void> {
    const { controls } = this.#options;
    const { key } = cell;
    const at = this.#progress.get(key);
    this.#beginning.add(key);
    try {
      // A run that failed twice is replaced by a new one, and so is a run in the bin.
      const resumes = at && !at.deleted && at.status !== "finished" && at.status !== "diverged" && (this.#failures.get(key) ?? 0) < 2;
      const start = this.#startOf(cell);
      if (!resumes && start.kind !== "ready") throw new Error(`the run that ${key} follows has no result any more`);
      const experiment = start.kind === "ready" ? start.experiment : cell.experiment;
      const run = resumes ? await controls.resume(at.run, seat) : await controls.start(experiment, { study: this.#stored.id, cell: key, why: this.#options.engineWhy }, seat);
      const now = controls.live(run.id) ?? run;
      const attempts = (at?.attempts ?? 0) + (resumes ? 0 : 1);
      this.#byRun.set(run.id, cell);
      this.#progress.set(key, {
        // Starts as queued, so that changed() below reports any other status.
        cell: key, run: run.id, status: "queued", pruned: false, deleted: false, attempts,
        steps: now.steps, evaluations: resumes ? at.evaluations : [], hyperparameters: now.hyperparameters, again: false,
      });
      this.#beginning.delete(key);
      this.#options.onAdvance(cell);
      this.changed(now);
      // The study was stopped or paused during the start.
      if (this.#stored.status === "stopped") await controls.stop(run.id);
      if (this.#stored.status === "paused" && !this.#held) await controls.pause(run.id);
    } catch (error) {
      this.#beginning.delete(key);
      if (isOutage(error)) {
        this.#queue.unshift(cell);
        setTimeout(() => this.#fill(), retryAfter);
      } else if (this.#stored.status === "running") await this.stop(`A run could not be started: ${messageOf(error)}`);
    }
  }

  #end(status: Extract<StudyStatus, "finished" | "stopped" | "interrupted">, reason: string | null): void {
    this.#set(status, reason, { finishedAt: Date.now() });
  }

  #set(status: StudyStatus, reason: string | null, times: Partial<Pick<StoredStudy, "startedAt" | "finishedAt">> = {}): void {
    if (this.#abandoned) return;
    if (status === "running") this.#clock.start();
    else this.#clock.stop();
    this.#stored = { ...this.#stored, status, reason, ...times, trained: this.#clock.read(), runningSince: status === "running" ? Date.now() : null };
    this.#options.save(this.#stored);
    this.#options.onChange(true);
  }
}
