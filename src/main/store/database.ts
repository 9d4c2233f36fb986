/** Opens the store's file after checking that it is a store that this version can use. */
import { accessSync, closeSync, constants, openSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { createFolderSync } from "../../core/durable/folders.ts";
import { messageOf } from "../../shared/errors.ts";
import { backUpBeforeMigration } from "./backup/beforeMigration.ts";
import { explain, explained, StoreError } from "./errors.ts";
import { damageMessage, quickCheck, readIntegrity, writeIntegrity } from "./integrity.ts";
import { applicationId } from "./layout.ts";
import { migrate, migrations, refuseNewer, versionOf, type Migration } from "./migrations.ts";
import { refuseOrphans } from "./orphans.ts";
import { openReadOnly, whyReadOnly } from "./readOnly.ts";

export const storeFileName = "hypertower.sqlite";

/** Milliseconds that a statement waits for another process's transaction. */
const defaultBusyTimeout = 5_000;

export interface Connections {
  readonly path: string;
  readonly writer: Database.Database;
  readonly reader: Database.Database;
  /** Whether the file is new. */
  readonly created: boolean;
  /** Why the store can only be read; null when it can be written. `writer` then refuses every write. */
  readonly readOnly: string | null;
  /** Remarks for the user, such as a backup that was skipped. */
  readonly notes: readonly string[];
}

/** Creates a missing folder and checks that it can be written. Returns the path of the store's file. */
function prepareFolder(folder: string): string {
  const at = resolve(folder);
  try {
    // What people train is nobody else's business.
    createFolderSync(at, 0o700);
    if (!statSync(at).isDirectory()) throw new StoreError(at, `The folder ${at} cannot hold the store: it is a file. Choose another folder.`);
    accessSync(at, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === "ENOTDIR"
        ? "a folder it lies in is a file"
        : code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOENT"
          ? "it cannot be created or written"
          : messageOf(error);
    throw new StoreError(at, `The folder ${at} cannot hold the store: ${why}. Choose another folder.`, { cause: error });
  }
  return join(at, storeFileName);
}

/**
 * Inspects an existing file through a read-only connection, so that a refused file stays unchanged.
 * Returns whether the file exists. The whole file is checked in the background (integrityMonitor.ts);
 * here only if that check has found damage.
 */
function inspect(path: string, known: number, busyTimeout: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat || (stat.isFile() && stat.size === 0)) {
    refuseOrphans(path, stat ? "empty" : "missing");
    return false;
  }
  if (!stat.isFile()) throw new StoreError(path, `${path} is not a file; the store needs this name for its database.`);
  completeCreation(path, busyTimeout);
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeout });
  try {
    requireStore(db, path, known);
    if ((readIntegrity(path)?.problem ?? null) !== null) {
      const problem = quickCheck(db);
      if (problem !== null) throw new StoreError(path, `${damageMessage(path, problem)} Nothing was changed.`);
      // The user has restored a backup.
      writeIntegrity(path, { checkedAt: Date.now(), uncleanEnd: false, problem: null });
    }
    return true;
  } finally {
    db.close();
  }
}

/**
 * Rolls back the creation of a store that was cut off, by a power cut for example: until the file has its write-ahead log,
 * changes are in a journal, which SQLite cannot roll back through a read-only connection.
 */
function completeCreation(path: string, busyTimeout: number): void {
  if (!statSync(`${path}-journal`, { throwIfNoEntry: false })) return;
  const db = new Database(path, { fileMustExist: true, timeout: busyTimeout });
  try {
    db.pragma("schema_version");
  } finally {
    db.close();
  }
}

/** @throws StoreError unless the database is empty or a store that this version knows. Returns its version. */
function requireStore(db: Database.Database, path: string, known: number): number {
  const found = versionOf(db);
  const application = db.pragma("application_id", { simple: true });
  if (application !== applicationId) {
    const empty = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
    if (!empty || application !== 0) {
      throw new StoreError(path, `${path} is a SQLite database, but not a Hypertower store. Nothing was changed; choose another folder.`);
    }
    // A new store is empty until its log is written back; without that log it would seem new.
    refuseOrphans(path, "empty", true);
  }
  refuseNewer(path, found, known);
  return found;
}

/** Creates an empty file that only this account may read; SQLite gives its log the same permissions. */
function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    // It is there, or another process has just created it.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/**
 * Opens the store in `folder`: one connection that writes and one that only reads.
 * @throws StoreError when the folder or file cannot be used; it is then unchanged.
 */
export function openConnections(folder: string, list: readonly Migration[] = migrations, busyTimeout = defaultBusyTimeout): Connections {
  const readOnly = whyReadOnly(join(resolve(folder), storeFileName));
  if (readOnly !== null) return readOnlyConnections(join(resolve(folder), storeFileName), readOnly, list);
  const path = prepareFolder(folder);
  const opened: Database.Database[] = [];
  try {
    const created = !inspect(path, list.length, busyTimeout);
    if (created) createPrivate(path);
    const writer = new Database(path, { timeout: busyTimeout });
    opened.push(writer);
    // Must precede the first page: space of erased runs can then be given back in small parts.
    if (created) writer.pragma("auto_vacuum = INCREMENTAL");
    const mode = writer.pragma("journal_mode = WAL", { simple: true });
    if (mode !== "wal") {
      throw new StoreError(path, `${path} lies on a file system that cannot hold the store's write-ahead log. Choose another folder.`);
    }
    writer.pragma("synchronous = FULL");
    writer.pragma("foreign_keys = ON");
    // Truncates the log after a checkpoint, so that a long burst does not keep its disk space.
    writer.pragma(`journal_size_limit = ${64 * 1024 * 1024}`);
    const note = backUpBeforeMigration(path, writer, list.length);
    migrate(writer, path, list);
    const reader = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeout });
    opened.push(reader);
    return { path, writer, reader, created, readOnly: null, notes: note === null ? [] : [note] };
  } catch (error) {
    for (const db of opened) db.close();
    throw explain(error, path);
  }
}

function readOnlyConnections(path: string, readOnly: string, list: readonly Migration[]): Connections {
  return explained(path, () => {
    const isEarlier = (db: Database.Database) => requireStore(db, path, list.length) < list.length;
    return { path, readOnly, created: false, notes: [], ...openReadOnly(path, { isEarlier, migrate: (db) => migrate(db, path, list) }) };
  });
}

/**
 * Closes the reader first: the last connection to close folds the write-ahead log into the database, and must be able to write.
 * When the file has lost its name, the writer first: SQLite would delete the log of another store in its place.
 */
export function closeConnections({ path, writer, reader }: Pick<Connections, "path" | "writer" | "reader">, fileIsHere = true): void {
  explained(path, () => {
    for (const db of fileIsHere ? [reader, writer] : [writer, reader]) db.close();
  });
}
