/** Free and total space of disks, and durable files. */
import { closeSync, fsyncSync, openSync, renameSync, statfsSync, writeSync } from "node:fs";

export interface DiskSpace {
  /** Bytes that this account may still write. */
  readonly free: number;
  readonly total: number;
}

/** @throws a file system error */
export function diskSpace(path: string): DiskSpace {
  const { bavail, blocks, bsize } = statfsSync(path);
  return { free: bavail * bsize, total: blocks * bsize };
}

/** Bytes that stay free when something optional is written, such as a backup: a gigabyte, less on a small disk. */
export const reserveOf = (total: number): number => Math.min(1e9, total * 0.05);

/** Makes a file or the entries of a folder durable. Windows cannot sync folders. */
export function syncPath(path: string): void {
  let handle: number | undefined;
  try {
    handle = openSync(path, "r");
    fsyncSync(handle);
  } catch (error) {
    if (!["EISDIR", "EPERM", "EACCES", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Writes a private file whole and durably, or not at all. @throws a file system error */
export function writeWhole(file: string, text: string): void {
  const written = `${file}.${process.pid}`;
  const handle = openSync(written, "w", 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(written, file);
}
