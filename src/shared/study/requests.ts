/** Requests and events about studies, part of the contract between window and services. */
import { z } from "zod";
import { idsOf } from "../requestLists.ts";
import { maxWorkers } from "../limits.ts";
import { tags } from "../tags.ts";
import { studyDetail, studyEstimate, studyPoint, studySummary, studyTrajectories } from "./result.ts";
import { cohort, study } from "./study.ts";

const nothing = z.strictObject({}).prefault({});
const id = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, "not a study id");
const oneStudy = z.strictObject({ study: id });
const someStudies = z.strictObject({ studies: idsOf(id) });
/** A study as typed by the user; the services validate it and report wrong fields. */
const draft = z.strictObject({ study: z.unknown() });

/** Runs trained at the same time; null lets the calibration choose. */
const workers = z.number().int().min(1).max(maxWorkers).nullable().default(null);

/** These override the study's own settings. */
const running = { workers, cohort: cohort.optional() };

/** Where to train: `local`, `slurm:PROFILE`, `queue`, `queue:URL`. */
const fleetName = z.string().max(2_000).optional();
/** Milliseconds that a unit of work should take at least at a fleet; null for the default. */
const unitTime = z.number().min(0).max(86_400_000).nullable().optional();

const fields = z.array(z.object({ path: z.string(), message: z.string() }));

export const studyPresetInfo = z.object({ name: z.string(), title: z.string(), description: z.string(), study: z.unknown() });

export const studyRequests = {
  "studies.presets": { input: nothing, output: z.array(studyPresetInfo) },
  /** The study with defaults and its number of runs, or the errors of its fields. */
  "studies.validate": {
    input: draft,
    output: z.union([z.object({ ok: z.literal(true), study, runs: z.number().int() }), z.object({ ok: z.literal(false), errors: fields })]),
  },
  /** Measures a few steps in trainer processes, which takes seconds. Refuses invalid studies. */
  "studies.estimate": { input: draft.extend(running), output: studyEstimate },
  /** Refuses invalid studies and those for which the store's disk has too little space. */
  "studies.start": { input: draft.extend({ ...running, on: fleetName, unitTime }), output: studySummary },
  "studies.pause": { input: oneStudy, output: studySummary },
  /** Resumes a paused, stopped or interrupted study, and its interrupted runs from their checkpoints. */
  "studies.resume": { input: oneStudy, output: studySummary },
  /** Stops its active runs and starts no others. The study can be resumed. */
  "studies.stop": { input: oneStudy, output: studySummary },
  /** Replaces the definition by one with more values, heights or seeds. Keeps the runs that it still contains; erases none. */
  "studies.extend": { input: oneStudy.extend({ definition: z.unknown() }), output: studySummary },
  /** Retrains failed runs and those that are missing because they were deleted. */
  "studies.retry": { input: oneStudy, output: studySummary },
  "studies.list": { input: z.strictObject({ deleted: z.boolean().default(false) }).prefault({}), output: z.array(studySummary) },
  "studies.get": { input: oneStudy, output: studyDetail },
  "studies.rename": { input: oneStudy.extend({ name: z.string().trim().min(1).max(200) }), output: studySummary },
  /** Adds and removes tags of studies: of all of them, or none. */
  "studies.tag": { input: someStudies.extend({ add: tags.default([]), remove: tags.default([]) }), output: z.array(studySummary) },
  /** Moves studies to the bin, with or without their runs; nothing is erased. */
  "studies.delete": { input: someStudies.extend({ withRuns: z.boolean().default(false) }), output: z.array(studySummary) },
  "studies.restore": { input: someStudies, output: z.array(studySummary) },
  /** A logged series (`L0.alpha`, `loss`) of every run, downsampled to at most `maxPoints` per run; extremes are kept. */
  "studies.trajectories": {
    input: oneStudy.extend({ metric: z.string().max(200), maxPoints: z.number().int().min(16).max(2048).default(128) }),
    output: studyTrajectories,
  },
} as const;

export const studyEvents = {
  /** A study's status, counts or name changed; at most a few times a second per study. */
  "study.changed": studySummary,
  /** A point's state changed. */
  "study.advanced": z.object({ study: id, point: studyPoint }),
} as const;
