/** A run: one experiment trained once. What the store keeps and the window shows. */
import { z } from "zod";
import { engineUse } from "./engines.ts";
import { experiment } from "./experiment.ts";
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

/** A run in one of these states has a trainer process. */
export const activeStatuses: readonly RunStatus[] = ["queued", "running", "paused"];

export function isActive(status: RunStatus): boolean {
  return activeStatuses.includes(status);
}

/** Ended, but not for good: such a run can be taken up again. */
export const resumableStatuses: readonly RunStatus[] = ["stopped", "failed", "interrupted"];

export function isResumable(status: RunStatus): boolean {
  return resumableStatuses.includes(status);
}

export const hyperparameterValue = z.object({
  level: z.number().int(),
  /** Within the level: `alpha`, or `alpha[bias]` of a group. */
  name: z.string(),
  metric: z.string(),
  /** Effective form, as people write it (a beta in (0, 1)). */
  initial: z.number(),
  /** Latest value, effective form; null when it is not finite. */
  value: z.number().nullable(),
});

const measure = z.number().nullable();

export const evaluation = z.object({
  /** Weight updates done when it was taken. */
  step: z.number().int(),
  /** Epochs completed. */
  epoch: z.number(),
  /** Mean training loss since the evaluation before, each batch at the weights it was seen with. */
  trainLoss: z.number().nullable(),
  /**
   * Means over the examples of a set; see metrics.ts. Null where they are not finite or the set was
   * not evaluated: where examples are held out for validation, the test set waits for the run's end.
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
  /** Version of each library the engine ran on, by package name. */
  libraries: z.record(z.string(), z.string()),
  /** The engine, its device and why it was taken; runs of earlier versions do not say. */
  engine: engineUse.optional(),
  gitCommit: z.string().nullable(),
});

export const runSummary = z.object({
  id: z.string(),
  name: z.string(),
  status: runStatus,
  /** Why the run ended as it did, in words; null while it goes well. */
  reason: z.string().nullable(),
  /** The stack in the paper's notation. */
  stack: z.string(),
  experiment,
  /** Device the engine runs on, e.g. the processor's name; null before it has started. */
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
  /** Training speed over the last seconds; null when not running. */
  samplesPerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  /** Loss of the latest step; null before the first or when not finite. */
  loss: z.number().nullable(),
  /** Test error of the latest evaluation, in percent; null where a quantity is predicted. */
  testError: z.number().nullable(),
  /** The latest evaluation; null before it, and of runs of a version that did not keep it here. */
  evaluation: evaluation.nullable().default(null),
  hyperparameters: z.array(hyperparameterValue),
  /** The study it is part of; null for a single run. */
  study: z.string().nullable(),
  deletedAt: z.number().nullable(),
  /** Another process trains it, and only there can it be paused or stopped. */
  elsewhere: z.literal(true).optional(),
});

export const runEvent = z.object({ at: z.number(), step: z.number().int(), kind: z.string(), message: z.string() });

export const runDetail = runSummary.extend({
  environment: environment.nullable(),
  /** Names of the logged series, in the order of the columns. */
  metrics: z.array(z.string()),
  evaluations: z.array(evaluation),
  /** What happened to the run: started, paused, resumed, diverged, ... */
  events: z.array(runEvent),
});

/** Where a run that has ended would go on. */
export const resumption = z.object({
  /** Steps that need not be trained again. */
  step: z.number().int(),
  /** Why it can only begin once more at its first step, in words; null when all is well. */
  problem: z.string().nullable(),
});

export type Resumption = z.infer<typeof resumption>;
export type RunSummary = z.infer<typeof runSummary>;
export type RunDetail = z.infer<typeof runDetail>;
export type RunEvent = z.infer<typeof runEvent>;
export type Evaluation = z.infer<typeof evaluation>;

export type Environment = z.infer<typeof environment>;
