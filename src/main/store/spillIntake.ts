/** Takes spill files into the store when it is opened. Safe to repeat: rows, evaluations and events that the store has are skipped. */
import { renameSync, rmSync } from "node:fs";
import type { Database } from "better-sqlite3";
import { messageOf } from "../../shared/errors.ts";
import { isActive } from "../../shared/run.ts";
import { plural } from "../../shared/text.ts";
import { isStoreFailure } from "./errors.ts";
import { rowChecksum } from "./checksums.ts";
import { finite } from "./finite.ts";
import type { Log } from "./log.ts";
import { measureNames } from "./runRows.ts";
import { prepareRunStatements } from "./runStatements.ts";
import { Seals } from "./seals.ts";
import { SeriesWriter, type SeriesBuffer } from "./seriesWriter.ts";
import { readSpill, type Spill, type SpilledRows } from "./spillFile.ts";

type Run = Spill["runs"][number];

interface Row {
  readonly token: string | null;
  readonly lease: number;
  readonly status: Parameters<typeof isActive>[0];
  readonly reason: string | null;
  readonly finishedAt: number | null;
}

/** Ending of a spill file that could not be taken in completely. It is kept until the user deletes it. */
export const refusedEnding = ".refused";

export class SpillIntake {
  readonly #db: Database;
  readonly #log: Log;

  constructor(db: Database, log: Log) {
    this.#db = db;
    this.#log = log;
  }

  /** Takes in a file and removes it, or keeps it under another name and says why. A file that the store has no space for stays. */
  take(file: string): void {
    let spill: Spill;
    try {
      spill = readSpill(file);
    } catch (error) {
      return this.#refuse(file, [messageOf(error)]);
    }
    const problems = spill.damage === null ? [] : [spill.damage];
    for (const run of spill.runs) {
      try {
        this.#db.transaction(() => this.#takeRun(run, file)).immediate();
      } catch (error) {
        if (isStoreFailure(error)) {
          this.#log.warn(`store: ${file} holds rows that could not be written before and cannot be now: ${messageOf(error)}. The next start tries again.`);
          return;
        }
        problems.push(`run ${run.run}: ${messageOf(error)}`);
      }
    }
    if (problems.length > 0) this.#refuse(file, problems);
    else rmSync(file, { force: true });
  }

  #refuse(file: string, problems: readonly string[]): void {
    const kept = `${file}${refusedEnding}`;
    try {
      renameSync(file, kept);
    } catch (error) {
      this.#log.warn(`store: ${file} could not be renamed: ${messageOf(error)}`);
    }
    this.#log.warn(`store: rows that could not be written when Hypertower last ended were not all taken in; they are kept in ${kept}: ${problems.join("; ")}`);
  }

  /** @throws when the run does not continue where the rows begin, or has been taken since */
  #takeRun(run: Run, file: string): void {
    const row = this.#db
      .prepare<[string], Row>("SELECT owner_token AS token, lease, status, reason, finished_at AS finishedAt FROM runs WHERE id = ?")
      .get(run.run);
    if (!row) throw new Error("the store has no such run");
    if (row.token !== run.token || row.lease !== run.lease) throw new Error("it has been resumed since, so these steps were trained again");
    const metrics = this.#db.prepare<[string], string>("SELECT name FROM metrics WHERE run = ? ORDER BY position").pluck().all(run.run);
    const series = new SeriesWriter(this.#db);
    const buffer = series.resume(run.run, metrics);
    if (!buffer && run.rows.length > 0) throw new Error("it has no series in the store");
    const added = buffer ? append(buffer, run.rows) : 0;
    if (buffer) series.write(buffer);
    this.#takeState(run, row, buffer?.nextStep ?? 0, added, file);
  }

  /** @param logged number of steps that the store has now */
  #takeState({ run, progress, evaluations, events }: Run, row: Row, logged: number, added: number, file: string): void {
    const statements = prepareRunStatements(this.#db);
    const heartbeatAt = Date.now();
    if (progress) {
      // Another process may have found the run's process gone: the run stays interrupted.
      const state = isActive(progress.status) && !isActive(row.status) ? { status: row.status, reason: row.reason, finishedAt: row.finishedAt } : {};
      statements.progress.run({ ...progress, ...state, id: run, steps: Math.min(progress.steps, logged), heartbeatAt });
    }
    const evaluated = this.#db.prepare("SELECT 1 FROM evaluations WHERE run = ? AND step = ?");
    for (const evaluation of evaluations) {
      if (evaluation.step > logged || evaluated.get(run, evaluation.step) !== undefined) continue;
      const values = [run, evaluation.step, heartbeatAt, evaluation.epoch, ...measureNames.map((name) => finite(evaluation[name] ?? null))] as const;
      statements.evaluation.run(...values, rowChecksum(values));
    }
    const noted = this.#db.prepare("SELECT 1 FROM run_events WHERE run = ? AND at = ? AND step = ? AND kind = ? AND message = ?");
    const note = (...event: [at: number, step: number, kind: string, message: string]) => {
      if (noted.get(run, ...event) === undefined) statements.event.run(run, ...event, rowChecksum([run, ...event]));
    };
    for (const { at, step, kind, message } of events) note(at, step, kind, message);
    if (added > 0) note(heartbeatAt, logged, "recovered", `${plural(added, "step")} that could not be written when Hypertower ended ${added === 1 ? "was" : "were"} taken in from ${file}`);
    new Seals(this.#db).seal();
  }
}

/** Appends the rows that the series lacks. Returns their number. @throws where steps between are missing */
function append(buffer: SeriesBuffer, batches: readonly SpilledRows[]): number {
  const before = buffer.nextStep;
  for (const { firstStep, count, values } of batches) {
    if (firstStep > buffer.nextStep) throw new Error(`its log ends before step ${buffer.nextStep}, and the rows begin at step ${firstStep}`);
    const known = Math.min(count, buffer.nextStep - firstStep);
    if (known < count) buffer.append({ firstStep: firstStep + known, count: count - known, values: values.subarray((known * values.length) / count) });
  }
  return buffer.nextStep - before;
}
