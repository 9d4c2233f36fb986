/** Log of runs; the store implements it. */
import type { Environment, Evaluation, RunEvent, RunSummary } from "../../shared/run.ts";
import type { StoredStep } from "../store/runReader.ts";
import type { ResumedSeries } from "../store/store.ts";
import type { Rows } from "../trainer/messages.ts";

export interface RunLog {
  /** @throws when the series cannot be created. */
  beginSeries(run: string, metrics: readonly string[], environment: Environment): void;
  /** Continues the series of an earlier run. @throws when the run logs other metrics now. */
  resumeSeries(run: string, metrics: readonly string[], evaluated: number | null, environment: Environment): ResumedSeries;
  /** Removes a run's steps from `step` on, and the evaluations and events after it; committed when this returns. */
  cutBack(run: string, metrics: readonly string[], step: number): { readonly steps: number };
  readSteps(run: string, from: number, to: number): Iterable<StoredStep>;
  /** @throws RangeError unless the rows continue the run's series. */
  appendRows(run: string, rows: Rows): void;
  saveRun(run: RunSummary): void;
  addEvaluation(run: string, evaluation: Evaluation): void;
  addEvent(run: string, event: RunEvent): void;
  flush(): boolean;
  /** Calls `act` once all that is pending for the run is committed; at once if nothing is. Never if that is dropped. */
  afterCommit(run: string, act: () => void): void;
  /** Runs `work` in a transaction in which this process's lease on the run holds. Returns false without running it when another process has taken the run. */
  whileHeld(run: string, work: () => void): boolean;
}
