/** Keeps the checksums of single rows: of runs, studies, evaluations and events. */
import type { Database, Statement } from "better-sqlite3";
import { rowChecksum, sealedEvaluationColumns, sealedEventColumns, sealedRunColumns, sealedStudyColumns, type Cell } from "./checksums.ts";

interface OpenRun {
  readonly run: string;
  readonly loose: number;
}

export class Seals {
  readonly #openRuns: Statement<[], OpenRun>;
  readonly #openStudies: Statement<[], string>;
  readonly #run: Statement<[string], Cell[]>;
  readonly #study: Statement<[string], Cell[]>;
  readonly #sealRun: Statement<[number, string]>;
  readonly #sealStudy: Statement<[number, string]>;
  readonly #evaluations: Statement<[string], Cell[]>;
  readonly #events: Statement<[string], Cell[]>;
  readonly #sealEvaluation: Statement<[number, string, number]>;
  readonly #sealEvent: Statement<[number, number]>;
  readonly #forgotten: Statement<[number, string]>;
  readonly #received: Statement<[string]>;
  readonly #protect: Statement<[Record<string, unknown>]>;

  constructor(db: Database) {
    this.#openRuns = db.prepare("SELECT run, loose FROM run_checksums WHERE since IS NOT NULL AND (crc IS NULL OR loose > 0)");
    this.#openStudies = db.prepare<[], string>("SELECT study FROM study_checksums WHERE crc IS NULL").pluck();
    this.#run = db.prepare<[string], Cell[]>(`SELECT ${sealedRunColumns.join(", ")} FROM runs WHERE id = ?`).raw();
    this.#study = db.prepare<[string], Cell[]>(`SELECT ${sealedStudyColumns.join(", ")} FROM studies WHERE id = ?`).raw();
    this.#sealRun = db.prepare("UPDATE run_checksums SET crc = ?, loose = 0 WHERE run = ?");
    this.#sealStudy = db.prepare("UPDATE study_checksums SET crc = ? WHERE study = ?");
    this.#evaluations = db.prepare<[string], Cell[]>(`SELECT step, ${sealedEvaluationColumns.join(", ")} FROM evaluations WHERE run = ? AND crc IS NULL`).raw();
    this.#events = db.prepare<[string], Cell[]>(`SELECT id, ${sealedEventColumns.join(", ")} FROM run_events WHERE run = ? AND crc IS NULL`).raw();
    this.#sealEvaluation = db.prepare("UPDATE evaluations SET crc = ? WHERE run = ? AND step = ?");
    this.#sealEvent = db.prepare("UPDATE run_events SET crc = ? WHERE id = ?");
    this.#forgotten = db.prepare("UPDATE run_checksums SET evaluations = evaluations - ? WHERE run = ?");
    this.#received = db.prepare("UPDATE run_checksums SET from_start = 0 WHERE run = ?");
    this.#protect = db.prepare(
      `UPDATE run_checksums SET since = @at, from_start = 0,
         evaluations = (SELECT count(*) FROM evaluations WHERE run = @run), events = (SELECT count(*) FROM run_events WHERE run = @run)
       WHERE run = @run AND since IS NULL`,
    );
  }

  /** Makes the checksums of the rows that this transaction wrote. Call at its end. */
  seal(): void {
    for (const { run, loose } of this.#openRuns.all()) {
      if (loose > 0) this.#sealRows(run);
      const row = this.#run.get(run);
      if (row) this.#sealRun.run(rowChecksum(row), run);
    }
    for (const study of this.#openStudies.all()) {
      const row = this.#study.get(study);
      if (row) this.#sealStudy.run(rowChecksum(row), study);
    }
  }

  /** Evaluations of a run were deleted on purpose. */
  forgotten(run: string, evaluations: number): void {
    if (evaluations > 0) this.#forgotten.run(evaluations, run);
  }

  /** A run was not logged here: its checksums hold what came in. */
  received(run: string): void {
    this.#received.run(run);
  }

  /** Makes the row checksums of a run that an earlier version logged. @param at milliseconds since 1970 */
  protect(run: string, at: number): void {
    this.#sealRows(run);
    this.#protect.run({ run, at });
    this.seal();
  }

  #sealRows(run: string): void {
    for (const [step, ...cells] of this.#evaluations.all(run)) this.#sealEvaluation.run(rowChecksum(cells), run, step as number);
    for (const [id, ...cells] of this.#events.all(run)) this.#sealEvent.run(rowChecksum(cells), id as number);
  }
}
