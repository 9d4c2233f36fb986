/** Runs and studies in a form that other stores can take in, whatever their layouts. */
import { z } from "zod";
import { environment, evaluation, isActive, runEvent, runSummary } from "../../shared/run.ts";
import { studyStatus } from "../../shared/study/result.ts";
import { study } from "../../shared/study/study.ts";
import type { Bucket } from "../../shared/series.ts";
import { keptFrom } from "../../shared/thinning.ts";
import { tags } from "../../shared/tags.ts";
import { trainedTime } from "../../shared/trainedTime.ts";
import type { StepRows } from "./seriesWriter.ts";

export const portableId = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, "not an id");
/** Milliseconds since 1970 that a date can hold. */
const instant = z.int().min(0).max(8.64e15);
const time = instant.nullable();
const name = z.string().max(1_000);

/** Maximum number of series of a run. */
export const maxMetrics = 10_000;

/** A run without its series, evaluations and events. */
export const portableRun = runSummary
  .omit({ elsewhere: true, imported: true, samplesPerSecond: true, secondsLeft: true })
  .extend({
    id: portableId,
    name,
    status: runSummary.shape.status.refine((status) => !isActive(status), "a run that is being trained"),
    createdAt: instant,
    startedAt: time,
    finishedAt: time,
    deletedAt: time,
    steps: z.int().min(0),
    study: portableId.nullable(),
    /** The run's cell in its study, and whether successive halving stopped it. */
    cell: z.string().max(10_000).nullable(),
    pruned: z.boolean(),
    environment: environment.nullable(),
    /** Names of the series in column order, and the number of steps of each. */
    metrics: z.array(z.string().min(1).max(200)).max(maxMetrics).refine((names) => new Set(names).size === names.length, "two series have one name"),
    logged: z.int().min(0),
  })
  .refine(({ thinned, logged, metrics }) => !thinned || (logged > thinned.width && metrics.length > 0), "a thinned run without summaries")
  .refine(({ study: of, cell }) => (of === null) === (cell === null), "a study without a cell, or a cell without a study");
export type PortableRun = z.infer<typeof portableRun>;

export const portableStudy = z.object({
  id: portableId,
  name,
  status: studyStatus.exclude(["running", "paused"]),
  reason: z.string().nullable(),
  study,
  createdAt: instant,
  startedAt: time,
  finishedAt: time,
  deletedAt: time,
  total: z.int().min(0),
  workers: z.int().min(1),
  trained: trainedTime.nullable(),
  tags: tags.optional(),
});
export type PortableStudy = z.infer<typeof portableStudy>;

/** An evaluation and the time it was stored. */
export const portableEvaluation = evaluation.extend({ at: instant, step: z.int().min(0) });
export type PortableEvaluation = z.infer<typeof portableEvaluation>;
export const portableEvent = runEvent.extend({ at: instant, step: z.int().min(0) });
export type PortableEvent = z.infer<typeof portableEvent>;

export const runFileKinds = ["checkpoint", "best", "last"] as const;
export type RunFileKind = (typeof runFileKinds)[number];

/** A checkpoint or weights file of a run. */
export interface PortableFile {
  readonly kind: RunFileKind;
  readonly size: number;
  /** Reads bytes into `target`; returns their number. */
  read(at: number, target: Uint8Array): number;
}

/** The file of an imported network that a run trains, or of the weights that it began from. */
export interface PortableNetwork {
  /** SHA-256 of the file. */
  readonly hash: string;
  readonly name: string;
  readonly size: number;
  /** Reads bytes into `target`; returns their number. */
  read(at: number, target: Uint8Array): number;
}

/** A bucket that a thinned run keeps. */
export interface KeptBucket {
  /** Index in the run's `metrics`. */
  readonly column: number;
  readonly width: number;
  readonly bucket: Bucket;
}

/** A run with everything that belongs to it; each method reads anew. */
export interface PortableSource {
  readonly run: PortableRun;
  /** Steps of `storedRanges()` in order, in batches of `rowsAtOnce()`. */
  steps(): Iterable<StepRows>;
  /** Of a thinned run, the buckets of each column in the order of `bucketGroups()`; none of any other. */
  kept(): Iterable<KeptBucket>;
  evaluations(): Iterable<PortableEvaluation>;
  events(): Iterable<PortableEvent>;
  files(): readonly PortableFile[];
  /** The imported network that it trains and the weights that it began from, without files that are missing. */
  readonly networks?: () => readonly PortableNetwork[];
}

/** Bytes of steps that are held in memory at a time. */
const batchBytes = 1 << 20;

/** Steps per batch of a run with so many series. */
export const rowsAtOnce = (metrics: number): number => Math.max(1, Math.floor(batchBytes / 8 / Math.max(1, metrics)));

/** The steps (`from` to `to`, exclusive) whose values a run has: all, or those that thinning leaves. */
export function storedRanges({ logged, thinned }: Pick<PortableRun, "logged" | "thinned">): readonly (readonly [from: number, to: number])[] {
  return thinned ? [[0, 1], [keptFrom(logged - 1, thinned.width), logged]] : [[0, logged]];
}
