/** Sizes and names of the files beside the store. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

export interface RunFile {
  readonly run: string;
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** Files of runs in a folder, by their ending; those of the folder that does not exist are none. */
export async function runFiles(folder: string, ending: string): Promise<RunFile[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(ending));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const stat = await lstat(path).catch(() => null);
      return stat?.isFile() ? [{ run: name.slice(0, name.indexOf(".")), name, path, bytes: stat.size }] : [];
    }),
  );
  return found.flat();
}

/** Total size of a folder with all that is in it; links are not followed. */
export async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return bytesIn(path);
    return entry.isFile() ? ((await lstat(path).catch(() => null))?.size ?? 0) : 0;
  }));
  return sizes.reduce((sum, size) => sum + size, 0);
}

export const totalBytes = (files: readonly { readonly bytes: number }[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0);
