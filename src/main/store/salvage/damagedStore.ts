/** Reads runs and studies of a damaged database: through tables or indexes, and around pages that cannot be read. */
import type { Database } from "better-sqlite3";
import { rowChecksum, sealedEvaluationColumns, sealedEventColumns, type Cell } from "../checksums.ts";
import { KeptBuckets, type BucketGroup } from "../keptBuckets.ts";
import { sealedRunColumnsOf, summaryColumnsOf, toSummary } from "../runRows.ts";
import { sealedStudyColumnsOf, storedStudy, studyColumnsOf, type StoredStudy } from "../studyRows.ts";
import type { RunSummary } from "../../../shared/run.ts";
import type { Bucket } from "../../../shared/series.ts";
import { readAround } from "./readAround.ts";

const anId = /^[0-9A-Za-z_-]{1,64}$/;

export interface FoundMetric {
  readonly id: number;
  readonly name: string;
  readonly position: number | null;
  readonly lastStep: number | null;
  readonly open: number | null;
}

export interface Protection {
  readonly evaluations: number;
  readonly events: number;
  readonly crc: number | null;
  readonly since: number | null;
}

/** Rows with a checksum: those that match it, and how many do not. */
export interface CheckedRows {
  readonly rows: Cell[][];
  readonly damaged: number;
}

export interface FoundRun {
  readonly id: string;
  readonly summary: RunSummary;
  readonly cell: string | null;
  readonly pruned: boolean;
  /** JSON. */
  readonly environment: string | null;
  readonly matches: boolean | null;
}

/** Undefined where `work` fails. */
export function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

export class DamagedStore {
  readonly #db: Database;
  /** Metrics of each run, and rowids of runs, from their tables and indexes. */
  readonly #metrics: Map<string, FoundMetric[]>;
  readonly #rowids: Map<string, number>;

  constructor(db: Database) {
    this.#db = db;
    this.#metrics = this.#findMetrics();
    this.#rowids = this.#findRuns();
  }

