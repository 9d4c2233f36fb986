/** Schemas of studies and their results, shared by the store, the window and reports. */
import { z } from "zod";
import { evaluation, hyperparameterValue, runStatus } from "../run.ts";
import { tags } from "../tags.ts";
import { trainedTime, type TrainedTime } from "../trainedTime.ts";
import { study } from "./study.ts";

export const studyStatuses = ["running", "paused", "finished", "stopped", "interrupted"] as const;
export const studyStatus = z.enum(studyStatuses);
export type StudyStatus = z.infer<typeof studyStatus>;

export const studySummary = z.object({
  id: z.string(),
  name: z.string(),
  status: studyStatus,
  /** Text for the user: why the study is paused or ended. */
  reason: z.string().nullable(),
  study,
  createdAt: z.number(),
  startedAt: z.number().nullable(),
  finishedAt: z.number().nullable(),
  /** Training time up to the latest change of its status, concurrent runs counted once; null before its start. */
  trained: trainedTime.nullable(),
  /** Start of the current running period, which `trained` does not include; null while not running. */
  runningSince: z.number().nullable(),
  /** Number of runs in total, then by status. */
  total: z.number().int(),
  finished: z.number().int(),
  diverged: z.number().int(),
  failed: z.number().int(),
  /** Stopped early as hopeless, by successive halving. */
  pruned: z.number().int(),
  /** Reruns whose source runs learned no values to start from. */
  skipped: z.number().int(),
  running: z.number().int(),
  /** Milliseconds left at the current speed; null while not running or unknown. */
  millisecondsLeft: z.number().nullable(),
  deletedAt: z.number().nullable(),
  /** Missing for none. */
  tags: tags.optional(),
  /** Where it is trained, unless on this machine: `slurm:PROFILE`, `queue`. */
  fleet: z.string().optional(),
});

/** A cell of the study and the state of its run. */
export const studyPoint = z.object({
  key: z.string(),
  height: z.number().int(),
  /** Name of the stack or method, in a study that compares those. */
  stack: z.string().optional(),
  /** As of its cell (`expand.ts`). */
  values: z.array(z.number()),
  seed: z.number().int(),
  /** Id of the latest run; null before the first. */
  run: z.string().nullable(),
  /** `waiting`: no run yet; `pruned`: stopped early by successive halving; `missing`: its run is in the bin; `skipped`: a rerun without values to start from. */
  status: z.union([runStatus, z.enum(["waiting", "pruned", "missing", "skipped"])]),
  reason: z.string().nullable(),
  attempts: z.number().int(),
  steps: z.number().int(),
  totalSteps: z.number().int(),
  /** Milliseconds spent in steps (mean of `stepTime` times steps); null when unknown. */
  trainingTime: z.number().nullable(),
  hyperparameters: z.array(hyperparameterValue),
  evaluations: z.array(evaluation),
});

export const studyDetail = studySummary.extend({ points: z.array(studyPoint) });

/** Estimated cost of a study, measured on this machine before it starts. */
export const studyEstimate = z.object({
  runs: z.number().int(),
  /** Programs that will train at the same time, and threads of each. */
  workers: z.number().int(),
  threads: z.number().int(),
  /** Max number of similar runs that will train as one program. */
  cohort: z.number().int(),
  /** Milliseconds; null when no step could be measured. */
  duration: z.number().nullable(),
  /** Bytes by which the store will grow, and bytes free on its disk (null if unknown). */
  disk: z.number(),
  diskFree: z.number().nullable(),
});

/** A logged series of every run of a study, downsampled for a chart. */
export const studyTrajectories = z.array(
  z.object({ key: z.string(), run: z.string(), steps: z.array(z.number().int()), values: z.array(z.number().nullable()) }),
);

export type StudySummary = z.infer<typeof studySummary>;
export type StudyPoint = z.infer<typeof studyPoint>;
export type StudyDetail = z.infer<typeof studyDetail>;
export type StudyEstimate = z.infer<typeof studyEstimate>;
export type StudyTrajectories = z.infer<typeof studyTrajectories>;

/** Training time of a study at the time `now`. */
export function trainedUntil({ trained, runningSince }: Pick<StudySummary, "trained" | "runningSince">, now: number): TrainedTime | null {
  return trained && { ...trained, milliseconds: trained.milliseconds + (runningSince === null ? 0 : Math.max(0, now - runningSince)) };
}
