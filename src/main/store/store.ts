/** The store: every run with all it logged, in one SQLite file that several processes may use at once. */
import type { Environment, Evaluation, RunDetail, RunEvent, RunSummary } from "../../shared/run.ts";
import { closeConnections, openConnections, type Connections } from "./database.ts";
import { explain, explained, StoreError } from "./errors.ts";
import { consoleLog, measured, type Log } from "./log.ts";
import { claimOwnership, heartbeatEvery, ownerLives, releaseOwnership, type Owner } from "./ownership.ts";
import { environmentDifferences } from "./runRows.ts";
import { RunReader, type StoredStep } from "./runReader.ts";
import { SeriesReader, type SeriesAnswer, type SeriesQuery } from "./seriesReader.ts";
import type { StepRows } from "./seriesWriter.ts";
import { StudyTable } from "./studies.ts";
import { Writer } from "./writer.ts";

export interface StoreOptions {
  readonly log?: Log;
  /** Reads and commits that take longer (milliseconds) are logged. */
  readonly slowAfter?: number;
  /** Milliseconds from the first waiting row to its commit. */
  readonly commitAfter?: number;
  /** Milliseconds between looks at what other processes did. */
  readonly pollEvery?: number;
  /** Runs whose rows or state were just committed. */
  readonly onCommit?: (runs: readonly string[]) => void;
  /** A commit failed. Nothing is lost yet: it is tried again until it succeeds. */
  readonly onWriteFailure?: (error: unknown) => void;
  /** Another process changed the store, or its runs were found interrupted. */
  readonly onForeignChange?: () => void;
}

export interface ResumedSeries {
  /** The first step that is not logged yet. */
  readonly logged: number;
  /** Evaluations that were taken out, to be made again. */
  readonly evaluations: readonly Evaluation[];
  /** What happened to it so far. */
  readonly events: readonly RunEvent[];
  /** In what the environment is not the one the run began in. */
  readonly differences: readonly string[];
}

interface ActiveRow {
  readonly id: string;
  readonly steps: number;
  readonly pid: number | null;
  readonly host: string | null;
  readonly token: string | null;
  readonly heartbeatAt: number | null;
}

export class Store {
  readonly path: string;
  readonly studies: StudyTable;
  readonly #connections: Connections;
  readonly #owner: Owner;
  readonly #log: Log;
  readonly #slowAfter: number;
  readonly #writer: Writer;
  readonly #runs: RunReader;
  readonly #series: SeriesReader;
  readonly #poll: NodeJS.Timeout;
  readonly #onForeignChange: () => void;
  #dataVersion: unknown;
  #lookedForDead = 0;

