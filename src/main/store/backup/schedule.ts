/** Makes backups by itself: daily while a host runs, and after clean ends. */
import { statSync } from "node:fs";
import { messageOf } from "../../../shared/errors.ts";
import type { Log } from "../log.ts";
import type { LaunchTask } from "../task.ts";
import { BackupFolder } from "./folder.ts";
import { BackupSkipped, makeBackup, openForReading, stateOf } from "./make.ts";

/** Milliseconds between daily backups, and between those after clean ends. */
const dailyEvery = 24 * 3_600_000;
const endEvery = 3_600_000;

/** A backup, also one that was given up, is not followed by the next within so many times its duration. */
const restPerBackup = 20;

/** Bytes of a store that is backed up before the process ends: a fraction of a second. Larger ones are left to a process of their own. */
const brief = 32e6;

export interface BackupScheduleOptions {
  readonly path: string;
  readonly log: Log;
  readonly launch: LaunchTask;
  /** A backup was made, or the message to the user why not. */
  readonly onBackup: (problem: string | null) => void;
  /** Milliseconds between polls for a due backup. */
  readonly pollEvery?: number;
}

/** Whether the store has runs and has changed since its latest backup, which is older than `every` milliseconds. */
export function isBackupDue(storeFile: string, every: number, now: number): boolean {
  const folder = new BackupFolder(storeFile);
  if (!folder.settings().enabled) return false;
  const latest = folder.latest();
  // abs: a clock that was set back must not postpone it.
  if (latest && Math.abs(now - latest.at) < every) return false;
  const db = openForReading(storeFile);
  try {
    return db.prepare("SELECT 1 FROM runs LIMIT 1").get() !== undefined && latest?.state !== stateOf(db);
  } finally {
    db.close();
  }
}

export class BackupSchedule {
  readonly #options: BackupScheduleOptions;
  readonly #timer: NodeJS.Timeout;
  #working = false;
  #problem: string | null = null;
  /** No backup is begun before. */
  #notBefore = -Infinity;

  constructor(options: BackupScheduleOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.poll(), options.pollEvery ?? 5 * 60_000);
    this.#timer.unref();
  }

  /** Why the latest backup was not made; null if it was, or none was due. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Makes the daily backup if it is due. Resolves when it has ended. */
  async poll(now = Date.now()): Promise<void> {
    const { path, launch, log, onBackup } = this.#options;
    if (this.#working || performance.now() < this.#notBefore) return;
    this.#working = true;
    try {
      if (!isBackupDue(path, dailyEvery, now)) return;
      const begin = performance.now();
      const result = await launch({ task: "backup", file: path, reason: "daily" });
      this.#notBefore = performance.now() + restPerBackup * (performance.now() - begin);
      const problem = "done" in result ? null : "skipped" in result ? result.skipped : result.failed;
      // Repeated by every poll.
      if (problem !== null && problem !== this.#problem) log.warn(`store: ${problem}`);
      this.#problem = problem;
      onBackup(problem);
    } catch (error) {
      log.warn(`store: the daily backup of ${path} was not made: ${messageOf(error)}`);
    } finally {
      this.#working = false;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Backs the store up after it was closed, if this process has written it. A large one is backed up after this process has ended. */
  async afterEnd(written: boolean, now = Date.now()): Promise<void> {
    const { path, launch, log } = this.#options;
    try {
      if (!written || this.#working || !isBackupDue(path, endEvery, now)) return;
      if (statSync(path).size > brief) void launch({ task: "backup", file: path, reason: "end" }).catch(() => undefined);
      else await makeBackup(path, "end", now);
    } catch (error) {
      // Said once, not after every command: a full disk is shown by the workbench and by "hypertower doctor".
      if (!(error instanceof BackupSkipped)) log.warn(`store: no backup was made after the end: ${messageOf(error)}`);
    }
  }
}
