/** Reads of a store that may be damaged, by connections that never write it. */
import { join } from "node:path";
import type { Database } from "better-sqlite3";
import type { RunSummary } from "../../../shared/run.ts";
import { storeFileName } from "../database.ts";
import { openToRead } from "../readOnly.ts";
import { summaryColumnsOf, toSummary } from "../runRows.ts";

interface ReadSummaries {
  get(run: string): RunSummary | "missing" | undefined;
  close(): void;
}

/** Reads runs one by one; undefined for an unreadable one, which is reported elsewhere. */
export function runSummaries(path: string): ReadSummaries {
  let db: Database | undefined;
  try {
    db = openToRead(path);
  } catch {
    // Reported by the check of the database.
  }
  return {
    get(run: string) {
      try {
        const row = db?.prepare(`SELECT ${summaryColumnsOf(db)} FROM runs WHERE id = ?`).get(run);
        return db && row === undefined ? ("missing" as const) : row === undefined ? undefined : toSummary(row);
      } catch {
        return undefined;
      }
    },
    close: () => db?.close(),
  };
}

/**
 * Ids of the runs that begin with `wanted`, those in the bin included; `last`: the run created last.
 * @throws SqliteError when the list of runs cannot be read
 */
export function runsLike(folder: string, wanted: string): string[] {
  const db = openToRead(join(folder, storeFileName));
  try {
    if (wanted === "last") return db.prepare<[], string>("SELECT id FROM runs WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1").pluck().all();
    const ids = db.prepare<[string, string], string>("SELECT id FROM runs WHERE substr(id, 1, length(?)) = ?").pluck().all(wanted, wanted);
    return ids.includes(wanted) ? [wanted] : ids;
  } finally {
    db.close();
  }
}
