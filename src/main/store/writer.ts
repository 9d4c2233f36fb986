/**
 * The single writer of this process, with group commit: what runs report is
 * held for a moment and committed together, so that a durable commit (WAL,
 * synchronous = FULL) costs little however fast the steps come.
 */
import type { Database } from "better-sqlite3";
import { isActive, type Environment, type Evaluation, type RunEvent, type RunSummary } from "../../shared/run.ts";
import { explain, LeaseLostError, StoreError } from "./errors.ts";
import { finite } from "./finite.ts";
import { GroupCommit } from "./groupCommit.ts";
import { beatEvery, type Hosts } from "./hosts.ts";
import { measured, type Log } from "./log.ts";
import { identityParameters, measureNames, progressParameters } from "./runRows.ts";
import { firstLease, prepareRunStatements } from "./runStatements.ts";
import { SeriesBuffer, SeriesWriter, type StepRows } from "./seriesWriter.ts";

export interface WriterOptions {
  readonly path: string;
  readonly hosts: Hosts;
  readonly log: Log;
  readonly slowAfter: number;
  /** Milliseconds between two beats of this process. */
  readonly beatEvery?: number | undefined;
  /** Milliseconds from the first waiting row to its commit. */
  readonly commitAfter: number;
  /** Runs whose rows or state were just committed. */
  readonly onCommit: (runs: readonly string[]) => void;
  /** The store cannot be written; everything is kept and tried again. Called once until a commit succeeds. */
  readonly onFailure: (error: unknown) => void;
  /** What one run logged cannot be written, whatever the store's state. It was dropped; other runs were committed. */
  readonly onRunFailure: (run: string, error: unknown) => void;
  /** Another process has taken a run. What waited of it was dropped: so many steps. */
  readonly onLeaseLost: (run: string, dropped: number) => void;
}

/** Values that wait at most before they are committed at once. */
const manyValues = 50_000;

/** Pause before a failed commit is tried again. */
const retryAfter = 1_000;

interface Waiting {
  summary?: RunSummary;
  evaluations: Evaluation[];
  events: RunEvent[];
}

export class Writer {
  readonly #db: Database;
  readonly #options: WriterOptions;
  readonly #series: SeriesWriter;
  readonly #buffers = new Map<string, SeriesBuffer>();
  readonly #statements: ReturnType<typeof prepareRunStatements>;
  readonly #group: GroupCommit;
  readonly #heartbeat: NodeJS.Timeout;
  /** Epochs of the leases that this process has taken. */
  readonly #leases = new Map<string, number>();
  #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #failing = false;

  constructor(db: Database, options: WriterOptions) {
    this.#db = db;
    this.#options = options;
    this.#series = new SeriesWriter(db);
    this.#statements = prepareRunStatements(db);
    this.#group = new GroupCommit(db, (run) => this.#writeWaiting(run));
    this.#heartbeat = setInterval(() => this.#beat(), options.beatEvery ?? beatEvery);
    this.#heartbeat.unref();
  }

