/** Messages between the supervisor and a trainer process. Typed arrays are structured clones. */
import type { EngineDescription, EngineKind } from "../../shared/engines.ts";
import type { Experiment } from "../../shared/experiment.ts";
import type { Environment, Evaluation } from "../../shared/run.ts";
import type { Measurement } from "../../core/training/measure.ts";
import type { Outcome } from "../../core/training/run.ts";
import type { FileEnd, FileKind, Piece } from "./files.ts";
import type { PredictionJob, PredictionResult } from "./jobs.ts";

/** A run to train. */
export interface RunOrder {
  readonly experiment: Experiment;
  /** Without it no checkpoints are stored. */
  readonly checkpoints?: CheckpointOrder | undefined;
  /** Why this engine was chosen, for the record. */
  readonly why?: string | undefined;
}

/** Controls a run in training. */
export type Steering =
  | { readonly type: "pause" }
  | { readonly type: "resume" }
  /** Abandons an evaluation that takes long. */
  | { readonly type: "stop" }
  /** Stops at once, without an evaluation. */
  | { readonly type: "leave" }
  /** So many of the `rows` and `evaluation` messages are stored; with too many outstanding, the run waits. */
  | { readonly type: "stored"; readonly reports: number };

/** Messages from the host about a run's files. */
export type RunFileMessage =
  /** A chunk arrived; send another. `end` follows the last chunk: whether the file is stored. */
  | { readonly type: "fileTaken"; readonly kind: FileKind; readonly step: number; readonly end?: FileEnd }
  /** A chunk of the checkpoint to resume from; answered by `pieceTaken`. */
  | { readonly type: "resumeFrom"; readonly piece: Piece };

export type ToTrainer =
  /** Folder of imported networks; comes before any work. */
  | { readonly type: "networks"; readonly folder: string }
  | (RunOrder & { readonly type: "start"; readonly startPaused?: boolean; readonly stay?: Stay })
  /**
   * Trains many runs as one program of `size` seats; messages about a run are wrapped in `member`.
   */
  | {
      readonly type: "startCohort";
      readonly size: number;
      readonly members: readonly (RunOrder & { readonly seat: number; readonly startPaused?: boolean })[];
      readonly stay?: Stay;
    }
  /** Wraps a message to member number `member` of a cohort. */
  | { readonly type: "member"; readonly member: number; readonly message: Steering | RunFileMessage }
  /**
   * Trains a few steps to measure their cost, for a cohort of this size; answered by `measured` or
   * `failed`.
   */
  | { readonly type: "measure"; readonly experiment: Experiment; readonly cohort: number; /** Without an evaluation. */ readonly stepsOnly?: boolean; /** Milliseconds after which fewer steps are enough. */ readonly longest?: number; readonly stay?: Stay }
  /**
   * Loads engines until one works, and tests it with a small program; each is answered by `probed`.
   */
  | { readonly type: "probe"; readonly kinds: readonly EngineKind[]; readonly stay?: Stay }
  /**
   * Runs a job on a trained model; answered by `predicted` or `failed`. `weightsOf` is the run whose
   * weights file follows as `weights`; null for a job that needs none.
   */
  | { readonly type: "predict"; readonly experiment: Experiment; readonly weightsOf: string | null; readonly job: PredictionJob; readonly stay?: Stay }
  /** A chunk of the weights file to predict from; answered by `pieceTaken`. */
  | { readonly type: "weights"; readonly piece: Piece }
  /**
   * Whether a core is free besides busy trainers: batches are then prepared ahead from the next
   * epoch on.
   */
  | { readonly type: "coreFree"; readonly free: boolean }
  | RunFileMessage
  | Steering;

export interface CheckpointOrder {
  readonly run: string;
  /** Milliseconds between two checkpoints. */
  readonly every: number;
  /** Resume from the checkpoint that the host sends as `resumeFrom`. */
  readonly resume: boolean;
  /** Send the weights of evaluations. */
  readonly keepWeights: boolean;
}

/**
 * Whether the trainer says `idle` and waits for another run instead of exiting; after a failure it
 * exits.
 */
type Stay = boolean;

/** Consecutive logged steps, row-major: `values[row * metrics.length + column]`. */
export interface Rows {
  readonly firstStep: number;
  readonly count: number;
  readonly values: Float64Array;
}

export interface Progress {
  readonly samplesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Epochs completed, as a fraction. */
  readonly epoch: number;
}

export type FromTrainer =
  | {
      readonly type: "started";
      readonly device: string;
      readonly environment: Environment;
      /** Columns of every later row: `loss`, `stepTime` (ms), `L0.alpha`, `L0.alpha.hypergradient`, ... */
      readonly metrics: readonly string[];
      readonly totalSteps: number;
      /** Position restored from a checkpoint; without it the run starts at its first step. */
      readonly from?: { readonly step: number; readonly evaluated: number | null };
      /** Repeats what was said to an earlier host, which this one follows. */
      readonly attached?: boolean;
    }
  | { readonly type: "rows"; readonly rows: Rows; readonly progress: Progress }
  | { readonly type: "evaluation"; readonly evaluation: Evaluation }
  /**
   * A chunk of a checkpoint or of an evaluation's weights; sent after all rows and the evaluation
   * before it. Answered by `fileTaken`.
   */
  | { readonly type: "file"; readonly kind: FileKind; readonly step: number; readonly piece: Piece }
  | { readonly type: "pieceTaken" }
  /** The guard rolled back after a step. */
  | { readonly type: "rolledBack"; readonly step: number; readonly message: string }
  /** Sign of life during a long evaluation, and while the run waits for `stored`. */
  | { readonly type: "alive" }
  | { readonly type: "paused" }
  | { readonly type: "resumed" }
  /** Only of a trainer on another machine: counts as a report, so that `stored` answers it once all that came before is stored. */
  | { readonly type: "mark" }
  | {
      readonly type: "ended";
      readonly outcome: Outcome;
      readonly reason: string | null;
      readonly step: number;
      /** Effective values after the last update, by metric (`L0.alpha`). */
      readonly hyperparameters: Readonly<Record<string, number>>;
    }
  /** Wraps a message from member number `member` of a cohort. */
  | { readonly type: "member"; readonly member: number; readonly message: FromTrainer }
  | { readonly type: "measured"; readonly measurement: Measurement; readonly description: EngineDescription }
  /** An engine and its description, or why it cannot be used here. */
  | { readonly type: "probed"; readonly kind: EngineKind; readonly problem: string | null; readonly description: EngineDescription | null }
  | { readonly type: "predicted"; readonly result: PredictionResult }
  /** `engine`: the engine failed, by its device or its memory. `unavailable`: why the engine cannot be used here.
   *  `checkpoint`: the checkpoint to resume from, or the weights to predict from, cannot be used. */
  | { readonly type: "failed"; readonly message: string; readonly engine?: "device" | "memory" | undefined; readonly unavailable?: string; readonly checkpoint?: boolean }
  | { readonly type: "idle" };
