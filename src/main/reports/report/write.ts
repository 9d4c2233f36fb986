/** Writes a report into a folder, completely or not at all. */
import { constants, createWriteStream } from "node:fs";
import { access, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createFolder, syncFolder } from "../../../core/durable/folders.ts";
import { nounFor, plural } from "../../../shared/text.ts";
import { ExportError } from "../errors.ts";
import type { ReportFile } from "./source.ts";

export interface WriteOptions {
  /** Replace existing files. */
  readonly force: boolean;
  /** Called when a file is complete, under a temporary name. */
  readonly onFile?: (file: string) => void;
}

/**
 * Writes temporary files next to their targets and renames them when all are complete.
 * @returns the paths written
 * @throws ExportError when the folder cannot be written, or files exist already
 */
export async function writeReport(folder: string, files: readonly ReportFile[], { force, onFile = () => undefined }: WriteOptions): Promise<string[]> {
  const places = files.map(({ name }) => join(folder, ...name.split("/")));
  const made = await prepareFolders(folder, places, force);
  const part = (place: string) => `${place}.${process.pid}.part`;
  const placed: string[] = [];
  try {
    for (const [i, file] of files.entries()) {
      await pipeline(Readable.from(file.pieces()), createWriteStream(part(places[i]!), { flags: "wx", flush: true }));
      onFile(file.name);
    }
    for (const place of places) {
      await rename(part(place), place);
      placed.push(place);
    }
    for (const each of new Set(places.map(dirname))) await syncFolder(each);
    return places;
  } catch (error) {
    // Files that replaced others stay: they are whole.
    await Promise.all([...places.map(part), ...(force ? [] : placed)].map((path) => rm(path, { force: true })));
    for (const each of made.reverse()) await rmdir(each).catch(() => undefined);
    throw isSystemError(error) ? new ExportError(`${folder} cannot be written: ${error.message}`) : error;
  }
}

/** @returns the created folders, outermost first */
async function prepareFolders(folder: string, places: readonly string[], force: boolean): Promise<string[]> {
  await requireFolder(folder);
  if (!force) {
    const taken: string[] = [];
    for (const place of places) if (await exists(place)) taken.push(place);
    if (taken.length > 0) {
      throw new ExportError(`${taken.slice(0, 3).join(", ")}${taken.length > 3 ? ` and ${plural(taken.length - 3, "more file")}` : ""} already ${nounFor(taken.length, "exists", "exist")}; to replace ${nounFor(taken.length, "it", "them")}, add --force`);
    }
  }
  const made: string[] = [];
  try {
    for (const each of new Set([folder, ...places.map(dirname)])) {
      made.push(...(await createFolder(each)));
      await access(each, constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    for (const each of made.reverse()) await rmdir(each).catch(() => undefined);
    throw isSystemError(error) ? new ExportError(`${folder} cannot be written: ${error.message}`) : error;
  }
  return made;
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => {
    if (isSystemError(error) && (error.code === "ENOENT" || error.code === "ENOTDIR")) return null;
    throw isSystemError(error) ? new ExportError(`${folder} cannot be written: ${error.message}`) : error;
  });
  if (found && !found.isDirectory()) throw new ExportError(`${folder} is a file; a report is a folder of files`);
}

const exists = (path: string) => access(path).then(() => true, () => false);

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error;
}
