/** Makes backups with SQLite's backup API. The copy is checked before it counts as a backup. */
import { chmodSync, closeSync, copyFileSync, constants, linkSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { backupsToRemove, type BackupReason } from "../../../shared/backups.ts";
import { messageOf } from "../../../shared/errors.ts";
import { formatBytes } from "../../../shared/format.ts";
import { syncFile, replaceFile } from "../../../core/durable/files.ts";
import { syncFolderSync } from "../../../core/durable/folders.ts";
import { diskSpace, reserveOf } from "../disk.ts";
import { StoreError } from "../errors.ts";
import { HostLock } from "../hostLock.ts";
import { quickCheck } from "../integrity.ts";
import { isLogTooLong, mostLog } from "../logLimit.ts";
import { versionOf } from "../migrations.ts";
import { BackupFolder, contentOf, type BackupRecord } from "./folder.ts";

/** Pages copied between two turns of the event loop. */
const pagesPerTurn = 256;

/** The backup was not made, and nothing is wrong with the store. */
export class BackupSkipped extends StoreError {
  constructor(path: string, message: string) {
    super(path, message);
    this.name = "BackupSkipped";
  }
}

export const backupLockOf = (storeFile: string) => join(dirname(storeFile), "hosts", "backup.lock");

/** State of a store: changes with every change that a window can show. */
export function stateOf(db: Database.Database): string {
  const { runs, steps } = contentOf(db);
  const changed = versionOf(db) < 7 ? [] : [db.prepare("SELECT max(changed) FROM runs").pluck().get(), db.prepare("SELECT max(changed) FROM studies").pluck().get()];
  return [versionOf(db), runs, steps, ...changed].join(":");
}

/**
 * Copies the store as it is at one moment, without blocking its writers.
 * @param limit bytes of the log at which the copy is given up
 * @returns the backup's name
 * @throws BackupSkipped when another backup is in progress or space is short; StoreError when the store or the copy is damaged
 */
export async function makeBackup(storeFile: string, reason: BackupReason, now = Date.now(), limit = mostLog(storeFile)): Promise<string> {
  return begun(storeFile, reason, now, async (pending) => {
    const db = openForReading(storeFile);
    try {
      // The read transaction pins one snapshot: commits of other processes cannot make SQLite begin again.
      db.exec("BEGIN");
      const record = { at: now, reason, ...contentOf(db), layout: versionOf(db), state: stateOf(db) };
      await db.backup(pending, {
        progress: () => {
          if (isLogTooLong(storeFile, limit)) throw new BackupSkipped(storeFile, `No backup was made: while it was copied, runs logged more than ${formatBytes(limit)}, which SQLite keeps beside the store until the copy is made. Make one when fewer runs are active.`);
          return pagesPerTurn;
        },
      });
      return record;
    } finally {
      db.close();
    }
  });
}

/** A connection that only reads. It may write so far that it removes the log when it is the last one to close. */
export function openForReading(storeFile: string): Database.Database {
  const db = new Database(storeFile, { fileMustExist: true });
  db.pragma("query_only = ON");
  return db;
}

/** As makeBackup, in one go, for the moment before a migration. @param db an open connection without a transaction */
export function backupBeforeMigration(storeFile: string, db: Database.Database, now = Date.now()): string {
  return beganSync(storeFile, "migration", now, (pending) => {
    const record: BackupRecord = { at: now, reason: "migration", ...contentOf(db), layout: versionOf(db), state: stateOf(db) };
    rmSync(pending, { force: true });
    db.prepare("VACUUM INTO ?").run(pending);
    return record;
  });
}

type Copy<R> = (pending: string) => R;

async function begun(storeFile: string, reason: BackupReason, now: number, copy: Copy<Promise<BackupRecord>>): Promise<string> {
  const started = start(storeFile, reason, now);
  try {
    return finish(started, await copy(started.pending));
  } catch (error) {
    throw failed(started, error);
  } finally {
    started.lock.release();
  }
}

function beganSync(storeFile: string, reason: BackupReason, now: number, copy: Copy<BackupRecord>): string {
  const started = start(storeFile, reason, now);
  try {
    return finish(started, copy(started.pending));
  } catch (error) {
    throw failed(started, error);
  } finally {
    started.lock.release();
  }
}

interface Started {
  readonly folder: BackupFolder;
  readonly name: string;
  readonly pending: string;
  readonly lock: HostLock;
}

function start(storeFile: string, reason: BackupReason, now: number): Started {
  const folder = new BackupFolder(storeFile);
  let lock: HostLock;
  try {
    lock = new HostLock(backupLockOf(storeFile));
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) throw new BackupSkipped(storeFile, "Another process is making a backup of this store.");
    throw error;
  }
  try {
    folder.prepare();
    folder.removePending();
    requireSpace(folder);
    const name = folder.newName(reason, now);
    const pending = `${folder.fileOf(name)}.pending`;
    closeSync(openSync(pending, "w", 0o600));
    // Before the snapshot: a checkpoint must not be ahead of the copied log.
    linkFiles(join(dirname(storeFile), "checkpoints"), ".checkpoint", `${folder.checkpointsOf(name)}.pending`);
    linkFiles(join(dirname(storeFile), "networks"), ".network", `${folder.networksOf(name)}.pending`);
    return { folder, name, pending, lock };
  } catch (error) {
    lock.release();
    throw error instanceof StoreError ? error : new StoreError(folder.path, `No backup could be made in ${folder.path}: ${messageOf(error)}.`, { cause: error });
  }
}

