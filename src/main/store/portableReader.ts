/** Reads runs and studies of a store for archives and other stores. */
import type { Database, Statement } from "better-sqlite3";
import { isActive, type Evaluation, type RunDetail } from "../../shared/run.ts";
import { checksumName } from "./checksums.ts";
import { StoreError } from "./errors.ts";
import { bucketGroups, bucketsChecksum, KeptBuckets } from "./keptBuckets.ts";
import { rowsAtOnce, storedRanges, type KeptBucket, type PortableEvaluation, type PortableEvent, type PortableFile, type PortableRun, type PortableSource, type PortableStudy } from "./portable.ts";
import { evaluationColumns, eventColumns, toEvaluation } from "./runRows.ts";
import type { StepRows } from "./seriesWriter.ts";
import type { StoredStudy } from "./studies.ts";

/** Rows per read of evaluations and events. */
const page = 1_000;

/** A run as it was when reading began. */
export interface ReadRun {
  readonly run: PortableRun;
  /** Whether it was being trained: it is read up to its last committed step. */
  readonly wasActive: boolean;
  /** Changes when the run is taken again. */
  readonly lease: number;
}

export class PortableReader {
  readonly #path: string;
  readonly #place: Statement<[string], { cell: string | null; pruned: number; lease: number; thinnedAt: number | null }>;
  readonly #metrics: Statement<[string], { id: number; name: string; lastStep: number }>;
  readonly #values: Statement<[number, number, number], [number, number | null]>;
  readonly #evaluations: Statement<[string, number, number], Evaluation & { at: number }>;
  readonly #events: Statement<[string, number, number], PortableEvent & { id: number }>;
  readonly #ofStudy: Statement<[string], string>;
  readonly #kept: KeptBuckets;
  readonly #singles: Statement<[], string>;
  readonly #studies: Statement<[], string>;
  readonly #trainsNetwork: Statement<[string], number>;

  constructor(db: Database, path: string) {
    this.#path = path;
    this.#kept = new KeptBuckets(db);
    this.#place = db.prepare("SELECT cell, pruned, lease, thinned_at AS thinnedAt FROM runs WHERE id = ?");
    this.#metrics = db.prepare("SELECT id, name, last_step AS lastStep FROM metrics WHERE run = ? ORDER BY position");
    this.#values = db
      .prepare<[number, number, number], [number, number | null]>("SELECT step, value FROM series_values WHERE metric = ? AND step >= ? AND step < ? ORDER BY step")
      .raw();
    this.#evaluations = db.prepare(`SELECT at, ${evaluationColumns} FROM evaluations WHERE run = ? AND step > ? ORDER BY step LIMIT ?`);
    this.#events = db.prepare(`SELECT id, ${eventColumns} FROM run_events WHERE run = ? AND id > ? ORDER BY id LIMIT ?`);
    this.#ofStudy = db.prepare<[string], string>("SELECT id FROM runs WHERE study = ? ORDER BY rowid").pluck();
    this.#singles = db.prepare<[], string>("SELECT id FROM runs WHERE study IS NULL ORDER BY rowid").pluck();
    this.#trainsNetwork = db.prepare<[string], number>("SELECT experiment ->> '$.model.kind' = 'graph' OR experiment ->> '$.weights' IS NOT NULL FROM runs WHERE id = ?").pluck();
    this.#studies = db.prepare<[], string>("SELECT id FROM studies ORDER BY rowid").pluck();
  }

  /** Ids of a study's runs, or of the runs without a study, in the order of their creation. */
  runsOf(study: string | null): string[] {
    return study === null ? this.#singles.all() : this.#ofStudy.all(study);
  }

  studyIds(): string[] {
    return this.#studies.all();
  }

