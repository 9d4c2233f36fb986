/** What is known of a study, out of its definition, the store and what trains right now. */
import { totalSteps } from "../../shared/experiment.ts";
import { isActive, type RunSummary } from "../../shared/run.ts";
import type { StudyCell } from "../../shared/study/expand.ts";
import type { StudyPoint, StudySummary } from "../../shared/study/result.ts";
import type { CellRun, CellState, StoredStudy } from "../store/studies.ts";

/** A run that is trained here is ahead of the store. */
export type Live = (run: string) => RunSummary | undefined;

/** @param states of any cell; those that the study has no longer are left out */
export function summaryOf(stored: StoredStudy, cells: readonly StudyCell[], states: ReadonlyMap<string, CellState>, live: Live, millisecondsLeft: number | null): StudySummary {
  const { workers: _workers, ...study } = stored;
  const counts = { finished: 0, diverged: 0, failed: 0, pruned: 0, running: 0 };
  for (const { key } of cells) {
    const state = states.get(key);
    const status = state && pointStatus(state, live);
    if (status === "finished" || status === "diverged" || status === "failed" || status === "pruned") counts[status]++;
    else if (status === "queued" || status === "running" || status === "paused") counts.running++;
  }
  return { ...study, total: cells.length, ...counts, millisecondsLeft };
}

export function pointStatus({ run, status, pruned, deleted }: Pick<CellState, "run" | "status" | "pruned" | "deleted">, live: Live): StudyPoint["status"] {
  if (deleted) return "missing";
  if (pruned) return "pruned";
  return live(run)?.status ?? status;
}

export function pointOf(cell: StudyCell, found: CellRun | undefined, live: Live): StudyPoint {
  const { key, height, stack, values, seed, experiment } = cell;
  const identity = { key, height, ...(stack !== undefined && { stack }), values: [...values], seed };
  if (!found) {
    const nothing = { run: null, status: "waiting", reason: null, attempts: 0, steps: 0, trainingTime: null, hyperparameters: [], evaluations: [] } as const;
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

/** Nothing more is to be done for a cell. */
export function isSettled(status: StudyPoint["status"]): boolean {
  return status === "finished" || status === "diverged" || status === "pruned";
}

/** Whether a point is trained at this moment, or waits for its trainer. */
export function isTraining(status: StudyPoint["status"]): boolean {
  return status !== "waiting" && status !== "pruned" && status !== "missing" && isActive(status);
}