  /** Ids of all runs of which anything is left. */
  runIds(): string[] {
    const protectedRuns = this.#column("SELECT run FROM run_checksums");
    const ids = new Set([...this.#rowids.keys(), ...protectedRuns, ...this.#metrics.keys()]);
    return [...ids].filter((id) => anId.test(id)).sort();
  }

  studyIds(): string[] {
    const ids = new Set([...this.#column("SELECT id FROM studies INDEXED BY sqlite_autoindex_studies_1"), ...this.#column("SELECT id FROM studies NOT INDEXED"), ...this.#column("SELECT study FROM study_checksums")]);
    return [...ids].filter((id) => anId.test(id)).sort();
  }

  /** Undefined for a run whose row cannot be read or says no valid experiment. */
  run(id: string): FoundRun | undefined {
    const columns = `${summaryColumnsOf(this.#db)}, cell, pruned, environment`;
    type Row = { cell: string | null; pruned: number; environment: string | null };
    const byId = attempt(() => this.#db.prepare<[string], Row>(`SELECT ${columns} FROM runs WHERE id = ?`).get(id));
    const rowid = this.#rowids.get(id);
    const row = byId ?? (rowid === undefined ? undefined : attempt(() => this.#db.prepare<[number], Row>(`SELECT ${columns} FROM runs NOT INDEXED WHERE rowid = ?`).get(rowid)));
    // Parsed with the schemas whatever its layout says.
    const summary = row && attempt(() => toSummary({ ...row, id, layout: 0 }));
    if (!row || !summary) return undefined;
    const crc = this.protection(id)?.crc ?? null;
    const sealed = attempt(() => this.#db.prepare<[string], Cell[]>(`SELECT ${sealedRunColumnsOf(this.#db).join(", ")} FROM runs WHERE id = ?`).raw().get(id));
    return { id, summary, cell: row.cell, pruned: row.pruned === 1, environment: row.environment, matches: crc === null || !sealed ? null : crc === rowChecksum(sealed) };
  }

  study(id: string): { study: StoredStudy; matches: boolean | null } | undefined {
    const read = <T>(columns: string, raw: boolean) =>
      attempt(() => {
        const statement = this.#db.prepare<[string], T>(`SELECT ${columns} FROM studies WHERE id = ?`);
        return (raw ? statement.raw() : statement).get(id) as T | undefined;
      });
    const study = attempt(() => storedStudy.parse({ ...read<object>(studyColumnsOf(this.#db), false), id }));
    if (!study) return undefined;
    const crc = attempt(() => this.#db.prepare<[string], number | null>("SELECT crc FROM study_checksums WHERE study = ?").pluck().get(id));
    const row = read<Cell[]>(sealedStudyColumnsOf(this.#db).join(", "), true);
    return { study, matches: crc === undefined || crc === null || !row ? null : crc === rowChecksum(row) };
  }

  /** Undefined where it cannot be read or is not there. */
  protection(run: string): Protection | undefined {
    return attempt(() => this.#db.prepare<[string], Protection>("SELECT evaluations, events, crc, since FROM run_checksums WHERE run = ?").get(run));
  }

  metrics(run: string): FoundMetric[] {
    return [...(this.#metrics.get(run) ?? [])].sort((a, b) => (a.position ?? a.id) - (b.position ?? b.id) || a.id - b.id);
  }

  /** Values of steps `from` to `to` (exclusive); undefined where they cannot be read or one is missing. */
  values(metric: number, from: number, to: number): Float64Array | undefined {
    const rows = attempt(() =>
      this.#db
        .prepare<[number, number, number], [number, number | null]>("SELECT step, value FROM series_values WHERE metric = ? AND step >= ? AND step < ? ORDER BY step")
        .raw()
        .all(metric, from, to),
    );
    if (rows?.length !== to - from || !rows.every(([step, value], i) => step === from + i && (value === null || typeof value === "number"))) return undefined;
    return Float64Array.from(rows, ([, value]) => value ?? NaN);
  }

  /** Checksum of a whole span; undefined where it cannot be read or is not there. */
  spanChecksum(metric: number, start: number): number | undefined {
    return attempt(() => this.#db.prepare<[number, number], number>("SELECT crc FROM series_checksums WHERE metric = ? AND start = ?").pluck().get(metric, start));
  }

  /** Buckets of a thinned run; undefined where they cannot be read or one is missing. */
  keptBuckets(metric: number, group: BucketGroup): Bucket[] | undefined {
    const found = attempt(() => new KeptBuckets(this.#db).read(metric, group));
    return found && KeptBuckets.isWhole(group, found) ? found : undefined;
  }

  /** Checksum of kept buckets; undefined where it cannot be read or is not there. */
  keptChecksum(metric: number, group: Pick<BucketGroup, "width" | "start">): number | undefined {
    return attempt(() => new KeptBuckets(this.#db).checksum(metric, group));
  }

  /** Last logged step of a metric, as its values say; -1 without any. */
  lastStep(metric: number): number {
    const found = attempt(() => this.#db.prepare<[number], number | null>("SELECT max(step) FROM series_values WHERE metric = ?").pluck().get(metric));
    return found ?? -1;
  }

  /** Evaluations of a run in the order of `sealedEvaluationColumns`. */
  evaluations(run: string): CheckedRows {
    const columns = sealedEvaluationColumns.join(", ");
    const read = this.#db.prepare<[string, number, number], Cell[]>(`SELECT step, crc, ${columns} FROM evaluations WHERE run = ? AND step > ? ORDER BY step LIMIT ?`).raw();
    return checked([...readAround((after, limit) => read.all(run, after, limit), ([step]) => step as number, () => undefined)], this.protection(run));
  }

  /** Events of a run in the order of `sealedEventColumns`. */
  events(run: string): CheckedRows {
    const columns = sealedEventColumns.join(", ");
    const byIndex = this.#db.prepare<[string, number, number], Cell[]>(`SELECT id, crc, ${columns} FROM run_events WHERE run = ? AND id > ? ORDER BY id LIMIT ?`).raw();
    const byTable = this.#db.prepare<[number, number], Cell[]>(`SELECT id, crc, ${columns} FROM run_events NOT INDEXED WHERE id > ? ORDER BY id LIMIT ?`).raw();
    const expected = this.protection(run)?.events;
    let failed = false;
    const found = [...readAround((after, limit) => byIndex.all(run, after, limit), ([id]) => id as number, () => (failed = true))];
    if (!failed && (expected === undefined || found.length >= expected)) return checked(found, this.protection(run));
    const all = [...readAround((after, limit) => byTable.all(after, limit), ([id]) => id as number, () => undefined)].filter(([, , owner]) => owner === run);
    return checked(all.length > found.length ? all : found, this.protection(run));
  }

  #column(sql: string): string[] {
    const found: string[] = [];
    for (const order of ["", " ORDER BY 1", " ORDER BY 1 DESC"]) {
      attempt(() => {
        for (const value of this.#db.prepare<[], unknown>(sql + order).pluck().iterate()) if (typeof value === "string") found.push(value);
      });
    }
    return found;
  }

  #findRuns(): Map<string, number> {
    const found = new Map<string, number>();
    const rowids = new Set<number>();
    const add = ([rowid, id]: [number, string]) => {
      if (typeof id !== "string" || found.has(id) || rowids.has(rowid)) return;
      found.set(id, rowid);
      rowids.add(rowid);
    };
    const index = "SELECT rowid, id FROM runs INDEXED BY sqlite_autoindex_runs_1 ORDER BY id";
    for (const sql of [index, `${index} DESC`]) {
      attempt(() => {
        for (const row of this.#db.prepare<[], [number, string]>(sql).raw().iterate()) add(row);
      });
    }
    const table = this.#db.prepare<[number, number], [number, string]>("SELECT rowid, id FROM runs NOT INDEXED WHERE rowid > ? ORDER BY rowid LIMIT ?").raw();
    for (const row of readAround((after, limit) => table.all(after, limit), ([rowid]) => rowid, () => undefined)) add(row);
    return found;
  }

  #findMetrics(): Map<string, FoundMetric[]> {
    type Row = FoundMetric & { run: string };
    const found = new Map<number, Row>();
    const table = this.#db.prepare<[number, number], Row>(
      "SELECT id, run, name, position, last_step AS lastStep, open_crc AS open FROM metrics NOT INDEXED WHERE id > ? ORDER BY id LIMIT ?",
    );
    for (const row of readAround((after, limit) => table.all(after, limit), ({ id }) => id, () => undefined)) found.set(row.id, row);
    const index = "SELECT id, run, name FROM metrics INDEXED BY sqlite_autoindex_metrics_1 ORDER BY run";
    for (const sql of [index, `${index} DESC`]) {
      attempt(() => {
        for (const row of this.#db.prepare<[], { id: number; run: string; name: string }>(sql).iterate()) {
          if (!found.has(row.id)) found.set(row.id, { ...row, position: null, lastStep: null, open: null });
        }
      });
    }
    const byRun = new Map<string, FoundMetric[]>();
    for (const { run, ...metric } of found.values()) {
      if (typeof run !== "string" || typeof metric.name !== "string") continue;
      const known = byRun.get(run);
      if (known) known.push(metric);
      else byRun.set(run, [metric]);
    }
    return byRun;
  }
}

/** @param rows key, checksum, cells */
function checked(rows: readonly Cell[][], protection: Protection | undefined): CheckedRows {
  const isProtected = typeof protection?.since === "number";
  // Without checksums of the whole run, a missing one says nothing.
  const sound = rows.filter(([, crc, ...cells]) => (!isProtected && (crc ?? null) === null) || crc === rowChecksum(cells));
  return { rows: sound.map(([, , ...cells]) => cells), damaged: rows.length - sound.length };
}
