/** The store: every run with all it logged, in one SQLite file that several processes may use at once. */
import { messageOf } from "../../shared/errors.ts";
import type { ListedRun } from "../../shared/listedRun.ts";
import type { Environment, Evaluation, RunDetail, RunEvent, RunSummary } from "../../shared/run.ts";
import { ChangeReader, type Changes } from "./changes.ts";
import { closeConnections, openConnections, type Connections } from "./database.ts";
import { explain, explained, StoreError } from "./errors.ts";
import { consoleLog, measured, type Log } from "./log.ts";
import { beatEvery, Hosts } from "./hosts.ts";
import { readIntegrity, writeIntegrity, type IntegrityRecord } from "./integrity.ts";
import { markInterruptedRuns } from "./interruptedRuns.ts";
import { environmentDifferences } from "./runRows.ts";
import { RowUpgrade } from "./rowUpgrade.ts";
import { RunReader, type ListPage, type StoredStep } from "./runReader.ts";
import { SeriesReader, type SeriesAnswer, type SeriesQuery } from "./seriesReader.ts";
import type { StepRows } from "./seriesWriter.ts";
import type { StoreOptions } from "./storeOptions.ts";
import { MeasurementTable } from "./measurements.ts";
import { StudyTable } from "./studies.ts";
import { Writer } from "./writer.ts";

export type { StoreOptions };

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

/** Milliseconds between two groups of old rows that are checked. */
const upgradeEvery = 100;

export class Store {
  readonly path: string;
  readonly studies: StudyTable;
  readonly measurements: MeasurementTable;
  readonly #connections: Connections;
  readonly #hosts: Hosts;
  readonly #log: Log;
  readonly #slowAfter: number;
  readonly #writer: Writer;
  readonly #runs: RunReader;
  readonly #series: SeriesReader;
  readonly #changePoll: NodeJS.Timeout;
  readonly #ownerPoll: NodeJS.Timeout;
  #upgrade: NodeJS.Timeout | undefined;
  readonly #onForeignChange: (changes: Changes) => void;
  readonly #changes: ChangeReader;
  #rest: NodeJS.Immediate | undefined;
  #dataVersion: unknown;

