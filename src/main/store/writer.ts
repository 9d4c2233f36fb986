/**
 * The process's single writer, with group commit: rows of all runs are buffered briefly and
 * committed together, so that durable commits (WAL, synchronous = FULL) cost little at any step rate.
 */
import type { Database } from "better-sqlite3";
import { messageOf } from "../../shared/errors.ts";
import { isActive, type Environment, type Evaluation, type RunEvent, type RunSummary } from "../../shared/run.ts";
import { plural } from "../../shared/text.ts";
import { cutBack, type CutBack } from "./cutBack.ts";
import { ActiveError, explain, isStoreFailure, LeaseLostError, notWritten, StoreError } from "./errors.ts";
import { finite } from "./finite.ts";
import { GroupCommit } from "./groupCommit.ts";
import { beatEvery, type Hosts } from "./hosts.ts";
import { measured, type Log } from "./log.ts";
import { rowChecksum } from "./checksums.ts";
import { identityParameters, measureNames, progressParameters } from "./runRows.ts";
import { firstLease, prepareRunStatements } from "./runStatements.ts";
import { Seals } from "./seals.ts";
import { SeriesWriter, type SeriesBuffer, type StepRows } from "./seriesWriter.ts";
import { spillFolders, writeSpill, type SpilledRun, type SpilledRows } from "./spillFile.ts";
import { WriteOutage, type WriteOutageOptions } from "./writeOutage.ts";

/** `onFailure`: the store cannot be written; all writes are kept and retried. */
export interface WriterOptions extends WriteOutageOptions {
  readonly path: string;
  /** Why the store can only be read; null when it can be written. */
  readonly readOnly: string | null;
  readonly hosts: Hosts;
  readonly log: Log;
  readonly slowAfter: number;
  /** Milliseconds between beats of this process. */
  readonly beatEvery?: number | undefined;
  /** Folders for rows that cannot be committed when the store is closed, best first. */
  readonly spillFolders?: readonly string[] | undefined;
  /** Milliseconds from the first pending row to its commit. */
  readonly commitAfter: number;
  /** Called with the runs whose rows or state were committed. */
  readonly onCommit: (runs: readonly string[]) => void;
  /** The rows of one run cannot be written although the store works. They were dropped; other runs were committed. */
  readonly onRunFailure: (run: string, error: unknown) => void;
  /** Another process has taken a run. @param dropped number of pending steps that were lost */
  readonly onLeaseLost: (run: string, dropped: number) => void;
}

/** Pending values of a run that trigger a commit. */
const maxPendingValues = 50_000;

/** Max milliseconds that a commit and other changes wait for another process's lock. Both block the event loop; a failed commit is retried by a timer. */
const commitWait = 25;
const changeWait = 500;

interface Pending {
  summary?: RunSummary;
  evaluations: Evaluation[];
  events: RunEvent[];
  /** To call once this is committed. */
  after: (() => void)[];
}

export class Writer {
  readonly #db: Database;
  readonly #options: WriterOptions;
  readonly #series: SeriesWriter;
  readonly #seals: Seals;
  readonly #buffers = new Map<string, SeriesBuffer>();
  readonly #statements: ReturnType<typeof prepareRunStatements>;
  readonly #group: GroupCommit;
  readonly #heartbeat: NodeJS.Timeout;
  /** Lease numbers with which this process took runs. */
  readonly #leases = new Map<string, number>();
  #pending = new Map<string, Pending>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #outage: WriteOutage;
  #commitWait: number | undefined;
  #changeWait: number | undefined;

  constructor(db: Database, options: WriterOptions) {
    this.#db = db;
    this.#options = options;
    this.#outage = new WriteOutage(options);
    this.#series = new SeriesWriter(db);
    this.#seals = new Seals(db);
    this.#statements = prepareRunStatements(db);
    this.#group = new GroupCommit(db, (run) => this.#writePending(run));
    this.#heartbeat = setInterval(() => this.#beat(), options.beatEvery ?? beatEvery);
    this.#heartbeat.unref();
  }

