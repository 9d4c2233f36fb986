/** Reads runs with their evaluations, events and steps. */
import type { Database, Statement } from "better-sqlite3";
import { z } from "zod";
import { maxOf } from "../../shared/extent.ts";
import { listedOf, type ListedRun } from "../../shared/listedRun.ts";
import type { Evaluation, RunDetail, RunEvent, RunSummary } from "../../shared/run.ts";
import { StoreError } from "./errors.ts";
import type { Log } from "./log.ts";
import { evaluationColumns, eventColumns, listedColumns, summaryColumns, toEnvironment, toEvaluation, toListed, toSummary } from "./runRows.ts";

/** Steps per read when a run is streamed. */
const page = 4_096;

export interface StoredStep {
  readonly step: number;
  /** In the order of the metrics; NaN for a missing value. */
  readonly values: number[];
}

/** The columns of a list row that serve as the cursor of the next page. */
export interface ListedRow {
  readonly id: string;
  readonly createdAt: number;
}

/** A page of a list of runs. */
export interface ListPage {
  readonly limit?: number | undefined;
  /** Last run of the previous page. */
  readonly before?: { readonly createdAt: number; readonly id: string } | undefined;
}

export class RunReader {
  readonly #path: string;
  readonly #log: Log;
  readonly #list: Statement<[number, number, string, number], ListedRow>;
  readonly #ofStudy: Statement<[number, number, string, string | null, number], ListedRow>;
  readonly #idsLike: Statement<[string, string, number], string>;
  readonly #named: Statement<[string, number, number], string>;
  readonly #latest: Statement<[], string>;
  readonly #one: Statement<[string], { environmentText: string | null }>;
  readonly #has: Statement<[string], unknown>;
  readonly #metrics: Statement<[string], { id: number; name: string; lastStep: number }>;
  readonly #evaluations: Statement<[string], Evaluation>;
  readonly #events: Statement<[string], RunEvent>;
  readonly #values: Statement<[number, number, number], [number, number | null]>;
  readonly #get: (id: string) => RunDetail | undefined;

  constructor(db: Database, path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    const list = (where: string) =>
      `SELECT ${listedColumns} FROM runs WHERE (deleted_at IS NOT NULL) = ? AND (created_at, id) < (?, ?) ${where} ORDER BY created_at DESC, id DESC LIMIT ?`;
    this.#idsLike = db.prepare<[string, string, number], string>("SELECT id FROM runs WHERE substr(id, 1, length(?)) = ? ORDER BY created_at DESC, id DESC LIMIT ?").pluck();
    this.#named = db.prepare<[string, number, number], string>("SELECT id FROM runs WHERE name = ? AND (deleted_at IS NOT NULL) = ? ORDER BY created_at DESC, id DESC LIMIT ?").pluck();
    this.#latest = db.prepare<[], string>("SELECT id FROM runs WHERE (deleted_at IS NOT NULL) = 0 ORDER BY created_at DESC, id DESC LIMIT 1").pluck();
    this.#list = db.prepare(list(""));
    this.#ofStudy = db.prepare(list("AND study IS ?"));
    this.#one = db.prepare(`SELECT ${summaryColumns}, environment AS environmentText FROM runs WHERE id = ?`);
    this.#has = db.prepare("SELECT 1 FROM runs WHERE id = ?");
    this.#metrics = db.prepare("SELECT id, name, last_step AS lastStep FROM metrics WHERE run = ? ORDER BY position");
    this.#evaluations = db.prepare(`SELECT ${evaluationColumns} FROM evaluations WHERE run = ? ORDER BY step`);
    this.#events = db.prepare(`SELECT ${eventColumns} FROM run_events WHERE run = ? ORDER BY id`);
    this.#values = db
      .prepare<[number, number, number], [number, number | null]>(
        "SELECT step, value FROM series_values WHERE metric = ? AND step >= ? AND step < ? ORDER BY step",
      )
      .raw();
    this.#get = db.transaction((id: string) => this.#detail(id));
  }