  /**
   * Opens the store in `folder`, creating both when missing.
   * @throws StoreError when they cannot be used; nothing is changed then.
   */
  constructor(folder: string, options: StoreOptions = {}) {
    this.#log = options.log ?? consoleLog;
    this.#slowAfter = options.slowAfter ?? 250;
    this.#onForeignChange = options.onForeignChange ?? (() => undefined);
    this.#connections = openConnections(folder, undefined, options.busyTimeout);
    const { path, writer, reader, created } = this.#connections;
    this.path = path;
    this.#hosts = new Hosts(writer, path, this.#log, options.machine);
    try {
      this.#runs = new RunReader(reader, path, this.#log);
      this.#series = new SeriesReader(reader);
      this.#writer = new Writer(writer, {
        path,
        hosts: this.#hosts,
        log: this.#log,
        slowAfter: this.#slowAfter,
        beatEvery: options.beatEvery,
        commitAfter: options.commitAfter ?? 240,
        onCommit: options.onCommit ?? (() => undefined),
        onFailure: options.onWriteFailure ?? ((error) => this.#log.error("store: a commit failed and will be tried again", error)),
        onRunFailure: options.onRunFailure ?? ((run, error) => this.#log.error(`store: what run ${run} logged cannot be written`, error)),
        onLeaseLost: options.onLeaseLost ?? ((run) => this.#log.warn(`store: run ${run} was taken over by another process`)),
      });
      const access = { read: <T>(what: string, work: () => T) => this.#read(what, work), write: this.#writer };
      this.studies = new StudyTable(this.#connections, { path, hosts: this.#hosts, log: this.#log, ...access });
      this.measurements = new MeasurementTable(this.#connections, access);
      if (created) this.#noteIntegrity({ checkedAt: Date.now(), uncleanEnd: false, problem: null });
      this.markInterrupted();
      this.#dataVersion = this.#foreignVersion();
      this.#changes = new ChangeReader(reader, (row) => this.#runs.listed(row));
    } catch (error) {
      closeConnections(this.#connections);
      throw explain(error, path);
    }
    this.#changePoll = setInterval(() => this.#pollChanges(), options.pollEvery ?? 1_000);
    this.#changePoll.unref();
    this.#ownerPoll = setInterval(() => this.#pollOwners(), options.ownerPollEvery ?? beatEvery);
    this.#ownerPoll.unref();
    this.#upgradeSoon(new RowUpgrade(this.#connections, this.#writer));
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
  requeueRun(run: RunSummary): boolean {
    return this.#writer.requeueRun(run);
  }

  /** Runs `work` in a transaction in which this process's lease on the run holds. False, without it, where another process has taken the run. */
  whileHeld(run: string, work: () => void): boolean {
    return this.#writer.whileHeld(run, work);
  }

  /** How often the run had been taken when this process took it. */
  leaseOf(run: string): number {
    return this.#writer.leaseOf(run);
  }

  /** Notes something in the log of a run that this process does not own, or no longer does. */
  noteForeign(run: string, { at, step, kind, message }: RunEvent): void {
    this.#writer.change("note", () =>
      this.#connections.writer.prepare("INSERT INTO run_events (run, at, step, kind, message) VALUES (?, ?, ?, ?, ?)").run(run, at, step, kind, message),
    );
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
  listRuns(deleted = false, study?: string | null, page?: ListPage): ListedRun[] {
    return this.#read("list of runs", () => this.#runs.list(deleted, study, page));
  }

  /** Runs with their configurations, in the order asked for, without those that are not there. */
  runSummaries(ids: readonly string[]): RunSummary[] {
    return this.#read("configurations of runs", () => this.#runs.summaries(ids));
  }

  /** At most `limit` ids of runs that begin with `prefix`, those in the bin included, newest first. */
  runIds(prefix: string, limit: number): string[] {
    return this.#read("ids of runs", () => this.#runs.idsWith(prefix, limit));
  }

  /** The run created last, without those in the bin. */
  latestRun(): string | undefined {
    return this.#read("latest run", () => this.#runs.latest());
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
    const isGone = this.#read("owners of active runs and studies", () => this.#hosts.poll());
    const marked = isGone ? [...this.#writer.change("mark interrupted runs", () => markInterruptedRuns(this.#connections.writer, this.#hosts.machine, isGone)), ...this.studies.markInterrupted(isGone)] : [];
    this.#noteUncleanEnds();
    return marked;
  }

  /** A process that ended without closing may have left a damaged file: it is to be checked. */
  #noteUncleanEnds(): void {
    const ended = explained(this.path, () => this.#hosts.removeEnded());
    const last = readIntegrity(this.path);
    if (ended > 0 && last && !last.uncleanEnd) this.#noteIntegrity({ ...last, uncleanEnd: true });
  }

  #noteIntegrity(record: IntegrityRecord): void {
    try {
      writeIntegrity(this.path, record);
    } catch (error) {
      this.#log.warn(`store: what is known of the integrity of ${this.path} could not be noted: ${messageOf(error)}`);
    }
  }

  /** Commits what waits and closes. @throws StoreError when that is impossible. */
  close(): void {
    clearInterval(this.#changePoll);
    clearInterval(this.#ownerPoll);
    clearImmediate(this.#rest);
    clearTimeout(this.#upgrade);
    try {
      this.#writer.close();
    } finally {
      try {
        explained(this.path, () => this.#hosts.close());
      } finally {
        closeConnections(this.#connections);
      }
    }
  }

  /** Changes with every commit of another connection that writes, not with our own. */
  #foreignVersion(): unknown {
    return this.#connections.writer.pragma("data_version", { simple: true });
  }

  #pollChanges(): void {
    this.#watched("check for changes", () => {
      const version = explained(this.path, () => this.#foreignVersion());
      if (version === this.#dataVersion) return;
      this.#dataVersion = version;
      explained(this.path, () => this.#writer.dropLost());
      this.#tellChanges();
    });
  }

  /** A part at a time: other work goes in between. */
  #tellChanges(): void {
    const changes = this.#read("changes", () => this.#changes.next());
    clearImmediate(this.#rest);
    if (changes.more) this.#rest = setImmediate(() => this.#watched("read changes", () => this.#tellChanges()));
    if (changes.runs.length > 0 || changes.studies.length > 0) this.#onForeignChange(changes);
  }

  #upgradeSoon(upgrade: RowUpgrade): void {
    this.#upgrade = setTimeout(() => {
      this.#watched("check the rows of earlier versions", () => {
        if (explained(this.path, () => upgrade.next())) this.#upgradeSoon(upgrade);
      });
    }, upgradeEvery);
    this.#upgrade.unref();
  }

  #pollOwners(): void {
    this.#watched("check for processes that are gone", () => {
      if (this.markInterrupted().length > 0) this.#tellChanges();
    });
  }

  /** What is done by a timer: a store that cannot be read now is looked at again later. */
  #watched(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#log.warn(`store: could not ${what}: ${error.message}`);
    }
  }

  #read<T>(what: string, work: () => T): T {
    return explained(this.path, () => measured(this.#log, this.#slowAfter, `reading ${what}`, work));
  }
}
