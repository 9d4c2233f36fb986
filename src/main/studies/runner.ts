/** Trains a study: at most `workers` programs at a time, until every cell has its result. */
import { messageOf } from "../../shared/errors.ts";
import { isActive, type Evaluation, type RunSummary } from "../../shared/run.ts";
import { cohortSize, cohortsOf } from "../../shared/study/cohorts.ts";
import type { StudyCell } from "../../shared/study/expand.ts";
import type { StudyStatus } from "../../shared/study/result.ts";
import { TrainedClock } from "../hosting/trainedClock.ts";
import type { CohortSeat } from "../hosting/supervisor.ts";
import { isOutage } from "../store/errors.ts";
import type { CellState, StoredStudy } from "../store/studies.ts";
import { CellQueue, maxFailures, type Progress } from "./queue.ts";
import type { RunnerOptions } from "./runnerOptions.ts";
import { Speed } from "./speed.ts";

/** Consecutive failed runs that stop the study: the machine, not the runs, is the likely cause. */
const maxFailuresInARow = 6;

/** Milliseconds until a run is started again that the store could not take. */
const retryAfter = 1_000;

export class StudyRunner {
  readonly #options: RunnerOptions;
  readonly #queue: CellQueue;
  readonly #byRun = new Map<string, StudyCell>();
  /** Cells of each cell's cohort, including itself, by key. */
  #cohorts = new Map<string, readonly StudyCell[]>();
  /** Program that each cell trains in, by key; each program occupies one worker. */
  readonly #units = new Map<string, object>();
  /** Runs that are stopping at a rung. */
  readonly #parked = new Set<string>();
  readonly #speed: Speed;
  readonly #clock: TrainedClock;
  #stored: StoredStudy;
  #failed = 0;
  #abandoned = false;
  /** Whether the study is paused only because the store cannot be used. */
  #held = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#stored = options.stored;
    this.#clock = new TrainedClock(options.stored.trained);
    this.#queue = new CellQueue(options);
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
    return this.#queue.cells;
  }

  get states(): ReadonlyMap<string, CellState> {
    return this.#queue.progress;
  }

  get millisecondsLeft(): number | null {
    if (this.#stored.status !== "running") return null;
    return this.#speed.timeFor(this.#queue.stepsLeft());
  }

  /** Replaces the study's definition; keeps its name and state. */
  define(study: StoredStudy["study"], cells: readonly StudyCell[]): void {
    this.#stored = { ...this.#stored, study, total: cells.length };
    this.#cohorts = new Map(cohortsOf(cells, study.seeds, cohortSize(study)).flatMap((cohort) => cohort.map(({ key }) => [key, cohort] as const)));
    this.#queue.define(study, cells);
    this.#byRun.clear();
    for (const cell of cells) {
      const at = this.#queue.progress.get(cell.key);
      if (at) this.#byRun.set(at.run, cell);
    }
  }

  /** Starts, or resumes after a pause or stop. */
  async run(): Promise<void> {
    this.#held = false;
    this.#failed = 0;
    this.#speed.restart();
    this.#queue.continueEnded();
    this.#queue.refill();
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

  /** Marks the study as interrupted when the host closes. The host stops the runs, or lets go of them. */
  leave(reason = "Hypertower was closed."): void {
    this.#end("interrupted", reason);
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
    this.#queue.retry();
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
    const until = this.#queue.rung;
    if (until !== null && evaluation.epoch >= until && evaluation.epoch < cell.experiment.budget.epochs && !this.#parked.has(run)) {
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
    const at = cell && this.#queue.progress.get(cell.key);
    return at?.run === run ? [cell, at] : [];
  }

  #ended(cell: StudyCell, { id, status, reason }: RunSummary): void {
    // A run that ended before the stop reached it is complete.
    if (this.#parked.delete(id) && status === "stopped") this.#queue.progress.get(cell.key)!.again = true;
    if (status === "failed") {
      this.#failed++;
      const failures = (this.#queue.failures.get(cell.key) ?? 0) + 1;
      this.#queue.failures.set(cell.key, failures);
      if (this.#stored.status === "running" && this.#failed >= maxFailuresInARow) {
        void this.stop(`${this.#failed} runs in a row failed, the last one because: ${reason ?? "no reason was given"}`);
        return;
      }
      if (failures < maxFailures) {
        this.#queue.progress.get(cell.key)!.again = true;
        this.#queue.add(cell);
      }
    } else if (status === "finished" || status === "diverged") this.#failed = 0;
    this.#queue.ended(cell);
    void this.#options.controls.left(id).then(() => this.#fill());
  }

  /** Runs of this study that train here or are queued. */
  #training(): string[] {
    return this.cells.flatMap(({ key }) => {
      const at = this.#queue.progress.get(key);
      return at && isActive(at.status) && this.#options.controls.live(at.run) ? [at.run] : [];
    });
  }

  #fill(): void {
    if (this.#stored.status !== "running") return;
    while (this.#unitsBusy() < this.#stored.workers) {
      const [first] = this.#queue.waiting;
      if (!first) break;
      const cohort = this.#cohorts.get(first.key)!;
      void this.#beginTogether(this.#queue.take(cohort), cohort);
    }
    if (this.#queue.waiting.length > 0 || this.#queue.beginning.size > 0 || this.#training().length > 0) return;
    // Runs that stopped at a rung may continue now.
    this.#queue.refill();
    if (this.#queue.waiting.length > 0) return this.#fill();
    this.#end("finished", this.#queue.missingResults());
  }

  /** Number of programs that train or are starting. */
  #unitsBusy(): number {
    const training = new Set(this.#training());
    const busy = this.cells.filter(({ key }) => this.#queue.beginning.has(key) || training.has(this.#queue.progress.get(key)?.run ?? ""));
    return new Set(busy.map(({ key }) => this.#units.get(key) ?? key)).size;
  }

  /** Starts the due cells of a cohort as one program. Seats are fixed by the cohort, whichever cells are due. */
  async #beginTogether(due: readonly StudyCell[], members: readonly StudyCell[]): Promise<void> {
    const unit = {};
    for (const { key } of due) {
      this.#units.set(key, unit);
      this.#queue.beginning.add(key);
    }
    if (members.length === 1) return this.#begin(due[0]!);
    const cohort = this.#options.controls.cohort(members.length);
    for (const cell of due) await this.#begin(cell, { cohort, number: members.indexOf(cell) });
    cohort.complete();
  }

  async #begin(cell: StudyCell, seat?: CohortSeat): Promise<void> {
    const { controls } = this.#options;
    const { key } = cell;
    const at = this.#queue.progress.get(key);
    this.#queue.beginning.add(key);
    try {
      // A run that failed twice is replaced by a new one, and so is a run in the bin.
      const resumes = at && !at.deleted && at.status !== "finished" && at.status !== "diverged" && (this.#queue.failures.get(key) ?? 0) < 2;
      const start = this.#queue.startOf(cell);
      if (!resumes && start.kind !== "ready") throw new Error(`the run that ${key} follows has no result any more`);
      const experiment = start.kind === "ready" ? start.experiment : cell.experiment;
      const run = resumes ? await controls.resume(at.run, seat) : await controls.start(experiment, { study: this.#stored.id, cell: key, why: this.#options.engineWhy }, seat);
      const now = controls.live(run.id) ?? run;
      const attempts = (at?.attempts ?? 0) + (resumes ? 0 : 1);
      this.#byRun.set(run.id, cell);
      this.#queue.progress.set(key, {
        // Starts as queued, so that changed() below reports any other status.
        cell: key, run: run.id, status: "queued", pruned: false, deleted: false, attempts,
        steps: now.steps, evaluations: resumes ? at.evaluations : [], hyperparameters: now.hyperparameters, again: false,
      });
      this.#queue.beginning.delete(key);
      this.#options.onAdvance(cell);
      this.changed(now);
      // The study was stopped or paused during the start.
      if (this.#stored.status === "stopped") await controls.stop(run.id);
      if (this.#stored.status === "paused" && !this.#held) await controls.pause(run.id);
    } catch (error) {
      this.#queue.beginning.delete(key);
      if (isOutage(error)) {
        this.#queue.putBack(cell);
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
