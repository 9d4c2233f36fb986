/**
 * Limits the write-ahead log during long reads. While a reader holds on to a moment of the store, SQLite cannot begin the log anew: all that
 * runs log meanwhile makes it longer, until the disk is full.
 */
import { statSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { diskSpace } from "./disk.ts";

const logOf = (storeFile: string) => `${storeFile}-wal`;
const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Bytes of the log at which a long read is broken off: a gigabyte or a tenth of the store, but not what the disk cannot spare. */
export function mostLog(storeFile: string): number {
  return Math.min(Math.max(1e9, sizeOf(storeFile) / 10), sizeOf(logOf(storeFile)) + diskSpace(storeFile).free / 4);
}

/** Whether a read that began with this limit must be broken off. */
export const isLogTooLong = (storeFile: string, limit: number): boolean => sizeOf(logOf(storeFile)) > limit;

/** A thread's whole program: bundled entry points have no file for it. */
const watcher = `
const { statSync } = require("node:fs");
const { workerData: { log, limit, every } } = require("node:worker_threads");
setInterval(() => {
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > limit) process.kill(process.pid, "SIGKILL");
}, every);`;

/** Ends this process, at once and without cleaning up, when the log passes the limit. Nothing else ends a check that SQLite is busy with. */
export function endWhenLogGrows(storeFile: string, limit = mostLog(storeFile), every = 1_000): Worker {
  // Flags of this process may make the program something else than CommonJS.
  const thread = new Worker(watcher, { eval: true, execArgv: [], workerData: { log: logOf(storeFile), limit, every } });
  // The work can also be done without it.
  thread.on("error", () => undefined);
  return thread;
}
