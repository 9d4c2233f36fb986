/** Runs of a project of trackio: a SQLite file with a row for each step. */
import Database from "better-sqlite3";
import { messageOf } from "../../../shared/errors.ts";
import { wallTime } from "./columns.ts";
import { RecordError, RunDraft } from "./draft.ts";
import { addLogged, parseJson } from "./json.ts";
import type { RecordSource, SourceOptions } from "./source.ts";

/** Largest number of characters of one row's values. */
const maxText = 4 << 20;
const maxRuns = 10_000;

interface LoggedRow {
  readonly id: number;
  readonly run: string;
  readonly name: string;
  readonly at: string | null;
  readonly step: number;
  readonly metrics: string;
}

export class TrackioProject implements RecordSource {
  readonly #path: string;
  readonly #options: SourceOptions;
  readonly #drafts = new Map<string, RunDraft>();
  #last = 0;
  #isDone = false;

  constructor(path: string, options: SourceOptions) {
    this.#path = path;
    this.#options = options;
  }

  get drafts(): Iterable<RunDraft> {
    return this.#drafts.values();
  }

  read(): Promise<void> {
    if (this.#isDone) return Promise.resolve();
    let db: Database.Database | undefined;
    try {
      db = new Database(this.#path, { readonly: true, fileMustExist: true, timeout: 2_000 });
      db.pragma("trusted_schema = OFF");
      const read = db;
      // One snapshot, so that no run is seen in two states.
      read.transaction(() => this.#read(read))();
    } catch (error) {
      const isBusy = (error as { code?: unknown }).code === "SQLITE_BUSY";
      if (!isBusy) this.#isDone = true;
      const message = `${this.#path}: ${messageOf(error)}`;
      for (const draft of this.drafts) draft.problem = message;
      this.#options.warn(message);
    } finally {
      db?.close();
    }
    return Promise.resolve();
  }

  #read(db: Database.Database): void {
    const columns = columnsOf(db, "metrics");
    for (const needed of ["id", "step", "metrics", "run_name"]) if (!columns.has(needed)) throw new RecordError(`it is no project of trackio: its table metrics has no column ${needed}`);
    const run = columns.has("run_id") ? "run_id" : "run_name";
    const at = columns.has("timestamp") ? "timestamp" : "NULL";
    const rows = db
      .prepare<[number], LoggedRow>(`SELECT id, CAST(${run} AS TEXT) AS run, CAST(run_name AS TEXT) AS name, CAST(${at} AS TEXT) AS at, step, substr(CAST(metrics AS TEXT), 1, ${maxText + 1}) AS metrics FROM metrics WHERE id > ? ORDER BY id`)
      .iterate(this.#last);
    for (const row of rows) {
      const where = `row ${row.id} of its table metrics`;
      try {
        if (typeof row.step !== "number") throw new RecordError("the step is not a number");
        if (row.metrics.length > maxText) throw new RecordError(`its values have more than ${maxText} characters`);
        addLogged(this.#draft(row.run, row.name), "", parseJson(row.metrics), row.step, row.at === null ? null : wallTime(row.at));
      } catch (error) {
        throw new RecordError(`${where}: ${messageOf(error)}`, { cause: error });
      }
      this.#last = row.id;
      if (row.id % 1_000 === 0) this.#options.onProgress();
    }
    this.#configure(db, run);
  }

  #configure(db: Database.Database, run: string): void {
    const columns = columnsOf(db, "configs");
    if (!columns.has("config") || !columns.has(run)) return;
    const configs = db.prepare<[], { run: string; config: string }>(`SELECT CAST(${run} AS TEXT) AS run, CAST(config AS TEXT) AS config FROM configs WHERE length(config) <= ${maxText}`);
    for (const { run: id, config } of configs.iterate()) {
      const draft = this.#drafts.get(id);
      if (!draft) continue;
      const value = parseJson(config);
      if (value === null || typeof value !== "object" || Array.isArray(value)) continue;
      // trackio's own fields begin with an underscore.
      draft.configureAll(Object.fromEntries(Object.entries(value).filter(([name]) => !name.startsWith("_"))));
    }
  }

  #draft(run: string, name: string): RunDraft {
    let draft = this.#drafts.get(run);
    if (!draft) {
      if (this.#drafts.size >= maxRuns) throw new RecordError(`it has more than ${maxRuns} runs`);
      this.#drafts.set(run, (draft = new RunDraft({ format: "trackio", path: this.#path, key: run.slice(0, 1_000) }, name)));
    }
    return draft;
  }
}

function columnsOf(db: Database.Database, table: string): ReadonlySet<string> {
  const isTable = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table);
  return new Set(isTable ? db.prepare<[], string>(`SELECT name FROM pragma_table_info('${table}')`).pluck().all() : []);
}
