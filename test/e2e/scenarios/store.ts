/** The store's file itself, read beside the workbench with plain SQL. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The logged steps of a run's metric, in order. */
export function storedSeries(storeDir: string, run: string, metric: string): { step: number; value: number | null }[] {
  const database = new DatabaseSync(join(storeDir, "hypertower.sqlite"), { readOnly: true });
  try {
    const rows = database.prepare("SELECT step, value FROM series WHERE run = ? AND metric = ? ORDER BY step").all(run, metric);
    return rows.map(({ step, value }) => ({ step: Number(step), value: value === null ? null : Number(value) }));
  } finally {
    database.close();
  }
}
