/** Safe repairs of a store. Nothing is overwritten or erased: what is damaged is set aside by name. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import { plural } from "../../../shared/text.ts";
import { salvageStore } from "../../hosting/salvage.ts";
import { BackupFolder } from "../../store/backup/folder.ts";
import { livingHosts, noteContent, restoreBackup } from "../../store/backup/restore.ts";
import { databaseFiles, setAside, setAsideFolder } from "../../store/backup/setAside.ts";
import type { Inspection } from "../../store/inspection.ts";
import { readIntegrity, writeIntegrity } from "../../store/integrity.ts";
import { markFileOf } from "../../store/mark.ts";
import { findOrphans, orphansInWords } from "../../store/orphans.ts";
import { runFiles } from "../storage/files.ts";
import { UserError } from "../services.ts";
import { networkFile, networksFolder } from "../../../core/networks/folder.ts";
import { networkFilesIn } from "../../../core/networks/stored.ts";
import { networksOfStore } from "../../store/networks.ts";
import { openToOthers, pendingIn } from "./examine.ts";

/**
 * Repairs what an examination can find and a program can mend.
 * @returns what was done, a sentence each; empty when nothing was to do
 * @throws UserError when the store is in use, or is damaged beyond what can be saved
 */
export async function repair(storeFile: string, inspection: Inspection): Promise<string[]> {
  if (livingHosts(storeFile) > 0) throw new UserError(`${storeFile} is in use by another Hypertower process; end it first. Nothing was changed.`);
  const done: string[] = [];
  const orphans = orphansInWords(findOrphans(storeFile));
  if ((inspection.state === "missing" || inspection.state === "empty") && orphans !== "") done.push(restoreLatest(storeFile) ?? setOrphansAside(storeFile));
  if (inspection.state === "damaged") done.push(await mendDamaged(storeFile));
  if (inspection.state === "sound") done.push(...(await tidy(storeFile, inspection)));
  const modes = openToOthers(storeFile);
  for (const { path, mode } of modes) chmodSync(path, mode & 0o700);
  if (modes.length > 0) done.push(`Made ${plural(modes.length, "file or folder", "files and folders")} private to this account.`);
  return done;
}

/** Restores the latest backup that is sound; undefined if there is none. */
function restoreLatest(storeFile: string): string | undefined {
  for (const { name } of new BackupFolder(storeFile).list()) {
    try {
      const { setAside: aside } = restoreBackup(storeFile, name);
      return `Restored the backup ${name}; the files it replaces are in ${aside}.`;
    } catch {
      // The next older one may be sound.
    }
  }
  return undefined;
}

function setOrphansAside(storeFile: string): string {
  const folder = dirname(storeFile);
  const aside = setAsideFolder(storeFile);
  setAside([...databaseFiles(storeFile), markFileOf(storeFile), join(folder, "checkpoints"), join(folder, "weights")], aside);
  return `There was no backup. Set what was left of the store aside in ${aside}; the next start makes a new store.`;
}

async function mendDamaged(storeFile: string): Promise<string> {
  let why = "";
  try {
    const saved = await salvaged(storeFile);
    if (saved !== null) return saved;
  } catch (error) {
    why = ` (${messageOf(error)})`;
  }
  const restored = restoreLatest(storeFile);
  if (restored !== undefined) return `No run could be saved from the damaged file${why}. ${restored}`;
  throw new UserError(`${storeFile} is damaged; no run could be saved from it${why}, and there is no sound backup. The file was not changed. Choose another folder for the store.`);
}

/** Saves the readable runs into a fresh database and puts it in the place of the damaged one. Null when no run can be read. */
async function salvaged(storeFile: string): Promise<string | null> {
  const folder = dirname(storeFile);
  const fresh = mkdtempSync(join(folder, "salvaging-"));
  try {
    const { runs } = await salvageStore(folder, fresh);
    const counts = (["whole", "part", "lost"] as const).map((outcome) => runs.filter((run) => run.outcome === outcome).length);
    const [whole = 0, part = 0, lost = 0] = counts;
    if (whole + part === 0) return null;
    const aside = setAsideFolder(storeFile);
    setAside([...databaseFiles(storeFile), markFileOf(storeFile)], aside);
    renameSync(join(fresh, basename(storeFile)), storeFile);
    writeIntegrity(storeFile, { checkedAt: Date.now(), uncleanEnd: false, problem: null });
    noteContent(storeFile);
    const [backup] = new BackupFolder(storeFile).list();
    const older = !backup || backup.runs === null ? "" : ` The latest backup, ${backup.name}, holds ${plural(backup.runs, "run")} with ${plural(backup.steps ?? 0, "step")}; restore it if it holds what is missing.`;
    return `Saved ${plural(whole, "whole run")}${part > 0 ? ` and ${part} in part` : ""}${lost > 0 ? `; ${lost} could not be read` : ""}. The damaged file is in ${aside}.${part + lost > 0 ? older : ""}`;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

async function tidy(storeFile: string, { runs }: Inspection): Promise<string[]> {
  const folder = dirname(storeFile);
  const done: string[] = [];
  if (existsSync(`${storeFile}.restoring`)) {
    rmSync(`${storeFile}.restoring`, { force: true });
    done.push("Removed the copy that an interrupted restore left.");
  }
  const known = new Set(runs.map(({ id }) => id));
  const orphans: string[] = [];
  for (const [sub, ending] of [["checkpoints", ".checkpoint"], ["weights", ".weights"]] as const) {
    for (const { run, path } of await runFiles(join(folder, sub), ending)) if (!known.has(run)) orphans.push(path);
    orphans.push(...pendingIn(join(folder, sub)));
  }
  const listed = networksOfStore(storeFile)?.map(({ hash }) => hash);
  for (const hash of networkFilesIn(folder)) if (listed && !listed.includes(hash)) orphans.push(networkFile(networksFolder(folder), hash));
  orphans.push(...pendingIn(networksFolder(folder)));
  if (orphans.length > 0) {
    const aside = setAsideFolder(storeFile);
    for (const path of orphans) {
      const to = join(aside, basename(dirname(path)));
      mkdirSync(to, { recursive: true });
      setAside([path], to);
    }
    done.push(`Set ${plural(orphans.length, "file")} that no run uses aside in ${aside}.`);
  }
  const record = readIntegrity(storeFile);
  if (record && (record.problem !== null || record.uncleanEnd)) {
    writeIntegrity(storeFile, { checkedAt: Date.now(), uncleanEnd: false, problem: null });
    done.push("Noted that the file is sound.");
  }
  return done;
}
