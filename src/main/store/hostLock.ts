/**
 * A lock that a process holds for as long as it lives: an exclusive lock on a SQLite file of its own, which
 * the system releases when the process ends, however it ends. A process that is stopped or asleep keeps it.
 */
import { mkdirSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";

export class HostLock {
  readonly #path: string;
  readonly #db: Database.Database;

  /** @throws SqliteError or a file system error where the lock cannot be taken */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#path = path;
    this.#db = new Database(path, { timeout: 0 });
    this.#db.exec("BEGIN EXCLUSIVE");
  }

  release(): void {
    this.#db.close();
    rmSync(this.#path, { force: true });
  }
}

/** Whether a living process of this machine holds the lock. Removes the file of one that has ended. */
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
