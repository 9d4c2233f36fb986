/** Table of studies: their definitions, states and the runs of their cells. */
import type { Database, Statement } from "better-sqlite3";
import { z } from "zod";
import { hyperparameterValue, runStatus, type Evaluation } from "../../shared/run.ts";
import { ActiveError, LeaseLostError } from "./errors.ts";
import type { Log } from "./log.ts";
import { ownerColumns, type Hosts, type IsGone, type LeaseOwner } from "./hosts.ts";
import { pyramidWidths } from "./pyramid.ts";
import { evaluationColumns, json, toEvaluation } from "./runRows.ts";
import { insertStudy, readStudy, storedStudy, studyColumns, unreadableStudy, type StoredStudy } from "./studyRows.ts";
import { changeTags } from "./tagRows.ts";
import { trainedParameters } from "./trainedRows.ts";
import type { Writer } from "./writer.ts";

const yesOrNo = z.number().transform((value) => value !== 0);

/** State of a cell's latest run. */
const cellState = z.object({ cell: z.string(), run: z.string(), status: runStatus, pruned: yesOrNo, deleted: yesOrNo, attempts: z.number() });
export type CellState = z.infer<typeof cellState>;

const cellRun = cellState.extend({
  reason: z.string().nullable(),
  steps: z.number(),
  totalSteps: z.number(),
  hyperparameters: json(z.array(hyperparameterValue)),
});
/** Latest run of a cell with its results. */
export interface CellRun extends z.infer<typeof cellRun> {
  readonly evaluations: readonly Evaluation[];
  /** Mean step time in milliseconds; null if unknown. */
  readonly stepTime: number | null;
}

/** With max(), SQLite takes a group's other columns from the row with the maximum. */
const stateColumns = `max(rowid), cell, id AS run, status, pruned, deleted_at IS NOT NULL AS deleted, count(*) AS attempts`;
const perCell = `FROM runs WHERE study = ? GROUP BY cell`;

export interface StudiesOptions {
  readonly path: string;
  readonly hosts: Hosts;
  readonly log: Log;
  readonly read: <T>(what: string, work: () => T) => T;
  readonly write: Pick<Writer, "change" | "flush">;
}

export type { StoredStudy } from "./studyRows.ts";

export class StudyTable {
  readonly #options: StudiesOptions;
  readonly #reader: Database;
  readonly #writer: Database;
  readonly #states: Statement<[string], unknown>;
  readonly #runs: Statement<[string], unknown>;
  readonly #run: Statement<[string], unknown>;
  readonly #evaluationsOf: Statement<[string], Evaluation>;
  readonly #evaluations: Statement<[string], Evaluation & { run: string }>;
  readonly #stepTimeMetric: Statement<[string], number>;
  readonly #buckets: Statement<[number, number], { count: number; sum: number | null }>;
  readonly #values: Statement<[number], number | null>;
  /** Lease numbers with which this process took studies. */
  readonly #leases = new Map<string, number>();

