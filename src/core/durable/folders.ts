/**
 * Makes names durable. After a power cut, a synced file exists only if its folder was synced as well, and a new folder
 * only if the folder that it lies in was.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from "node:fs";
import { mkdir, open, rmdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Ignores that a system or a network file system cannot sync folders. @throws where the disk has failed */
function throwFailure(error: unknown): void {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EIO" || code === "ENOSPC" || code === "EDQUOT") throw error;
}

/** Makes changes of names in a folder durable, where the system can: Windows cannot open folders. @throws where the disk fails */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  try {
    await handle?.sync();
  } catch (error) {
    throwFailure(error);
  } finally {
    await handle?.close();
  }
}

/** Like `syncFolder`, at once. */
export function syncFolderSync(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, "r");
    fsyncSync(descriptor);
  } catch (error) {
    throwFailure(error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * Creates a folder and its missing parents, durably. Node's recursive mkdir never returns on file systems that answer
 * ENOENT for a folder that must not be created.
 * @param mode permissions of new folders
 * @returns the created folders, outermost first
 * @throws a file system error; no new folder is left then
 */
export async function createFolder(folder: string, mode = 0o777): Promise<string[]> {
  if (await stat(folder).catch(() => undefined)) return [];
  const created = await createFolder(dirname(folder), mode);
  try {
    await mkdir(folder, { mode });
  } catch (error) {
    // Another process may have created it.
    if (!(await stat(folder).catch(() => undefined))?.isDirectory()) throw error;
    return created;
  }
  try {
    await syncFolder(dirname(folder));
  } catch (error) {
    for (const each of [folder, ...created.reverse()]) await rmdir(each).catch(() => undefined);
    throw error;
  }
  return [...created, folder];
}

/** Like `createFolder`, at once. */
export function createFolderSync(folder: string, mode = 0o777): void {
  if (statSync(folder, { throwIfNoEntry: false })) return;
  createFolderSync(dirname(folder), mode);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
    return;
  }
  syncFolderSync(dirname(folder));
}
