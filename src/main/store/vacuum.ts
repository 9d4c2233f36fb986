/** Gives the space of erased runs back to the disk. */
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import Database from "better-sqlite3";
import { formatBytes } from "../../shared/format.ts";
import { diskSpace, reserveOf } from "./disk.ts";
import { StoreError } from "./errors.ts";
import { HostLock } from "./hostLock.ts";

/** The file was not vacuumed, and nothing is wrong with it. */
export class VacuumSkipped extends StoreError {
  constructor(path: string, message: string) {
    super(path, message);
    this.name = "VacuumSkipped";
  }
}

/** Pages given back in the first transaction, and at most in one. */
const firstPages = 16;
const mostPages = 4_096;

/** Milliseconds that a transaction should take: other writers wait for it. */
const lockedFor = 40;

/** Milliseconds that one page may take before the work is left: writers would wait too long, too often. */
const slowestPage = 500;

/** Milliseconds after which the rest is left for another time. */
const workFor = 10 * 60_000;

/** Bytes of memory for the list of unused pages, which SQLite reads again and again. */
const mostCache = 128 * 2 ** 20;

export interface VacuumLimits {
  readonly slowestPage?: number;
  readonly workFor?: number;
}

/** Bytes of a file that may be rewritten whole although other processes may want to write: below a second. */
const brief = 32e6;

/** Bytes of the file that hold nothing. */
export function unusedBytes(db: Database.Database): number {
  return (db.pragma("freelist_count", { simple: true }) as number) * (db.pragma("page_size", { simple: true }) as number);
}

/**
 * Gives unused pages back. A store of an earlier version is rewritten whole once, which blocks its writers, so only while no run is active.
 * @returns what was done, for people
 * @throws VacuumSkipped with the reason
 */
export async function vacuum(storeFile: string, limits: VacuumLimits = {}): Promise<string> {
  let lock: HostLock;
  try {
    lock = new HostLock(join(dirname(storeFile), "hosts", "vacuum.lock"));
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) throw new VacuumSkipped(storeFile, "Another process is giving space back already.");
    throw error;
  }
  const db = new Database(storeFile, { fileMustExist: true, timeout: 2_000 });
  try {
    const before = unusedBytes(db);
    if (before === 0) return "There is no unused space in the store's file.";
    let unfinished: string | null = null;
    if (db.pragma("auto_vacuum", { simple: true }) === 2) unfinished = await incremental(db, limits);
    else whole(storeFile, db);
    // Writes the log back, so that the file shrinks on the disk.
    db.pragma("wal_checkpoint(PASSIVE)");
    const given = `${formatBytes(Math.max(0, before - unusedBytes(db)))} were given back to the disk.`;
    return unfinished === null ? given : `${given} ${formatBytes(unusedBytes(db))} are left, which new runs fill: ${unfinished}.`;
  } finally {
    db.close();
    lock.release();
  }
}

/**
 * Gives pages back in transactions of about `lockedFor` milliseconds, with pauses as long. To move a page from the end of the file SQLite
 * searches its list of unused pages for one further ahead: a fraction of a second in a file with 100 GB of them.
 * @returns why pages are left; null when none are
 */
async function incremental(db: Database.Database, { slowestPage: slowest = slowestPage, workFor: limit = workFor }: VacuumLimits): Promise<string | null> {
  db.pragma(`cache_size = -${Math.ceil(Math.min(mostCache, 16e6 + unusedBytes(db) / 1_000) / 1_024)}`);
  const end = performance.now() + limit;
  for (let left = Infinity, pages = firstPages; ; ) {
    const begin = performance.now();
    // exec() steps the statement to its end; each row it answers is a page.
    db.exec(`PRAGMA incremental_vacuum(${pages})`);
    const took = performance.now() - begin;
    const now = db.pragma("freelist_count", { simple: true }) as number;
    if (now === 0 || now >= left) return null;
    left = now;
    if (pages === 1 && took > slowest) return "moving the rest would hold up runs that log, because SQLite searches long for unused pages in so large a file";
    if (performance.now() > end) return "the next time continues";
    pages = Math.max(1, Math.min(mostPages, 2 * pages, Math.floor((pages * lockedFor) / took)));
    await pause(took);
  }
}

function whole(storeFile: string, db: Database.Database): void {
  const { size } = statSync(storeFile);
  const active = db.prepare("SELECT count(*) FROM runs WHERE status IN ('queued', 'running', 'paused')").pluck().get() as number;
  if (active > 0 && size > brief) {
    throw new VacuumSkipped(storeFile, "The file must be rewritten once, and no run can log meanwhile. This is done when no run is active.");
  }
  const { free, total } = diskSpace(dirname(storeFile));
  // SQLite writes a copy and then the log.
  if (free - 2 * size < reserveOf(total)) {
    throw new VacuumSkipped(storeFile, `The file must be rewritten once, which needs ${formatBytes(2 * size)} for a while; only ${formatBytes(free)} are free. Free some space first.`);
  }
  db.pragma("auto_vacuum = INCREMENTAL");
  db.exec("VACUUM");
}