  /**
   * Runs, newest first. With a study, only its runs; with null, only runs without a study. With a page, at most `limit`
   * runs created before `before`, and fewer only at the end of the list. Unreadable rows are logged and skipped.
   */
  list(deleted: boolean, study?: string | null, { limit = Infinity, before }: ListPage = {}): ListedRun[] {
    const bin = deleted ? 1 : 0;
    const found: ListedRun[] = [];
    let cursor = before ?? { createdAt: Number.MAX_SAFE_INTEGER, id: "" };
    for (;;) {
      const missing = limit === Infinity ? -1 : limit - found.length;
      const rows =
        study === undefined ? this.#list.all(bin, cursor.createdAt, cursor.id, missing) : this.#ofStudy.all(bin, cursor.createdAt, cursor.id, study, missing);
      for (const row of rows) {
        const run = this.listed(row);
        if (run) found.push(run);
      }
      // Later rows replace unreadable ones on the page.
      if (missing < 0 || rows.length < missing || found.length === limit) return found;
      cursor = rows.at(-1)!;
    }
  }

  /** Runs with their experiments, in the given order. Skips missing and unreadable runs. */
  summaries(ids: readonly string[]): RunSummary[] {
    return ids.flatMap((id) => {
      const row = this.#one.get(id);
      return (row && this.#readable(row, toSummary)) ?? [];
    });
  }

  /** Converts a row selected by `listedColumns`. An unreadable row is logged and gives undefined. */
  listed(row: ListedRow): ListedRun | undefined {
    return toListed(row) ?? this.#readable(this.#one.get(row.id), (whole) => listedOf(toSummary(whole)));
  }

  #readable<T>(row: unknown, read: (row: unknown) => T): T | undefined {
    try {
      return read(row);
    } catch (error) {
      this.#log.error(this.#unreadable(row, error).message, error);
      return undefined;
    }
  }

  /** Ids that begin with `prefix`, newest first, including runs in the bin. */
  idsWith(prefix: string, limit: number): string[] {
    return this.#idsLike.all(prefix, prefix, limit);
  }

  /** Ids of runs with this name, newest first; those in the bin only if there are no others. */
  named(name: string, limit: number): string[] {
    const kept = this.#named.all(name, 0, limit);
    return kept.length > 0 ? kept : this.#named.all(name, 1, limit);
  }

  /** Id of the newest run that is not in the bin. */
  latest(): string | undefined {
    return this.#latest.get();
  }

  /** @throws StoreError when the run exists but cannot be read */
  get(id: string): RunDetail | undefined {
    return this.#get(id);
  }

  has(id: string): boolean {
    return this.#has.get(id) !== undefined;
  }

  /** Streams the logged steps of a run from `from` (inclusive) to `to` (exclusive), page by page: a long read would block SQLite's checkpoints. */
  *steps(id: string, from = 0, to = Infinity): Generator<StoredStep> {
    const metrics = this.#metrics.all(id);
    const end = Math.min(to, Math.max(-1, maxOf(metrics.map((m) => m.lastStep))) + 1);
    for (let first = from; first < end; first += page) {
      const rows = new Map<number, number[]>();
      metrics.forEach((metric, column) => {
        for (const [step, value] of this.#values.all(metric.id, first, Math.min(first + page, end))) {
          let values = rows.get(step);
          if (!values) rows.set(step, (values = Array<number>(metrics.length).fill(NaN)));
          values[column] = value ?? NaN;
        }
      });
      for (const [step, values] of [...rows].sort(([a], [b]) => a - b)) yield { step, values };
    }
  }

  #detail(id: string): RunDetail | undefined {
    const row = this.#one.get(id);
    if (!row) return undefined;
    try {
      return {
        ...toSummary(row),
        environment: toEnvironment(row.environmentText),
        metrics: this.#metrics.all(id).map(({ name }) => name),
        evaluations: this.#evaluations.all(id).map(toEvaluation),
        events: this.#events.all(id),
      };
    } catch (error) {
      throw this.#unreadable(row, error);
    }
  }

  #unreadable(row: unknown, error: unknown): StoreError {
    const id = (row as { id?: unknown }).id;
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    return new StoreError(this.#path, `Run ${String(id)} in ${this.#path} cannot be read: ${why}`, { cause: error });
  }
}
