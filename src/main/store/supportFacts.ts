/** What a person may send of a store: numbers, no names. Also finds the names that a text must not contain. */
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { storeFileName } from "./database.ts";
import { readIntegrity, type IntegrityRecord } from "./integrity.ts";
import { versionOf } from "./migrations.ts";

export const storeFileIn = (folder: string): string => join(folder, storeFileName);

export interface StoreFacts {
  readonly bytes: { readonly database: number; readonly writeAheadLog: number };
  /** Version of the database's layout; null where the database cannot be read. */
  readonly layout: number | null;
  /** Numbers of runs by status, those in the bin included; `deleted` counts these alone. */
  readonly runs: Readonly<Record<string, number>>;
  readonly studies: Readonly<Record<string, number>>;
  readonly files: { readonly checkpoints: number; readonly weights: number; readonly networks: number };
  /** The last check of the file; null where there was none. */
  readonly integrity: IntegrityRecord | null;
  /** Why the database cannot be read. */
  readonly problem?: unknown;
}

/** Reads the store without changing it. */
export function storeFacts(storeFile: string): StoreFacts {
  const folder = dirname(storeFile);
  const common = {
    bytes: { database: sizeOf(storeFile), writeAheadLog: sizeOf(`${storeFile}-wal`) },
    files: { checkpoints: filesIn(join(folder, "checkpoints")), weights: filesIn(join(folder, "weights")), networks: filesIn(join(folder, "networks")) },
    integrity: readIntegrity(storeFile) ?? null,
  };
  try {
    return reading(storeFile, (db) => {
      const counts = (table: "runs" | "studies") => {
        const rows = db.prepare<[], { status: string; count: number; deleted: number }>(`SELECT status, count(*) AS count, count(deleted_at) AS deleted FROM ${table} GROUP BY status`).all();
        return Object.fromEntries([...rows.map(({ status, count }) => [status, count] as const), ["deleted", rows.reduce((sum, { deleted }) => sum + deleted, 0)] as const]);
      };
      return { ...common, layout: versionOf(db), runs: counts("runs"), studies: counts("studies") };
    });
  } catch (error) {
    return { ...common, layout: null, runs: {}, studies: {}, problem: error };
  }
}

/** Names of runs, studies, imported networks and the files these came from that occur in the text, in any case. @throws SqliteError when the store cannot be read at present */
export function namesIn(storeFile: string, text: string): string[] {
  return reading(storeFile, (db) => [
    ...db.prepare<[string, string], string>("SELECT name FROM runs WHERE instr(lower(?), lower(name)) > 0 UNION SELECT name FROM studies WHERE instr(lower(?), lower(name)) > 0 LIMIT 1000").pluck().all(text, text),
    ...networkNames(db).filter((name) => text.toLowerCase().includes(name.toLowerCase())),
  ]);
}

/** Names of imported networks, of their ONNX files with and without the ending, and their SHA-256 whole and as messages shorten it: it tells who has the file which one it is. */
function networkNames(db: Database.Database): string[] {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'networks'").get() === undefined) return [];
  const rows = db.prepare<[], { hash: string; name: string; source: string }>("SELECT hash, name, source FROM networks").all();
  return rows.flatMap(({ hash, name, source }) => {
    // The store may come from a machine with the other separator.
    const file = source.split(/[\\/]/).at(-1)!;
    return [name, file, file.replace(/\.[^.]*$/, ""), hash, hash.slice(0, 12)].filter((one) => one.trim() !== "");
  });
}

function reading<T>(storeFile: string, work: (db: Database.Database) => T): T {
  const db = new Database(storeFile, { readonly: true, fileMustExist: true, timeout: 200 });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

function filesIn(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}