  /** Shortens the waits for locks of other processes, once the store is open. @param max milliseconds */
  limitWaits(max: number): void {
    this.#commitWait = Math.min(max, commitWait);
    this.#changeWait = Math.min(max, changeWait);
    this.#db.pragma(`busy_timeout = ${this.#commitWait}`);
  }

  /** @throws StoreError when the store was opened only for reading */
  requireWritable(): void {
    const { path, readOnly } = this.#options;
    if (readOnly !== null) throw new StoreError(path, `${path} can only be read: ${readOnly}. To train or change anything, copy its folder to where you may write, and open that.`);
  }

  /** Creates a run owned by this process; committed when this returns. @param cell the run's cell in its study */
  createRun(run: RunSummary, cell: string | null = null): void {
    const owner = this.#owner();
    this.#now("create a run", () => {
      if (run.study !== null && this.#statements.inBin.get(run.study)) throw new ActiveError(`The study ${run.study} is in the bin; no run of it can be started.`);
      this.#statements.create.run({ ...identityParameters(run), ...progressParameters(run), cell, ...owner, heartbeatAt: Date.now() });
    });
    this.#leases.set(run.id, firstLease);
  }

  /** Creates the series of a run that has started; committed when this returns. */
  beginSeries(run: string, metrics: readonly string[], environment: Environment): void {
    const buffer = this.#whileOwned(run, "begin series", () => {
      this.#statements.environment.run(JSON.stringify(environment), run);
      return this.#series.begin(run, metrics);
    });
    this.#buffers.set(run, buffer);
  }

  /** Queues a run again that ended early, with this process as its owner. False when its status does not allow that. */
  requeueRun(run: RunSummary, seen: number | null = null): boolean {
    this.flush();
    const owner = this.#owner();
    const lease = this.#now("requeue a run", () => this.#statements.requeue.get({ ...progressParameters(run), ...owner, seen, heartbeatAt: Date.now() }));
    if (lease === undefined) return false;
    this.#leases.set(run.id, lease);
    return true;
  }

  /** Runs `work` in a transaction in which this process's lease on the run holds. Returns false without running it when another process has taken the run. */
  whileHeld(run: string, work: () => void): boolean {
    try {
      this.#whileOwned(run, "use a lease", work);
      return true;
    } catch (error) {
      if (error instanceof LeaseLostError) return false;
      throw error;
    }
  }

  /** Lease number with which this process took a run; 0 if it did not. */
  leaseOf(run: string): number {
    return this.#leases.get(run) ?? 0;
  }

  /** Continues a run's series and removes its evaluations after the steps `stale`. Returns the next step to log. */
  resumeSeries(run: string, metrics: readonly string[], stale: readonly number[], environment: Environment): number {
    // A run that goes on elsewhere begins again while rows of it are pending.
    if (this.#pending.has(run) && !this.flush()) throw notWritten(this.#options.path);
    const buffer = this.#whileOwned(run, "resume series", () => {
      const known = this.#series.resume(run, metrics);
      for (const step of stale) this.#seals.forgotten(run, this.#statements.forgetEvaluation.run(run, step).changes);
      return known;
    });
    if (!buffer) {
      this.beginSeries(run, metrics, environment);
      return 0;
    }
    this.#buffers.set(run, buffer);
    return buffer.nextStep;
  }

  /** Removes a run's steps from `step` on, and the evaluations and events after it. Its series goes on there. Committed when this returns. */
  cutBack(run: string, metrics: readonly string[], step: number): CutBack {
    if (!this.flush()) throw notWritten(this.#options.path);
    const { removed, buffer } = this.#whileOwned(run, "cut back a series", () => ({ removed: cutBack(this.#db, run, step), buffer: this.#series.resume(run, metrics) }));
    if (buffer) this.#buffers.set(run, buffer);
    return removed;
  }

  /**
   * Adds rows to the next commit.
   * @throws RangeError unless they continue the run's series.
   */
  appendRows(run: string, rows: StepRows): void {
    const buffer = this.#buffers.get(run);
    if (!buffer) throw new RangeError(`run ${run} has no series yet`);
    buffer.append(rows);
    this.#pendingOf(run);
    if (buffer.pendingValues >= maxPendingValues && !this.#outage.active) this.flush();
  }

  saveRun(run: RunSummary): void {
    this.#pendingOf(run.id).summary = run;
  }

  /** State of a run that waits for its commit. */
  pendingRun(run: string): RunSummary | undefined {
    return this.#pending.get(run)?.summary;
  }

  addEvaluation(run: string, evaluation: Evaluation): void {
    this.#pendingOf(run).evaluations.push(evaluation);
  }

  addEvent(run: string, event: RunEvent): void {
    this.#pendingOf(run).events.push(event);
  }

  /** Calls `act` once all that is pending for the run is committed; at once if nothing is. Never if that is dropped. */
  afterCommit(run: string, act: () => void): void {
    const pending = this.#pending.get(run);
    if (pending) pending.after.push(act);
    else act();
  }

  /** Changes the store at once, in its own transaction. */
  change<T>(what: string, work: () => T): T {
    this.#patiently(() => this.#options.hosts.register());
    return this.#now(what, work);
  }

  /** Commits pending writes. Returns false on failure, which is reported to `onFailure` and retried. */
  flush(): boolean {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size === 0 && !this.#outage.active) return true;
    try {
      this.#commit();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** Drops runs that another process has taken, including those without pending writes, such as paused ones. */
  dropLost(): void {
    const lost = [...this.#buffers.keys()].filter((run) => !this.#owns(run)).map((run) => [run, this.#drop(run)] as const);
    for (const [run, steps] of lost) this.#options.onLeaseLost(run, steps);
  }

  /** Commits pending writes and stops. @throws StoreError when they cannot be committed; it names the file that holds them */
  close(): void {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#timer);
    try {
      if (this.#pending.size > 0) this.#commit();
    } catch (error) {
      throw this.#spilled(explain(error, this.#options.path));
    }
  }

  /** Writes what is pending into a spill file. Returns the error to report. */
  #spilled(why: unknown): unknown {
    const { path } = this.#options;
    if (!(why instanceof StoreError)) return why;
    const runs = [...this.#pending.keys()].map((run) => this.#spilledRun(run));
    const steps = runs.reduce((sum, { rows }) => sum + rows.reduce((count, batch) => count + batch.count, 0), 0);
    const what = `What was not written (${plural(steps, "step")} of ${plural(runs.length, "run")})`;
    try {
      const file = writeSpill(path, runs, this.#options.spillFolders ?? spillFolders(path));
      return new StoreError(path, `${why.message} ${what} is in ${file}; it is added to the store when that is next opened.`, { cause: why.cause });
    } catch (error) {
      return new StoreError(path, `${why.message} ${what} is lost, for no folder could hold it: ${messageOf(error)}.`, { cause: why.cause });
    }
  }

  #spilledRun(run: string): SpilledRun & { rows: readonly SpilledRows[] } {
    const { summary, evaluations, events } = this.#pending.get(run)!;
    const lease = { token: this.#options.hosts.token, lease: this.leaseOf(run) };
    return { run, ...lease, progress: summary ? progressParameters(summary) : null, evaluations, events, rows: this.#buffers.get(run)?.rows ?? [] };
  }

  /** A run's pending writes; schedules their commit. */
  #pendingOf(run: string): Pending {
    this.#timer ??= setTimeout(() => this.flush(), this.#options.commitAfter);
    let pending = this.#pending.get(run);
    if (!pending) this.#pending.set(run, (pending = { evaluations: [], events: [], after: [] }));
    return pending;
  }

  #commit(): void {
    // Without pending rows, a beat shows whether the store can be written again.
    if (this.#pending.size === 0) {
      this.#options.hosts.register();
      this.#options.hosts.beat();
    }
    const { written, lost, failed } = this.#measured("commit", () => this.#group.commit([...this.#pending.keys()], (run) => this.#committed(run)));
    for (const run of written) this.#committed(run);
    const dropped = lost.map((run) => [run, this.#drop(run)] as const);
    for (const [run] of failed) this.#drop(run);
    this.#options.onCommit(written);
    for (const [run, steps] of dropped) this.#options.onLeaseLost(run, steps);
    for (const [run, error] of failed) this.#options.onRunFailure(run, explain(error, this.#options.path));
    this.#outage.ended();
  }

  #committed(run: string): void {
    const { summary, after = [] } = this.#pending.get(run) ?? {};
    this.#pending.delete(run);
    this.#buffers.get(run)?.clear();
    if (summary && !isActive(summary.status)) this.#buffers.delete(run);
    for (const act of after) act();
  }

  /** Drops a run's pending writes and its series buffer. Returns the number of dropped steps. */
  #drop(run: string): number {
    const steps = this.#buffers.get(run)?.rows.reduce((sum, { count }) => sum + count, 0) ?? 0;
    this.#pending.delete(run);
    this.#buffers.delete(run);
    return steps;
  }

  #failed(failure: unknown): void {
    // While the store is being opened, the caller reports the failure.
    if (this.#commitWait === undefined) return;
    const error = failure instanceof StoreError ? failure.cause : failure;
    const values = [...this.#buffers.values()].reduce((sum, { pendingValues }) => sum + pendingValues, 0);
    const retryAfter = this.#outage.failed(error, explain(error, this.#options.path), values);
    clearTimeout(this.#timer);
    this.#timer = this.#closed ? undefined : setTimeout(() => this.flush(), retryAfter);
  }

  /** Writes a run's pending rows. Call within a transaction. False when another process has taken the run. */
  #writePending(run: string): boolean {
    if (!this.#owns(run)) return false;
    const heartbeatAt = Date.now();
    const { summary, evaluations, events } = this.#pending.get(run)!;
    const buffer = this.#buffers.get(run);
    if (buffer) this.#series.write(buffer);
    if (summary) this.#statements.progress.run({ ...progressParameters(summary), heartbeatAt });
    for (const evaluation of evaluations) {
      const row = [run, evaluation.step, heartbeatAt, evaluation.epoch, ...measureNames.map((name) => finite(evaluation[name] ?? null))] as const;
      this.#statements.evaluation.run(...row, rowChecksum(row));
    }
    for (const { at, step, kind, message } of events) this.#statements.event.run(run, at, step, kind, message, rowChecksum([run, at, step, kind, message]));
    this.#seals.seal();
    return true;
  }

  #owns(run: string): boolean {
    return this.#statements.holds.get(run, this.#options.hosts.token, this.leaseOf(run)) !== undefined;
  }

  /** @throws LeaseLostError when another process has taken the run */
  #whileOwned<T>(run: string, what: string, work: () => T): T {
    return this.#now(what, () => {
      if (!this.#owns(run)) throw new LeaseLostError(`Run ${run}`);
      return work();
    });
  }

  #now<T>(what: string, work: () => T): T {
    return this.#patiently(() => this.#measured(what, this.#db.transaction(() => this.#sealed(work())).immediate));
  }

  #owner(): ReturnType<Hosts["owner"]> {
    return this.#patiently(() => this.#options.hosts.owner());
  }

  /** Waits longer for a lock than a commit does, unless the store could not be written the last time. @throws StoreError */
  #patiently<T>(write: () => T): T {
    this.requireWritable();
    const waits = this.#changeWait !== undefined && !this.#outage.active;
    try {
      if (waits) this.#db.pragma(`busy_timeout = ${this.#changeWait}`);
      return write();
    } catch (error) {
      if (isStoreFailure(error instanceof StoreError ? error.cause : error)) this.#failed(error);
      throw explain(error, this.#options.path);
    } finally {
      if (waits) this.#db.pragma(`busy_timeout = ${this.#commitWait}`);
    }
  }

  #sealed<T>(result: T): T {
    this.#seals.seal();
    return result;
  }

  #measured<T>(what: string, work: () => T): T {
    return measured(this.#options.log, this.#options.slowAfter, what, work);
  }

  #beat(): void {
    try {
      this.#options.hosts.beat();
    } catch (error) {
      const explained = explain(error, this.#options.path);
      if (!(explained instanceof StoreError)) throw explained;
      this.#options.log.warn(`store: the beat of this process could not be written: ${explained.message}`);
    }
  }
}
