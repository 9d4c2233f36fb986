/** Getting a published dataset into the data folder, by download or from a copy that somebody has, through the same checks. */
import { readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import type { Archive, CatalogEntry, KeptFile } from "./catalog.ts";
import { fileProblem } from "./digest.ts";
import { download, requireSpace, type DownloadOptions } from "./download.ts";
import { dataFolder } from "./folder.ts";
import { unpack, type Source } from "./unpack.ts";

export interface ObtainProgress {
  /** Bytes downloaded, of all files together, and to be downloaded. */
  readonly bytes: number;
  readonly total: number;
}

export function entryFolder(entry: Pick<CatalogEntry, "id">, folder = dataFolder()): string {
  return join(folder, entry.id);
}

const keptFiles = (entry: CatalogEntry) => entry.archives.flatMap(({ contents }) => contents);

/** Why a dataset cannot be used, naming the first file that is missing or wrong; null when it is ready. */
export async function entryProblem(entry: CatalogEntry, folder = dataFolder()): Promise<string | null> {
  for (const file of keptFiles(entry)) {
    const problem = await fileProblem(join(entryFolder(entry, folder), file.name), file);
    if (problem) return problem;
  }
  return null;
}

const isKept = async (archive: Archive, folder: string) => {
  for (const file of archive.contents) if (await fileProblem(join(folder, file.name), file)) return false;
  return true;
};

/**
 * Downloads and unpacks what is missing. Can be stopped and called again: it goes on where it was.
 * @throws Error naming the mirrors and what was wrong, or the disk that is full
 */
export async function downloadEntry(
  entry: CatalogEntry,
  { folder = dataFolder(), onProgress = () => undefined, ...options }: Omit<DownloadOptions, "onProgress"> & { folder?: string; onProgress?: (progress: ObtainProgress) => void } = {},
): Promise<void> {
  const own = entryFolder(entry, folder);
  const total = entry.archives.reduce((sum, { bytes }) => sum + bytes, 0);
  // An archive and what is unpacked from it stand side by side for a while.
  const unpacked = keptFiles(entry).reduce((sum, { bytes }) => sum + bytes, 0);
  await requireSpace(own, Math.max(...entry.archives.map(({ bytes }) => bytes)) + unpacked);
  let before = 0;
  for (const archive of entry.archives) {
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
 * Takes over a local copy: an archive, a file, or a folder that has all of them, packed or not.
 * An archive that was packed anew is as good as the published one, for what it holds is checked.
 * @throws Error naming what is missing or not as published; nothing is taken over then
 */
export async function importEntry(entry: CatalogEntry, path: string, folder = dataFolder()): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Error(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  const candidates = found.isDirectory() ? (await readdir(path)).map((name) => join(path, name)) : [path];
  const plan: Source[] = [];
  for (const archive of entry.archives) plan.push(...(await sourcesOf(archive, candidates, path, !found.isDirectory() && entry.archives.length === 1)));
  const own = entryFolder(entry, folder);
  await requireSpace(own, keptFiles(entry).reduce((sum, { bytes }) => sum + bytes, 0));
  await unpack(plan, own);
}

/** What to unpack to get an archive's contents: the archive itself, or its contents one by one. */
async function sourcesOf(archive: Archive, candidates: readonly string[], where: string, only: boolean): Promise<Source[]> {
  const raw = archive.contents.map((file) => ({ file, path: candidates.find((one) => basename(one) === file.name) }));
  if (raw.every(({ path }) => path !== undefined)) {
    for (const { file, path } of raw) {
      const problem = await fileProblem(path!, file);
      if (problem) throw new Error(problem);
    }
    return raw.map(({ file, path }) => ({ path: path!, archive: asItIs(file) }));
  }
  const packed = candidates.find((one) => basename(one) === archive.name) ?? (only ? candidates[0] : undefined);
  if (packed) return [{ path: packed, archive }];
  const names = raw.filter(({ path }) => path === undefined).map(({ file }) => file.name);
  throw new Error(`${where} has neither ${archive.name} nor ${names.join(", ")}`);
}

const asItIs = (file: KeptFile): Archive => ({ ...file, packed: null, mirrors: [], contents: [file] });

/** Deletes a dataset's files. */
export async function removeEntry(entry: CatalogEntry, folder = dataFolder()): Promise<void> {
  await rm(entryFolder(entry, folder), { recursive: true, force: true });
}
