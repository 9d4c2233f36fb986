/** Reads runs and what belongs to them. */
import type { Database, Statement } from "better-sqlite3";
import { z } from "zod";
import type { Evaluation, RunDetail, RunEvent, RunSummary } from "../../shared/run.ts";
import { StoreError } from "./errors.ts";
import type { Log } from "./log.ts";
import { evaluationColumns, eventColumns, summaryColumns, toEnvironment, toEvaluation, toSummary } from "./runRows.ts";

/** Steps fetched at once when a whole run is streamed. */
const page = 4_096;

export interface StoredStep {
  readonly step: number;
  /** In the order of the metrics; NaN for a value that is not there. */
  readonly values: number[];
}

export class RunReader {
  readonly #path: string;
  readonly #log: Log;
  readonly #list: Statement<[number], unknown>;
  readonly #ofStudy: Statement<[number, string | null], unknown>;
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
    const list = (where: string) => `SELECT ${summaryColumns} FROM runs WHERE (deleted_at IS NOT NULL) = ? ${where} ORDER BY created_at DESC, id DESC`;
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

  /** Runs, newest first; of one study, or with null of none. A row that cannot be read is reported to the log and left out. */
  list(deleted: boolean, study?: string | null): RunSummary[] {
    const bin = deleted ? 1 : 0;
    const rows = study === undefined ? this.#list.all(bin) : this.#ofStudy.all(bin, study);
    return rows.flatMap((row) => {
      try {
        return [toSummary(row)];
      } catch (error) {
        this.#log.error(this.#unreadable(row, error).message, error);
        return [];
      }
    });
  }

  /** @throws StoreError when the run is there but does not hold what it should. */
  get(id: string): RunDetail | undefined {
    return this.#get(id);
  }

  has(id: string): boolean {
    return this.#has.get(id) !== undefined;
  }

  /** Streams the logged steps of a run from `from` to before `to`, a page at a time, so that no long read holds up the writer's checkpoints. */
  *steps(id: string, from = 0, to = Infinity): Generator<StoredStep> {
    const metrics = this.#metrics.all(id);
    const end = Math.min(to, Math.max(-1, ...metrics.map((m) => m.lastStep)) + 1);
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
