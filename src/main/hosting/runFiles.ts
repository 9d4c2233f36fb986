/**
 * A folder beside the store with files of its runs, `RUN.*`. The host writes what a trainer sends as
 * `RUN.NAME.pending`, and puts it in place once what it belongs to is in the store.
 */
import { mkdirSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Answers the bytes of a file from `at` on, at most `length` of them. */
type ReadBytes = (at: number, length: number) => Promise<Buffer>;

export class RunFiles {
  readonly path: string;

  constructor(storeFolder: string, name: string) {
    this.path = join(storeFolder, name);
  }

  /** Where a file is written before it counts. @param name unlike that of any other host's file */
  pendingFileOf(run: string, name: string): string {
    return join(this.path, `${run}.${name}.pending`);
  }

  /** Makes sure that files can be written here. */
  prepare(): void {
    mkdirSync(this.path, { recursive: true });
  }

  /** The run's files that do not count: those being written, and what hosts that are gone have left behind. */
  async pendingFiles(run: string): Promise<string[]> {
    const names = await readdir(this.path);
    return names.filter((name) => name.startsWith(`${run}.`) && name.endsWith(".pending")).map((name) => join(this.path, name));
  }
}

/** A file's header and size, whatever it holds. @param read reads the header alone, from a file of so many bytes */
export async function headerOf<H>(path: string, read: (bytes: ReadBytes, size: number) => Promise<H>): Promise<{ readonly header: H; readonly bytes: number }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const bytes: ReadBytes = async (at, length) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
      return buffer.subarray(0, bytesRead);
    };
    return { header: await read(bytes, size), bytes: size };
  } finally {
    await file.close();
  }
}
