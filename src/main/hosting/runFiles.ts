/**
 * A folder beside the store with files of its runs, `RUN.*`. The host writes a trainer's file as
 * `RUN.NAME.pending` and renames it once the steps or evaluation it belongs to are in the store.
 */
import { open, readdir, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { ReadBytes } from "../../core/checkpoint/container.ts";
import { createFolderSync } from "../../core/durable/folders.ts";

export class RunFiles {
  readonly path: string;

  constructor(storeFolder: string, name: string) {
    this.path = join(storeFolder, name);
  }

  /** Path of a file that is being written. @param name unique among all hosts */
  pendingFileOf(run: string, name: string): string {
    return join(this.path, `${run}.${name}.pending`);
  }

  /** Creates the folder where it is missing. */
  prepare(): void {
    createFolderSync(this.path, 0o700);
  }

  /** Paths of the run's pending files: those being written, and leftovers of hosts that have ended. */
  async pendingFiles(run: string): Promise<string[]> {
    const names = await readdir(this.path);
    return names.filter((name) => name.startsWith(`${run}.`) && name.endsWith(".pending")).map((name) => join(this.path, name));
  }
}

/** Header and size (bytes) of a file. @param read reads only the header; gets the file's size */
export async function headerOf<H>(path: string, read: (bytes: ReadBytes, size: number) => Promise<H>): Promise<{ readonly header: H; readonly bytes: number }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    return { header: await read(bytesOf(file), size), bytes: size };
  } finally {
    await file.close();
  }
}

/** Reads an open file. */
export const bytesOf = (file: FileHandle): ReadBytes => async (at, length) => {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
};
