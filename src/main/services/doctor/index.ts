/** Examines, repairs, restores and backs up a store that no services have open. */
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BackupInfo } from "../../../shared/backups.ts";
import { formatBytes } from "../../../shared/format.ts";
import type { Health, StorageReport } from "../../../shared/storage.ts";
import { plural } from "../../../shared/text.ts";
import { BackupFolder } from "../../store/backup/folder.ts";
import { makeBackup } from "../../store/backup/make.ts";
import { noteContent, restoreBackup } from "../../store/backup/restore.ts";
import { storeFileName } from "../../store/database.ts";
import { inspectStore, inspectWhole } from "../../store/inspection.ts";
import { readMark } from "../../store/mark.ts";
import { storageReport } from "../storage/report.ts";
import { UserError } from "../services.ts";
import { userError } from "../userErrors.ts";
import { examine } from "./examine.ts";
import { repair } from "./repair.ts";

const fileOf = (storeDir: string) => join(resolve(storeDir), storeFileName);

/** @throws UserError where there is no such folder */
function requireFolder(storeDir: string): string {
  const path = resolve(storeDir);
  if (!existsSync(path)) throw new UserError(`there is no folder ${path}; "hypertower train" creates it, --store names another one`);
  if (!statSync(path).isDirectory()) throw new UserError(`${path} is a file; the store is a folder`);
  return fileOf(path);
}

async function asUserErrors<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw userError(error);
  }
}

/** Checks the whole store. Changes nothing. */
export function checkStore(storeDir: string): Promise<Health> {
  return asUserErrors(async () => {
    const file = requireFolder(storeDir);
    return examine(file, await inspectWhole(file));
  });
}

/** Repairs a store. Returns what was done. */
export function repairStore(storeDir: string): Promise<string[]> {
  return asUserErrors(() => {
    const file = requireFolder(storeDir);
    return repair(file, inspectStore(file, true));
  });
}

/** Restores a backup. Returns what was done, as a sentence. */
export function restoreStore(storeDir: string, backup: string): Promise<string> {
  return asUserErrors(() => {
    const { backup: restored, setAside } = restoreBackup(requireFolder(storeDir), backup);
    return `Restored the backup ${restored.name}${restored.runs === null ? "" : ` (${plural(restored.runs, "run")}, ${plural(restored.steps ?? 0, "step")})`}. The files it replaces are in ${setAside}.`;
  });
}

export function listBackups(storeDir: string): BackupInfo[] {
  return new BackupFolder(requireFolder(storeDir)).list();
}

/** Makes a backup now. */
export function backUp(storeDir: string): Promise<BackupInfo> {
  return asUserErrors(async () => {
    const file = requireFolder(storeDir);
    if (!existsSync(file)) throw new UserError(`there is no store in ${storeDir} yet`);
    const name = await makeBackup(file, "manual");
    return new BackupFolder(file).list().find((backup) => backup.name === name)!;
  });
}

/** Ends the warning about lost runs and steps. Returns what was done. */
export function acknowledgeLoss(storeDir: string): Promise<string> {
  return asUserErrors(() => {
    const file = requireFolder(storeDir);
    if (!readMark(file)?.missing) return "No loss is noted.";
    noteContent(file);
    return "The loss is acknowledged; it is not mentioned again.";
  });
}

/** What takes the space of a store. */
export function spaceOf(storeDir: string): Promise<StorageReport> {
  return asUserErrors(() => {
    const file = requireFolder(storeDir);
    return storageReport(file, inspectStore(file, false));
  });
}

/** Advice for a store that cannot be opened: the latest backup, and the commands that help. */
export function adviceOnFailure(storeDir: string): { readonly backup: BackupInfo | null; readonly text: string } {
  const backup = new BackupFolder(fileOf(storeDir)).list()[0] ?? null;
  const command = '"hypertower doctor" says what is wrong and what can be done';
  return { backup, text: backup ? `${command}; the latest backup is of ${new Date(backup.at).toLocaleString()} (${formatBytes(backup.bytes)}).` : `${command}.` };
}
