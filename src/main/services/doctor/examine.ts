/** Examines a store without changing it, in any state it may be in. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { datasetState } from "../../../shared/datasets.ts";
import { messageOf } from "../../../shared/errors.ts";
import { formatBytes } from "../../../shared/format.ts";
import type { Health, HealthFinding } from "../../../shared/storage.ts";
import type { Finding } from "../../../shared/verification.ts";
import { listed, nounFor, plural } from "../../../shared/text.ts";
import { listDatasets } from "../../../core/datasets/index.ts";
import { requireIntact } from "../../../core/checkpoint/container.ts";
import { readCheckpointHeader } from "../../../core/checkpoint/file.ts";
import { readWeightsHeader } from "../../../core/weights/file.ts";
import { bytesOf, headerOf } from "../../hosting/runFiles.ts";
import { BackupFolder } from "../../store/backup/folder.ts";
import { livingHosts, requestedRestore } from "../../store/backup/restore.ts";
import { diskSpace, reserveOf } from "../../store/disk.ts";
import type { Inspection } from "../../store/inspection.ts";
import { missingMessage, readMark } from "../../store/mark.ts";
import { findOrphans, orphansInWords } from "../../store/orphans.ts";
import { runFiles, type RunFile } from "../storage/files.ts";

/** A log this long means that some process keeps it from being written back. */
const longLog = 256e6;

/** Age of the latest backup that is worth a word. */
const oldBackup = 7 * 24 * 3_600_000;

const repairAdvice = 'Run "hypertower doctor --repair".';

/**
 * @param storeFile path of the database, which may not exist
 * @param isOpenHere whether this process has the store open
 */
export async function examine(storeFile: string, inspection: Inspection, isOpenHere = false, now = Date.now()): Promise<Health> {
  const [runFileParts, datasetParts] = await Promise.all([runFileFindings(storeFile, inspection), datasetFindings()]);
  const findings = [
    ...fileFindings(storeFile, inspection),
    ...leftoverFindings(storeFile, inspection, isOpenHere),
    ...runFileParts,
    ...datasetParts,
    ...spaceFindings(storeFile),
    ...backupFindings(storeFile, inspection, now),
    ...modeFindings(storeFile),
  ];
  const order = { problem: 0, warning: 1, note: 2 };
  return { at: now, findings: findings.sort((a, b) => order[a.severity] - order[b.severity]) };
}

function restoreAdvice(storeFile: string): string {
  const [latest] = new BackupFolder(storeFile).list();
  return latest ? `Or restore the backup of ${new Date(latest.at).toISOString().slice(0, 16).replace("T", " ")} UTC: hypertower doctor --restore ${latest.name}` : "There is no backup.";
}

const titles: Readonly<Record<Finding["part"], string>> = {
  file: "The database is damaged or incomplete",
  log: "The write-ahead log is damaged",
  run: "A run is damaged",
  series: "Logged values are damaged",
  evaluations: "Evaluations are damaged",
  events: "Events are damaged",
  pyramid: "The summary that curves are drawn from is damaged",
  study: "A study is damaged",
  checkpoint: "A checkpoint is damaged",
  weights: "A weights file is damaged",
  network: "An imported network is damaged or missing",
  dataset: "A dataset is damaged",
};

function fileFindings(storeFile: string, { state, problem, log, runs, layout, findings: rows }: Inspection): HealthFinding[] {
  const findings: HealthFinding[] = [];
  const add = (severity: HealthFinding["severity"], title: string, detail: string, advice: string) => findings.push({ severity, title, detail, advice });
  const orphans = orphansInWords({ ...findOrphans(storeFile), ...(state === "missing" || state === "empty" ? {} : { log: 0 }) });
  switch (state) {
    case "missing":
    case "empty":
      if (orphans === "") add("note", "There is no store yet", `${storeFile} ${state === "missing" ? "does not exist" : "is empty"}, and nothing of a store lies beside it.`, "Train a run; the store is then created.");
      else
        add("problem", `The database is ${state}`, `Beside ${storeFile} lies ${orphans}.`, `Put the file back if you have it. ${restoreAdvice(storeFile)} "hypertower doctor --repair" restores the latest backup, or sets the files aside so that a new store can be made.`);
      break;
    case "foreign":
      add("problem", "The database is not a Hypertower store", `${storeFile} belongs to another program.`, "Choose another folder with --store or HYPERTOWER_HOME.");
      break;
    case "newer":
      add("problem", "A newer Hypertower wrote this store", `Its layout is version ${layout}.`, "Update Hypertower.");
      break;
    case "damaged":
      add("problem", "The database is damaged", `${storeFile}: ${problem ?? "unknown"}.`, `${repairAdvice} It keeps the damaged file and saves every run that can be read. ${restoreAdvice(storeFile)}`);
      break;
    case "unreadable":
      add("problem", "The database cannot be read", `${storeFile}: ${problem ?? "unknown"}.`, "Check the permissions of the folder and file, and that the disk works.");
      break;
    case "sound":
      if (log > longLog) add("note", "The write-ahead log is long", `${storeFile}-wal has ${formatBytes(log)} (${plural(runs.length, "run")}).`, "It is written back when the last Hypertower process of this store ends.");
      break;
  }
  for (const found of rows) {
    add(found.severity === "damage" ? "problem" : "warning", titles[found.part], `${found.run === null ? "" : `Run ${found.run}, `}${found.where}: ${found.problem}. ${found.meaning}`, found.advice);
  }
  const missing = readMark(storeFile)?.missing;
  if (missing && state === "sound") add("problem", "Logged steps are missing", missingMessage(storeFile, missing), `If they are gone for good, end this warning with "hypertower doctor --acknowledge". ${restoreAdvice(storeFile)}`);
  return findings;
}

