/** Cells of a study that are still to be trained, in their order, and the state of each. */
import { totalSteps } from "../../shared/experiment.ts";
import { isActive, type Evaluation, type RunSummary } from "../../shared/run.ts";
import { groupBy } from "../../shared/study/curves.ts";
import type { StudyCell } from "../../shared/study/expand.ts";
import { trainingRanks } from "../../shared/study/order.ts";
import { startOf, type CellStart } from "../../shared/study/reruns.ts";
import type { Study } from "../../shared/study/study.ts";
import type { CellState } from "../store/studies.ts";
import { atRung, rungsOf, type Rungs } from "./halving.ts";
import type { RunnerOptions } from "./runnerOptions.ts";

/** State of a cell that has or had a run. */
export interface Progress extends CellState {
  steps: number;
  evaluations: readonly Evaluation[];
  hyperparameters: RunSummary["hyperparameters"];
  /** Whether its run must be resumed, or replaced if it is in the bin. */
  again: boolean;
}

/** Failures of a cell after which it is not retried automatically. */
export const maxFailures = 3;

export class CellQueue {
  readonly #options: Pick<RunnerOptions, "markPruned" | "onAdvance">;
  readonly progress = new Map<string, Progress>();
  /** Number of failures of each cell, by key. */
  readonly failures = new Map<string, number>();
  /** Keys of cells whose run is being started or resumed. */
  readonly beginning = new Set<string>();
  #study: Study;
  #cells: readonly StudyCell[] = [];
  /** Reruns by the key of their source cell. */
  #followers = new Map<string, StudyCell[]>();
  #ranks: ReadonlyMap<string, number> = new Map();
  #waiting: StudyCell[] = [];
  #rungs: Rungs | null = null;

  constructor({ stored, known, markPruned, onAdvance }: Pick<RunnerOptions, "stored" | "known" | "markPruned" | "onAdvance">) {
    this.#options = { markPruned, onAdvance };
    this.#study = stored.study;
    for (const run of known) this.progress.set(run.cell, { ...run, again: false });
  }

  get cells(): readonly StudyCell[] {
    return this.#cells;
  }

  get waiting(): readonly StudyCell[] {
    return this.#waiting;
  }

  /** Epoch of the rung at which runs stop at present; null for none. */
  get rung(): number | null {
    return this.#rungs?.until ?? null;
  }

  define(study: Study, cells: readonly StudyCell[]): void {
    this.#study = study;
    this.#cells = cells;
    this.#ranks = trainingRanks(study, cells);
    this.#followers = groupBy(cells.filter(({ source }) => source), ({ source }) => source!.key);
    this.refill();
  }

  /** Steps that are still to be trained. */
  stepsLeft(): number {
    let left = 0;
    for (const cell of this.#cells) {
      const { key, experiment } = cell;
      const at = this.progress.get(key);
      if (!at) left += this.startOf(cell).kind === "impossible" ? 0 : totalSteps(experiment);
      else if (isActive(at.status) || this.#waits(at)) left += totalSteps(experiment) - at.steps;
    }
    return left;
  }

  /** Runs that a stop or the end of a host cut short are to be resumed. */
  continueEnded(): void {
    for (const at of this.progress.values()) if (!at.deleted && (at.status === "stopped" || at.status === "interrupted")) at.again = true;
  }

  /** Failed and missing runs are to be trained again. */
  retry(): void {
    this.failures.clear();
    for (const at of this.progress.values()) if (at.deleted || at.status === "failed") at.again = true;
  }

  add(cell: StudyCell): void {
    this.#waiting.push(cell);
  }

  /** Puts a cell first that could not be started. */
  putBack(cell: StudyCell): void {
    this.#waiting.unshift(cell);
  }

  /** Takes the waiting cells of a cohort. */
  take(cohort: readonly StudyCell[]): StudyCell[] {
    const due = new Set(this.#waiting.filter((waiting) => cohort.includes(waiting)));
    this.#waiting = this.#waiting.filter((waiting) => !due.has(waiting));
    return [...due];
  }

  /** A run of a cell ended: rungs may be complete, and reruns possible. Reports those that became impossible. */
  ended({ key }: StudyCell): void {
    const followers = this.#followers.get(key);
    if (this.#study.halving || followers) this.refill();
    for (const follower of followers ?? []) if (this.startOf(follower).kind === "impossible") this.#options.onAdvance(follower);
  }

  /** What a cell trains, given the current state of its source run. */
  startOf(cell: StudyCell): CellStart {
    const at = cell.source && this.progress.get(cell.source.key);
    return startOf(cell, at?.deleted ? undefined : at);
  }

  /** Whether the latest run of a cell must be resumed or replaced. */
  #waits({ again, pruned, status }: Progress): boolean {
    return again && !pruned && !isActive(status);
  }

  /**
   * Queues cells without a result, coarse to fine over the whole range (`trainingRanks`). Heights of a
   * point train together, so that a machine that gets slower affects them equally.
   */
  refill(): void {
    const { halving } = this.#study;
    this.#rungs = halving ? this.#updateRungs(halving) : null;
    const due = this.#cells.filter((cell) => {
      const at = this.progress.get(cell.key);
      if (this.beginning.has(cell.key)) return false;
      if (this.#rungs && !this.#rungs.alive.has(cell.key)) return false;
      if (this.#rungs?.until && at && atRung(at.evaluations, this.#rungs.until)) return false;
      // A rerun needs the values that its source run learned.
      if ((!at || at.deleted) && this.startOf(cell).kind !== "ready") return false;
      return !at || this.#waits(at);
    });
    this.#waiting = due.sort((a, b) => this.#ranks.get(a.key)! - this.#ranks.get(b.key)!);
  }

  /** State of successive halving; marks eliminated runs. */
  #updateRungs(halving: NonNullable<Study["halving"]>): Rungs {
    const contenders = this.#cells.map(({ key }) => {
      const at = this.progress.get(key);
      const failed = at?.status === "failed" && (this.failures.get(key) ?? maxFailures) >= maxFailures;
      return { key, evaluations: at?.evaluations ?? [], out: at !== undefined && (at.deleted || at.status === "diverged" || failed) };
    });
    const rungs = rungsOf(halving, contenders, this.#study.base);
    for (const cell of this.#cells) {
      const at = this.progress.get(cell.key);
      const pruned = rungs.pruned.has(cell.key);
      if (!at || at.pruned === pruned || isActive(at.status)) continue;
      if (!this.#options.markPruned(at.run, pruned)) continue;
      at.pruned = pruned;
      if (!pruned) at.again = true;
      this.#options.onAdvance(cell);
    }
    return rungs;
  }

  /** Why a finished study lacks results; null if it has all. */
  missingResults(): string | null {
    const parts = (["failed", "stopped", "interrupted"] as const).flatMap((status) => {
      const count = this.#cells.filter(({ key }) => {
        const at = this.progress.get(key);
        return at?.status === status && !at.pruned && !at.deleted;
      }).length;
      return count === 0 ? [] : [`${count} ${status}`];
    });
    const skipped = this.#cells.filter((cell) => !this.progress.has(cell.key) && this.startOf(cell).kind === "impossible").length;
    if (skipped > 0) parts.push(`${skipped} skipped, for the runs to follow learned no values to start from`);
    return parts.length === 0 ? null : `Not every run has a result: ${parts.join(", ")}.`;
  }
}
