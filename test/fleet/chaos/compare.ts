/** What two stores logged of the same study: rows lost, rows double, and whatever differs but times. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import { storeFileName } from "../../../src/main/store/database.ts";
import { checkStoreRows } from "../../../src/main/store/verify/storeCheck.ts";

interface LoggedRun {
  readonly status: string;
  readonly reason: string | null;
  readonly steps: number;
  readonly values: number;
  /** Steps of metrics that have fewer rows than the run has steps. */
  readonly lost: number;
  readonly double: number;
  readonly digest: string;
}

/** Runs by their cells. Of several runs of a cell the latest counts. */
export function loggedRuns(folder: string): Map<string, LoggedRun> {
  const db = new Database(join(folder, storeFileName), { readonly: true });
  try {
    const metrics = db.prepare<[string], { id: number; name: string; rows: number; steps: number }>(
      "SELECT m.id, m.name, (SELECT count(*) FROM series_values v WHERE v.metric = m.id) AS rows, (SELECT count(DISTINCT step) FROM series_values v WHERE v.metric = m.id) AS steps FROM metrics m WHERE m.run = ? ORDER BY m.name",
    );
    const values = db.prepare<[number], [number, number | null]>("SELECT step, value FROM series_values WHERE metric = ? ORDER BY step").raw();
    const evaluations = db.prepare<[string], Record<string, unknown>>("SELECT * FROM evaluations WHERE run = ? ORDER BY step");
    const runs = db.prepare<[], { id: string; cell: string; status: string; reason: string | null; steps: number; hyperparameters: string }>("SELECT id, cell, status, reason, steps, hyperparameters FROM runs WHERE deleted_at IS NULL ORDER BY created_at, id").all();
    return new Map(
      runs.map((run) => {
        const hash = createHash("sha256").update(`${run.status} ${run.steps} ${run.hyperparameters}\n`);
        let [count, lost, double] = [0, 0, 0];
        for (const { id, name, rows, steps } of metrics.all(run.id)) {
          count += rows;
          lost += run.steps - steps;
          double += rows - steps;
          if (name === "stepTime") continue;
          hash.update(`${name}\n`);
          for (const [step, value] of values.iterate(id)) hash.update(`${step} ${value}\n`);
        }
        for (const { run: _run, at: _at, crc: _crc, ...rest } of evaluations.all(run.id)) hash.update(`${JSON.stringify(rest)}\n`);
        return [run.cell, { status: run.status, reason: run.reason, steps: run.steps, values: count, lost, double, digest: hash.digest("hex") }] as const;
      }),
    );
  } finally {
    db.close();
  }
}

export interface Comparison {
  readonly runs: number;
  readonly runsLost: number;
  readonly rowsLost: number;
  readonly rowsDouble: number;
  /** Cells whose logged values differ, with what became of their runs. */
  readonly different: readonly string[];
  readonly values: number;
  readonly findings: number;
}

export async function compareStores(expectedFolder: string, foundFolder: string): Promise<Comparison> {
  const [expected, found] = [loggedRuns(expectedFolder), loggedRuns(foundFolder)];
  const all = [...found.values()];
  const sum = (of: (run: LoggedRun) => number) => all.reduce((total, run) => total + of(run), 0);
  const { findings } = await checkStoreRows(join(foundFolder, storeFileName));
  return {
    runs: found.size,
    runsLost: [...expected].filter(([cell, { status }]) => found.get(cell)?.status !== status).length,
    rowsLost: sum(({ lost }) => lost) + [...expected].reduce((total, [cell, { values }]) => total + Math.max(0, values - (found.get(cell)?.values ?? 0)), 0),
    rowsDouble: sum(({ double }) => double),
    different: [...expected].filter(([cell, { digest }]) => found.get(cell)?.digest !== digest).map(([cell]) => `${cell}, ${found.get(cell)?.status ?? "missing"} at step ${found.get(cell)?.steps ?? 0}: ${found.get(cell)?.reason ?? "no reason"}`),
    values: sum(({ values }) => values),
    findings: findings.length,
  };
}
