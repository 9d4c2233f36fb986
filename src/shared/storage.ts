/** The store's health, what takes its space, its backups, and what can be erased. */
import { z } from "zod";
import { backupInfo, backupName, backupSettings } from "./backups.ts";
import { networkHash } from "./models/network.ts";
import { idsOf } from "./requestLists.ts";
import { thinWidth } from "./thinning.ts";

const nothing = z.strictObject({}).default({});
const id = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, "not an id");

const path = z.string().min(1).max(4_096);

export const healthFinding = z.object({
  /** `problem`: something is lost or does not work. `warning`: something may be lost later. `note`: good to know. */
  severity: z.enum(["problem", "warning", "note"]),
  title: z.string(),
  /** What was found, and where. */
  detail: z.string(),
  /** What to do. */
  advice: z.string(),
});
export type HealthFinding = z.infer<typeof healthFinding>;

export const health = z.object({ at: z.number(), findings: z.array(healthFinding) });
export type Health = z.infer<typeof health>;

export const runSpace = z.object({
  run: z.string(),
  name: z.string(),
  status: z.string(),
  inBin: z.boolean(),
  steps: z.number(),
  /** Share of the database, by the number of logged values. */
  log: z.number(),
  checkpoint: z.number(),
  weights: z.number(),
  /** Steps per kept summary of a thinned run; null for any other. */
  thinnedTo: z.number().nullable(),
});
export type RunSpace = z.infer<typeof runSpace>;

const hash = z.string().regex(networkHash, "not the SHA-256 of a network");

export const unusedNetwork = z.object({ hash, name: z.string(), bytes: z.number() });
export type UnusedNetwork = z.infer<typeof unusedNetwork>;

export const storageReport = z.object({
  folder: z.string(),
  /** Bytes of the disk. */
  free: z.number(),
  total: z.number(),
  /** Bytes by what takes them. `unused`: space in the database that holds nothing; `bin`: the part of the others that erasing the bin would free. */
  bytes: z.object({ log: z.number(), unused: z.number(), checkpoints: z.number(), weights: z.number(), networks: z.number(), datasets: z.number(), backups: z.number(), setAside: z.number(), bin: z.number() }),
  bin: z.object({ runs: z.number(), studies: z.number(), steps: z.number() }),
  /** Imported networks that no run and no study uses, those in the bin included. Drafts of the window may use them. */
  unusedNetworks: z.array(unusedNetwork),
  /** Runs that can be resumed from a checkpoint and are not active. */
  resumable: z.number(),
  largest: z.array(runSpace),
  backups: z.array(backupInfo),
  settings: backupSettings,
});
export type StorageReport = z.infer<typeof storageReport>;

/** What a person should know without asking; null for none. */
export const storageNotices = z.object({
  /** Runs or steps that the store has lost. */
  loss: z.string().nullable(),
  /** The disk is or will soon be full. */
  space: z.string().nullable(),
  /** The latest backup was not made. */
  backup: z.string().nullable(),
  /** Backup that will be restored at the next start. */
  restore: z.string().nullable(),
  /** Folder to which the store is moved at the next start, or was not moved: then with the reason. */
  move: z.object({ folder: z.string(), problem: z.string().nullable() }).nullable(),
});
export type StorageNotices = z.infer<typeof storageNotices>;

/** What is erased for good. The counts are those that the person has confirmed: others are refused. */
export const erasure = z.discriminatedUnion("what", [
  z.strictObject({ what: z.literal("bin"), runs: z.number().int().min(0), studies: z.number().int().min(0) }),
  z.strictObject({ what: z.literal("checkpoints"), runs: idsOf(id) }),
  z.strictObject({ what: z.literal("weights"), runs: idsOf(id) }),
  /** The values of the runs' steps; summaries of so many steps each are kept. */
  z.strictObject({ what: z.literal("steps"), runs: idsOf(id), width: thinWidth }),
  z.strictObject({ what: z.literal("networks"), hashes: z.array(hash).min(1).max(1_000) }),
  z.strictObject({ what: z.literal("backups"), names: z.array(backupName).min(1).max(1_000) }),
]);
export type Erasure = z.infer<typeof erasure>;

/** What thinning would erase; bytes are estimated. */
export const thinningPlan = z.object({
  width: thinWidth,
  runs: z.array(z.object({ run: z.string(), name: z.string(), steps: z.number(), values: z.number(), bytes: z.number() })),
  values: z.number(),
  bytes: z.number(),
});
export type ThinningPlan = z.infer<typeof thinningPlan>;

export const storageRequests = {
  "storage.notices": { input: nothing, output: storageNotices },
  "storage.report": { input: nothing, output: storageReport },
  /** Checks the whole store in a process of its own: seconds to minutes. */
  "storage.check": { input: nothing, output: health },
  "storage.acknowledgeLoss": { input: nothing, output: storageNotices },
  /** Makes a backup now. */
  "storage.backUp": { input: nothing, output: backupInfo },
  "storage.saveSettings": { input: z.strictObject({ settings: backupSettings }), output: backupSettings },
  /** Has a backup restored at the next start; null cancels that. */
  "storage.restore": { input: z.strictObject({ backup: backupName.nullable() }), output: storageNotices },
  /** Copies what the store lacks of another one, whose folder is on the machine that runs Hypertower. Answers what was done, in sentences. */
  "storage.merge": { input: z.strictObject({ path }), output: z.object({ remarks: z.array(z.string()) }) },
  /** Has the store moved to a new or empty folder at the next start; null cancels that. */
  "storage.move": { input: z.strictObject({ path: path.nullable(), removeOld: z.boolean() }), output: storageNotices },
  /** Erases for good. Answers a sentence that says what was erased. */
  "storage.erase": { input: z.strictObject({ erasure }), output: z.object({ done: z.string() }) },
  /** What thinning these runs would erase; an error says why one of them cannot be thinned. */
  "storage.planThinning": { input: z.strictObject({ runs: idsOf(id), width: thinWidth }), output: thinningPlan },
  /** Gives unused space of the database back to the disk, in a process of its own. */
  "storage.vacuum": { input: nothing, output: z.object({ done: z.string() }) },
} as const;

export const storageEvents = {
  "storage.noticed": storageNotices,
  /** Backups were made or removed, or something was erased. */
  "storage.changed": z.object({}),
} as const;
