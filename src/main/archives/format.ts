/**
 * Format of archives: a tar file of plain parts, uncompressed, so an archive cannot grow when it is read.
 *
 *   hypertower.json                  format and version; always first
 *   studies/0.json                   definition and state of a study
 *   networks/SHA-256                 an imported network, before the first run that trains it (version 3)
 *   runs/0/run.json                  a run's row, experiment and environment
 *   runs/0/steps/0                   logged values, float64 little-endian, column by column for `rowsAtOnce()` steps
 *   runs/0/kept/0                    summaries that a thinned run keeps, JSON, one a line (version 2)
 *   runs/0/evaluations/0, events/0   JSON, one a line
 *   runs/0/checkpoint, best.weights, last.weights
 *   manifest.json                    size and SHA-256 of every part before it; always last
 */
import { z } from "zod";
import { maxNetworkBytes } from "../../core/networks/file.ts";
import type { RunFileKind } from "../store/portable.ts";
import { ArchiveError } from "./errors.ts";

export const archiveFormat = "hypertower archive";
/** The newest version. An archive has the lowest version that can hold it, so that earlier programs read it. */
export const archiveVersion = 3;
const versionWithoutNetworks = 2;
const versionWithoutThinned = 1;

export const versionOf = ({ thinned, networks }: { readonly thinned: boolean; readonly networks: boolean }): number => (networks ? archiveVersion : thinned ? versionWithoutNetworks : versionWithoutThinned);
export const archiveSuffix = ".hypertower";
export const archiveMediaType = "application/x-hypertower";

/** Limits of what is read, checked before anything of that size is allocated. */
export const limits = {
  parts: 500_000,
  /** Bytes. */
  manifest: 128 << 20,
  json: 16 << 20,
  batch: 4 << 20,
  /** The largest size that a plain tar header can name. */
  file: 2 ** 33 - 1,
  /** Nested arrays and objects. */
  depth: 64,
} as const;

export const headName = "hypertower.json";
export const manifestName = "manifest.json";

export const head = z.object({ format: z.literal(archiveFormat), version: z.int().min(1) });

const size = z.int().min(0).max(limits.file);
export const manifest = z.strictObject({
  format: z.literal(archiveFormat),
  version: z.int().min(1).max(archiveVersion),
  /** Version of the program that wrote the archive, and when (milliseconds since 1970). */
  program: z.string().max(100),
  createdAt: z.number(),
  /** Versions of the generator of random numbers that the runs use. */
  generators: z.array(z.int()).max(100),
  /** Datasets of the runs, which are not part of the archive. */
  datasets: z.array(z.strictObject({ kind: z.string().max(200), title: z.string().max(1_000), trainExamples: z.int(), testExamples: z.int(), exampleShape: z.array(z.int()).max(100), files: z.array(z.strictObject({ name: z.string().max(300), digest: z.string().max(300) })).max(10_000).default([]) })).max(10_000),
  parts: z.array(z.strictObject({ name: z.string().max(100), size, sha256: z.string().regex(/^[0-9a-f]{64}$/) })).max(limits.parts),
});
export type Manifest = z.infer<typeof manifest>;

const step = z.int().min(0).nullable();
/** Column, width, start, values that are not finite, lowest, its step, highest, its step, sum of the finite values. */
export const keptLine = z.tuple([z.int().min(0), z.int().min(1), z.int().min(0), z.int().min(0), z.number().nullable(), step, z.number().nullable(), step, z.number()]);
export type KeptLine = z.infer<typeof keptLine>;

const number = "(0|[1-9]\\d{0,6})";
const pattern = new RegExp(`^(?:hypertower\\.json|manifest\\.json|studies/${number}\\.json|networks/([0-9a-f]{64})|runs/${number}/(?:(run\\.json|checkpoint|best\\.weights|last\\.weights)|(steps|kept|evaluations|events)/${number}))$`);

export type BatchedKind = "steps" | "kept" | "evaluations" | "events";

export type PartName =
  | { readonly kind: "head" }
  | { readonly kind: "manifest" }
  | { readonly kind: "study"; readonly index: number }
  | { readonly kind: "network"; readonly hash: string }
  | { readonly kind: "run" | RunFileKind; readonly index: number }
  | { readonly kind: BatchedKind; readonly index: number; readonly batch: number };

const single = { "run.json": "run", checkpoint: "checkpoint", "best.weights": "best", "last.weights": "last" } as const;
export const fileNames = { checkpoint: "checkpoint", best: "best.weights", last: "last.weights" } as const satisfies Record<RunFileKind, string>;

/** Undefined for any name that an archive cannot hold. */
export function parsePartName(name: string): PartName | undefined {
  const match = pattern.exec(name);
  if (!match) return undefined;
  const [, study, network, run, alone, batched, batch] = match;
  if (study !== undefined) return { kind: "study", index: Number(study) };
  if (network !== undefined) return { kind: "network", hash: network };
  if (run === undefined) return { kind: name === headName ? "head" : "manifest" };
  if (alone !== undefined) return { kind: single[alone as keyof typeof single], index: Number(run) };
  return { kind: batched as BatchedKind, index: Number(run), batch: Number(batch) };
}

/** Maximum size of a part in bytes. */
export function maxSize({ kind }: PartName): number {
  if (kind === "manifest") return limits.manifest;
  if (kind === "network") return maxNetworkBytes;
  if (kind === "checkpoint" || kind === "best" || kind === "last") return limits.file;
  return kind === "steps" || kind === "kept" || kind === "evaluations" || kind === "events" ? limits.batch : limits.json;
}

/** Parses JSON of a part. @throws ArchiveError naming the part */
export function parseJson<T extends z.ZodType>(part: string, text: string, schema: T): z.output<T> {
  if (depthOf(text) > limits.depth) throw new ArchiveError(`${part} is nested more than ${limits.depth} levels deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ArchiveError(`${part} is not JSON`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
  throw new ArchiveError(`${part} cannot be read: ${path.length === 0 ? "" : `${path.join(".").slice(0, 200)}: `}${message.slice(0, 300)}`);
}

/** Depth of nested arrays and objects in JSON. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 92) i++;
      else if (code === 34) quoted = false;
    } else if (code === 34) quoted = true;
    else if (code === 91 || code === 123) deepest = Math.max(deepest, ++depth);
    else if (code === 93 || code === 125) depth--;
  }
  return deepest;
}
