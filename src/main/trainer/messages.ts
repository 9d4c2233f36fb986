/** What the supervisor and a trainer process say to one another. Typed arrays travel by structured clone. */
import type { EngineDescription, EngineKind } from "../../shared/engines.ts";
import type { Experiment } from "../../shared/experiment.ts";
import type { Environment, Evaluation } from "../../shared/run.ts";
import type { Measurement } from "../../core/training/measure.ts";
import type { Outcome } from "../../core/training/run.ts";
import type { FileEnd, FileKind, Piece } from "./files.ts";
import type { PredictionJob, PredictionResult } from "./jobs.ts";
import type { NamedArray } from "../../core/weights/file.ts";

/** A run to train. */
export interface RunOrder {
  readonly experiment: Experiment;
  /** Without it none are kept. */
  readonly checkpoints?: CheckpointOrder | undefined;
  /** Why the experiment's engine was taken, for the record. */
  readonly why?: string | undefined;
}

/** What a run is asked while it trains. */
export type Steering =
  | { readonly type: "pause" }
  | { readonly type: "resume" }
  /** An evaluation that takes long is given up. */
  | { readonly type: "stop" }
  /** Stops at once, without an evaluation. */
  | { readonly type: "leave" };

/** What the host says of a run's files. */
export type RunFileMessage =
  /** A piece was taken: another may be sent. With `end`, the last one, and whether the file is in place. */
  | { readonly type: "fileTaken"; readonly kind: FileKind; readonly step: number; readonly end?: FileEnd }
  /** A piece of the checkpoint to resume from; answered by `pieceTaken`. */
  | { readonly type: "resumeFrom"; readonly piece: Piece };

export type ToTrainer =
  | (RunOrder & { readonly type: "start"; readonly startPaused?: boolean; readonly stay?: Stay })
  /** Trains many runs as one program of `size` seats; what is said of a run travels as `member`. */
  | {
      readonly type: "startCohort";
      readonly size: number;
      readonly members: readonly (RunOrder & { readonly seat: number; readonly startPaused?: boolean })[];
      readonly stay?: Stay;
    }
  /** Of the nth of a cohort's members. */
  | { readonly type: "member"; readonly member: number; readonly message: Steering | RunFileMessage }
  /** Trains a few steps to see what they cost, of so many runs at once; answered by `measured` or `failed`. */
  | { readonly type: "measure"; readonly experiment: Experiment; readonly cohort: number; /** Without an evaluation. */ readonly stepsOnly?: boolean; /** Milliseconds after which fewer steps are enough. */ readonly longest?: number; readonly stay?: Stay }
  /** Loads engines, one after another until one works, and runs a little program on it; each is answered by `looked`. */
  | { readonly type: "look"; readonly kinds: readonly EngineKind[]; readonly stay?: Stay }
  /** Asks a trained model; answered by `predicted` or `failed`. */
  | { readonly type: "predict"; readonly experiment: Experiment; readonly weights: readonly NamedArray[]; readonly job: PredictionJob; readonly stay?: Stay }
  /** Whether a core is free beside the trainers at work: batches are then made ahead of the training, from the next epoch on. */
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

/** The trainer says `idle` when it is done and waits for another run, rather than to leave; one that failed leaves. */
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
  /** Epochs completed, with a fraction. */
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
      /** Where a checkpoint put it; without one the run begins at its first step. */
      readonly from?: { readonly step: number; readonly evaluated: number | null };
    }
  | { readonly type: "rows"; readonly rows: Rows; readonly progress: Progress }
  | { readonly type: "evaluation"; readonly evaluation: Evaluation }
  /** A piece of a step's checkpoint, or of an evaluation's weights; all rows before it, and the evaluation, have been sent. Answered by `fileTaken`. */
  | { readonly type: "file"; readonly kind: FileKind; readonly step: number; readonly piece: Piece }
  | { readonly type: "pieceTaken" }
  /** The guard went back after a step. */
  | { readonly type: "rolledBack"; readonly step: number; readonly message: string }
  /** What takes long and says nothing else goes on: an evaluation. */
  | { readonly type: "alive" }
  | { readonly type: "paused" }
  | { readonly type: "resumed" }
  | {
      readonly type: "ended";
      readonly outcome: Outcome;
      readonly reason: string | null;
      readonly step: number;
      /** Effective values after the last update, by metric (`L0.alpha`). */
      readonly hyperparameters: Readonly<Record<string, number>>;
    }
  /** Of the nth of a cohort's members. */
  | { readonly type: "member"; readonly member: number; readonly message: FromTrainer }
  | { readonly type: "measured"; readonly measurement: Measurement; readonly description: EngineDescription }
  /** An engine and its description, or why it cannot be used here. */
  | { readonly type: "looked"; readonly kind: EngineKind; readonly problem: string | null; readonly description: EngineDescription | null }
  | { readonly type: "predicted"; readonly result: PredictionResult }
  /** `engine`: the engine failed, by its device or its memory. `unavailable`: why the engine cannot be used here.
   *  `checkpoint`: the checkpoint to resume from cannot be used. */
  | { readonly type: "failed"; readonly message: string; readonly engine?: "device" | "memory" | undefined; readonly unavailable?: string; readonly checkpoint?: boolean }
  | { readonly type: "idle" };
