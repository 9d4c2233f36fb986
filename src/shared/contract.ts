/**
 * The one table of requests and events between window and services. Electron's IPC, the preload
 * bridge and the local server are derived from it; every input is validated on arrival.
 */
import { z } from "zod";
import { archiveRequests } from "./archives.ts";
import { datasetEvents, datasetRequests } from "./datasets.ts";
import { engineEvents, engineRequests } from "./engines.ts";
import { exportFormatNames } from "./exports.ts";
import { fleetEvents, fleetRequests } from "./fleet/requests.ts";
import { extraEvents, extraRequests } from "./extras/index.ts";
import { listedRun } from "./listedRun.ts";
import { logsRequests } from "./logs.ts";
import type { Opening } from "./opening.ts";
import { importedRunEvents, importedRunRequests } from "./importedRun.ts";
import { networkEvents, networkRequests } from "./networks.ts";
import { predictionRequests } from "./predictions.ts";
import { reportRequests } from "./reports.ts";
import { maxSummaries } from "./runPages.ts";
import { evaluation, resumption, runDetail, runEvent, runSummary } from "./run.ts";
import { idsOf } from "./requestLists.ts";
import { bucket } from "./series.ts";
import { storeEvents, storeProblem, storeRequests } from "./storeProblem.ts";
import { storageEvents, storageRequests } from "./storage.ts";
import { studyEvents, studyRequests } from "./study/requests.ts";
import { tags } from "./tags.ts";
import { updateRequests } from "./updates.ts";
import { verifiedRunWithFindings } from "./verification.ts";

const nothing = z.strictObject({}).default({});
const runId = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, "not a run id");
const oneRun = z.strictObject({ run: runId });

export const appInfo = z.object({
  version: z.string(),
  /** The window's host: the desktop app, or a browser. */
  host: z.enum(["desktop", "browser"]),
  platform: z.string(),
  cpu: z.string(),
  cores: z.number().int(),
  /** Folder of the store. */
  storePath: z.string(),
  /** Result of the store file's integrity check, for people; null unless damage is known. */
  storeDamage: z.string().nullable(),
  /** Why the store cannot be written at present; null while it can. */
  storeProblem: storeProblem.nullable(),
});

export const seriesRequest = z.strictObject({
  run: runId,
  metrics: idsOf(z.string().max(200), 500),
  /** Cursor: the last step already held; -1 holds nothing. */
  after: z.number().int().min(-1).default(-1),
  /** Bucket width of the caller, a power of two. */
  width: z.number().int().min(1).default(1),
  maxBuckets: z.number().int().min(16).max(8192).default(1024),
});

export const seriesReply = z.object({
  /** Power-of-two width of the returned buckets; at least the caller's. */
  width: z.number().int(),
  /** New cursor: the last stored step; -1 for none. */
  lastStep: z.number().int(),
  /**
   * Buckets by metric, starting with the one that contains step `after + 1`. Merge with
   * appendBuckets().
   */
  series: z.array(z.object({ metric: z.string(), total: z.number().int(), buckets: z.array(bucket) })),
});

export const presetInfo = z.object({ name: z.string(), title: z.string(), description: z.string(), experiment: z.unknown() });

export const exportedFile = z.object({ filename: z.string(), mediaType: z.string(), text: z.string() });

const validation = z.union([
  z.object({ ok: z.literal(true), experiment: z.unknown() }),
  z.object({ ok: z.literal(false), errors: z.array(z.object({ path: z.string(), message: z.string() })) }),
]);

