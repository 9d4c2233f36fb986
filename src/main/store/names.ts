/** Ids, names and tags for completion in a shell, read without opening the store. */
import Database from "better-sqlite3";
import { join } from "node:path";
import { storeFileName } from "./database.ts";
import { tagsOf } from "./tagRows.ts";

export interface Named {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

/** Runs or studies, newest first. Empty where there is no store, or none that can be read. */
export function readNames(folder: string, table: "runs" | "studies", inBin: boolean, limit: number): Named[] {
  return reading(folder, (db) =>
    db.prepare<[number, number], Named>(`SELECT id, name, status FROM ${table} WHERE (deleted_at IS NOT NULL) = ? ORDER BY created_at DESC, id DESC LIMIT ?`).all(inBin ? 1 : 0, limit),
  );
}

/** Tags in use, in alphabetical order. */
export function readTags(folder: string, table: "runs" | "studies"): string[] {
  return reading(folder, (db) => {
    const rows = db.prepare<[], string>(`SELECT DISTINCT tags FROM ${table} WHERE tags IS NOT NULL AND deleted_at IS NULL`).pluck().all();
    return [...new Set(rows.flatMap((row) => tagsOf(row).tags ?? []))].sort();
  });
}

function reading<T>(folder: string, read: (db: Database.Database) => T[]): T[] {
  let db: Database.Database | undefined;
  try {
    db = new Database(join(folder, storeFileName), { readonly: true, fileMustExist: true, timeout: 200 });
    return read(db);
  } catch {
    return [];
  } finally {
    db?.close();
  }
}
