/**
 * Spill files: rows that could not be committed when the process had to end. One record per line, as `CRC-32 JSON`;
 * the next open of the store takes them in (spillIntake.ts).
 */
import { createHash, randomUUID } from "node:crypto";
import { closeSync, fsyncSync, lstatSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import envPaths from "env-paths";
import { z } from "zod";
import { createFolderSync, syncFolderSync } from "../../core/durable/folders.ts";
import { messageOf } from "../../shared/errors.ts";
import { evaluation, runEvent, runStatus } from "../../shared/run.ts";

const scalar = z.union([z.string(), z.number(), z.null()]);

/** Parameters of the run's progress columns, as `progressParameters` makes them. */
const progress = z.object({ id: z.string(), status: runStatus, steps: z.number().int().min(0) }).catchall(scalar);

const runRecord = z.object({
  type: z.literal("run"),
  run: z.string(),
  /** The lease under which the rows were trained: taken in only while nobody else has taken the run. */
  token: z.string(),
  lease: z.number().int(),
  progress: progress.nullable(),
  evaluations: z.array(evaluation),
  events: z.array(runEvent),
});
export type SpilledRun = Omit<z.infer<typeof runRecord>, "type">;

const rowsRecord = z.object({
  type: z.literal("rows"),
  run: z.string(),
  firstStep: z.number().int().min(0),
  count: z.number().int().min(1),
  /** Little-endian float64 in base64, row-major. */
  values: z.string(),
});

const record = z.discriminatedUnion("type", [
  z.object({ type: z.literal("spill"), format: z.literal(1), store: z.string(), at: z.number() }),
  runRecord,
  rowsRecord,
  z.object({ type: z.literal("end") }),
]);
type SpillRecord = z.infer<typeof record>;

export interface SpilledRows {
  readonly firstStep: number;
  readonly count: number;
  readonly values: Float64Array;
}

export interface Spill {
  readonly runs: readonly (SpilledRun & { readonly rows: readonly SpilledRows[] })[];
  /** What is wrong with the file from some record on; null for a whole file. */
  readonly damage: string | null;
}

/** Strings in V8 hold about 500 MB. */
const maxBytes = 400 * 1024 * 1024;

/** Values per record of rows. */
const valuesAtOnce = 65_536;

const ending = ".spill";

/** Distinguishes the files of several stores in a shared folder. */
const nameOf = (storeFile: string) => `hypertower-${createHash("sha256").update(storeFile).digest("hex").slice(0, 16)}-`;

/** Folders for spill files, best first: the store's, the user's folder for state, the temporary folder. */
export function spillFolders(storeFile: string): string[] {
  return [dirname(storeFile), join(envPaths("hypertower", { suffix: "" }).log, "spill"), join(tmpdir(), `hypertower-${process.getuid?.() ?? "spill"}`)];
}

/**
 * Writes a spill file into the first folder that can hold it, synced. Returns its path.
 * @throws an error that names all folders and what is wrong with each
 */
export function writeSpill(storeFile: string, runs: Iterable<SpilledRun & { rows: readonly SpilledRows[] }>, folders: readonly string[]): string {
  const all = [...runs];
  const problems: string[] = [];
  for (const folder of folders) {
    const file = join(folder, `${nameOf(storeFile)}${randomUUID()}${ending}`);
    try {
      createFolderSync(folder, 0o700);
      if (folder !== dirname(storeFile)) requireOwn(folder);
      write(file, storeFile, all);
      return file;
    } catch (error) {
      removeUnfinished(`${file}.part`);
      problems.push(`${folder}: ${messageOf(error)}`);
    }
  }
  throw new Error(problems.join("; "));
}

function removeUnfinished(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The folder is not there, or not a folder: the file was never begun.
  }
}

function write(file: string, store: string, runs: readonly (SpilledRun & { rows: readonly SpilledRows[] })[]): void {
  const unfinished = `${file}.part`;
  const fd = openSync(unfinished, "wx", 0o600);
  try {
    const put = (entry: SpillRecord) => {
      const bytes = Buffer.from(lineOf(entry));
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    };
    put({ type: "spill", format: 1, store, at: Date.now() });
    for (const { rows, ...run } of runs) {
      put({ type: "run", ...run });
      for (const batch of rows) for (const part of partsOf(batch)) put({ type: "rows", run: run.run, ...part });
    }
    put({ type: "end" });
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(unfinished, file);
  syncFolderSync(dirname(file));
}

function lineOf(entry: SpillRecord): string {
  const text = JSON.stringify(entry);
  return `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
}

function* partsOf({ firstStep, count, values }: SpilledRows) {
  const width = values.length / count;
  const rowsAtOnce = Math.max(1, Math.floor(valuesAtOnce / width));
  for (let row = 0; row < count; row += rowsAtOnce) {
    const part = values.slice(row * width, (row + rowsAtOnce) * width);
    yield { firstStep: firstStep + row, count: part.length / width, values: Buffer.from(part.buffer).toString("base64") };
  }
}

/** Spill files of a store. In its own folder, all of them: the store may have been moved. */
export function spillFiles(storeFile: string, folders: readonly string[]): string[] {
  return folders.flatMap((folder) => {
    try {
      const isOwn = folder === dirname(storeFile);
      if (!isOwn) requireOwn(folder);
      return readdirSync(folder).filter((name) => name.endsWith(ending) && (isOwn || name.startsWith(nameOf(storeFile)))).map((name) => join(folder, name));
    } catch {
      // No such folder, or one of another account: nothing of this account was spilled there.
      return [];
    }
  });
}

/** A shared temporary folder may hold one that another account has made. @throws unless the folder is this account's */
function requireOwn(folder: string): void {
  const { uid } = lstatSync(folder);
  const own = process.getuid?.();
  if (own !== undefined && uid !== own) throw new Error("the folder belongs to another account");
}

/** @throws when the file cannot be read at all */
export function readSpill(file: string): Spill {
  const { size } = statSync(file);
  if (size > maxBytes) throw new Error(`${basename(file)} has ${size} bytes; at most ${maxBytes} can be read`);
  const runs = new Map<string, SpilledRun & { rows: SpilledRows[] }>();
  let damage: string | null = "its end is missing";
  for (const [index, line] of readFileSync(file, "utf8").split("\n").entries()) {
    if (line === "") continue;
    try {
      const entry = parse(line);
      if (entry.type === "run") {
        const { type: _type, ...run } = entry;
        runs.set(run.run, { ...run, rows: [] });
      } else if (entry.type === "rows") runs.get(entry.run)?.rows.push(rowsOf(entry));
      else if (entry.type === "end") damage = null;
    } catch (error) {
      damage = `line ${index + 1} is damaged (${messageOf(error)})`;
      break;
    }
  }
  return { runs: [...runs.values()], damage };
}

function parse(line: string): SpillRecord {
  const text = line.slice(9);
  if (crc32(text) !== Number.parseInt(line.slice(0, 8), 16)) throw new Error("its checksum differs");
  return record.parse(JSON.parse(text));
}

function rowsOf({ firstStep, count, values }: z.infer<typeof rowsRecord>): SpilledRows {
  const bytes = Buffer.from(values, "base64");
  if (bytes.length % (8 * count) !== 0) throw new Error(`${bytes.length} bytes are not ${count} rows`);
  // slice: base64 buffers may lie unaligned in a shared pool.
  return { firstStep, count, values: new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)) };
}
