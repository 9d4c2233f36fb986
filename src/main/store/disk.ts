/** Free and total space of disks. */
import { statfsSync } from "node:fs";

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