export const contract = {
  requests: {
    "app.info": { input: nothing, output: appInfo },
    ...datasetRequests,
    ...networkRequests,
    ...importedRunRequests,
    ...engineRequests,
  ...extraRequests,
    "experiments.presets": { input: nothing, output: z.array(presetInfo) },
    "experiments.validate": { input: z.strictObject({ experiment: z.unknown() }), output: validation },
    /**
     * Milliseconds per step and evaluation, and before the first step, from a short training that
     * is discarded.
     */
    "experiments.measure": {
      input: z.strictObject({ experiment: z.unknown() }),
      output: z.object({ step: z.number(), evaluation: z.number(), begin: z.number() }),
    },
    "runs.start": { input: z.strictObject({ experiment: z.unknown() }), output: runSummary },
    "runs.pause": { input: oneRun, output: runSummary },
    /**
     * Continues a paused run, or resumes a stopped, failed or interrupted one from its checkpoint;
     * `fromStart` restarts at the first step and compares with the log.
     */
    "runs.resume": { input: oneRun.extend({ fromStart: z.boolean().default(false) }), output: runSummary },
    /** Where a stopped, failed or interrupted run would resume; null for any other. */
    "runs.resumption": { input: oneRun, output: resumption.nullable() },
    "runs.stop": { input: oneRun, output: runSummary },
    /**
     * Newest first. `study`: only runs of that study, or with null only runs outside studies.
     * `limit`: at most
     * this many, created before the run `before`; fewer only at the end of the list.
     */
    "runs.list": {
      input: z
        .strictObject({
          deleted: z.boolean().default(false),
          study: runId.nullable().optional(),
          limit: z.number().int().min(1).max(10_000).optional(),
          before: z.strictObject({ createdAt: z.number(), id: runId }).optional(),
        })
        .prefault({}),
      output: z.array(listedRun),
    },
    /** Runs with their configurations, in the order asked for, without those that are not there. */
    "runs.summaries": { input: z.strictObject({ runs: idsOf(runId, maxSummaries) }), output: z.array(runSummary) },
    /**
     * Ids of the runs whose id begins so, those in the bin included, newest first; or of the runs with this name, those in
     * the bin only if there are no others. Without either, the run created last that is not in the bin.
     */
    "runs.find": { input: z.strictObject({ prefix: z.string().max(64).optional(), name: z.string().max(1_000).optional() }), output: z.array(z.string()) },
    "runs.get": { input: oneRun, output: runDetail },
    "runs.rename": { input: oneRun.extend({ name: z.string().trim().min(1).max(200) }), output: runSummary },
    /** Adds and removes tags of runs: of all of them, or none. */
    "runs.tag": { input: z.strictObject({ runs: idsOf(runId), add: tags.default([]), remove: tags.default([]) }), output: z.array(runSummary) },
    /** Moves runs to the bin; nothing is erased. */
    "runs.delete": { input: z.strictObject({ runs: idsOf(runId) }), output: z.array(runSummary) },
    "runs.restore": { input: z.strictObject({ runs: idsOf(runId) }), output: z.array(runSummary) },
    /** What a run learned as a file of a few megabytes; longer ones are left to the command line. A damaged run is refused unless `damagedAnyway`. */
    "runs.export": { input: oneRun.extend({ format: z.enum(exportFormatNames), damagedAnyway: z.boolean().default(false) }), output: exportedFile },
    /** Compares everything that is stored of a run with its checksums. Takes about a second for a million values. */
    "runs.verify": { input: oneRun, output: verifiedRunWithFindings },
    "series.read": { input: seriesRequest, output: seriesReply },
    ...predictionRequests,
    ...studyRequests,
    ...fleetRequests,
    ...reportRequests,
    ...archiveRequests,
    ...storeRequests,
    ...storageRequests,
    ...logsRequests,
    ...updateRequests,
  },
  events: {
    /** A run's status, progress or name changed; a few times a second per run at most. */
    "run.changed": runSummary,
    /** Evaluations were stored since the last such event of the run, in order; before the `run.changed` that tells its end. Twice a second per run at most. */
    "run.evaluated": z.object({ run: runId, evaluations: z.array(evaluation) }),
    /** New weights of a run were saved: predictions are possible. Once a second per run at most. */
    "run.kept": z.object({ run: runId }),
    /** An event was added to a run's log. */
    "run.noted": z.object({ run: runId, event: runEvent }),
    /** Runs that another process changed or created, as lists show them; many come in parts. */
    "runs.listed": z.array(listedRun),
    /** Another process changed these runs, and these studies or runs of them: what else is shown of them should be read again. */
    "store.changed": z.object({ runs: z.array(runId), studies: z.array(runId) }),
    /** A check of the store's file found damage. */
    "store.damaged": z.object({ message: z.string() }),
    ...storeEvents,
    ...studyEvents,
    ...fleetEvents,
    ...datasetEvents,
    ...networkEvents,
    ...importedRunEvents,
    ...engineEvents,
  ...extraEvents,
    ...storageEvents,
  },
} as const;

export type Requests = typeof contract.requests;
export type RequestName = keyof Requests;
export type RequestInput<N extends RequestName> = z.input<Requests[N]["input"]>;
export type RequestArguments<N extends RequestName> = z.output<Requests[N]["input"]>;
export type RequestOutput<N extends RequestName> = z.output<Requests[N]["output"]>;

export type Events = typeof contract.events;
export type EventName = keyof Events;
export type EventPayload<N extends EventName> = z.output<Events[N]>;

export const requestNames = Object.keys(contract.requests) as RequestName[];
export const eventNames = Object.keys(contract.events) as EventName[];

/** A failed request: a message for people, and the fields it concerns. */
export const requestFailure = z.object({
  message: z.string(),
  fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type RequestFailure = z.infer<typeof requestFailure>;

/** Reply envelope of a request on every transport. */
export type Reply<N extends RequestName> = { ok: true; value: RequestOutput<N> } | { ok: false; error: RequestFailure };

/**
 * The window's interface over IPC or WebSocket. `request` resolves to the reply envelope; it
 * rejects only when the connection is lost.
 */
export interface Bridge {
  request<N extends RequestName>(name: N, input: RequestInput<N>): Promise<Reply<N>>;
  /** Subscribes to an event; returns its unsubscribe. */
  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void;
  /** Path of a file or folder that was dropped on the window, which may be read from then on; null for others. Only in the desktop app. */
  dropped?(file: File): Promise<string | null>;
  /** Files and links that the system handed to the app since the last call. Only in the desktop app. */
  opened?(): Promise<Opening[]>;
  /** Calls the listener when files or links wait; returns its unsubscribe. Only in the desktop app. */
  onOpening?(listener: () => void): () => void;
}

/** Name under which the preload exposes the bridge on `window`. */
export const bridgeKey = "hypertower";

/** One handler per request, implemented by the services. */
export type Handlers = {
  [N in RequestName]: (input: RequestArguments<N>) => RequestOutput<N> | Promise<RequestOutput<N>>;
};
