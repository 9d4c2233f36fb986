/** Summaries and points of studies, from their definition, the store and the runs that train here. */
import { totalSteps } from "../../shared/experiment.ts";
import { isActive, type RunSummary } from "../../shared/run.ts";
import type { StudyCell } from "../../shared/study/expand.ts";
import type { StudyPoint, StudySummary } from "../../shared/study/result.ts";
import { startOf } from "../../shared/study/reruns.ts";
import type { CellRun, CellState, StoredStudy } from "../store/studies.ts";

/** State of a run that is trained here, which may be ahead of the store; undefined for other runs. */
export type Live = (run: string) => RunSummary | undefined;

/** Stored hyperparameters of a run. */
export type Learned = (run: string) => Pick<CellRun, "hyperparameters"> | undefined;

/** Why a rerun that has no run cannot be trained; null if it can be, or while that is unknown. */
export function whySkipped(cell: StudyCell, states: ReadonlyMap<string, CellState>, live: Live, learned: Learned): string | null {
  const state = cell.source && !states.has(cell.key) ? states.get(cell.source.key) : undefined;
  if (!state) return null;
  const status = pointStatus(state, live);
  // Reads hyperparameters only of ended source runs.
  if (status !== "finished" && status !== "diverged") return null;
  const start = startOf(cell, { status, hyperparameters: (live(state.run) ?? learned(state.run))?.hyperparameters ?? [] });
  return start.kind === "impossible" ? start.reason : null;
}

/** @param states by cell; cells that are no longer in the study are ignored */
export function summaryOf(stored: StoredStudy, cells: readonly StudyCell[], states: ReadonlyMap<string, CellState>, live: Live, learned: Learned, millisecondsLeft: number | null): StudySummary {
  const { workers: _workers, ...study } = stored;
  const counts = { finished: 0, diverged: 0, failed: 0, pruned: 0, skipped: 0, running: 0 };
  for (const cell of cells) {
    const state = states.get(cell.key);
    const status = state && pointStatus(state, live);
    if (status === "finished" || status === "diverged" || status === "failed" || status === "pruned") counts[status]++;
    else if (!state && whySkipped(cell, states, live, learned) !== null) counts.skipped++;
    else if (status === "queued" || status === "running" || status === "paused") counts.running++;
  }
  return { ...study, total: cells.length, ...counts, millisecondsLeft };
}

export function pointStatus({ run, status, pruned, deleted }: Pick<CellState, "run" | "status" | "pruned" | "deleted">, live: Live): StudyPoint["status"] {
  if (deleted) return "missing";
  if (pruned) return "pruned";
  return live(run)?.status ?? status;
}

/** @param skipped why a cell without a run cannot be trained; null if it can be */
export function pointOf(cell: StudyCell, found: CellRun | undefined, live: Live, skipped: string | null): StudyPoint {
  const { key, height, stack, values, seed, experiment } = cell;
  const identity = { key, height, ...(stack !== undefined && { stack }), values: [...values], seed };
  if (!found) {
    const nothing = { run: null, status: skipped === null ? "waiting" : "skipped", reason: skipped, attempts: 0, steps: 0, trainingTime: null, hyperparameters: [], evaluations: [] } as const;
    return { ...identity, ...nothing, totalSteps: totalSteps(experiment), hyperparameters: [], evaluations: [] };
  }
  const now = live(found.run) ?? found;
  return {
    ...identity,
    run: found.run,
    status: pointStatus(found, live),
    reason: now.reason,
    attempts: found.attempts,
    steps: now.steps,
    totalSteps: now.totalSteps,
    trainingTime: found.stepTime === null ? null : found.stepTime * now.steps,
    hyperparameters: now.hyperparameters,
    evaluations: [...found.evaluations],
  };
}

/** Whether a cell needs no more training. */
export function isSettled(status: StudyPoint["status"]): boolean {
  return status === "finished" || status === "diverged" || status === "pruned" || status === "skipped";
}

/** Whether a point trains now or is queued. */
export function isTraining(status: StudyPoint["status"]): boolean {
  return status !== "waiting" && status !== "pruned" && status !== "missing" && status !== "skipped" && isActive(status);
}
