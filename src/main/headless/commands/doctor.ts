/** `hypertower doctor`: checks, repairs, restores and backs up a store. */
import { backupReasonText, type BackupInfo } from "../../../shared/backups.ts";
import { formatBytes } from "../../../shared/format.ts";
import { plural } from "../../../shared/text.ts";
import { acknowledgeLoss, backUp, checkStore, listBackups, repairStore, restoreStore } from "../../services/doctor/index.ts";
import { UserError } from "../../services/services.ts";
import { exitCodes } from "../exitCodes.ts";
import { formatTime, table } from "../format.ts";
import { storeDirOf } from "../session.ts";

interface StoreOptions {
  readonly store?: string;
  readonly json?: boolean;
}

export interface DoctorOptions extends StoreOptions {
  readonly repair?: boolean;
  readonly restore?: string;
  readonly acknowledge?: boolean;
}

const marks = { problem: "PROBLEM", warning: "warning", note: "note" } as const;

/** Exit code 1 where a problem is left. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const storeDir = storeDirOf(options.store);
  const orders = [options.repair, options.restore !== undefined, options.acknowledge].filter(Boolean).length;
  if (orders > 1) throw new UserError("choose one of --repair, --restore and --acknowledge");
  const done: string[] = [];
  if (options.acknowledge) done.push(await acknowledgeLoss(storeDir));
  if (options.restore !== undefined) done.push(await restoreStore(storeDir, options.restore));
  if (options.repair) done.push(...(await repairStore(storeDir)));
  const { findings } = await checkStore(storeDir);
  const hasProblem = findings.some(({ severity }) => severity === "problem");
  if (options.json) console.log(JSON.stringify({ store: storeDir, sound: !hasProblem, done, findings }));
  else {
    for (const line of done) console.log(line);
    if (options.repair && done.length === 0) console.log("Nothing needed repair.");
    console.log(findings.length === 0 ? `${storeDir}: no problems found.` : `${storeDir}: ${plural(findings.length, "finding")}.`);
    for (const { severity, title, detail, advice } of findings) console.log(`\n${marks[severity]}: ${title}\n  ${detail}\n  To do: ${advice}`);
  }
  return hasProblem ? exitCodes.error : exitCodes.ok;
}

export function doctorBackups(options: StoreOptions): Promise<number> {
  const list = listBackups(storeDirOf(options.store));
  if (options.json) for (const backup of list) console.log(JSON.stringify(backup));
  else if (list.length === 0) console.log("no backups yet");
  else console.log(table([["BACKUP", "MADE", "SIZE", "RUNS", "STEPS", "CHECKPOINTS", "WHY"], ...list.map(rowOf)]));
  return Promise.resolve(exitCodes.ok);
}

const rowOf = ({ name, at, bytes, runs, steps, checkpoints, reason }: BackupInfo) => [
  name, formatTime(at), formatBytes(bytes), runs === null ? "unreadable" : String(runs), steps === null ? "" : String(steps), String(checkpoints), backupReasonText[reason],
];

export async function doctorBackup(options: StoreOptions): Promise<number> {
  const made = await backUp(storeDirOf(options.store));
  console.log(options.json ? JSON.stringify(made) : `Backed up ${plural(made.runs ?? 0, "run")} and ${plural(made.steps ?? 0, "step")}: ${made.name} (${formatBytes(made.bytes)})`);
  return exitCodes.ok;
}