function leftoverFindings(storeFile: string, { endedHosts, erasing }: Inspection, isOpenHere: boolean): HealthFinding[] {
  const findings: HealthFinding[] = [];
  const folder = dirname(storeFile);
  const living = livingHosts(storeFile);
  if (living > 0 && !isOpenHere) findings.push({ severity: "note", title: "The store is in use", detail: `${plural(living, "Hypertower process", "Hypertower processes")} of this machine ${nounFor(living, "has", "have")} written it and ${nounFor(living, "has", "have")} it open.`, advice: "End them before you repair or restore." });
  if (endedHosts > 0) findings.push({ severity: "note", title: "A process ended without closing the store", detail: `${plural(endedHosts, "process", "processes")} of this machine ended unexpectedly.`, advice: "Nothing is to do: the next start marks its runs as interrupted, and they can be resumed." });
  if (erasing > 0) findings.push({ severity: "note", title: "Erasing has not ended", detail: `The values of ${plural(erasing, "metric")} of erased runs are still in the file.`, advice: "The next start of the workbench goes on." });
  if (existsSync(`${storeFile}.restoring`)) findings.push({ severity: "warning", title: "A restore was interrupted", detail: `${storeFile}.restoring is a copy that was not put in place.`, advice: repairAdvice });
  const next = requestedRestore(storeFile);
  if (next !== null) findings.push({ severity: "note", title: "A backup is about to be restored", detail: `${next} will be restored at the next start.`, advice: "The Storage page of the workbench cancels that." });
  if (living === 0) {
    const pending = ["checkpoints", "weights", "networks"].flatMap((name) => pendingIn(join(folder, name)));
    if (pending.length > 0) findings.push({ severity: "note", title: "Half-written files are left", detail: `${plural(pending.length, "file")} of processes that have ended: ${listed(pending.slice(0, 3))}${pending.length > 3 ? ", …" : ""}.`, advice: `They are not used. ${repairAdvice}` });
  }
  return findings;
}

/** Files that a process was writing. */
export function pendingIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".pending")).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

async function runFileFindings(storeFile: string, { state, runs }: Inspection): Promise<HealthFinding[]> {
  const folder = dirname(storeFile);
  const known = new Map(runs.map((run) => [run.id, run]));
  const findings: HealthFinding[] = [];
  for (const [sub, ending, what] of [["checkpoints", ".checkpoint", "checkpoint"], ["weights", ".weights", "weights file"]] as const) {
    const files = await runFiles(join(folder, sub), ending);
    const orphans = state === "sound" ? files.filter(({ run }) => !known.has(run)) : [];
    if (orphans.length > 0) findings.push({ severity: "warning", title: `${plural(orphans.length, what)} of runs that are not in the store`, detail: `In ${join(folder, sub)}: ${listed(orphans.slice(0, 3).map(({ name }) => name))}${orphans.length > 3 ? ", …" : ""}.`, advice: 'The store may be an older copy: a backup or the missing file may hold these runs. "hypertower doctor --repair" sets the files aside.' });
    for (const file of files) {
      const problem = await fileProblem(file, sub === "checkpoints", known.get(file.run)?.steps);
      if (problem === null) continue;
      const run = known.get(file.run);
      findings.push({
        severity: "warning",
        title: `A ${what} cannot be used`,
        detail: `${file.path}${run ? ` of the run ${run.name} (${run.id})` : ""}: ${problem}.`,
        advice: sub === "checkpoints" ? "The run can be restarted at its first step; its logged steps are kept and compared." : "The run's log is not concerned. Train it again to get its weights: hypertower reproduce",
      });
    }
  }
  return findings;
}

