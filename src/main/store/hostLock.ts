/**
 * A lock that a process holds for its lifetime: an exclusive lock on its own SQLite file. The
 * system releases it when the process ends, even after a crash; a stopped or sleeping process keeps it.
 */
import { mkdirSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";

export class HostLock {
  readonly #path: string;
  readonly #db: Database.Database;

  /** @throws SqliteError or a file system error when the lock cannot be taken */
  constructor(path: string) {
    // Not recursive: the folder of a store that is gone must not come back empty.
    if (!statSync(dirname(path), { throwIfNoEntry: false })) makeFolder(dirname(path));
    this.#path = path;
    this.#db = new Database(path, { timeout: 0 });
    this.#db.exec("BEGIN EXCLUSIVE");
  }

  release(): void {
    this.#db.close();
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // On a disk that can no longer be written: whoever looks at the lock next removes its file.
    }
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Whether a living process of this machine holds the lock. Removes the file of a process that has ended. */
export function isLocked(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })) return false;
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: 0, fileMustExist: true });
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    return error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY");
  } finally {
    db?.close();
  }
  rmSync(path, { force: true });
  return false;
}
