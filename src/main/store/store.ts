/** The store: all runs and studies with their logs, in one SQLite file that several processes may use at once. */
import { evaluatesAfter } from "../../shared/experiment.ts";
import { messageOf } from "../../shared/errors.ts";
import type { ListedRun } from "../../shared/listedRun.ts";
import type { Environment, Evaluation, RunDetail, RunEvent, RunSummary } from "../../shared/run.ts";
import { ChecksumUpgrade } from "./checksumUpgrade.ts";
import { ChangeReader, type Changes } from "./changes.ts";
import { closeConnections, openConnections, type Connections } from "./database.ts";
import type { CutBack } from "./cutBack.ts";
import { Eraser } from "./erase.ts";
import { ActiveError, explain, explained, StoreError } from "./errors.ts";
import { FleetTable } from "./fleetUnits.ts";
import { FileWatch, type FileState } from "./fileWatch.ts";
import { consoleLog, measured, type Log } from "./log.ts";
import { beatEvery, Hosts } from "./hosts.ts";
import { ImportedRunTable } from "./importedRuns.ts";
import { readIntegrity, writeIntegrity, type IntegrityRecord } from "./integrity.ts";
import { markInterruptedRuns } from "./interruptedRuns.ts";
import { environmentDifferences } from "./runRows.ts";
import { PortableReader } from "./portableReader.ts";
import { MarkKeeper } from "./mark.ts";
import { RowUpgrade } from "./rowUpgrade.ts";
import { RunReader, type ListPage, type StoredStep } from "./runReader.ts";
import { SeriesReader, type SeriesAnswer, type SeriesQuery } from "./seriesReader.ts";
import type { StepRows } from "./seriesWriter.ts";
import { saveCopy, saveCopyNow } from "./savedCopy.ts";
import { spillFiles, spillFolders } from "./spillFile.ts";
import { SpillIntake } from "./spillIntake.ts";
import type { StoreOptions } from "./storeOptions.ts";
import { MeasurementTable } from "./measurements.ts";
import { NetworkTable } from "./networks.ts";
import { StudyTable } from "./studies.ts";
import { changeTags } from "./tagRows.ts";
import { Thinner } from "./thin.ts";
import { unusedBytes } from "./vacuum.ts";
import { Writer } from "./writer.ts";

export type { StoreOptions };

export interface ResumedSeries {
  /** First step that is not logged yet. */
  readonly logged: number;
  /** Evaluations that were removed and must be repeated. */
  readonly evaluations: readonly Evaluation[];
  /** The run's events so far. */
  readonly events: readonly RunEvent[];
  /** Differences from the environment in which the run began. */
  readonly differences: readonly string[];
}

/** Milliseconds between batches of old rows to validate. */
const upgradeEvery = 100;

export class Store {
  readonly path: string;
  readonly studies: StudyTable;
  readonly measurements: MeasurementTable;
  readonly networks: NetworkTable;
  readonly imported: ImportedRunTable;
  readonly fleets: FleetTable;
  /** Reads runs and studies for archives. */
  readonly portable: PortableReader;
  readonly eraser: Eraser;
  readonly thinner: Thinner;
  readonly #connections: Connections;
  readonly #hosts: Hosts;
  readonly #log: Log;
  readonly #slowAfter: number;
  readonly #writer: Writer;
  /** None for a store that can only be read. */
  readonly #mark: MarkKeeper | undefined;
  readonly #runs: RunReader;
  readonly #series: SeriesReader;
  readonly #changePoll: NodeJS.Timeout;
  #ownerPoll: NodeJS.Timeout | undefined;
  /** Undefined for a store that can only be read. */
  #fileWatch: FileWatch | undefined;
  #upgrade: NodeJS.Timeout | undefined;
  readonly #onForeignChange: (changes: Changes) => void;
  readonly #changes: ChangeReader;
  #rest: NodeJS.Immediate | undefined;
  #dataVersion: unknown;