  constructor({ writer, reader }: { writer: Database; reader: Database }, options: StudiesOptions) {
    this.#options = options;
    this.#reader = reader;
    this.#writer = writer;
    this.#states = reader.prepare(`SELECT ${stateColumns} ${perCell}`);
    const runColumns = `${stateColumns}, reason, steps, total_steps AS totalSteps, hyperparameters`;
    this.#runs = reader.prepare(`SELECT ${runColumns} ${perCell}`);
    this.#run = reader.prepare(`SELECT ${runColumns} FROM runs WHERE study IS NOT NULL AND (study, cell) = (SELECT study, cell FROM runs WHERE id = ?) GROUP BY cell`);
    this.#evaluationsOf = reader.prepare(`SELECT ${evaluationColumns} FROM evaluations WHERE run = ? ORDER BY step`);
    this.#evaluations = reader.prepare(
      `SELECT run, ${evaluationColumns} FROM evaluations WHERE run IN (SELECT id FROM runs WHERE study = ?) ORDER BY run, step`,
    );
    this.#stepTimeMetric = reader.prepare<[string], number>("SELECT id FROM metrics WHERE run = ? AND name = 'stepTime'").pluck();
    this.#buckets = reader.prepare("SELECT sum(count - non_finite) AS count, sum(sum) AS sum FROM buckets WHERE metric = ? AND width = ?");
    this.#values = reader.prepare<[number], number | null>("SELECT avg(value) FROM series_values WHERE metric = ?").pluck();
  }

  /** Studies, newest first. Unreadable rows are logged and skipped. */
  list(deleted: boolean): StoredStudy[] {
    const rows = this.#options.read("list of studies", () =>
      this.#reader.prepare(`SELECT ${studyColumns} FROM studies WHERE (deleted_at IS NOT NULL) = ? ORDER BY created_at DESC, id DESC`).all(deleted ? 1 : 0),
    );
    return rows.flatMap((row) => {
      const parsed = storedStudy.safeParse(row);
      if (parsed.success) return [parsed.data];
      this.#options.log.error(unreadableStudy(this.#options.path, row, parsed.error).message, parsed.error);
      return [];
    });
  }

  /** @throws StoreError when the study exists but cannot be read */
  get(id: string): StoredStudy | undefined {
    return this.#options.read(`study ${id}`, () => readStudy(this.#reader, this.#options.path, id));
  }

  /** State of the latest run of every cell that has one. */
  states(study: string): CellState[] {
    return this.#options.read(`states of study ${study}`, () => this.#states.all(study).map((row) => cellState.parse(row)));
  }

  /** Latest run of every cell that has one, with results. */
  runs(study: string): CellRun[] {
    return this.#options.read(`runs of study ${study}`, () =>
      this.#reader.transaction(() => {
        const evaluations = new Map<string, Evaluation[]>();
        for (const { run, ...rest } of this.#evaluations.all(study)) {
          const known = evaluations.get(run);
          if (known) known.push(toEvaluation(rest));
          else evaluations.set(run, [toEvaluation(rest)]);
        }
        return this.#runs.all(study).map((row) => this.#cellRun(row, evaluations.get((row as { run: string }).run) ?? []));
      })(),
    );
  }

  /** One run of a study. */
  run(id: string): CellRun | undefined {
    return this.#options.read(`run ${id} of its study`, () =>
      this.#reader.transaction(() => {
        const row = this.#run.get(id);
        return row === undefined ? undefined : this.#cellRun(row, this.#evaluationsOf.all(id).map(toEvaluation));
      })(),
    );
  }

  /** Creates a study owned by this process; committed when this returns. */
  create(created: StoredStudy): void {
    const owner = this.#options.hosts.owner();
    this.#change("create a study", () => {
      insertStudy(this.#writer, created, { ...owner, now: Date.now() });
    });
    this.#leases.set(created.id, 1);
  }

  /** How often the study was taken. Read it before the study, and pass it to `take()`. */
  epoch(id: string): number {
    return this.#options.read(`study ${id}`, () => this.#reader.prepare<[string], number>("SELECT lease FROM studies WHERE id = ?").pluck().get(id) ?? 0);
  }

  /** Whether this process was the last to take the study. */
  isLatestTaker(id: string): boolean {
    return this.#leases.get(id) === this.epoch(id);
  }

  /**
   * Takes a study that no process trains, as running: of several processes that ask with one epoch, only one gets it.
   * Committed when this returns. False when it is being trained, was taken since the epoch, or is in the bin.
   */
  take(id: string, epoch: number): boolean {
    const owner = this.#options.hosts.owner();
    const lease = this.#change("take a study", () =>
      this.#writer
        .prepare<[unknown], number>(
          `UPDATE studies SET lease = lease + 1, status = 'running', owner_pid = @ownerPid, owner_host = @ownerHost, owner_token = @ownerToken, heartbeat_at = @now
           WHERE id = @id AND lease = @epoch AND status NOT IN ('running', 'paused') AND deleted_at IS NULL RETURNING lease`,
        )
        .pluck()
        .get({ id, epoch, now: Date.now(), ...owner }),
    );
    if (lease === undefined) return false;
    this.#leases.set(id, lease);
    return true;
  }

  /** Gives back a study that was taken and could not be started. */
  release(id: string, status: StoredStudy["status"]): void {
    this.#change("release a study", () =>
      this.#writer.prepare("UPDATE studies SET status = ? WHERE id = ? AND owner_token = ? AND lease = ?").run(status, id, this.#options.hosts.token, this.#leases.get(id) ?? 0),
    );
  }

  /**
   * Writes the state of a study that this process owns, except its name and deletion.
   * @throws LeaseLostError when another process has taken it
   */
  save(saved: StoredStudy): void {
    this.#change("save a study", () => {
      const { changes } = this.#writer
        .prepare(
          `UPDATE studies SET status = @status, reason = @reason, started_at = @startedAt, finished_at = @finishedAt,
             trained_ms = @trainedMs, trained_from = @trainedFrom, running_since = @runningSince, total = @total,
             workers = @workers, definition = @definition, heartbeat_at = @now
           WHERE id = @id AND owner_token = @token AND lease = @lease`,
        )
        .run({ ...saved, ...trainedParameters(saved), definition: JSON.stringify(saved.study), token: this.#options.hosts.token, lease: this.#leases.get(saved.id) ?? 0, now: Date.now() });
      if (changes === 0) throw new LeaseLostError(`The study ${saved.name} (${saved.id})`);
    });
  }

  rename(id: string, name: string): void {
    this.#change("rename a study", () => this.#writer.prepare("UPDATE studies SET name = ? WHERE id = ?").run(name, id));
  }

  /** Adds and removes tags of studies: of all of them, or none. @throws TooManyTags */
  tag(ids: readonly string[], add: readonly string[], remove: readonly string[]): void {
    this.#change("tag studies", () => changeTags(this.#writer, "studies", ids, add, remove));
  }

  /**
   * Moves studies to the bin, with or without their runs. Nothing is erased.
   * @throws ActiveError when one of them, or a run to be moved, is being trained; nothing is moved then
   */
  moveToBin(ids: readonly string[], at: number, withRuns: boolean): void {
    type Active = { readonly id: string; readonly name: string; readonly status: string };
    const study = this.#writer.prepare<[string], Active>("SELECT id, name, status FROM studies WHERE id = ? AND status IN ('running', 'paused')");
    const run = this.#writer.prepare<[string], Active>("SELECT id, name, status FROM runs WHERE study = ? AND status IN ('queued', 'running', 'paused') LIMIT 1");
    this.#options.write.flush();
    this.#change("move studies to the bin", () => {
      for (const id of ids) {
        const active = study.get(id);
        if (active) throw new ActiveError(`The study ${active.name} (${id}) is ${active.status}; stop it before deleting it.`);
        const trained = withRuns ? run.get(id) : undefined;
        if (trained) throw new ActiveError(`Run ${trained.name} (${trained.id}) of the study ${id} is ${trained.status}; stop it before deleting it.`);
        this.#writer.prepare("UPDATE studies SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL").run(at, id);
        if (withRuns) this.#writer.prepare("UPDATE runs SET deleted_at = ? WHERE study = ? AND deleted_at IS NULL").run(at, id);
      }
    });
  }

  /** Restores studies, with the runs that were moved to the bin together with them. */
  restore(ids: readonly string[]): void {
    this.#change("restore studies", () => {
      for (const id of ids) {
        this.#writer.prepare("UPDATE runs SET deleted_at = NULL WHERE study = @id AND deleted_at = (SELECT deleted_at FROM studies WHERE id = @id)").run({ id });
        this.#writer.prepare("UPDATE studies SET deleted_at = NULL WHERE id = ?").run(id);
      }
    });
  }

  /** Marks a run as pruned by successive halving, or clears that mark. */
  markPruned(run: string, pruned: boolean): void {
    this.#change("mark a pruned run", () => this.#writer.prepare("UPDATE runs SET pruned = ? WHERE id = ?").run(pruned ? 1 : 0, run));
  }

  /** Marks active studies whose process has ended as interrupted. Returns their ids. */
  markInterrupted(isGone: IsGone): string[] {
    type Row = LeaseOwner & { readonly id: string; readonly heartbeatAt: number | null };
    const active = this.#writer.prepare<[], Row>(`SELECT id, ${ownerColumns}, heartbeat_at AS heartbeatAt FROM studies WHERE status IN ('running', 'paused')`);
    // The last write of its runs ends its training time.
    const interrupt = this.#writer.prepare<[string, number, string]>(
      `UPDATE studies SET status = 'interrupted', reason = ?, finished_at = ?, running_since = NULL,
         trained_ms = trained_ms + max(0, coalesce((SELECT max(heartbeat_at) FROM runs WHERE study = studies.id) - running_since, 0))
       WHERE id = ?`,
    );
    return this.#change("mark interrupted studies", () =>
      active.all().filter(isGone).map(({ id, pid, heartbeatAt }) => {
        const reason = `The process that trained it${pid === null ? "" : ` (pid ${pid})`} ended before the study did.`;
        interrupt.run(reason, heartbeatAt ?? Date.now(), id);
        return id;
      }),
    );
  }

  #cellRun(row: unknown, evaluations: readonly Evaluation[]): CellRun {
    const parsed = cellRun.parse(row);
    return { ...parsed, evaluations, stepTime: this.#stepTime(parsed.run) };
  }

  /** Mean from finished buckets, which cover nearly all steps in a few rows. */
  #stepTime(run: string): number | null {
    const metric = this.#stepTimeMetric.get(run);
    if (metric === undefined) return null;
    const [narrowest, next, ...wider] = pyramidWidths;
    // A thinned run has only wider ones.
    for (const width of [next!, narrowest!, ...wider]) {
      const found = this.#buckets.get(metric, width);
      if (found && found.count > 0 && found.sum !== null) return found.sum / found.count;
    }
    return this.#values.get(metric) ?? null;
  }

  #change<T>(what: string, work: () => T): T {
    return this.#options.write.change(what, work);
  }
}
