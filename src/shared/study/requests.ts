/** What a window and the services say to one another about studies; part of the contract. */
import { z } from "zod";
import { idsOf } from "../requestLists.ts";
import { maxWorkers } from "../limits.ts";
import { studyDetail, studyEstimate, studyPoint, studySummary, studyTrajectories } from "./result.ts";
import { cohort, study } from "./study.ts";

const nothing = z.strictObject({}).prefault({});
const id = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, "not a study id");
const oneStudy = z.strictObject({ study: id });
const someStudies = z.strictObject({ studies: idsOf(id) });
/** A study as it was typed: the services validate it and name the fields. */
const draft = z.strictObject({ study: z.unknown() });

/** Runs trained at the same time; null lets the calibration choose. */
const workers = z.number().int().min(1).max(maxWorkers).nullable().default(null);

/** In place of what the study says. */
const running = { workers, cohort: cohort.optional() };

const fields = z.array(z.object({ path: z.string(), message: z.string() }));

export const studyPresetInfo = z.object({ name: z.string(), title: z.string(), description: z.string(), study: z.unknown() });

export const studyRequests = {
  "studies.presets": { input: nothing, output: z.array(studyPresetInfo) },
  /** The study with its defaults and its number of runs, or what is wrong with it. */
  "studies.validate": {
    input: draft,
    output: z.union([z.object({ ok: z.literal(true), study, runs: z.number().int() }), z.object({ ok: z.literal(false), errors: fields })]),
  },
  /** Measures a few steps, in a process of its own: takes seconds. Refuses what `validate` refuses. */
  "studies.estimate": { input: draft.extend(running), output: studyEstimate },
  /** Refuses what `validate` refuses, and what the store's disk will not hold. */
  "studies.start": { input: draft.extend(running), output: studySummary },
  "studies.pause": { input: oneStudy, output: studySummary },
  /** Goes on with a study that is paused, stopped or was interrupted, and with its interrupted runs from their checkpoints. */
  "studies.resume": { input: oneStudy, output: studySummary },
  /** Runs that train are stopped; those that wait are not begun. Can be resumed. */
  "studies.stop": { input: oneStudy, output: studySummary },
  /** Another form of the study with more values, heights or seeds. Runs that it still contains are kept, none is erased. */
  "studies.extend": { input: oneStudy.extend({ definition: z.unknown() }), output: studySummary },
  /** Trains again what failed, and what is missing because its run was deleted. */
  "studies.retry": { input: oneStudy, output: studySummary },
  "studies.list": { input: z.strictObject({ deleted: z.boolean().default(false) }).prefault({}), output: z.array(studySummary) },
  "studies.get": { input: oneStudy, output: studyDetail },
  "studies.rename": { input: oneStudy.extend({ name: z.string().trim().min(1).max(200) }), output: studySummary },
  /** Moves studies to the bin, with or without their runs; nothing is erased. */
  "studies.delete": { input: someStudies.extend({ withRuns: z.boolean().default(false) }), output: z.array(studySummary) },
  "studies.restore": { input: someStudies, output: z.array(studySummary) },
  /** A logged series (`L0.alpha`, `loss`) of every run, thinned out to at most `maxPoints` a run, extremes kept. */
  "studies.trajectories": {
    input: oneStudy.extend({ metric: z.string().max(200), maxPoints: z.number().int().min(16).max(2048).default(128) }),
    output: studyTrajectories,
  },
} as const;

export const studyEvents = {
  /** A study's status, counts or name changed; at most a few times a second per study. */
  "study.changed": studySummary,
  /** A point of a study came to a new state. */
  "study.advanced": z.object({ study: id, point: studyPoint }),
} as const;
