/**
 * A unit of work: runs of a study that a worker trains, as JSON. It pins all that decides the numbers, so that every
 * machine trains the same programs: validated experiments with engine, threads and generator version, and the checksums
 * of data and networks.
 */
import { z } from "zod";
import { engineKinds } from "../engines.ts";
import { experiment } from "../experiment.ts";
import { generatorVersions } from "../random.ts";

export const unitFormat = 1;

/** Identifiers of units, runs and workers: safe as names of files on every system. */
export const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, "must be 1 to 100 letters, digits, - or _");

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hexadecimal digits");

/** A run of a unit, with its seat in the program that trains it. */
export const unitRun = z.strictObject({
  run: identifier,
  seat: z.int().min(0).max(65_535),
  experiment,
  /** Why its engine was chosen, for the record. */
  why: z.string().max(2_000).optional(),
});

/** Runs that train as one program of `size` seats; one run alone has size 1. */
export const unitProgram = z
  .strictObject({ size: z.int().min(1).max(65_536), members: z.array(unitRun).min(1).max(65_536) })
  .superRefine(({ size, members }, context) => {
    const seats = new Set(members.map(({ seat }) => seat));
    if (seats.size < members.length || members.some(({ seat }) => seat >= size)) context.addIssue({ code: "custom", path: ["members"], message: `must have distinct seats from 0 to ${size - 1}` });
  });

/** What a machine must have to train a unit. */
export const unitNeeds = z.strictObject({
  /** Version of Hypertower that made the unit; other versions may compute other last digits. */
  hypertower: z.string().max(100),
  engine: z.enum(engineKinds),
  threads: z.int().min(1).max(256),
  generator: z.literal(generatorVersions),
  /** Files of the dataset; `digest` is `sha256:…` or `md5:…`. Empty for data that is made, not read. */
  dataset: z.strictObject({ kind: z.string().max(200), title: z.string().max(1_000), files: z.array(z.strictObject({ name: z.string().max(300), digest: z.string().max(300) })).max(10_000) }),
  /** Imported networks, by their SHA-256. */
  networks: z.array(sha256).max(1_000),
});

export const unit = z.strictObject({
  format: z.literal(unitFormat),
  /** Made anew for every submission: what an earlier one still hands in is refused. */
  id: identifier,
  study: z.strictObject({ id: identifier, name: z.string().max(300) }),
  /** Trained one after another. */
  programs: z.array(unitProgram).min(1).max(10_000),
  needs: unitNeeds,
  /** Milliseconds between checkpoints of a run. */
  checkpointEvery: z.number().min(100).max(86_400_000),
  /** Estimated milliseconds on the machine that submitted it; null where it was not measured. */
  estimate: z.number().min(0).nullable(),
});

export type Unit = z.infer<typeof unit>;
export type UnitProgram = z.infer<typeof unitProgram>;
export type UnitRun = z.infer<typeof unitRun>;
export type UnitNeeds = z.infer<typeof unitNeeds>;

/** Runs of a unit, in the order in which they are trained. */
export const runsOf = ({ programs }: Pick<Unit, "programs">): UnitRun[] => programs.flatMap(({ members }) => members);
