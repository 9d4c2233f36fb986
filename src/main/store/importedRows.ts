/** What is known of an imported run, as stored: JSON, or NULL for a run trained here. */
import type { Database } from "better-sqlite3";
import { importedRun, type ImportedRun } from "../../shared/importedRun.ts";

/**
 * For a spread; nothing for a run trained here.
 * @throws ZodError or SyntaxError when it cannot be read: the run must not pass for one trained here
 */
export function importedOf(stored: string | null | undefined): { imported?: ImportedRun } {
  return stored === null || stored === undefined ? {} : { imported: importedRun.parse(JSON.parse(stored)) };
}

/** Whether a store of any layout can have imported runs. */
export const knowsImported = (db: Database): boolean => db.prepare("SELECT 1 FROM pragma_table_info('runs') WHERE name = 'imported'").get() !== undefined;
