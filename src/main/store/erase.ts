/**
 * Erases runs and studies in the bin for good. One transaction removes their rows and notes the metrics whose values are left. The
 * values are deleted afterwards in small transactions, which the next host continues after a crash.
 */
import type { Database } from "better-sqlite3";
import { StoreError } from "./errors.ts";
import { Parts } from "./parts.ts";
import { pyramidWidths } from "./pyramid.ts";

export interface Erased {
  readonly runs: number;
  readonly studies: number;
  readonly steps: number;
}

interface Write {
  change<T>(what: string, work: () => T): T;
}

/** Rows deleted in one transaction: at first, and at most. */
const firstRows = 4_000;
const mostRows = 128_000;

/** Milliseconds that such a transaction should take: it blocks the event loop. */
const partTakes = 30;

export class Eraser {
  readonly #db: Database;
  readonly #path: string;
  readonly #write: Write;
  readonly #parts: Parts;
  #rows = firstRows;

  constructor(db: Database, path: string, write: Write) {
    this.#db = db;
    this.#path = path;
    this.#write = write;
    this.#parts = new Parts(
      () => db.prepare<[], number>("SELECT metric FROM erasing LIMIT 1").pluck().get(),
      (metric) => this.#timedPart(metric),
    );
  }

  /**
   * Erases the runs and studies, all or none. Committed when this returns; `rest()` removes the values.
   * @throws StoreError when one of them is not in the bin, is active, or a study has runs that are not erased
   */
  erase(runs: readonly string[], studies: readonly string[] = []): Erased {
    const db = this.#db;
    const inBin = (table: "runs" | "studies") =>
      db.prepare<[string], number>(`SELECT 1 FROM ${table} WHERE id = ? AND deleted_at IS NOT NULL AND status NOT IN ('queued', 'running', 'paused')`).pluck();
    const [runInBin, studyInBin] = [inBin("runs"), inBin("studies")];
    const highest = (table: string) => db.prepare<[], number | null>(`SELECT max(changed) FROM ${table}`).pluck().get() ?? 0;
    return this.#write.change("erase runs", () => {
      // Other processes read rows above the highest number they know, so it must not be given out again.
      db.prepare("UPDATE identity SET runs_changed = max(runs_changed, ?), studies_changed = max(studies_changed, ?)").run(highest("runs"), highest("studies"));
      let steps = 0;
      for (const id of runs) {
        if (runInBin.get(id) === undefined) throw new StoreError(this.#path, `The run ${id} is not in the bin any more, or is active. Nothing was erased.`);
        const logged = db.prepare<[string], number>("SELECT total(count) FROM metrics WHERE run = ? AND position = 0").pluck().get(id) ?? 0;
        db.prepare("INSERT INTO erasing (metric) SELECT id FROM metrics WHERE run = ?").run(id);
        for (const table of ["metrics", "evaluations", "run_events"]) db.prepare(`DELETE FROM ${table} WHERE run = ?`).run(id);
        db.prepare("DELETE FROM runs WHERE id = ?").run(id);
        db.prepare("UPDATE identity SET erased_runs = erased_runs + 1, erased_steps = erased_steps + ?").run(logged);
        steps += logged;
      }
      for (const id of studies) {
        if (studyInBin.get(id) === undefined) throw new StoreError(this.#path, `The study ${id} is not in the bin any more, or is active. Nothing was erased.`);
        const left = db.prepare<[string], number>("SELECT count(*) FROM runs WHERE study = ?").pluck().get(id)!;
        if (left > 0) throw new StoreError(this.#path, `The study ${id} has ${left} runs that are not in the bin. Nothing was erased.`);
        db.prepare("DELETE FROM studies WHERE id = ?").run(id);
      }
      return { runs: runs.length, studies: studies.length, steps };
    });
  }

  /** Deletes the values of erased runs in parts, with pauses. Resolves when none are left, to whether there were any. */
  rest(): Promise<boolean> {
    return this.#parts.rest();
  }

  /** Stops after the current part; the next host goes on. */
  close(): void {
    this.#parts.close();
  }

  #timedPart(metric: number): void {
    const begin = performance.now();
    this.#write.change("erase values", () => this.#part(metric));
    const took = performance.now() - begin;
    // A busy disk takes long for few rows too.
    this.#rows = Math.max(firstRows, Math.min(mostRows, 2 * this.#rows, Math.floor((this.#rows * partTakes) / took)));
  }

  #part(metric: number): void {
    const db = this.#db;
    // A new run may have got this number meanwhile; its values must stay.
    if (db.prepare("SELECT 1 FROM erasing WHERE metric = ?").get(metric) === undefined) return;
    if (this.#deleteSome("series_values", "step", metric)) return;
    for (const width of pyramidWidths) if (this.#deleteSome("buckets", "start", metric, width)) return;
    // Widths of other versions.
    db.prepare("DELETE FROM buckets WHERE metric = ?").run(metric);
    db.prepare("DELETE FROM erasing WHERE metric = ?").run(metric);
  }

  /** Deletes the first rows of a metric (and width). False when there were none. */
  #deleteSome(table: "series_values" | "buckets", position: "step" | "start", ...of: number[]): boolean {
    const where = `metric = ?${of.length > 1 ? " AND width = ?" : ""}`;
    const last = `SELECT max(${position}) FROM (SELECT ${position} FROM ${table} WHERE ${where} ORDER BY ${position} LIMIT ?)`;
    const until = this.#db.prepare<number[], number | null>(last).pluck().get(...of, this.#rows) ?? null;
    if (until !== null) this.#db.prepare<number[]>(`DELETE FROM ${table} WHERE ${where} AND ${position} <= ?`).run(...of, until);
    return until !== null;
  }
}