async function fileProblem({ path }: RunFile, isCheckpoint: boolean, steps: number | undefined): Promise<string | null> {
  try {
    if (isCheckpoint) {
      const { header } = await headerOf(path, readCheckpointHeader);
      if (steps !== undefined && header.position.step > steps) return `it stands at step ${header.position.step}, but only ${steps} steps are logged`;
    } else await headerOf(path, readWeightsHeader);
    const file = await open(path);
    try {
      await requireIntact(bytesOf(file), (await file.stat()).size);
    } finally {
      await file.close();
    }
    return null;
  } catch (error) {
    // It was replaced or removed meanwhile.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    return messageOf(error);
  }
}

async function datasetFindings(): Promise<HealthFinding[]> {
  const damaged = (await listDatasets()).filter((info) => datasetState(info) === "damaged");
  return damaged.map(({ kind, title, own, problem }) => ({
    severity: "warning" as const,
    title: `The dataset ${title} cannot be used`,
    detail: `${problem ?? "unknown"}.`,
    advice: own ? `Add it again, or remove it: hypertower datasets remove ${kind}` : `Download it again: hypertower datasets download ${kind}`,
  }));
}

function spaceFindings(storeFile: string): HealthFinding[] {
  const folder = dirname(storeFile);
  if (!existsSync(folder)) return [];
  const { free, total } = diskSpace(folder);
  if (free > reserveOf(total)) return [];
  return [{ severity: "warning", title: "The disk is nearly full", detail: `${formatBytes(free)} of ${formatBytes(total)} are free on the disk of ${folder}.`, advice: '"hypertower storage" shows what takes the space, "hypertower erase" frees some of it.' }];
}

function backupFindings(storeFile: string, { state, runs }: Inspection, now: number): HealthFinding[] {
  const folder = new BackupFolder(storeFile);
  const list = folder.list();
  const findings: HealthFinding[] = [];
  const unreadable = list.filter((backup) => backup.runs === null);
  if (unreadable.length > 0) findings.push({ severity: "warning", title: "A backup cannot be read", detail: listed(unreadable.map(({ name }) => folder.fileOf(name))), advice: "Remove it with: hypertower erase --backups NAME" });
  if (state !== "sound" || runs.length === 0) return findings;
  if (!folder.settings().enabled) findings.push({ severity: "note", title: "Backups are off", detail: "No backup is made by itself.", advice: 'Make one with "hypertower doctor backup", or switch them on in the Storage page.' });
  else if (list.length === 0) findings.push({ severity: "note", title: "There is no backup yet", detail: `${folder.path} has none.`, advice: 'One is made daily and after a clean end. Make one now with "hypertower doctor backup".' });
  else if (now - list[0]!.at > oldBackup) findings.push({ severity: "note", title: "The latest backup is old", detail: `It was made ${Math.floor((now - list[0]!.at) / 86_400_000)} days ago.`, advice: 'If the store has changed since, make one with "hypertower doctor backup".' });
  return findings;
}

/** Files and folders of the store that other accounts of the machine may read or write. */
export function openToOthers(storeFile: string): { readonly path: string; readonly mode: number; readonly writable: boolean }[] {
  if (process.platform === "win32") return [];
  const folder = dirname(storeFile);
  const paths = [folder, storeFile, ...["hosts", "checkpoints", "weights", "backups", "set-aside"].map((name) => join(folder, name))];
  return paths.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat || (stat.mode & 0o077) === 0) return [];
    return [{ path, mode: stat.mode & 0o777, writable: (stat.mode & 0o022) !== 0 }];
  });
}

function modeFindings(storeFile: string): HealthFinding[] {
  const all = openToOthers(storeFile);
  // What lies in a private folder is private.
  if (all[0]?.path !== dirname(storeFile)) return [];
  const writable = all.filter((entry) => entry.writable);
  const shown = writable.length > 0 ? writable : all;
  return [
    {
      severity: writable.length > 0 ? "warning" : "note",
      title: `Other accounts of this machine may ${writable.length > 0 ? "change" : "read"} the store`,
      detail: `${listed(shown.slice(0, 3).map(({ path, mode }) => `${path} has mode ${mode.toString(8)}`))}.`,
      advice: `${repairAdvice} It makes the folder private.`,
    },
  ];
}