  /**
   * Opens the store in `folder`, creating both when missing.
   * @throws StoreError when they cannot be used; nothing is changed then.
   */
  constructor(folder: string, options: StoreOptions = {}) {
    this.#log = options.log ?? consoleLog;
    this.#slowAfter = options.slowAfter ?? 250;
    this.#onForeignChange = options.onForeignChange ?? (() => undefined);
    this.#connections = openConnections(folder);
    const { path, writer, reader } = this.#connections;
    this.path = path;
    this.#owner = claimOwnership();
    try {
      this.#runs = new RunReader(reader, path, this.#log);
      this.#series = new SeriesReader(reader);
      this.#writer = new Writer(writer, {
        path,
        owner: this.#owner,
        log: this.#log,
        slowAfter: this.#slowAfter,
        commitAfter: options.commitAfter ?? 240,
        onCommit: options.onCommit ?? (() => undefined),
        onFailure: options.onWriteFailure ?? ((error) => this.#log.error("store: a commit failed and will be tried again", error)),
      });
      this.studies = new StudyTable(this.#connections, {
        path,
        owner: this.#owner,
        log: this.#log,
        read: (what, work) => this.#read(what, work),
        write: this.#writer,
      });
      this.markInterrupted();
      this.#dataVersion = this.#foreignVersion();
    } catch (error) {
      releaseOwnership(this.#owner);
      closeConnections(this.#connections);
      throw explain(error, path);
    }
    this.#poll = setInterval(() => this.#lookAround(), options.pollEvery ?? 1_000);
    this.#poll.unref();
  }

  /** Creates a run owned by this process, in its study at `cell`; committed when this returns. */
  createRun(run: RunSummary, cell: string | null = null): void {
    this.#writer.createRun(run, cell);
  }

  /** Creates the series of a run that has started; committed when this returns. */
  beginSeries(run: string, metrics: readonly string[], environment: Environment): void {
    this.#writer.beginSeries(run, metrics, environment);
  }

  /**
   * Takes up a run that ended before its end: it is queued again and this process owns it. Committed when this returns.
   * @returns false when it is not in a state to be taken up (any more)
   */
  takeUpRun(run: RunSummary): boolean {
    return this.#writer.takeUpRun(run);
  }

  /**
   * Goes on with the series of a run that was taken up; committed when this returns.
   * @param evaluated step of its last evaluation to keep; later ones are taken out, and returned
   * @throws RangeError when the run logged other metrics
   */
  resumeSeries(run: string, metrics: readonly string[], evaluated: number | null, environment: Environment): ResumedSeries {
    const detail = this.getRun(run);
    const evaluations = detail?.evaluations.filter(({ step }) => step > (evaluated ?? -1)) ?? [];
    const logged = this.#writer.resumeSeries(run, metrics, evaluated, environment);
    return { logged, evaluations, events: detail?.events ?? [], differences: detail?.environment ? environmentDifferences(detail.environment, environment) : [] };
  }

  /** Takes rows for the next commit. @throws RangeError unless they continue the run's series. */
  appendRows(run: string, rows: StepRows): void {
    this.#writer.appendRows(run, rows);
  }

  /** Takes a run's state for the next commit: all but its name and deletion. */
  saveRun(run: RunSummary): void {
    this.#writer.saveRun(run);
  }

  addEvaluation(run: string, evaluation: Evaluation): void {
    this.#writer.addEvaluation(run, evaluation);
  }

  addEvent(run: string, event: RunEvent): void {
    this.#writer.addEvent(run, event);
  }

  /** Commits what waits; false when that failed and will be tried again. */
  flush(): boolean {
    return this.#writer.flush();
  }

  /** Runs, newest first: those in the bin, or those that are not; of one study, or with null of none. */
  listRuns(deleted = false, study?: string | null): RunSummary[] {
    return this.#read("list of runs", () => this.#runs.list(deleted, study));
  }

  getRun(id: string): RunDetail | undefined {
    return this.#read(`run ${id}`, () => this.#runs.get(id));
  }

  hasRun(id: string): boolean {
    return this.#read(`run ${id}`, () => this.#runs.has(id));
  }

  readSeries(query: SeriesQuery): SeriesAnswer {
    return this.#read(`series of run ${query.run}`, () => this.#series.read(query));
  }

  /** Every logged step of a run (from `from` to before `to`), in order; the values in the order of `getRun().metrics`. */
  readSteps(id: string, from?: number, to?: number): Generator<StoredStep> {
    return this.#runs.steps(id, from, to);
  }

  renameRun(id: string, name: string): void {
    this.#writer.change("rename", () => this.#connections.writer.prepare("UPDATE runs SET name = ? WHERE id = ?").run(name, id));
  }

  /** Moves runs to the bin (`at`) or back (null). Nothing is erased. */
  setDeleted(ids: readonly string[], at: number | null): void {
    const statement = this.#connections.writer.prepare(
      "UPDATE runs SET deleted_at = CASE WHEN @at IS NULL THEN NULL ELSE coalesce(deleted_at, @at) END WHERE id = @id",
    );
    this.#writer.change("move to the bin or back", () => {
      for (const id of ids) statement.run({ id, at });
    });
  }

  /** Marks active runs and studies whose process is gone as interrupted, the runs' steps kept. Returns their ids. */
  markInterrupted(): string[] {
    this.#lookedForDead = Date.now();
    return [...this.#markRuns(), ...this.studies.markInterrupted(this.#lookedForDead)];
  }

  #markRuns(): string[] {
    const { writer, reader } = this.#connections;
    const active = `SELECT id, steps, owner_pid AS pid, owner_host AS host, owner_token AS token, heartbeat_at AS heartbeatAt
      FROM runs WHERE status IN ('queued', 'running', 'paused')`;
    const dead = (row: ActiveRow) => !ownerLives(row, this.#lookedForDead);
    if (!this.#read("active runs", () => reader.prepare<[], ActiveRow>(active).all()).some(dead)) return [];
    const mark = writer.prepare<[string, number, string]>(
      `UPDATE runs SET status = 'interrupted', reason = ?, finished_at = coalesce(heartbeat_at, ?),
         samples_per_second = NULL, seconds_left = NULL WHERE id = ?`,
    );
    const note = writer.prepare<[string, number, number, string]>(
      "INSERT INTO run_events (run, at, step, kind, message) VALUES (?, ?, ?, 'interrupted', ?)",
    );
    return this.#writer.change("mark interrupted runs", () =>
      writer
        .prepare<[], ActiveRow>(active)
        .all()
        .filter(dead)
        .map(({ id, steps, pid }) => {
          const reason = `The process that trained it${pid === null ? "" : ` (pid ${pid})`} ended before the run did.`;
          mark.run(reason, this.#lookedForDead, id);
          note.run(id, this.#lookedForDead, steps, reason);
          return id;
        }),
    );
  }

  /** Commits what waits and closes. @throws StoreError when that is impossible. */
  close(): void {
    clearInterval(this.#poll);
    try {
      this.#writer.close();
    } finally {
      releaseOwnership(this.#owner);
      closeConnections(this.#connections);
    }
  }

  /** Changes with every commit of another connection that writes, not with our own. */
  #foreignVersion(): unknown {
    return this.#connections.writer.pragma("data_version", { simple: true });
  }

  #lookAround(): void {
    try {
      const version = explained(this.path, () => this.#foreignVersion());
      const interrupted = Date.now() - this.#lookedForDead >= heartbeatEvery ? this.markInterrupted() : [];
      if (version === this.#dataVersion && interrupted.length === 0) return;
      this.#dataVersion = version;
      this.#onForeignChange();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#log.warn(`store: could not look for changes: ${error.message}`);
    }
  }

  #read<T>(what: string, work: () => T): T {
    return explained(this.path, () => measured(this.#log, this.#slowAfter, `reading ${what}`, work));
  }
}
