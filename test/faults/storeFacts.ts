/** What lies in a store's file, read by SQLite alone, beside the program that wrote it. */
import { join } from "node:path";
import { createRequire } from "node:module";
import type BetterSqlite from "better-sqlite3";

const Database = createRequire(import.meta.url)("better-sqlite3") as typeof BetterSqlite;

export interface RunFacts {
  readonly id: string;
  readonly status: string;
  readonly reason: string | null;
  /** The run's cell in its study. */
  readonly cell: string | null;
  /** By metric: the values in the order of their steps. */
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
  readonly evaluations: readonly { readonly step: number; readonly trainLoss: number | null; readonly testLoss: number | null; readonly testError: number | null }[];
}

export interface StoreFacts {
  /** What SQLite's whole check says: `ok`. */
  readonly integrity: string;
  readonly runs: readonly RunFacts[];
}

/** @throws Error naming a series with a step missing or out of order */
export function storeFacts(folder: string): StoreFacts {
  const db = new Database(join(folder, "hypertower.sqlite"), { readonly: true });
  try {
    const integrity = db.pragma("integrity_check", { simple: true }) as string;
    const runs = db.prepare<[], { id: string; status: string; reason: string | null; cell: string | null }>("SELECT id, status, reason, cell FROM runs WHERE deleted_at IS NULL ORDER BY created_at, id").all();
    const metrics = db.prepare<[string], { id: number; name: string }>("SELECT id, name FROM metrics WHERE run = ? ORDER BY name");
    const values = db.prepare<[number], { step: number; value: number | null }>("SELECT step, value FROM series_values WHERE metric = ? ORDER BY step");
    const evaluations = db.prepare<[string], RunFacts["evaluations"][number]>('SELECT step, train_loss AS "trainLoss", test_loss AS "testLoss", test_error AS "testError" FROM evaluations WHERE run = ? ORDER BY step');
    return {
      integrity,
      runs: runs.map((run) => ({
        ...run,
        series: Object.fromEntries(
          metrics.all(run.id).map(({ id, name }) => {
            const rows = values.all(id);
            const wrong = rows.findIndex(({ step }, i) => step !== i);
            if (wrong >= 0) throw new Error(`run ${run.id}, ${name}: step ${rows[wrong]!.step} stands where step ${wrong} belongs`);
            return [name, rows.map(({ value }) => value)];
          }),
        ),
        evaluations: evaluations.all(run.id),
      })),
    };
  } finally {
    db.close();
  }
}
