/**
 * The single writer of this process, with group commit: what runs report is
 * held for a moment and committed together, so that a durable commit (WAL,
 * synchronous = FULL) costs little however fast the steps come.
 */
import type { Database, Statement } from "better-sqlite3";
import { isActive, resumableStatuses, type Environment, type Evaluation, type RunEvent, type RunSummary } from "../../shared/run.ts";
import { explain, StoreError } from "./errors.ts";
import { finite } from "./finite.ts";
import { measured, type Log } from "./log.ts";
import { heartbeatEvery, type Owner } from "./ownership.ts";
import { identityParameters, measureColumns, measureNames, progressAssignments, progressParameters } from "./runRows.ts";
import { SeriesBuffer, SeriesWriter, type StepRows } from "./seriesWriter.ts";

export interface WriterOptions {
  readonly path: string;
  readonly owner: Owner;
  readonly log: Log;
  readonly slowAfter: number;
  /** Milliseconds from the first waiting row to its commit. */
  readonly commitAfter: number;
  /** Runs whose rows or state were just committed. */
  readonly onCommit: (runs: readonly string[]) => void;
  /** A commit failed; everything is kept and tried again. Called once until a commit succeeds. */
  readonly onFailure: (error: unknown) => void;
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
  readonly #statements: ReturnType<typeof prepare>;
  readonly #write: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #failing = false;

  constructor(db: Database, options: WriterOptions) {
    this.#db = db;
    this.#options = options;
    this.#series = new SeriesWriter(db);
    this.#statements = prepare(db);
    this.#write = db.transaction(() => this.#writeWaiting()).immediate;
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatEvery);
    this.#heartbeat.unref();
  }

  /** Creates a run owned by this process, in its study at `cell`; committed when this returns. */
  createRun(run: RunSummary, cell: string | null = null): void {
    const { owner } = this.#options;
    this.#now("create a run", () => {
      this.#statements.create.run({
        ...identityParameters(run),
        ...progressParameters(run),
        cell,
        ...ownerParameters(owner),
        heartbeatAt: Date.now(),
      });
    });
  }

  /** Creates the series of a run that has started; committed when this returns. */
  beginSeries(run: string, metrics: readonly string[], environment: Environment): void {
    const ids = this.#now("begin series", () => {
      this.#statements.environment.run(JSON.stringify(environment), run);
      return this.#series.define(run, metrics);
    });
    this.#buffers.set(run, new SeriesBuffer(ids));
  }

  /** Queues a run again that has ended before its end, owned by this process. False when it is in no state for that. */
  takeUpRun(run: RunSummary): boolean {
    this.flush();
    return this.#now("take up a run", () => {
      const { changes } = this.#statements.takeUp.run({ ...progressParameters(run), ...ownerParameters(this.#options.owner), heartbeatAt: Date.now() });
      return changes === 1;
    });
  }

  /** Goes on with the series of a run, without its evaluations after step `evaluated`. Returns the next step to log. */
  resumeSeries(run: string, metrics: readonly string[], evaluated: number | null, environment: Environment): number {
    const buffer = this.#now("resume series", () => {
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

  /** @throws StoreError when what waits cannot be committed; it is lost then. */
  close(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#timer);
    if (this.#waiting.size === 0) return;
    try {
      this.#commit();
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
    this.#measured("commit", this.#write);
    const runs = [...this.#waiting.keys()];
    for (const [run, { summary }] of this.#waiting) {
      this.#buffers.get(run)?.clear();
      if (summary && !isActive(summary.status)) this.#buffers.delete(run);
    }
    this.#waiting = new Map();
    this.#failing = false;
    this.#options.onCommit(runs);
  }

  #failed(error: unknown): void {
    this.#timer = setTimeout(() => this.flush(), retryAfter);
    if (this.#failing) return;
    this.#failing = true;
    this.#options.onFailure(explain(error, this.#options.path));
  }

  #writeWaiting(): void {
    const heartbeatAt = Date.now();
    for (const [run, { summary, evaluations, events }] of this.#waiting) {
      const buffer = this.#buffers.get(run);
      if (buffer) this.#series.write(buffer);
      if (summary) {
        this.#statements.progress.run({ ...progressParameters(summary), ...ownerParameters(this.#options.owner), heartbeatAt });
      }
      for (const one of evaluations) {
        this.#statements.evaluation.run(run, one.step, heartbeatAt, one.epoch, ...measureNames.map((name) => finite(one[name] ?? null)));
      }
      for (const { at, step, kind, message } of events) this.#statements.event.run(run, at, step, kind, message);
    }
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
      for (const statement of [this.#statements.heartbeat, this.#statements.studyHeartbeat]) statement.run(Date.now(), this.#options.owner.token);
    } catch (error) {
      const explained = explain(error, this.#options.path);
      if (!(explained instanceof StoreError)) throw explained;
      this.#options.log.warn(`store: heartbeat not written: ${explained.message}`);
    }
  }
}

function ownerParameters({ pid, host, token }: Owner) {
  return { ownerPid: pid, ownerHost: host, ownerToken: token };
}

function prepare(db: Database) {
  type EvaluationParameters = [string, number, number, number, ...(number | null)[]];
  const evaluation: Statement<EvaluationParameters> = db.prepare(
    `INSERT OR REPLACE INTO evaluations (run, step, at, epoch, ${Object.values(measureColumns).join(", ")}) VALUES (?, ?, ?, ?${", ?".repeat(measureNames.length)})`,
  );
  return {
    create: db.prepare(
      `INSERT INTO runs (id, name, stack, seed, engine, experiment, created_at, status, reason, device, started_at,
         finished_at, steps, total_steps, epoch, samples_per_second, seconds_left, loss, test_error, evaluation, hyperparameters,
         owner_pid, owner_host, owner_token, heartbeat_at, study, cell)
       VALUES (@id, @name, @stack, @seed, @engine, @experiment, @createdAt, @status, @reason, @device, @startedAt,
         @finishedAt, @steps, @totalSteps, @epoch, @samplesPerSecond, @secondsLeft, @loss, @testError, @evaluation, @hyperparameters,
         @ownerPid, @ownerHost, @ownerToken, @heartbeatAt, @study, @cell)`,
    ),
    progress: db.prepare(
      `UPDATE runs SET ${progressAssignments}, owner_pid = @ownerPid, owner_host = @ownerHost,
         owner_token = @ownerToken, heartbeat_at = @heartbeatAt WHERE id = @id`,
    ),
    takeUp: db.prepare(
      `UPDATE runs SET ${progressAssignments}, owner_pid = @ownerPid, owner_host = @ownerHost, owner_token = @ownerToken,
         heartbeat_at = @heartbeatAt WHERE id = @id AND status IN (${resumableStatuses.map((status) => `'${status}'`).join(", ")})`,
    ),
    forgetEvaluations: db.prepare<[string, number]>("DELETE FROM evaluations WHERE run = ? AND step > ?"),
    environment: db.prepare<[string, string]>("UPDATE runs SET environment = ? WHERE id = ?"),
    evaluation,
    event: db.prepare<[string, number, number, string, string]>(
      "INSERT INTO run_events (run, at, step, kind, message) VALUES (?, ?, ?, ?, ?)",
    ),
    heartbeat: db.prepare<[number, string]>(
      `UPDATE runs SET heartbeat_at = ? WHERE owner_token = ? AND status IN ('queued', 'running', 'paused')`,
    ),
    studyHeartbeat: db.prepare<[number, string]>(`UPDATE studies SET heartbeat_at = ? WHERE owner_token = ? AND status IN ('running', 'paused')`),
  };
}
