/** What a runner of a study is made of, and the controls of single runs that it uses. */
import type { Experiment } from "../../shared/experiment.ts";
import type { RunSummary } from "../../shared/run.ts";
import type { StudyCell } from "../../shared/study/expand.ts";
import type { Cohort, CohortSeat } from "../hosting/supervisor.ts";
import type { CellRun, StoredStudy } from "../store/studies.ts";

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
