/** Checks a run: its rows against their checksums and counts, its series against their checksums, its pyramid against the values. */
import type { Database } from "better-sqlite3";
import { messageOf } from "../../../shared/errors.ts";
import { rowChecksum, sealedEvaluationColumns, sealedEventColumns, type Cell } from "../checksums.ts";
import { sealedRunColumnsOf, summaryColumnsOf, toSummary } from "../runRows.ts";
import { sealedStudyColumnsOf } from "../studyRows.ts";
import { damageAdvice, type Finding, type FindingPart, type Report, type VerifiedRun } from "./findings.ts";
import { knowsImported } from "../importedRows.ts";
import { checkMetric, prepareMetricCheck } from "./metricCheck.ts";
import { checkSparse } from "./sparseCheck.ts";

interface Protection {
  readonly crc: number | null;
  readonly evaluations: number;
  readonly events: number;
  readonly since: number | null;
  readonly fromStart: number;
}

/** Whether checksums cover the whole run. */
const isProtected = (protection: Protection | undefined): boolean => typeof protection?.since === "number";

export class RunCheck {
  readonly #db: Database;
  readonly #add: (finding: Finding) => void;
  readonly #pause: () => Promise<void>;
  readonly #metric: ReturnType<typeof prepareMetricCheck>;

  /** @param pause called between pieces of work of some milliseconds */
  constructor(db: Database, add: (finding: Finding) => void, pause: () => Promise<void>) {
    this.#db = db;
    this.#add = add;
    this.#pause = pause;
    this.#metric = prepareMetricCheck(db);
  }

  async check(run: string): Promise<VerifiedRun> {
    const report: Report = (part, where, problem, meaning, severity = "damage") =>
      this.#add({ part, severity, run, study: null, where, problem, meaning, advice: damageAdvice });
    const { protection, name } = this.#db.transaction(() => this.#rows(run, report))();
    await this.#pause();
    let values = 0;
    try {
      const ids = this.#db.prepare<[string], number>("SELECT id FROM metrics WHERE run = ? ORDER BY position").pluck().all(run);
      const isImported = knowsImported(this.#db) && this.#db.prepare("SELECT 1 FROM runs WHERE id = ? AND imported IS NOT NULL").get(run) !== undefined;
      if (isImported) for (const id of ids) values += await checkSparse(this.#db, run, id, report, this.#pause);
      else for (const id of ids) values += await checkMetric(this.#db, this.#metric, { run, id, isProtected: isProtected(protection) }, report, this.#pause);
    } catch (error) {
      report("series", "list of metrics", messageOf(error), "The logged series of this run cannot be found.");
    }
    return { run, name, values, protectedSince: protection?.since ?? null, protectedFromStart: protection?.fromStart === 1 };
  }

  /** Checks a study's row. */
  study(study: string): void {
    const add = (problem: string) =>
      this.#add({ part: "study", severity: "damage", run: null, study, where: "description of the study", problem, meaning: "The study may show wrong settings; its runs are checked on their own.", advice: damageAdvice });
    try {
      const row = this.#db.prepare<[string], Cell[]>(`SELECT ${sealedStudyColumnsOf(this.#db).join(", ")} FROM studies WHERE id = ?`).raw().get(study);
      const crc = this.#db.prepare<[string], number | null>("SELECT crc FROM study_checksums WHERE study = ?").pluck().get(study);
      if (!row) add("its row is missing");
      // A study of an earlier version gets its checksum with the first write.
      else if (crc === undefined || (crc !== null && crc !== rowChecksum(row))) add("it does not match its checksum");
    } catch (error) {
      add(messageOf(error));
    }
  }

  #rows(run: string, report: Report): { protection: Protection | undefined; name: string } {
    const guarded = <T>(part: FindingPart, where: string, meaning: string, work: () => T): T | undefined => {
      try {
        return work();
      } catch (error) {
        report(part, where, messageOf(error), meaning);
        return undefined;
      }
    };
    const settings = "Its name, state, settings or results may be wrong.";
    const protection = guarded("run", "checksums of the run", "The run cannot be checked.", () =>
      this.#db.prepare<[string], Protection>("SELECT crc, evaluations, events, since, from_start AS fromStart FROM run_checksums WHERE run = ?").get(run),
    );
    const covered = isProtected(protection);
    const row = guarded("run", "description of the run", settings, () =>
      this.#db.prepare<[string], Cell[]>(`SELECT ${sealedRunColumnsOf(this.#db).join(", ")} FROM runs WHERE id = ?`).raw().get(run),
    );
    if (row === undefined) report("run", "description of the run", "its row is missing", "The run is not listed any more.");
    else {
      if (!protection) report("run", "checksums of the run", "they are missing", "Changed values of this run would not be noticed.");
      if (covered && protection?.crc !== rowChecksum(row)) report("run", "description of the run", "it does not match its checksum", settings);
      guarded("run", "description of the run", settings, () => toSummary(this.#db.prepare(`SELECT ${summaryColumnsOf(this.#db)} FROM runs WHERE id = ?`).get(run)));
    }
    const counted = (part: "evaluations" | "events", columns: readonly string[], table: string, name: (row: Cell[]) => string) =>
      guarded(part, part, `Some ${part} of the run may be missing or wrong.`, () => {
        const rows = this.#db.prepare<[string], Cell[]>(`SELECT crc, ${columns.join(", ")} FROM ${table} WHERE run = ?`).raw().all(run);
        if (!covered || !protection) return;
        for (const [crc, ...cells] of rows) {
          if (crc !== rowChecksum(cells)) report(part, name(cells), "it does not match its checksum", "What it says may be wrong.");
        }
        const missing = protection[part] - rows.length;
        if (missing !== 0) report(part, part, `${rows.length} are stored instead of ${protection[part]}`, missing > 0 ? "Some are missing." : "Some were added by another program.");
      });
    counted("evaluations", sealedEvaluationColumns, "evaluations", (cells) => `evaluation at step ${String(cells[1])}`);
    counted("events", sealedEventColumns, "run_events", (cells) => `event at step ${String(cells[2])}: ${String(cells[3])}`);
    return { protection, name: typeof row?.[1] === "string" ? row[1] : run };
  }
}
