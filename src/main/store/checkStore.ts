/** Checks the whole file of a store and notes what it found. It takes minutes for a large store. */
import Database from "better-sqlite3";
import { HostLock } from "./hostLock.ts";
import { checkLockOf, quickCheck, writeIntegrity } from "./integrity.ts";

/** False, without a check, where another process is at it. @throws where the store cannot be read or the result not be written */
export function checkStore(file: string): boolean {
  let lock: HostLock;
  try {
    lock = new HostLock(checkLockOf(file));
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) return false;
    throw error;
  }
  try {
    const problem = problemOf(file);
    writeIntegrity(file, { checkedAt: Date.now(), uncleanEnd: false, problem });
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

/** The host may have closed meanwhile. It was not the last then, and a reader leaves the write-ahead log where it is. */
function foldLog(file: string): void {
  const db = new Database(file, { fileMustExist: true, timeout: 0 });
  db.prepare("SELECT count(*) FROM sqlite_schema").get();
  db.close();
}
