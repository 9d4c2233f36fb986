/** Saves the open store under another name, also when its file has been removed or replaced. */
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Database } from "better-sqlite3";
import { messageOf } from "../../shared/errors.ts";
import { StoreError } from "./errors.ts";

/** Pages copied between two turns of the event loop: 4 MiB of the default page size. */
const pagesPerTurn = 1_024;

/** Folders for a copy, best first: beside the store's folder, the user's home, the system's temporary folder. */
const placesFor = (storeFile: string): string[] => [dirname(dirname(storeFile)), homedir(), tmpdir()];

/**
 * Saves a copy into a new folder and returns that folder, which can be opened as a store.
 * @param places folders to try in order
 * @throws StoreError when none of them can hold it
 */
export async function saveCopy(db: Database, storeFile: string, places: readonly string[] = placesFor(storeFile)): Promise<string> {
  const problems: string[] = [];
  for (const place of places) {
    let folder: string | undefined;
    try {
      folder = newFolder(place, basename(dirname(storeFile)));
      const file = join(folder, basename(storeFile));
      const unfinished = `${file}.part`;
      await db.backup(unfinished, { progress: () => pagesPerTurn });
      chmodSync(unfinished, 0o600);
      renameSync(unfinished, file);
      return folder;
    } catch (error) {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      problems.push(`${folder ?? place}: ${messageOf(error)}`);
    }
  }
  throw new StoreError(storeFile, `No copy of the store could be saved. ${problems.join("; ")}. Free space in one of these folders and try again; do not end Hypertower before.`);
}

/** Creates a folder of an unused name. Fails where its parent is missing. */
function newFolder(parent: string, store: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  for (let number = 1; ; number++) {
    const folder = join(parent, `${store}-saved-${time}${number === 1 ? "" : `-${number}`}`);
    try {
      mkdirSync(folder, { mode: 0o700 });
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || number === 100) throw error;
    }
  }
}
