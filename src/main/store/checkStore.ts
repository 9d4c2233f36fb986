/** Checks a store's whole file and records the result. Takes minutes for a large store. */
import Database from "better-sqlite3";
import { HostLock } from "./hostLock.ts";
import { checkLockOf, quickCheck, readIntegrity, writeIntegrity } from "./integrity.ts";

/** Returns false without checking while another process checks the file. @throws when the store cannot be read or the result cannot be written */
export function checkStore(file: string): boolean {
  let lock: HostLock;
  try {
    lock = new HostLock(checkLockOf(file));
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) return false;
    throw error;
  }
  try {
    const begunAt = Date.now();
    writeIntegrity(file, { checkedAt: 0, uncleanEnd: false, problem: null, ...readIntegrity(file), begunAt });
    const begin = performance.now();
    const problem = problemOf(file);
    writeIntegrity(file, { checkedAt: Date.now(), uncleanEnd: false, problem, took: Math.round(performance.now() - begin) });
    if (problem === null) foldLog(file);
    return true;
  } finally {
    lock.release();
  }
}

function problemOf(file: string): string | null {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  try {
    return quickCheck(db);
  } catch (error) {
    if (error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)) return error.message;
    throw error;
  } finally {
    db.close();
  }
}

/** Folds the write-ahead log into the database: the host may have closed during the check, and then could not. */
function foldLog(file: string): void {
  const db = new Database(file, { fileMustExist: true, timeout: 0 });
  db.prepare("SELECT count(*) FROM sqlite_schema").get();
  db.close();
}
