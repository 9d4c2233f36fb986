/** A run: one training of an experiment, as stored and shown. */
import { z } from "zod";
import { engineUse } from "./engines.ts";
import { experiment } from "./experiment.ts";
import { importedRun } from "./importedRun.ts";
import { tags } from "./tags.ts";
import { thinned } from "./thinning.ts";
import { trainedTime } from "./trainedTime.ts";

export const runStatuses = [
  "queued",
  "running",
  "paused",
  "finished",
  "stopped",
  "diverged",
  "failed",
  "interrupted",
] as const;

export const runStatus = z.enum(runStatuses);
export type RunStatus = z.infer<typeof runStatus>;

/** States in which a run has a trainer process. */
export const activeStatuses: readonly RunStatus[] = ["queued", "running", "paused"];

export function isActive(status: RunStatus): boolean {
  return activeStatuses.includes(status);
}

/** States from which a run can be resumed. */
export const resumableStatuses: readonly RunStatus[] = ["stopped", "failed", "interrupted"];

export function isResumable(status: RunStatus): boolean {
  return resumableStatuses.includes(status);
}

export const hyperparameterValue = z.object({
  level: z.number().int(),
  /** Name within the level: `alpha`, or `alpha[bias]` of a group. */
  name: z.string(),
  metric: z.string(),
  /** Effective form (a beta in (0, 1)). */
  initial: z.number(),
  /** Latest value, effective form; null when non-finite. */
  value: z.number().nullable(),
});

const measure = z.number().nullable();

export const evaluation = z.object({
  /** Number of weight updates before it. */
  step: z.number().int(),
  /** Epochs completed. */
  epoch: z.number(),
  /** Mean training loss since the previous evaluation, each batch before its update. */
  trainLoss: z.number().nullable(),
  /**
   * Means over a set; see metrics.ts. Null when non-finite or not evaluated: with validation data,
   * the test set
   * is evaluated only at the end.
   */
  testLoss: measure,
  testError: measure,
  testRmse: measure.optional(),
  testMae: measure.optional(),
  validationLoss: measure.optional(),
  validationError: measure.optional(),
  validationRmse: measure.optional(),
  validationMae: measure.optional(),
});

export const environment = z.object({
  hypertower: z.string(),
  node: z.string(),
  platform: z.string(),
  cpu: z.string(),
  /** Versions of the engine's libraries, by package name. */
  libraries: z.record(z.string(), z.string()),
  /** The engine, its device, and why it was chosen; missing in runs of earlier versions. */
  engine: engineUse.optional(),
  gitCommit: z.string().nullable(),
});

export const runSummary = z.object({
  id: z.string(),
  name: z.string(),
  status: runStatus,
  /** Why the run ended; null while it goes well. */
  reason: z.string().nullable(),
  /** The tower in the paper's notation. */
  stack: z.string(),
  experiment,
  /** Device, such as the processor's name; null before the start. */
  device: z.string().nullable(),
  createdAt: z.number(),
  startedAt: z.number().nullable(),
  finishedAt: z.number().nullable(),
  /** As of the latest rows or evaluation; null before it has started. */
  trained: trainedTime.nullable(),
  /** Steps logged so far. */
  steps: z.number().int(),
  totalSteps: z.number().int(),
  epoch: z.number(),
  /** Recent training speed; null when not running. */
  samplesPerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  /** Loss of the latest step; null before the first or when non-finite. */
  loss: z.number().nullable(),
  /** Latest test error in percent; null for a regression. */
  testError: z.number().nullable(),
  /** The latest evaluation; null before it, and for runs of versions that did not store it here. */
  evaluation: evaluation.nullable().default(null),
  hyperparameters: z.array(hyperparameterValue),
  /** Study of the run; null for a single run. */
  study: z.string().nullable(),
  deletedAt: z.number().nullable(),
  /** Only for a run whose values were erased. */
  thinned: thinned.optional(),
  /** Missing for none. */
  tags: tags.optional(),
  /** Only for a run that another program recorded; `experiment` then means nothing. */
  imported: importedRun.optional(),
  /** Trained by another process, which alone can pause or stop it. */
  elsewhere: z.literal(true).optional(),
});

export const runEvent = z.object({ at: z.number(), step: z.number().int(), kind: z.string(), message: z.string() });

export const runDetail = runSummary.extend({
  environment: environment.nullable(),
  /** Names of the logged series, in column order. */
  metrics: z.array(z.string()),
  evaluations: z.array(evaluation),
  /** Log of events: started, paused, resumed, diverged, ... */
  events: z.array(runEvent),
});

/** Where an ended run would resume. */
export const resumption = z.object({
  /** Number of steps that need no retraining. */
  step: z.number().int(),
  /** Why it can only restart at its first step; null when it can resume. */
  problem: z.string().nullable(),
});

export type Resumption = z.infer<typeof resumption>;
export type RunSummary = z.infer<typeof runSummary>;
export type RunDetail = z.infer<typeof runDetail>;
export type RunEvent = z.infer<typeof runEvent>;
export type Evaluation = z.infer<typeof evaluation>;

export type Environment = z.infer<typeof environment>;
