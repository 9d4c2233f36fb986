/**
 * Layout of the store as a list of migrations. `user_version` holds the number of the last one
 * applied. Never edit a released migration.
 */
import type { Database } from "better-sqlite3";
import { StoreError } from "./errors.ts";
import { changeLayout } from "./changeLayout.ts";
import { checksumLayout } from "./checksumLayout.ts";
import { claimLayout } from "./claimLayout.ts";
import { fleetLayout } from "./fleetLayout.ts";
import { importedLayout } from "./importedLayout.ts";
import { initialLayout } from "./layout.ts";
import { listLayout } from "./listLayout.ts";
import { leaseLayout } from "./leaseLayout.ts";
import { measureLayout } from "./measureLayout.ts";
import { networkLayout } from "./networkLayout.ts";
import { rowLayoutMigration } from "./rowLayout.ts";
import { storageLayout } from "./storageLayout.ts";
import { studyLayout } from "./studyLayout.ts";
import { tagLayout } from "./tagLayout.ts";
import { thinLayout } from "./thinLayout.ts";
import { trainedLayout } from "./trainedLayout.ts";

export interface Migration {
  readonly version: number;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  { version: 1, sql: initialLayout },
  { version: 2, sql: studyLayout },
  { version: 3, sql: measureLayout },
  { version: 4, sql: leaseLayout },
  { version: 5, sql: rowLayoutMigration },
  { version: 6, sql: listLayout },
  { version: 7, sql: changeLayout },
  { version: 8, sql: trainedLayout },
  { version: 9, sql: checksumLayout },
  { version: 10, sql: claimLayout },
  { version: 11, sql: storageLayout },
  { version: 12, sql: thinLayout },
  { version: 13, sql: tagLayout },
  { version: 14, sql: networkLayout },
  { version: 15, sql: fleetLayout },
  { version: 16, sql: importedLayout },
];

export function versionOf(db: Database): number {
  return db.pragma("user_version", { simple: true }) as number;
}

export function refuseNewer(path: string, found: number, known: number): void {
  if (found <= known) return;
  throw new StoreError(
    path,
    `${path} was written by a newer Hypertower: its layout is version ${found}, this Hypertower knows versions up to ${known}. ` +
      "Nothing was changed. Update Hypertower or choose another folder for the store.",
  );
}

/**
 * Migrates the store to the newest layout in one transaction; on failure it keeps its version.
 * Another process may migrate at the same time, so the version is read inside the transaction.
 */
export function migrate(db: Database, path: string, list: readonly Migration[] = migrations): void {
  list.forEach((migration, index) => {
    if (migration.version !== index + 1) throw new Error(`migration ${index + 1} is numbered ${migration.version}`);
  });
  db.transaction(() => {
    const found = versionOf(db);
    refuseNewer(path, found, list.length);
    for (const { version, sql } of list.slice(found)) {
      db.exec(sql);
      db.pragma(`user_version = ${version}`);
    }
  }).immediate();
}
