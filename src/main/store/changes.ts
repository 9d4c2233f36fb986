/** Reads what changed in the store since the last call: only rows with a higher change number. */
import type { Database, Statement } from "better-sqlite3";
import type { ListedRun } from "../../shared/listedRun.ts";
import type { ListedRow } from "./runReader.ts";
import { listedColumns } from "./runRows.ts";

/** Runs per read, which takes some milliseconds. */
const runsAtOnce = 250;

export interface Changes {
  /** Changed and new runs, including those in the bin. */
  readonly runs: readonly ListedRun[];
  /** Ids of studies that changed or have a changed run. */
  readonly studies: readonly string[];
  /** Whether there may be more; call again. */
  readonly more: boolean;
}

interface Counted {
  readonly changed: number;
}

export class ChangeReader {
  readonly #changedRuns: Statement<[number, number], ListedRow & Counted>;
  readonly #changedStudies: Statement<[number], Counted & { readonly id: string }>;
  readonly #readable: (row: ListedRow) => ListedRun | undefined;
  /** Highest change numbers read. */
  #runs: number;
  #studies: number;

  /** @param readable converts a row; undefined for one that cannot be read */
  constructor(db: Database, readable: (row: ListedRow) => ListedRun | undefined) {
    const highest = (table: string) => db.prepare<[], number | null>(`SELECT max(changed) FROM ${table}`).pluck().get() ?? 0;
    this.#runs = highest("runs");
    this.#studies = highest("studies");
    this.#changedRuns = db.prepare(`SELECT ${listedColumns}, changed FROM runs WHERE changed > ? ORDER BY changed LIMIT ?`);
    this.#changedStudies = db.prepare("SELECT id, changed FROM studies WHERE changed > ? ORDER BY changed");
    this.#readable = readable;
  }

  /** The next changes, including this process's own writes. */
  next(): Changes {
    const rows = this.#changedRuns.all(this.#runs, runsAtOnce);
    this.#runs = rows.at(-1)?.changed ?? this.#runs;
    const runs = rows.flatMap(({ changed: _changed, ...row }) => this.#readable(row) ?? []);
    const changedStudies = this.#changedStudies.all(this.#studies);
    this.#studies = changedStudies.at(-1)?.changed ?? this.#studies;
    const studies = new Set([...changedStudies.map(({ id }) => id), ...runs.flatMap(({ study }) => study ?? [])]);
    return { runs, studies: [...studies], more: rows.length === runsAtOnce };
  }
}
