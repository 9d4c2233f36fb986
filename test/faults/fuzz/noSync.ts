/** Makes syncing files do nothing: Node's permissions forbid it, and fuzzing would wait for the disk. */
import fs from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";

export async function disableSync(scratch: string): Promise<void> {
  const nothing = (_file: number, done: (error: null) => void) => done(null);
  Object.assign(fs, { fsync: nothing, fdatasync: nothing, fsyncSync: () => undefined, fdatasyncSync: () => undefined });
  const handle = await open(scratch, "w");
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  prototype.sync = prototype.datasync = () => Promise.resolve();
  await handle.close();
  await rm(scratch);
}
