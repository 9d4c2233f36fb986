/** Files that outlast a power cut. Their names do once their folder is synced (`folders.ts`). */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";

/** Makes what a file holds durable. @throws a file system error, but where the account or the system may not sync it */
export function syncFile(path: string): void {
  let handle: number | undefined;
  try {
    handle = openSync(path, "r");
    fsyncSync(handle);
  } catch (error) {
    if (!["EPERM", "EACCES", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/**
 * Writes a file whole and durably, or not at all.
 * @param mode permissions of a new file
 * @throws a file system error
 */
export function replaceFile(file: string, text: string, mode = 0o600): void {
  const written = `${file}.${process.pid}`;
  const handle = openSync(written, "w", mode);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(written, file);
}
