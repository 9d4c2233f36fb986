/** Moves a store's folder, with everything in it, to another place. */
import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmdirSync, rmSync, statfsSync, writeSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { formatBytes } from "../../shared/format.ts";
import { createFolderSync, syncFolderSync } from "../../core/durable/folders.ts";
import { movedFile, writeMoved } from "../../core/folders/folder.ts";
import { LoneStore } from "../store/otherStore.ts";
import { ArchiveError } from "./errors.ts";

export interface Moved {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
}

interface FileToMove {
  readonly name: string;
  readonly size: number;
}

/** Note in the store's folder of a move that is done at the next start. */
export const moveNextFile = "move-next.json";

/** Folders and files of processes, which have ended, and notes about moves. */
const isLeft = (name: string) => name === "hosts" || name === movedFile || name === moveNextFile || /\.(pending|part)$/.test(name) || /\.sqlite-(wal|shm|journal)$/.test(name);

/**
 * Copies every file, compares the copies, and leaves a note in the old folder that the store has moved.
 * @param removeOld also removes the old files
 * @throws ArchiveError or StoreError; the store is then where it was
 */
export function moveStore(from: string, to: string, removeOld: boolean): Moved {
  const [old, target] = [resolve(from), resolve(to)];
  requireTarget(old, target);
  const store = new LoneStore(old);
  const aside = `${target}.${process.pid}.part`;
  let made = false;
  try {
    const files = filesOf(old);
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    createFolderSync(dirname(target));
    requireSpace(dirname(target), bytes);
    mkdirSync(aside, { mode: 0o700 });
    made = true;
    for (const { name } of files) {
      mkdirSync(dirname(join(aside, name)), { recursive: true });
      if (copied(join(old, name), join(aside, name)) !== hashOf(join(aside, name))) throw new ArchiveError(`The copy of ${name} in ${dirname(target)} differs from the file. Its disk may be failing; nothing was moved.`);
    }
    for (const folder of new Set(files.map(({ name }) => dirname(join(aside, name))))) syncFolderSync(folder);
    if (existsSync(target)) rmdirSync(target);
    renameSync(aside, target);
    made = false;
    syncFolderSync(dirname(target));
    writeMoved(old, target);
    syncFolderSync(old);
    store.release();
    if (removeOld) for (const name of readdirSync(old)) if (name !== movedFile) rmSync(join(old, name), { recursive: true, force: true });
    return { folder: target, files: files.length, bytes };
  } catch (error) {
    if (error instanceof Error && "code" in error && !(error instanceof ArchiveError)) throw new ArchiveError(`The store was not moved to ${target}: ${error.message}.`, { cause: error });
    throw error;
  } finally {
    if (made) rmSync(aside, { recursive: true, force: true });
    store.release();
  }
}

/** @param old the store's folder @throws ArchiveError unless the store can be moved to `target`: both are absolute paths */
export function requireTarget(old: string, target: string): void {
  if (old === target) throw new ArchiveError(`The store is in ${target} already.`);
  if (isInside(old, target) || isInside(target, old)) throw new ArchiveError(`${target} and ${old} lie within each other; choose another folder.`);
  if (existsSync(target) && (!lstatSync(target).isDirectory() || readdirSync(target).length > 0)) throw new ArchiveError(`${target} is not an empty folder; choose another one.`);
}

const isInside = (folder: string, other: string) => !relative(other, folder).startsWith(`..${sep}`) && relative(other, folder) !== ".." && relative(other, folder) !== "";

/** Regular files below a folder, relative to it. */
function filesOf(root: string, below = ""): FileToMove[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) => {
    if (isLeft(entry.name)) return [];
    const name = join(below, entry.name);
    if (entry.isDirectory()) return filesOf(root, name);
    return entry.isFile() ? [{ name, size: lstatSync(join(root, name)).size }] : [];
  });
}

const block = () => Buffer.allocUnsafe(1 << 20);

/** Copies and syncs a file; returns the hash of what was read. */
function copied(from: string, to: string): string {
  const hash = createHash("sha256");
  const [source, target] = [openSync(from, "r"), openSync(to, "wx", 0o600)];
  try {
    const buffer = block();
    for (let read = readSync(source, buffer); read > 0; read = readSync(source, buffer)) {
      hash.update(buffer.subarray(0, read));
      for (let at = 0; at < read; ) at += writeSync(target, buffer, at, read - at);
    }
    fsyncSync(target);
  } finally {
    closeSync(source);
    closeSync(target);
  }
  return hash.digest("hex");
}

function hashOf(path: string): string {
  const hash = createHash("sha256");
  const file = openSync(path, "r");
  try {
    const buffer = block();
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) hash.update(buffer.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}

function requireSpace(folder: string, needed: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (needed > bavail * bsize) throw new ArchiveError(`The store has ${formatBytes(needed)}, but the disk of ${folder} has only ${formatBytes(bavail * bsize)} free.`);
}
