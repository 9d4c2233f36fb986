/** Puts files that are replaced or damaged into a folder of their own; nothing is overwritten or erased. */
import { mkdirSync, renameSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Creates `set-aside/TIME` beside the store's file. */
export function setAsideFolder(storeFile: string, now = Date.now()): string {
  const parent = join(dirname(storeFile), "set-aside");
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const time = new Date(now).toISOString().replace(/[:.]/g, "-");
  for (let n = 0; ; n++) {
    const folder = join(parent, n === 0 ? time : `${time}-${n}`);
    try {
      mkdirSync(folder, { mode: 0o700 });
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/** Moves those of the files that exist into the folder. Returns their new paths. */
export function setAside(files: readonly string[], folder: string): string[] {
  return files.flatMap((file) => {
    if (!statSync(file, { throwIfNoEntry: false })) return [];
    const to = join(folder, basename(file));
    if (statSync(to, { throwIfNoEntry: false })) throw new Error(`${to} exists already`);
    renameSync(file, to);
    return [to];
  });
}

/** The database and the files that SQLite keeps beside it. */
export const databaseFiles = (storeFile: string): string[] => [storeFile, `${storeFile}-wal`, `${storeFile}-shm`];
