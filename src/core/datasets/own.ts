/** A user's own datasets: stored in one format in the data folder, whatever they were imported from. */
import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ownKind } from "../../shared/datasets.ts";
import { messageOf } from "../../shared/errors.ts";
import { clipped } from "../../shared/text.ts";
import { syncFolder } from "../durable/folders.ts";
import { requireSpace } from "./download.ts";
import { dataFolder } from "../folders/folder.ts";
import { chunksOf } from "./chunks.ts";
import { byteClasses, type Codes, type Labels } from "./dataset.ts";
import { checksumsName, checksumsOf, damagedFiles, requireSame } from "./ownChecksums.ts";
import { requireStorable } from "./formats/packed.ts";

export const ownMeta = z.object({
  /** 1 where an older program can read it, 2 with what came later: test examples of its own, 16-bit codes, more than 256 classes. */
  version: z.union([z.literal(1), z.literal(2)]),
  /** `own/` and a short name; the dataset's kind in an experiment. */
  id: z.string(),
  title: z.string(),
  task: z.enum(["classification", "regression", "text"]),
  /** Path or paths that it was imported from. */
  source: z.string(),
  createdAt: z.number(),
  /** Number of examples; of characters for a text. */
  count: z.number().int().nonnegative(),
  /** The last so many are for testing; without it, a share is drawn (of a text, its last tenth). */
  testExamples: z.number().int().positive().optional(),
  exampleShape: z.array(z.number().int().positive()),
  classNames: z.array(z.string()),
  featureNames: z.array(z.string()),
  /**
   * Bytes are pixels from 0 to 255, or codes of a text with up to 256 symbols, whose codes have 16
   * bits else; floats are standardized when they are loaded.
   */
  features: z.enum(["uint8", "uint16", "float32"]),
  /** Symbols of a text by their codes; empty otherwise. */
  vocabulary: z.array(z.string()),
  /** What a symbol of a text is; characters where it is missing. */
  unit: z.enum(["bytes", "words"]).optional(),
});
export type OwnMeta = z.infer<typeof ownMeta>;

export interface OwnData {
  readonly features: Codes | Float32Array;
  readonly labels: Labels;
}

const root = (folder: string) => join(folder, "own");

/** @throws Error when the id is invalid: no path outside the data folder is ever touched */
function folderOf(id: string, folder: string): string {
  if (!ownKind.test(id)) throw new Error(`${JSON.stringify(id)} is not the id of an own dataset; allowed: own/ followed by lowercase letters, digits and hyphens`);
  return join(root(folder), id.slice("own/".length));
}