  /** @throws StoreError when the run's series differ in length */
  run({ evaluations: _evaluations, events: _events, elsewhere: _elsewhere, samplesPerSecond: _samples, secondsLeft: _left, ...run }: RunDetail, now = Date.now()): ReadRun {
    const { cell, pruned, lease } = this.#place.get(run.id)!;
    const lasts = new Set(this.#metrics.all(run.id).map(({ lastStep }) => lastStep));
    if (lasts.size > 1) throw this.#damaged(run.id, "its series end at different steps");
    const logged = ([...lasts][0] ?? -1) + 1;
    const wasActive = isActive(run.status);
    const ended = wasActive
      ? { status: "interrupted" as const, reason: "It was being trained when it was copied; the copy holds the steps up to then.", finishedAt: now, steps: Math.min(run.steps, logged) }
      : {};
    return { run: { ...run, ...ended, study: cell === null ? null : run.study, cell: run.study === null ? null : cell, pruned: pruned !== 0, logged }, wasActive, lease };
  }

  /** Whether the run has been neither taken nor thinned since it was read. */
  isUnchanged(run: string, { lease, run: { thinned } }: Pick<ReadRun, "lease" | "run">): boolean {
    const now = this.#place.get(run);
    return now?.lease === lease && (now.thinnedAt ?? null) === (thinned?.at ?? null);
  }

  study({ runningSince: _since, ...study }: StoredStudy, now = Date.now()): PortableStudy {
    const { status } = study;
    if (status !== "running" && status !== "paused") return { ...study, status };
    return { ...study, status: "interrupted", reason: "It was being trained when it was copied.", finishedAt: now };
  }

  /** @throws StoreError when a step is missing */
  *steps(run: Pick<PortableRun, "id" | "metrics" | "logged" | "thinned">): Generator<StepRows> {
    for (const [from, to] of storedRanges(run)) yield* this.#range(run, from, to);
  }

  *#range({ id, metrics }: Pick<PortableRun, "id" | "metrics">, from: number, to: number): Generator<StepRows> {
    const columns = this.#metrics.all(id);
    const rows = rowsAtOnce(metrics.length);
    for (let firstStep = from; firstStep < to; firstStep += rows) {
      const count = Math.min(rows, to - firstStep);
      const values = new Float64Array(count * columns.length);
      columns.forEach(({ id: metric, name }, column) => {
        const found = this.#values.all(metric, firstStep, firstStep + count);
        found.forEach(([step, value], row) => {
          if (step !== firstStep + row) throw this.#damaged(id, `step ${firstStep + row} of ${name} is missing`);
          values[row * columns.length + column] = value ?? NaN;
        });
        if (found.length < count) throw this.#damaged(id, `step ${firstStep + found.length} of ${name} is missing`);
      });
      yield { firstStep, count, values };
    }
  }

  /** @throws StoreError when a summary is missing or not what was kept */
  *kept({ id, logged, thinned }: Pick<PortableRun, "id" | "logged" | "thinned">): Generator<KeptBucket> {
    if (!thinned) return;
    for (const [column, { id: metric, name }] of this.#metrics.all(id).entries()) {
      for (const group of bucketGroups(logged - 1, thinned.width)) {
        const buckets = this.#kept.read(metric, group);
        const isSound = KeptBuckets.isWhole(group, buckets) && this.#kept.checksum(metric, group) === bucketsChecksum(checksumName(id, name), group, buckets);
        if (!isSound) throw this.#damaged(id, `summaries of ${name} from step ${group.start} on are missing or damaged`);
        for (const bucket of buckets) yield { column, width: group.width, bucket };
      }
    }
  }

  /** The run with everything that belongs to it. */
  source(run: PortableRun, files: () => readonly PortableFile[] = () => []): PortableSource {
    return { run, files, steps: () => this.steps(run), kept: () => this.kept(run), evaluations: () => this.evaluations(run.id), events: () => this.events(run.id) };
  }

  /** Whether one of the runs is thinned. */
  hasThinned(runs: readonly string[]): boolean {
    return runs.some((run) => (this.#place.get(run)?.thinnedAt ?? null) !== null);
  }

  /** Whether one of the runs trains an imported network, or began from a file. */
  hasNetworks(runs: readonly string[]): boolean {
    return runs.some((run) => this.#trainsNetwork.get(run) === 1);
  }

  *evaluations(run: string): Generator<PortableEvaluation> {
    for (let after = -1; ; ) {
      const rows = this.#evaluations.all(run, after, page);
      for (const { at, ...evaluation } of rows) yield { ...toEvaluation(evaluation), at };
      if (rows.length < page) return;
      after = rows.at(-1)!.step;
    }
  }

  *events(run: string): Generator<PortableEvent> {
    for (let after = -1; ; ) {
      const rows = this.#events.all(run, after, page);
      for (const { id: _id, ...event } of rows) yield event;
      if (rows.length < page) return;
      after = rows.at(-1)!.id;
    }
  }

  #damaged(run: string, what: string): StoreError {
    return new StoreError(this.#path, `Run ${run} in ${this.#path} cannot be copied: ${what}.`);
  }
}
