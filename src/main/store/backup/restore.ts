/** Restores backups. The files that a backup replaces are set aside. */
import { chmodSync, constants, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { z } from "zod";
import { backupName, type BackupInfo } from "../../../shared/backups.ts";
import { formatBytes } from "../../../shared/format.ts";
import { syncFile, replaceFile } from "../../../core/durable/files.ts";
import { syncFolderSync } from "../../../core/durable/folders.ts";
import { diskSpace } from "../disk.ts";
import { StoreError } from "../errors.ts";
import { isLocked } from "../hostLock.ts";
import { quickCheck, writeIntegrity } from "../integrity.ts";
import { heldBy, markFileOf, writeMark } from "../mark.ts";
import { migrations, refuseNewer, versionOf } from "../migrations.ts";
import { BackupFolder } from "./folder.ts";
import { linkOrCopy } from "./make.ts";
import { databaseFiles, setAside, setAsideFolder } from "./setAside.ts";

export interface Restored {
  readonly backup: BackupInfo;
  /** Folder of the replaced files. */
  readonly setAside: string;
}

/** Number of processes on this machine that have written the store and have it open. */
export function livingHosts(storeFile: string): number {
  const folder = join(dirname(storeFile), "hosts");
  try {
    return readdirSync(folder).filter((name) => /^[0-9a-f-]{36}\.lock$/.test(name) && isLocked(join(folder, name))).length;
  } catch {
    return 0;
  }
}

/**
 * Finds a backup by its name, or the latest.
 * @throws StoreError when there is none
 */
export function findBackup(folder: BackupFolder, wanted: string): BackupInfo {
  const all = folder.list();
  const found = wanted === "latest" ? all[0] : all.find(({ name }) => name === wanted || name === `${wanted}.sqlite`);
  if (found) return found;
  const why = all.length === 0 ? `there are no backups in ${folder.path}` : `there is no backup ${wanted} in ${folder.path}; "hypertower doctor backups" lists them`;
  throw new StoreError(folder.storeFile, `${why.charAt(0).toUpperCase()}${why.slice(1)}.`);
}

/** Puts a backup in the place of the store's file. No process may have the store open. @throws StoreError; the store is then unchanged */
export function restoreBackup(storeFile: string, wanted: string, now = Date.now()): Restored {
  const folder = new BackupFolder(storeFile);
  const backup = findBackup(folder, wanted);
  const open = livingHosts(storeFile);
  if (open > 0) throw new StoreError(storeFile, `${storeFile} is in use by another Hypertower process; a backup can be restored once it has ended. Nothing was changed.`);
  const source = folder.fileOf(backup.name);
  const { free } = diskSpace(dirname(storeFile));
  if (free < backup.bytes) throw new StoreError(storeFile, `The backup needs ${formatBytes(backup.bytes)}, and only ${formatBytes(free)} are free. Nothing was changed.`);
  const pending = `${storeFile}.restoring`;
  rmSync(pending, { force: true });
  copyFileSync(source, pending, constants.COPYFILE_FICLONE);
  chmodSync(pending, 0o600);
  try {
    requireSound(source, pending);
  } catch (error) {
    rmSync(pending, { force: true });
    throw error;
  }
  syncFile(pending);
  // A power cut between these renames leaves no database: opening is refused, and the backup can be restored again.
  const aside = setAsideFolder(storeFile, now);
  setAside([...databaseFiles(storeFile), markFileOf(storeFile)], aside);
  restoreCheckpoints(folder, backup.name, aside);
  restoreNetworks(folder, backup.name);
  renameSync(pending, storeFile);
  syncFolderSync(dirname(storeFile));
  writeIntegrity(storeFile, { checkedAt: now, uncleanEnd: false, problem: null });
  noteContent(storeFile, now);
  return { backup, setAside: aside };
}

function requireSound(source: string, copy: string): void {
  let db: Database.Database | undefined;
  let problem: string | null;
  try {
    db = new Database(copy, { readonly: true, fileMustExist: true });
    refuseNewer(source, versionOf(db), migrations.length);
    problem = quickCheck(db);
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    problem = error.message;
  } finally {
    db?.close();
  }
  if (problem !== null) throw new StoreError(source, `The backup ${source} is damaged (${problem}); the store was not changed. Restore another one.`);
}

/** Writes the restored file's mark. A file of an earlier layout gets one when it is opened. */
export function noteContent(storeFile: string, now = Date.now()): void {
  const db = new Database(storeFile, { readonly: true, fileMustExist: true });
  try {
    const hasIdentity = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'identity'").get() !== undefined;
    if (hasIdentity) writeMark(storeFile, { ...heldBy(db), at: now, missing: null });
  } finally {
    db.close();
  }
}

/** Checkpoints newer than the restored log could not be resumed from. */
function restoreCheckpoints(folder: BackupFolder, name: string, aside: string): void {
  const names = folder.checkpoints(name);
  if (names.length === 0) return;
  const current = join(dirname(folder.storeFile), "checkpoints");
  mkdirSync(current, { recursive: true });
  const replaced = join(aside, "checkpoints");
  mkdirSync(replaced);
  for (const file of names) {
    setAside([join(current, file)], replaced);
    linkOrCopy(join(folder.checkpointsOf(name), file), join(current, file));
  }
}

/** A network that was removed since is put back; one that is there is the same. */
function restoreNetworks(folder: BackupFolder, name: string): void {
  const names = folder.networks(name);
  if (names.length === 0) return;
  const current = join(dirname(folder.storeFile), "networks");
  mkdirSync(current, { recursive: true });
  for (const file of names) if (!existsSync(join(current, file))) linkOrCopy(join(folder.networksOf(name), file), join(current, file));
}

const requested = z.object({ backup: backupName });
const requestOf = (storeFile: string) => join(dirname(storeFile), "restore-next.json");

/** Has a backup restored when the store is next opened. */
export function requestRestore(storeFile: string, name: string): void {
  replaceFile(requestOf(storeFile), `${JSON.stringify({ backup: findBackup(new BackupFolder(storeFile), name).name })}\n`);
}

/** Name of the backup that will be restored; null for none. */
export function requestedRestore(storeFile: string): string | null {
  try {
    return requested.parse(JSON.parse(readFileSync(requestOf(storeFile), "utf8"))).backup;
  } catch {
    return null;
  }
}

export function cancelRestore(storeFile: string): void {
  rmSync(requestOf(storeFile), { force: true });
}

/** Restores the requested backup, if any. Call before opening the store. @throws StoreError; the request is then cancelled unless another process has the store open */
export function applyRequestedRestore(storeFile: string): Restored | null {
  const name = requestedRestore(storeFile);
  if (name === null || livingHosts(storeFile) > 0) return null;
  cancelRestore(storeFile);
  return restoreBackup(storeFile, name);
}
