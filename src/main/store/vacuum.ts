/** Gives the space of erased runs back to the disk. */
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
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

/** Free pages given back in one transaction; other writers wait for a few milliseconds. */
const pagesPerTransaction = 128;

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
export async function vacuum(storeFile: string): Promise<string> {
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
    if (db.pragma("auto_vacuum", { simple: true }) === 2) await incremental(db);
    else whole(storeFile, db);
    // Writes the log back, so that the file shrinks on the disk.
    db.pragma("wal_checkpoint(PASSIVE)");
    return `${formatBytes(Math.max(0, before - unusedBytes(db)))} were given back to the disk.`;
  } finally {
    db.close();
    lock.release();
  }
}

async function incremental(db: Database.Database): Promise<void> {
  for (let left = Infinity; ; ) {
    // exec() steps the statement to its end; each row it answers is a page.
    db.exec(`PRAGMA incremental_vacuum(${pagesPerTransaction})`);
    const now = db.pragma("freelist_count", { simple: true }) as number;
    if (now === 0 || now >= left) return;
    left = now;
    await nextTurn();
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
