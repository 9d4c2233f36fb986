/** Saves the open store under another name, also when its file has been removed or replaced. */
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Database } from "better-sqlite3";
import { messageOf } from "../../shared/errors.ts";
import { syncFolderSync } from "../../core/durable/folders.ts";
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
    const copy = new Copy(place, storeFile);
    try {
      await db.backup(copy.begin(), { progress: () => pagesPerTurn });
      return copy.complete();
    } catch (error) {
      problems.push(copy.failed(error));
    }
  }
  throw noCopy(storeFile, problems);
}

/** Like saveCopy(), but blocks until the copy is made: for a process that is about to end. */
export function saveCopyNow(db: Database, storeFile: string, places: readonly string[] = placesFor(storeFile)): string {
  const problems: string[] = [];
  for (const place of places) {
    const copy = new Copy(place, storeFile);
    try {
      db.prepare("VACUUM INTO ?").run(copy.begin());
      return copy.complete();
    } catch (error) {
      problems.push(copy.failed(error));
    }
  }
  throw noCopy(storeFile, problems);
}

function noCopy(storeFile: string, problems: readonly string[]): StoreError {
  return new StoreError(storeFile, `No copy of the store could be saved. ${problems.join("; ")}. Free space in one of these folders and try again; do not end Hypertower before.`);
}

/** A copy that gets its name when it is complete. */
class Copy {
  readonly #place: string;
  readonly #storeFile: string;
  #folder: string | undefined;

  constructor(place: string, storeFile: string) {
    this.#place = place;
    this.#storeFile = storeFile;
  }

  /** Creates the folder. Returns the path to write to. */
  begin(): string {
    this.#folder = newFolder(this.#place, basename(dirname(this.#storeFile)));
    return this.#unfinished(this.#folder);
  }

  complete(): string {
    const folder = this.#folder!;
    chmodSync(this.#unfinished(folder), 0o600);
    renameSync(this.#unfinished(folder), join(folder, basename(this.#storeFile)));
    for (const each of [folder, dirname(folder)]) syncFolderSync(each);
    return folder;
  }

  /** Removes what was written. Returns what went wrong, with the folder. */
  failed(error: unknown): string {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    return `${this.#folder ?? this.#place}: ${messageOf(error)}`;
  }

  #unfinished(folder: string): string {
    return `${join(folder, basename(this.#storeFile))}.part`;
  }
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