  /** Creates a run owned by this process, in its study at `cell`; committed when this returns. */
  createRun(run: RunSummary, cell: string | null = null): void {
    const owner = this.#options.hosts.owner();
    this.#now("create a run", () => {
      this.#statements.create.run({ ...identityParameters(run), ...progressParameters(run), cell, ...owner, heartbeatAt: Date.now() });
    });
    this.#leases.set(run.id, firstLease);
  }

  /** Creates the series of a run that has started; committed when this returns. */
  beginSeries(run: string, metrics: readonly string[], environment: Environment): void {
    const ids = this.#holding(run, "begin series", () => {
      this.#statements.environment.run(JSON.stringify(environment), run);
      return this.#series.define(run, metrics);
    });
    this.#buffers.set(run, new SeriesBuffer(ids));
  }

  /** Queues a run again that has ended before its end, owned by this process. False when it is in no state for that. */
  requeueRun(run: RunSummary): boolean {
    this.flush();
    const owner = this.#options.hosts.owner();
    const lease = this.#now("requeue a run", () => this.#statements.requeue.get({ ...progressParameters(run), ...owner, heartbeatAt: Date.now() }));
    if (lease === undefined) return false;
    this.#leases.set(run.id, lease);
    return true;
  }

  /** Does what must not be done for a run of another process: `work` runs in a transaction in which the lease holds. False where it does not. */
  whileHeld(run: string, work: () => void): boolean {
    try {
      this.#holding(run, "use a lease", work);
      return true;
    } catch (error) {
      if (error instanceof LeaseLostError) return false;
      throw error;
    }
  }

  /** The number of times a run had been taken when this process took it. */
  leaseOf(run: string): number {
    return this.#leases.get(run) ?? 0;
  }

  /** Goes on with the series of a run, without its evaluations after step `evaluated`. Returns the next step to log. */
  resumeSeries(run: string, metrics: readonly string[], evaluated: number | null, environment: Environment): number {
    const buffer = this.#holding(run, "resume series", () => {
      const known = this.#series.resume(run, metrics);
      this.#statements.forgetEvaluations.run(run, evaluated ?? -1);
      return known;
    });
    if (!buffer) {
      this.beginSeries(run, metrics, environment);
      return 0;
    }
    this.#buffers.set(run, buffer);
    return buffer.nextStep;
  }

  /**
   * Takes rows for the next commit.
   * @throws RangeError unless they continue the run's series.
   */
  appendRows(run: string, rows: StepRows): void {
    const buffer = this.#buffers.get(run);
    if (!buffer) throw new RangeError(`run ${run} has no series yet`);
    buffer.append(rows);
    this.#await(run);
    if (buffer.pendingValues >= manyValues && !this.#failing) this.flush();
  }

  saveRun(run: RunSummary): void {
    this.#await(run.id).summary = run;
  }

  addEvaluation(run: string, evaluation: Evaluation): void {
    this.#await(run).evaluations.push(evaluation);
  }

  addEvent(run: string, event: RunEvent): void {
    this.#await(run).events.push(event);
  }

  /** Changes the store at once, in a transaction of its own. */
  change<T>(what: string, work: () => T): T {
    this.#options.hosts.register();
    return this.#now(what, work);
  }

  /** Commits what waits. Returns whether nothing waits any more; a failure is reported to `onFailure` and tried again. */
  flush(): boolean {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) return true;
    try {
      this.#commit();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** Drops the runs that another process has taken, also those that have nothing to write, such as paused ones. */
  dropLost(): void {
    const lost = [...this.#buffers.keys()].filter((run) => !this.#holds(run)).map((run) => [run, this.#dropped(run)] as const);
    for (const [run, steps] of lost) this.#options.onLeaseLost(run, steps);
  }

  /** @throws StoreError when what waits cannot be committed; it is lost then. */
  close(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#timer);
    try {
      if (this.#waiting.size > 0) this.#commit();
    } catch (error) {
      throw explain(error, this.#options.path);
    }
  }

  #await(run: string): Waiting {
    this.#timer ??= setTimeout(() => this.flush(), this.#failing ? retryAfter : this.#options.commitAfter);
    let waiting = this.#waiting.get(run);
    if (!waiting) this.#waiting.set(run, (waiting = { evaluations: [], events: [] }));
    return waiting;
  }

  #commit(): void {
    const { written, lost, failed } = this.#measured("commit", () => this.#group.commit([...this.#waiting.keys()], (run) => this.#committed(run)));
    this.#failing = false;
    for (const run of written) this.#committed(run);
    const dropped = lost.map((run) => [run, this.#dropped(run)] as const);
    for (const [run] of failed) this.#dropped(run);
    this.#options.onCommit(written);
    for (const [run, steps] of dropped) this.#options.onLeaseLost(run, steps);
    for (const [run, error] of failed) this.#options.onRunFailure(run, explain(error, this.#options.path));
  }

  #committed(run: string): void {
    const summary = this.#waiting.get(run)?.summary;
    this.#waiting.delete(run);
    this.#buffers.get(run)?.clear();
    if (summary && !isActive(summary.status)) this.#buffers.delete(run);
  }

  /** Forgets what waits of a run, and its series. Returns how many steps waited. */
  #dropped(run: string): number {
    const steps = this.#buffers.get(run)?.rows.reduce((sum, { count }) => sum + count, 0) ?? 0;
    this.#waiting.delete(run);
    this.#buffers.delete(run);
    return steps;
  }

  #failed(error: unknown): void {
    this.#timer = setTimeout(() => this.flush(), retryAfter);
    if (this.#failing) return;
    this.#failing = true;
    this.#options.onFailure(explain(error, this.#options.path));
  }

  /** Writes what waits of a run, within a transaction; false when another process has taken it. */
  #writeWaiting(run: string): boolean {
    if (!this.#holds(run)) return false;
    const heartbeatAt = Date.now();
    const { summary, evaluations, events } = this.#waiting.get(run)!;
    const buffer = this.#buffers.get(run);
    if (buffer) this.#series.write(buffer);
    if (summary) this.#statements.progress.run({ ...progressParameters(summary), heartbeatAt });
    for (const one of evaluations) {
      this.#statements.evaluation.run(run, one.step, heartbeatAt, one.epoch, ...measureNames.map((name) => finite(one[name] ?? null)));
    }
    for (const { at, step, kind, message } of events) this.#statements.event.run(run, at, step, kind, message);
    return true;
  }

  #holds(run: string): boolean {
    return this.#statements.holds.get(run, this.#options.hosts.token, this.leaseOf(run)) !== undefined;
  }

  /** @throws LeaseLostError when another process has taken the run */
  #holding<T>(run: string, what: string, work: () => T): T {
    return this.#now(what, () => {
      if (!this.#holds(run)) throw new LeaseLostError(`Run ${run}`);
      return work();
    });
  }

  #now<T>(what: string, work: () => T): T {
    try {
      return this.#measured(what, this.#db.transaction(work).immediate);
    } catch (error) {
      throw explain(error, this.#options.path);
    }
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