  /**
   * Opens the store in `folder`; creates both if missing.
   * @throws StoreError when they cannot be used; they are then unchanged
   */
  constructor(folder: string, options: StoreOptions = {}) {
    this.#log = options.log ?? consoleLog;
    this.#slowAfter = options.slowAfter ?? 250;
    this.#onForeignChange = options.onForeignChange ?? (() => undefined);
    this.#connections = openConnections(folder, undefined, options.busyTimeout);
    const { path, writer, reader, created, readOnly, notes } = this.#connections;
    this.path = path;
    for (const note of notes) this.#log.warn(note);
    this.#hosts = new Hosts(writer, path, this.#log, options.machine);
    try {
      this.#runs = new RunReader(reader, path, this.#log);
      this.#series = new SeriesReader(reader);
      this.portable = new PortableReader(reader, path);
      this.#writer = new Writer(writer, {
        path,
        readOnly,
        hosts: this.#hosts,
        log: this.#log,
        slowAfter: this.#slowAfter,
        beatEvery: options.beatEvery,
        spillFolders: options.spillFolders,
        commitAfter: options.commitAfter ?? 240,
        onCommit: options.onCommit ?? (() => undefined),
        busyGrace: options.busyGrace ?? 10_000,
        onFailure: options.onWriteFailure ?? ((error) => this.#log.error("store: a commit failed and will be tried again", error)),
        onRecovery: options.onWriteRecovery ?? (() => undefined),
        onRunFailure: options.onRunFailure ?? ((run, error) => this.#log.error(`store: what run ${run} logged cannot be written`, error)),
        onLeaseLost: options.onLeaseLost ?? ((run) => this.#log.warn(`store: run ${run} was taken over by another process`)),
      });
      const access = { read: <T>(what: string, work: () => T) => this.#read(what, work), write: this.#writer };
      this.studies = new StudyTable(this.#connections, { path, hosts: this.#hosts, log: this.#log, ...access });
      this.eraser = new Eraser(writer, path, this.#writer);
      this.thinner = new Thinner(writer, path, this.#writer);
      this.measurements = new MeasurementTable(this.#connections, access);
      this.fleets = new FleetTable(this.#connections, access);
      this.imported = new ImportedRunTable(this.#connections, access);
      this.networks = new NetworkTable(this.#connections, { path, ...access });
      if (created) this.#noteIntegrity({ checkedAt: Date.now(), uncleanEnd: false, problem: null });
      if (readOnly === null) {
        this.#takeSpilled(options.spillFolders);
        this.markInterrupted();
      }
      this.#dataVersion = this.#foreignVersion();
      this.#changes = new ChangeReader(reader, (row) => this.#runs.listed(row));
      this.#mark = readOnly === null ? new MarkKeeper(path, reader, this.#log, () => this.fileState() === "here") : undefined;
    } catch (error) {
      closeConnections(this.#connections);
      throw explain(error, path);
    }
    this.#writer.limitWaits(options.busyTimeout ?? Infinity);
    this.#changePoll = setInterval(() => this.#pollChanges(), options.pollEvery ?? 1_000);
    this.#changePoll.unref();
    if (readOnly !== null) return;
    this.#ownerPoll = setInterval(() => this.#pollOwners(), options.ownerPollEvery ?? beatEvery);
    this.#ownerPoll.unref();
    this.#fileWatch = new FileWatch({ path, every: options.watchEvery, onChange: options.onFileState ?? ((state) => this.#log.warn(`store: ${path} is ${state}`)) });
    this.#upgradeSoon([new RowUpgrade(this.#connections, this.#writer), new ChecksumUpgrade(this.#connections, this.#writer, this.#log)]);
  }

  /** Why the store can only be read; null when it can be written. */
  get readOnly(): string | null {
    return this.#connections.readOnly;
  }

  /** @throws StoreError when the store can only be read */
  requireWritable(): void {
    this.#writer.requireWritable();
  }

  /** Creates a run owned by this process; committed when this returns. @param cell the run's cell in its study */
  createRun(run: RunSummary, cell: string | null = null): void {
    this.#writer.createRun(run, cell);
  }

  /** Creates the series of a run that has started; committed when this returns. */
  beginSeries(run: string, metrics: readonly string[], environment: Environment): void {
    this.#writer.beginSeries(run, metrics, environment);
  }

  /**
   * Queues a run again that ended early, with this process as its owner. Committed when this returns.
   * @param epoch `epochOf()` before it was read; any by default
   * @returns false when its status does not allow that (any more), or it is in the bin
   * @throws ActiveError when another run of its cell is being trained
   */
  requeueRun(run: RunSummary, epoch?: number): boolean {
    return this.#writer.requeueRun(run, epoch);
  }

  /** Runs `work` in a transaction in which this process's lease on the run holds. Returns false without running it when another process has taken the run. */
  whileHeld(run: string, work: () => void): boolean {
    return this.#writer.whileHeld(run, work);
  }

  /** Lease number with which this process took the run; 0 if it did not. */
  leaseOf(run: string): number {
    return this.#writer.leaseOf(run);
  }

  /** Adds an event to a run that this process does not own. */
  noteForeign(run: string, { at, step, kind, message }: RunEvent): void {
    this.#writer.change("note", () =>
      this.#connections.writer.prepare("INSERT INTO run_events (run, at, step, kind, message) VALUES (?, ?, ?, ?, ?)").run(run, at, step, kind, message),
    );
  }

  /**
   * Continues the series of a requeued run; committed when this returns.
   * @param evaluated step of the last evaluation that is not repeated. Later ones stay and are returned; those that a stop made are removed.
   * @throws RangeError when the run logged other metrics
   */
  resumeSeries(run: string, metrics: readonly string[], evaluated: number | null, environment: Environment): ResumedSeries {
    const detail = this.getRun(run);
    const later = detail?.evaluations.filter(({ step }) => step > (evaluated ?? -1)) ?? [];
    const isRepeated = ({ step }: Evaluation) => evaluatesAfter(detail!.experiment, step);
    const evaluations = later.filter(isRepeated);
    const stale = later.filter((each) => !isRepeated(each)).map(({ step }) => step);
    const logged = this.#writer.resumeSeries(run, metrics, stale, environment);
    return { logged, evaluations, events: detail?.events ?? [], differences: detail?.environment ? environmentDifferences(detail.environment, environment) : [] };
  }

  /** Removes a run's steps from `step` on, and the evaluations and events after it. Its series goes on there. Committed when this returns. */
  cutBack(run: string, metrics: readonly string[], step: number): CutBack {
    return this.#writer.cutBack(run, metrics, step);
  }

  /** Adds rows to the next commit. @throws RangeError unless they continue the run's series. */
  appendRows(run: string, rows: StepRows): void {
    this.#writer.appendRows(run, rows);
  }

  /** Adds a run's state to the next commit, except its name and deletion. */
  saveRun(run: RunSummary): void {
    this.#writer.saveRun(run);
  }

  /** State of a run that waits for its commit. */
  pendingRun(run: string): RunSummary | undefined {
    return this.#writer.pendingRun(run);
  }

  addEvaluation(run: string, evaluation: Evaluation): void {
    this.#writer.addEvaluation(run, evaluation);
  }

  addEvent(run: string, event: RunEvent): void {
    this.#writer.addEvent(run, event);
  }

  /** Calls `act` once all that is pending for the run is committed; at once if nothing is. Never if that is dropped. */
  afterCommit(run: string, act: () => void): void {
    this.#writer.afterCommit(run, act);
  }

  /** Commits pending writes; false when that failed and will be retried. */
  flush(): boolean {
    return this.#writer.flush();
  }

  /** Runs, newest first, in the bin or not. With a study, only its runs; with null, only runs without a study. */
  listRuns(deleted = false, study?: string | null, page?: ListPage): ListedRun[] {
    return this.#read("list of runs", () => this.#runs.list(deleted, study, page));
  }

  /** Runs with their experiments, in the given order. Skips missing and unreadable runs. */
  runSummaries(ids: readonly string[]): RunSummary[] {
    return this.#read("configurations of runs", () => this.#runs.summaries(ids));
  }

  /** At most `limit` ids of runs that begin with `prefix`, newest first, including runs in the bin. */
  runIds(prefix: string, limit: number): string[] {
    return this.#read("ids of runs", () => this.#runs.idsWith(prefix, limit));
  }

  /** At most `limit` ids of runs with this name, newest first; those in the bin only if there are no others. */
  runsNamed(name: string, limit: number): string[] {
    return this.#read("runs of a name", () => this.#runs.named(name, limit));
  }

  /** Id of the newest run that is not in the bin. */
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

  /** Logged steps of a run from `from` (inclusive) to `to` (exclusive), with values in the order of `getRun().metrics`. */
  readSteps(id: string, from?: number, to?: number): Generator<StoredStep> {
    return this.#runs.steps(id, from, to);
  }

  renameRun(id: string, name: string): void {
    this.#writer.change("rename", () => this.#connections.writer.prepare("UPDATE runs SET name = ? WHERE id = ?").run(name, id));
  }

  /** Adds and removes tags of runs: of all of them, or none. @throws TooManyTags */
  tagRuns(ids: readonly string[], add: readonly string[], remove: readonly string[]): void {
    this.#writer.change("tag runs", () => changeTags(this.#connections.writer, "runs", ids, add, remove));
  }

  /** How often the run was taken. Read it before the run, and pass it to `requeueRun()`. */
  epochOf(run: string): number {
    return this.#read(`run ${run}`, () => this.#connections.reader.prepare<[string], number>("SELECT lease FROM runs WHERE id = ?").pluck().get(run) ?? 0);
  }

  /**
   * Moves runs to the bin (`at`: the time) or back (null). Nothing is erased.
   * @throws ActiveError when one to be moved there is being trained; nothing is moved then
   */
  setDeleted(ids: readonly string[], at: number | null): void {
    const statement = this.#connections.writer.prepare(
      "UPDATE runs SET deleted_at = CASE WHEN @at IS NULL THEN NULL ELSE coalesce(deleted_at, @at) END WHERE id = @id",
    );
    const active = this.#connections.writer.prepare<[string], { name: string; status: string }>("SELECT name, status FROM runs WHERE id = ? AND status IN ('queued', 'running', 'paused')");
    this.#writer.flush();
    this.#writer.change("move to the bin or back", () => {
      for (const id of ids) {
        const found = at === null ? undefined : active.get(id);
        if (found) throw new ActiveError(`Run ${found.name} (${id}) is ${found.status}; stop it before deleting it.`);
        statement.run({ id, at });
      }
    });
  }

  /** Marks active runs and studies whose process has ended as interrupted; keeps the runs' steps. Returns their ids. */
  markInterrupted(): string[] {
    const isGone = this.#read("owners of active runs and studies", () => this.#hosts.poll());
    const marked = isGone ? [...this.#writer.change("mark interrupted runs", () => markInterruptedRuns(this.#connections.writer, this.#hosts.machine, isGone)), ...this.studies.markInterrupted(isGone)] : [];
    this.#noteUncleanEnds();
    return marked;
  }

  /** Takes in what could not be written when a process of this machine ended. */
  #takeSpilled(folders?: readonly string[]): void {
    const intake = new SpillIntake(this.#connections.writer, this.#log);
    for (const file of spillFiles(this.path, folders ?? spillFolders(this.path))) intake.take(file);
  }

  /** Requests a check of the file: a process that ended without closing may have damaged it. */
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

  /** Whether this process has written the store. */
  get written(): boolean {
    return this.#hosts.registered;
  }

  /** Bytes of the file that hold nothing. */
  unusedBytes(): number {
    return this.#read("unused space", () => unusedBytes(this.#connections.reader));
  }

  /** Message about runs or steps that the file has lost; null when none are known. */
  get loss(): string | null {
    return this.#mark?.loss ?? null;
  }

  /** Ends the warning about lost runs and steps. */
  acknowledgeLoss(): void {
    this.#mark?.acknowledge();
  }

  /** Whether the store's file still has its name. Looks at once. */
  fileState(): FileState {
    return this.#fileWatch?.lookNow() ?? "here";
  }

  /** Saves the open store into a new folder, also when its file is gone. Returns that folder. @throws StoreError */
  saveCopy(): Promise<string> {
    this.flush();
    return saveCopy(this.#connections.writer, this.path);
  }

  /** Like saveCopy(), but blocks: for a process that is about to end. */
  saveCopyNow(): string {
    return saveCopyNow(this.#connections.writer, this.path);
  }

  /** Commits pending writes, with retries while another process holds the lock. @param within milliseconds */
  async settle(within = 3_000): Promise<void> {
    const deadline = performance.now() + within;
    while (!this.flush() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  }

  /** Commits pending writes and closes. @throws StoreError when the commit fails; it names the file that holds what was pending */
  close(): void {
    this.#fileWatch?.close();
    clearInterval(this.#changePoll);
    clearInterval(this.#ownerPoll);
    clearImmediate(this.#rest);
    clearTimeout(this.#upgrade);
    this.eraser.close();
    this.thinner.close();
    const failures: unknown[] = [];
    const steps = [
      () => this.#writer.close(),
      () => explained(this.path, () => this.#hosts.close()),
      () => this.#mark?.close(),
      () => closeConnections(this.#connections, this.fileState() === "here"),
    ];
    for (const step of steps) {
      try {
        step();
      } catch (error) {
        failures.push(error);
      }
    }
    // The first failure is the cause of the others, and names the file with what was pending.
    if (failures.length > 0) throw failures[0];
  }

  /** Changes with every commit of another connection, not with this process's own. */
  #foreignVersion(): unknown {
    return this.#connections.writer.pragma("data_version", { simple: true });
  }

  #pollChanges(): void {
    this.#retried("check for changes", () => {
      const version = explained(this.path, () => this.#foreignVersion());
      if (version === this.#dataVersion) return;
      this.#dataVersion = version;
      explained(this.path, () => this.#writer.dropLost());
      this.#reportChanges();
    });
  }

  /** Reports changes in batches and yields between them. */
  #reportChanges(): void {
    const changes = this.#read("changes", () => this.#changes.next());
    clearImmediate(this.#rest);
    if (changes.more) this.#rest = setImmediate(() => this.#retried("read changes", () => this.#reportChanges()));
    if (changes.runs.length > 0 || changes.studies.length > 0) this.#onForeignChange(changes);
  }

  /** Brings rows of earlier versions up to date, one upgrade after another. */
  #upgradeSoon(upgrades: readonly { next(): boolean }[]): void {
    const [upgrade, ...later] = upgrades;
    if (!upgrade) return;
    this.#upgrade = setTimeout(() => {
      let more = false;
      this.#retried("bring the rows of earlier versions up to date", () => {
        more = explained(this.path, () => upgrade.next());
      });
      this.#upgradeSoon(more ? upgrades : later);
    }, upgradeEvery);
    this.#upgrade.unref();
  }

  #pollOwners(): void {
    this.#retried("check for processes that are gone", () => {
      if (this.markInterrupted().length > 0) this.#reportChanges();
    });
  }

  /** Runs a timer's work. A store error is logged; the next tick retries. */
  #retried(what: string, work: () => void): void {
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