/** Bytes that all backups of a store may take. */
export function mostBackupBytes(folder: BackupFolder): number {
  return (diskSpace(dirname(folder.storeFile)).total * folder.settings().share) / 100;
}

function requireSpace(folder: BackupFolder): void {
  const { storeFile } = folder;
  const needed = statSync(storeFile).size + (statSync(`${storeFile}-wal`, { throwIfNoEntry: false })?.size ?? 0);
  const { free, total } = diskSpace(folder.path);
  if (free - needed < reserveOf(total)) {
    throw new BackupSkipped(folder.path, `No backup was made: it needs ${formatBytes(needed)}, and only ${formatBytes(free)} are free on the disk of ${folder.path}. Free some space there.`);
  }
  if (needed > mostBackupBytes(folder)) {
    throw new BackupSkipped(folder.path, `No backup was made: it needs ${formatBytes(needed)}, which is more than the ${folder.settings().share} % of the disk that backups may take.`);
  }
}

/** Links all files of a folder with this ending; copies where the file system has no hard links. */
function linkFiles(source: string, ending: string, target: string): void {
  let names: string[];
  try {
    names = readdirSync(source).filter((file) => file.endsWith(ending));
  } catch {
    return;
  }
  if (names.length === 0) return;
  mkdirSync(target, { mode: 0o700 });
  for (const file of names) {
    try {
      linkOrCopy(join(source, file), join(target, file));
    } catch (error) {
      // Its run has just ended, or the network was removed.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

export function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "EXDEV", "EMLINK", "ENOSYS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
  }
}

function finish({ folder, name, pending }: Started, record: BackupRecord): string {
  check(folder, pending, record);
  chmodSync(pending, 0o600);
  syncFile(pending);
  for (const place of [folder.checkpointsOf(name), folder.networksOf(name)]) {
    if (statSync(`${place}.pending`, { throwIfNoEntry: false })) renameSync(`${place}.pending`, place);
  }
  replaceFile(folder.recordOf(name), `${JSON.stringify(record)}\n`);
  renameSync(pending, folder.fileOf(name));
  syncFolderSync(folder.path);
  prune(folder, record.at);
  return name;
}

/** Removes backups that the settings no longer keep. */
function prune(folder: BackupFolder, now: number): void {
  for (const old of backupsToRemove(folder.list(), folder.settings(), now, mostBackupBytes(folder))) folder.remove(old);
}

/** @throws StoreError unless the copy is sound and holds what the store held */
function check(folder: BackupFolder, pending: string, { runs, steps }: BackupRecord): void {
  const db = new Database(pending, { fileMustExist: true });
  let problem: string | null;
  try {
    // A backup is one file, which can be read on a read-only disk.
    db.pragma("journal_mode = DELETE");
    problem = quickCheck(db);
    const copied = contentOf(db);
    if (problem === null && (copied.runs !== runs || copied.steps !== steps)) problem = "it holds other runs than the store";
  } finally {
    db.close();
  }
  if (problem !== null) throw new StoreError(folder.storeFile, `A backup of ${folder.storeFile} was made and is damaged (${problem}); it was removed. Check the store with "hypertower doctor".`);
}

function failed({ folder, name, pending }: Started, error: unknown): unknown {
  rmSync(pending, { force: true });
  rmSync(`${pending}-journal`, { force: true });
  rmSync(`${folder.checkpointsOf(name)}.pending`, { recursive: true, force: true });
  rmSync(`${folder.networksOf(name)}.pending`, { recursive: true, force: true });
  if (error instanceof StoreError) return error;
  return new StoreError(folder.storeFile, `No backup of ${folder.storeFile} could be made: ${messageOf(error)}.`, { cause: error });
}
