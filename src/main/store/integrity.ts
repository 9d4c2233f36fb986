/**
 * Record of the store file's integrity, in `integrity.json` beside it. It is not in the store,
 * because a damaged store must not be written.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Database } from "better-sqlite3";
import { z } from "zod";

const integrityRecord = z.object({
  /** Time of the last full check, or of the store's creation. */
  checkedAt: z.number(),
  /** Whether a process that wrote the store has ended without closing it since that check. */
  uncleanEnd: z.boolean(),
  /** First problem found by the last check; null if none. */
  problem: z.string().nullable(),
  /** Milliseconds that the last check took. */
  took: z.number().nonnegative().optional(),
  /** Start of a check that has not ended. */
  begunAt: z.number().optional(),
});
export type IntegrityRecord = z.infer<typeof integrityRecord>;

/** Milliseconds between checks of a store that is always closed cleanly. */
export const checkEvery = 24 * 60 * 60 * 1_000;

/** Milliseconds from the start of a check that was broken off to the next one. */
const retryAfter = 60 * 60 * 1_000;

/** A check of a large store takes long: checks take at most a 50th of the time, and a 10th where processes do not close it. */
const restPerCheck = 50;
const restAfterUncleanEnd = 10;

const recordOf = (storeFile: string) => join(dirname(storeFile), "integrity.json");

/** Lock that a running check holds; see `HostLock`. */
export const checkLockOf = (storeFile: string) => join(dirname(storeFile), "hosts", "check.lock");

/** Undefined for a store that was never checked or whose record cannot be read; a check is then due. */
export function readIntegrity(storeFile: string): IntegrityRecord | undefined {
  try {
    return integrityRecord.parse(JSON.parse(readFileSync(recordOf(storeFile), "utf8")));
  } catch {
    return undefined;
  }
}

/** @throws a file system error */
export function writeIntegrity(storeFile: string, record: IntegrityRecord): void {
  const file = recordOf(storeFile);
  const written = `${file}.${process.pid}`;
  writeFileSync(written, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(written, file);
}

export function isCheckDue(record: IntegrityRecord | undefined, now: number): boolean {
  if (!record) return true;
  // abs: a clock that was set back must not postpone the check.
  const since = (at: number) => Math.abs(now - at);
  if (record.begunAt !== undefined && since(record.begunAt) < retryAfter) return false;
  const took = record.took ?? 0;
  return since(record.checkedAt) >= (record.uncleanEnd ? restAfterUncleanEnd * took : Math.max(checkEvery, restPerCheck * took));
}

/** First problem found by SQLite's `quick_check`; null for a sound file. @throws SqliteError when the file cannot be read */
export function quickCheck(db: Database): string | null {
  const found = db.prepare<[], string>("PRAGMA quick_check(1)").pluck().get();
  return found === "ok" ? null : (found ?? "no answer").replace(/^\*\*\*.*\*\*\*\s*/, "");
}

/** Message to the user about a damaged store. */
export function damageMessage(storeFile: string, problem: string): string {
  return `${storeFile} is damaged (quick_check: ${problem}). "hypertower doctor --repair" keeps the damaged file and saves what can be read; "hypertower doctor --restore latest" restores a backup.`;
}
