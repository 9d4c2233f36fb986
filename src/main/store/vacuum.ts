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

/** Pages given back in one transaction, at most; the first gives back one. */
const mostPages = 4_096;

/** Single pages in a row that were slow, after which the work is left. */
const slowPages = 3;

/** Bytes of memory for the list of unused pages, which SQLite reads again and again. */
const mostCache = 128 * 2 ** 20;

export interface VacuumLimits {
  /** Milliseconds that a transaction should take: other writers wait for it. */
  readonly lockedFor?: number;
  /** Milliseconds that one page may take. */
  readonly slowestPage?: number;
  /** Milliseconds after which the rest is left for another time. */
  readonly workFor?: number;
  /** Bytes of content that may be rewritten although other processes may want to write: below a second. */
  readonly brief?: number;
}
const usualLimits = { lockedFor: 40, slowestPage: 100, workFor: 10 * 60_000, brief: 32e6 };

/** Bytes of the file that hold nothing. */
export function unusedBytes(db: Database.Database): number {
  return (db.pragma("freelist_count", { simple: true }) as number) * (db.pragma("page_size", { simple: true }) as number);
}

/**
 * Gives unused pages back. A store of an earlier version is rewritten once, and one with so many unused pages that SQLite finds them slowly, which blocks
 * writers, so only while no run is active.
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
    const left = db.pragma("auto_vacuum", { simple: true }) === 2 ? await incremental(db, limits) : "slow";
    const skipped = left === "slow" ? rewrite(storeFile, db, limits.brief) : null;
    // Writes the log back, so that the file shrinks on the disk.
    db.pragma("wal_checkpoint(PASSIVE)");
    const given = Math.max(0, before - unusedBytes(db));
    if (skipped !== null && given === 0) throw new VacuumSkipped(storeFile, skipped);
    const rest = `${formatBytes(unusedBytes(db))} are left, which new runs fill.`;
    return [`${formatBytes(given)} were given back to the disk.`, ...(left === "later" ? [rest, "The next time continues."] : skipped !== null ? [rest, skipped] : [])].join(" ");
  } finally {
    db.close();
    lock.release();
  }
}

/**
 * Gives pages back in transactions of about `lockedFor` milliseconds, with pauses as long. To move a page from the end of the file SQLite
 * searches its list of unused pages for one further ahead: a fraction of a second in a file with 100 GB of them.
 * @returns `later`: time is up; `slow`: moving the rest would hold up runs that log
 */
async function incremental(db: Database.Database, limits: VacuumLimits): Promise<"done" | "later" | "slow"> {
  const { lockedFor, slowestPage, workFor } = { ...usualLimits, ...limits };
  db.pragma(`cache_size = -${Math.ceil(Math.min(mostCache, 16e6 + unusedBytes(db) / 1_000) / 1_024)}`);
  const end = performance.now() + workFor;
  for (let left = Infinity, pages = 1, slow = 0; ; ) {
    const begin = performance.now();
    // exec() steps the statement to its end; each row it answers is a page.
    db.exec(`PRAGMA incremental_vacuum(${pages})`);
    const took = performance.now() - begin;
    const now = db.pragma("freelist_count", { simple: true }) as number;
    if (now === 0 || now >= left) return "done";
    left = now;
    slow = pages === 1 && took > slowestPage ? slow + 1 : 0;
    if (slow === slowPages) return "slow";
    if (performance.now() > end) return "later";
    pages = Math.max(1, Math.min(mostPages, 2 * pages, Math.floor((pages * lockedFor) / took)));
    await pause(took);
  }
}

/** Rewrites the file, which takes as long as its content is large. Returns why it was not done; null if it was. */
function rewrite(storeFile: string, db: Database.Database, brief = usualLimits.brief): string | null {
  const used = statSync(storeFile).size - unusedBytes(db);
  const active = db.prepare("SELECT count(*) FROM runs WHERE status IN ('queued', 'running', 'paused')").pluck().get() as number;
  if (active > 0 && used > brief) return "The file must be rewritten once, and no run can log meanwhile. This is done when no run is active.";
  const { free, total } = diskSpace(dirname(storeFile));
  // SQLite writes a copy and then the log.
  if (free - 2 * used < reserveOf(total)) {
    return `The file must be rewritten once, which needs ${formatBytes(2 * used)} for a while; only ${formatBytes(free)} are free. Free some space first.`;
  }
  db.pragma("auto_vacuum = INCREMENTAL");
  db.exec("VACUUM");
  return null;
}
