/** Requests and events about fleets, part of the contract between window and services. */
import { z } from "zod";
import { idsOf } from "../requestLists.ts";
import { slurmProfile } from "./profile.ts";
import { identifier } from "./unit.ts";
import { workerState } from "./worker.ts";

const nothing = z.strictObject({}).default({});
/** Name of a fleet without the password of its URL, as fleets.list gives it. */
const fleetName = z.string().min(1).max(2_000);
/** A profile's name as typed; the services check it and say what is wrong. */
const typedName = z.string().max(200);

export const unitStates = ["submitting", "waiting", "running", "ended", "failed", "canceled", "unknown"] as const;

/** A unit of work that is at a fleet. Times are milliseconds. */
export const fleetUnit = z.object({
  id: z.string(),
  study: z.string(),
  /** Name of the study; null where it is gone. */
  studyName: z.string().nullable(),
  state: z.enum(unitStates),
  /** Why it waits or failed. */
  reason: z.string().nullable(),
  /** Its name there, such as the job `1234_5`. */
  job: z.string().nullable(),
  /** Where it is trained or was last. */
  place: z.string().nullable(),
  attempts: z.number().int(),
  submittedAt: z.number(),
  estimate: z.number().nullable(),
  /** Number of runs. */
  runs: z.number().int(),
  /** What holds up what was handed in; null for nothing. */
  heldUpBy: z.string().nullable(),
});

export const fleetInfo = z.object({
  /** As in `--on`, without the password of a URL. */
  name: z.string(),
  kind: z.enum(["slurm", "folder", "queue"]),
  /** Why it cannot be used at present; null while it can. */
  problem: z.string().nullable(),
  /** Workers that gave a sign of life lately; empty where none did, or the fleet does not answer. */
  workers: z.array(workerState),
  units: z.array(fleetUnit),
  /** Jobs at the same time that its profile allows; null for no limit of its own, and for fleets without a profile. */
  atOnce: z.number().int().nullable(),
});

export const fleetRequests = {
  /** Fleets that can be chosen or have units. Asks each that is set up, and waits some seconds at most for one that does not answer. */
  "fleets.list": { input: nothing, output: z.object({ fleets: z.array(fleetInfo), /** This machine's clock. */ now: z.number() }) },
  /** A worker takes no further unit, or does again. */
  "fleets.drain": { input: z.strictObject({ fleet: fleetName, worker: identifier, draining: z.boolean() }), output: z.null() },
  /** Ends units: their runs are stopped, and go on when their study is resumed. Failed ones are forgotten. */
  "fleets.cancel": { input: z.strictObject({ units: idsOf(z.string().max(100)) }), output: z.null() },
  /** Trains what failed units lack again, in new ones. */
  "fleets.retry": { input: z.strictObject({ units: idsOf(z.string().max(100)) }), output: z.null() },
  /** Slurm profiles, and the file that they are in; `problem` where it cannot be read. */
  "fleets.profiles": { input: nothing, output: z.object({ file: z.string(), profiles: z.record(z.string(), slurmProfile), problem: z.string().nullable() }) },
  /** Adds a profile or replaces one. Refuses one that is not valid, with its fields. */
  "fleets.saveProfile": { input: z.strictObject({ name: typedName, profile: z.unknown(), /** Whether one of that name may be replaced. */ replace: z.boolean().default(false) }), output: z.null() },
  "fleets.removeProfile": { input: z.strictObject({ name: typedName }), output: z.null() },
  /** The script that a profile would give to sbatch. Submits nothing. */
  "fleets.script": { input: z.strictObject({ profile: z.unknown(), units: z.int().min(1).max(100_000).default(10), threads: z.int().min(1).max(256).default(1) }), output: z.object({ script: z.string() }) },
} as const;

export const fleetEvents = {
  /** Units of a fleet or their states changed; about once a second at most. */
  "fleets.changed": z.object({}),
} as const;

export type FleetInfo = z.infer<typeof fleetInfo>;
export type FleetUnit = z.infer<typeof fleetUnit>;
