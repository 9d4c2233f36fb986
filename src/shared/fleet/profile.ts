/** A named profile of a cluster with Slurm: where and how its jobs run. Kept in a file and edited in the window. */
import { z } from "zod";

/** One value of an option of sbatch. */
const value = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\s"'`\\]+$/, "must not contain spaces, quotes or backslashes");

const path = z
  .string()
  .max(1_000)
  .regex(/^\/[^\n\r\0]*$/, "must be an absolute path, the same on every node");

const line = z
  .string()
  .max(2_000)
  .regex(/^[^\n\r\0]*$/, "must be one line");

export const slurmProfile = z.strictObject({
  /** Folder that the coordinator and every node share, for units and results. */
  folder: path,
  /** Folder of the datasets on the nodes; the account's own by default. */
  data: path.optional(),
  /** How Hypertower is started on a node, as in a shell. */
  command: line.min(1).default("hypertower"),
  partition: value.optional(),
  account: value.optional(),
  qos: value.optional(),
  /** Such as `gpu:1`. */
  gres: value.optional(),
  constraint: value.optional(),
  /** Of a job, such as `4G`. */
  memory: z.string().regex(/^\d+[KMGT]?$/, "must be a number with K, M, G or T, such as 4G").optional(),
  /** Cores of a job; the threads of its unit by default. */
  cpus: z.int().min(1).max(1_024).optional(),
  /** Minutes that a job may run. A unit that takes longer goes on from its checkpoints in the next. */
  minutes: z.int().min(1).max(525_600),
  /** Seconds before the end of that time at which a job leaves with checkpoints. */
  warning: z.int().min(1).max(3_600).default(120),
  /** Jobs at the same time; the cluster's own limits by default. */
  atOnce: z.int().min(1).max(100_000).optional(),
  /** Jobs of a unit that may fail before it is set aside. */
  attempts: z.int().min(1).max(100).default(5),
  /** Lines of shell before Hypertower starts: modules, containers, variables. */
  prologue: z.array(line).max(200).default([]),
  /** Further options of sbatch, such as `--exclude=n3`. */
  options: z.array(line.regex(/^--[a-z][a-z-]*(=[^\s]+)?$/, "must be an option of sbatch in its long form, such as --exclude=n3")).max(50).default([]),
});
export type SlurmProfile = z.infer<typeof slurmProfile>;
export type SlurmProfileInput = z.input<typeof slurmProfile>;

/** Names of profiles, as in `--on slurm:NAME`. */
export const profileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, "must be 1 to 100 letters, digits, dots, - or _");

export const slurmProfiles = z.strictObject({ profiles: z.record(profileName, slurmProfile) });
export type SlurmProfiles = z.infer<typeof slurmProfiles>;
