/** What changed in the store since it was last asked: only rows with a higher count are read. */
import type { Database, Statement } from "better-sqlite3";
import type { ListedRun } from "../../shared/listedRun.ts";
import type { ListedRow } from "./runReader.ts";
import { listedColumns } from "./runRows.ts";

/** Runs read at once: some milliseconds. */
const runsAtOnce = 250;

export interface Changes {
  /** Runs that changed or are new, those moved to the bin included. */
  readonly runs: readonly ListedRun[];
  /** Ids of studies that changed, or of which a run changed. */
  readonly studies: readonly string[];
  /** There may be more: ask again. */
  readonly more: boolean;
}

interface Counted {
  readonly changed: number;
}

export class ChangeReader {
  readonly #changedRuns: Statement<[number, number], ListedRow & Counted>;
  readonly #changedStudies: Statement<[number], Counted & { readonly id: string }>;
  readonly #readable: (row: ListedRow) => ListedRun | undefined;
  /** Highest counts seen. */
  #runs: number;
  #studies: number;

  /** @param readable undefined for a row that cannot be read */
  constructor(db: Database, readable: (row: ListedRow) => ListedRun | undefined) {
    const highest = (table: string) => db.prepare<[], number | null>(`SELECT max(changed) FROM ${table}`).pluck().get() ?? 0;
    this.#runs = highest("runs");
    this.#studies = highest("studies");
    this.#changedRuns = db.prepare(`SELECT ${listedColumns}, changed FROM runs WHERE changed > ? ORDER BY changed LIMIT ?`);
    this.#changedStudies = db.prepare("SELECT id, changed FROM studies WHERE changed > ? ORDER BY changed");
    this.#readable = readable;
  }

  /** The next changes, of this process's own writes as well. */
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