/** A new, unique id derived from a title. */
export function ownId(title: string): string {
  const base = title.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
  return `own/${base || "data"}-${randomBytes(3).toString("hex")}`;
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

const bytesOf = (values: Codes | Labels) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Writes a dataset whole or not at all. @throws Error when the disk is full or cannot be written */
export async function writeOwn(meta: OwnMeta, data: OwnData, folder = dataFolder()): Promise<void> {
  const to = folderOf(meta.id, folder);
  const aside = `${to}.${process.pid}.new`;
  await requireSpace(root(folder), data.features.byteLength + data.labels.byteLength);
  await mkdir(aside);
  try {
    const files = { "features.bin": bytesOf(data.features), "labels.bin": bytesOf(data.labels), "dataset.json": new TextEncoder().encode(JSON.stringify(meta, null, 2)) };
    for (const [name, bytes] of Object.entries(files)) await writeDurably(join(aside, name), bytes);
    await writeDurably(join(aside, checksumsName), new TextEncoder().encode(JSON.stringify(checksumsOf(files))));
    await syncFolder(aside);
    await rename(aside, to);
    await syncFolder(root(folder));
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new Error(`The dataset cannot be written into ${root(folder)}: ${error.message}. Nothing was imported; free space there, or set HYPERTOWER_DATA to another folder.`, { cause: error });
  }
}

/** Name of a folder that is being written, with the process that writes it. */
const unfinished = /^[a-z0-9-]+(?:\.(\d+))?\.new$/;

/** Deletes what imports left that did not end. @param ended whether the process that wrote it has ended */
export async function removeUnfinished(ended: (pid: number | null) => boolean, folder = dataFolder()): Promise<void> {
  for (const name of await readdir(root(folder)).catch(() => [])) {
    const [found, pid] = unfinished.exec(name) ?? [];
    if (found !== undefined && ended(pid === undefined ? null : Number(pid))) await rm(join(root(folder), name), { recursive: true, force: true });
  }
}

/** Every own dataset, with why it cannot be used where its description does not read. */
export async function listOwn(folder = dataFolder()): Promise<({ readonly meta: OwnMeta } | { readonly id: string; readonly problem: string })[]> {
  const names = (await readdir(root(folder)).catch(() => [])).filter((name) => !name.endsWith(".new")).sort();
  return Promise.all(
    names.map(async (name) => {
      try {
        return { meta: await readMeta(`own/${name}`, folder) };
      } catch (error) {
        return { id: `own/${name}`, problem: messageOf(error) };
      }
    }),
  );
}

/** @throws Error naming the file */
export async function readMeta(id: string, folder = dataFolder()): Promise<OwnMeta> {
  const path = join(folderOf(id, folder), "dataset.json");
  const text = await readFile(path, "utf8").catch(() => {
    throw new Error(`there is no dataset ${id}: ${path} is missing; import it again`);
  });
  let meta: OwnMeta;
  try {
    meta = ownMeta.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${path} is damaged; import the dataset again`, { cause: error });
  }
  if (meta.id !== id) throw new Error(`${path} says that it describes ${JSON.stringify(clipped(meta.id))}; in this folder it must be ${id}`);
  return meta;
}

/** @throws Error naming the file that is missing or whose size differs from its metadata */
export async function readOwn(id: string, folder = dataFolder()): Promise<{ meta: OwnMeta } & OwnData> {
  const meta = await readMeta(id, folder);
  const width = meta.task === "text" ? 1 : meta.exampleShape.reduce((product, n) => product * n, 1);
  const features = await readValues(join(folderOf(id, folder), "features.bin"), meta.count * width, storedTypes[meta.features] as ArrayType<OwnData["features"]>);
  const labels = await readValues(join(folderOf(id, folder), "labels.bin"), meta.task === "text" ? 0 : meta.count, labelsOf(meta) as ArrayType<Labels>);
  await requireSame(folderOf(id, folder), { "features.bin": bytesOf(features), "labels.bin": bytesOf(labels) });
  return { meta, features, labels };
}

const storedTypes = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array } as const;

const labelsOf = ({ task, classNames }: OwnMeta) => (task !== "classification" ? Float32Array : classNames.length <= byteClasses ? Uint8Array : Int32Array);

interface ArrayType<A> {
  readonly BYTES_PER_ELEMENT: number;
  new (count: number): A;
}

async function readValues<A extends Codes | Labels>(path: string, count: number, type: ArrayType<A>): Promise<A> {
  const needed = count * type.BYTES_PER_ELEMENT;
  const { size } = await stat(path);
  requireStorable(path, needed);
  if (size !== needed) throw new Error(`${path} has ${size} bytes instead of ${needed}; import the dataset again`);
  const values = new type(count);
  const bytes = bytesOf(values);
  let at = 0;
  for await (const piece of chunksOf(path)) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return values;
}

/** What is damaged of the own datasets, by file. */
export async function verifyOwn(folder = dataFolder()): Promise<{ readonly path: string; readonly problem: string }[]> {
  const names = (await readdir(root(folder)).catch(() => [])).filter((name) => !name.endsWith(".new")).sort();
  return (await Promise.all(names.map((name) => damagedFiles(join(root(folder), name))))).flat();
}

/** Deletes an own dataset. */
export async function removeOwn(id: string, folder = dataFolder()): Promise<void> {
  await rm(folderOf(id, folder), { recursive: true, force: true });
}
