/** The backup that precedes a migration. */
import type { Database } from "better-sqlite3";
import { messageOf } from "../../../shared/errors.ts";
import { StoreError } from "../errors.ts";
import { quickCheck } from "../integrity.ts";
import { versionOf } from "../migrations.ts";
import { BackupFolder, contentOf } from "./folder.ts";
import { backupBeforeMigration } from "./make.ts";

/**
 * Backs up a store that is about to be migrated, unless it is empty or the settings say not to.
 * @returns why no backup was made, for people; null otherwise
 * @throws StoreError when the store is damaged: it must not be migrated
 */
export function backUpBeforeMigration(storeFile: string, db: Database, newest: number): string | null {
  const found = versionOf(db);
  if (found === 0 || found >= newest || !new BackupFolder(storeFile).settings().enabled || contentOf(db).runs === 0) return null;
  try {
    backupBeforeMigration(storeFile, db);
    return null;
  } catch (error) {
    const problem = quickCheck(db);
    if (problem !== null) throw new StoreError(storeFile, `${storeFile} is damaged (${problem}) and was not changed to the layout of this version. "hypertower doctor" says what can be done.`, { cause: error });
    return `store: the layout is changed from version ${found} to ${newest} without a backup. ${messageOf(error)}`;
  }
}
