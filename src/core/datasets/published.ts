/** Puts published datasets into the data folder, by download or from a local copy, with the same checks. */
import { readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import type { Archive, DatasetFiles, KeptFile } from "../../shared/catalog/entry.ts";
import { maxOf } from "../../shared/extent.ts";
import { fileProblem } from "./digest.ts";
import { download, requireSpace, type DownloadOptions } from "./download.ts";
import { folderOf, keptFiles, type FiledEntry } from "./files.ts";
import { dataFolder } from "../folders/folder.ts";
import { unpack, type Source } from "./unpack.ts";

export interface DownloadProgress {
  /** Bytes downloaded so far, over all files. */
  readonly bytes: number;
  /** Bytes of all files. */
  readonly total: number;
}

/** A dataset whose files are downloaded or imported. */
export interface FetchedEntry extends FiledEntry {
  readonly files: Extract<DatasetFiles, { from: "archives" }>;
}

export function isFetched<Entry extends FiledEntry>(entry: Entry): entry is Entry & Pick<FetchedEntry, "files"> {
  return entry.files.from === "archives";
}

const isKept = async (archive: Archive, folder: string) => {
  for (const file of archive.contents) if (await fileProblem(join(folder, file.name), file)) return false;
  return true;
};

/**
 * Downloads and unpacks the missing files. Resumes an earlier, partial download.
 * @throws Error naming each mirror and its failure, or the full disk
 */
export async function downloadEntry(
  entry: FetchedEntry,
  { folder = dataFolder(), onProgress = () => undefined, ...options }: Omit<DownloadOptions, "onProgress"> & { folder?: string; onProgress?: (progress: DownloadProgress) => void } = {},
): Promise<void> {
  const own = folderOf(entry, folder);
  const total = entry.files.archives.reduce((sum, { bytes }) => sum + bytes, 0);
  // The largest archive and the unpacked files exist at the same time for a while.
  const unpacked = keptFiles(entry).reduce((sum, { bytes }) => sum + bytes, 0);
  await requireSpace(own, maxOf(entry.files.archives.map(({ bytes }) => bytes)) + unpacked);
  let before = 0;
  for (const archive of entry.files.archives) {
    const report = (bytes: number) => onProgress({ bytes: before + bytes, total });
    if (!(await isKept(archive, own))) {
      const path = join(own, `${archive.name}.download`);
      await download(archive, path, { ...options, onProgress: report });
      await unpack([{ path, archive }], own);
      await rm(path);
    }
    report(archive.bytes);
    before += archive.bytes;
  }
}

/**
 * Imports a local copy: an archive, a file, or a folder with all of them, packed or not.
 * A repacked archive is accepted, because the checksums are those of its contents.
 * @throws Error naming the file that is missing or differs from the published one; nothing is imported then
 */
export async function importEntry(entry: FetchedEntry, path: string, folder = dataFolder()): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Error(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  const candidates = found.isDirectory() ? (await readdir(path)).map((name) => join(path, name)) : [path];
  const plan: Source[] = [];
  for (const archive of entry.files.archives) plan.push(...(await sourcesOf(archive, candidates, path, !found.isDirectory() && entry.files.archives.length === 1)));
  const own = folderOf(entry, folder);
  await requireSpace(own, keptFiles(entry).reduce((sum, { bytes }) => sum + bytes, 0));
  await unpack(plan, own);
}

/** Where an archive's contents come from: the contents as single files if all are there, else the archive. */
async function sourcesOf(archive: Archive, candidates: readonly string[], where: string, only: boolean): Promise<Source[]> {
  const raw = archive.contents.map((file) => ({ file, path: candidates.find((candidate) => basename(candidate) === file.name) }));
  if (raw.every(({ path }) => path !== undefined)) {
    for (const { file, path } of raw) {
      const problem = await fileProblem(path!, file);
      if (problem) throw new Error(problem);
    }
    return raw.map(({ file, path }) => ({ path: path!, archive: unpackedFile(file) }));
  }
  const packed = candidates.find((candidate) => basename(candidate) === archive.name) ?? (only ? candidates[0] : undefined);
  if (packed) return [{ path: packed, archive }];
  const names = raw.filter(({ path }) => path === undefined).map(({ file }) => file.name);
  throw new Error(`${where} has neither ${archive.name} nor ${names.join(", ")}`);
}

/** A file that needs no unpacking, as an archive of one file. */
const unpackedFile = (file: KeptFile): Archive => ({ ...file, packed: null, mirrors: [], contents: [file] });

/** Deletes files that were not unpacked to their end. Downloads stay, to be resumed. */
export async function removeUnpacked(entry: FetchedEntry, folder = dataFolder()): Promise<void> {
  const own = folderOf(entry, folder);
  const names = await readdir(own).catch(() => []);
  await Promise.all(names.filter((name) => name.endsWith(".new")).map((name) => rm(join(own, name), { force: true })));
}

/** Deletes a dataset's files. */
export async function removeEntry(entry: FetchedEntry, folder = dataFolder()): Promise<void> {
  await rm(folderOf(entry, folder), { recursive: true, force: true });
}
