/** Table 1 as data: the results of its study beside the paper's, summarized over the seeds. */
import { optimizerSpec } from "../../../shared/optimizers.ts";
import { standardErrorOf, standardizedDifference, summarize, type Summary } from "../../../shared/statistics.ts";
import { hasDiverged, hasExploded, measureRuns, worstWords, type MeasuredRun } from "../../../shared/study/curves.ts";
import type { StudyMetric } from "../../../shared/study/metric.ts";
import type { StudyPoint } from "../../../shared/study/result.ts";
import type { Study } from "../../../shared/study/study.ts";
import { columnsOf, table1StackName, type Table1Column } from "../../../shared/study/table1.ts";
import type { Table1Row } from "../../../shared/table1.ts";
import { level } from "../../../shared/tower.ts";

/** One column of one row. */
export interface Cell {
  /** Test error in percent; diverged and exploded runs count as the worst. Null without runs. */
  readonly ours: Summary | null;
  readonly standardError: number | null;
  readonly paper: Summary;
  /** ours - paper, in standard deviations of the difference. */
  readonly difference: number | null;
}

export interface LearnedValue {
  readonly name: string;
  readonly symbol: string;
  readonly ours: Summary;
  readonly paper: number | null;
}

export interface TableRow {
  readonly row: Table1Row;
  readonly tower: Cell;
  readonly learned: readonly LearnedValue[];
  /** Null for a plain optimizer, which has no second column. */
  readonly rerun: Cell | null;
  /** The plain optimizer at the paper's learned values, against the paper's second column; null without such runs. */
  readonly atPaper: Cell | null;
  /** Runs that count as the worst, and why runs are missing, by seed. */
  readonly remarks: readonly string[];
}

/** A row's runs by column, in the order of the seeds. */
export type RowRuns = Readonly<Record<Table1Column, readonly MeasuredRun[]>>;

export interface Table1Asked {
  readonly rows: readonly Table1Row[];
  readonly seeds: readonly number[];
  readonly paperValues: boolean;
}

const metric: StudyMetric = { name: "testError", at: "final" };

/** Runs of the requested rows and seeds, with the value that each counts as. */
export function table1Runs(study: Study, points: readonly StudyPoint[], { rows, seeds, paperValues }: Table1Asked) {
  const { runs, penalty } = measureRuns(study, points, metric);
  const runsOf = (row: Table1Row, column: Table1Column) => {
    if (!columnsOf(row).includes(column) || (column === "atPaper" && !paperValues)) return [];
    const own = runs.filter(({ point }) => point.stack === table1StackName(row, column));
    return seeds.flatMap((seed) => own.filter(({ point }) => point.seed === seed));
  };
  return { penalty, rows: rows.map((row) => ({ row, runs: { tower: runsOf(row, "tower"), rerun: runsOf(row, "rerun"), atPaper: runsOf(row, "atPaper") } satisfies RowRuns })) };
}

export function tableRows(study: Study, points: readonly StudyPoint[], asked: Table1Asked): TableRow[] {
  const { rows, penalty } = table1Runs(study, points, asked);
  return rows.map(({ row, runs }) => ({
    row,
    tower: cell(runs.tower, row.paper),
    learned: row.rerun ? learnedValues(row.rerun.learned, row, runs.tower) : [],
    rerun: row.rerun && cell(runs.rerun, row.rerun.paper),
    atPaper: row.rerun && runs.atPaper.length > 0 ? cell(runs.atPaper, row.rerun.paper) : null,
    remarks: [...remarks("", runs.tower, penalty), ...remarks("rerun", runs.rerun, penalty), ...remarks("at the paper's values", runs.atPaper, penalty)],
  }));
}

function cell(runs: readonly MeasuredRun[], paper: Summary): Cell {
  const errors = runs.flatMap(({ counted }) => counted ?? []);
  const ours = errors.length === 0 ? null : summarize(errors);
  return { ours, standardError: ours && standardErrorOf(ours), paper, difference: ours && standardizedDifference(ours, paper) };
}

function remarks(column: string, runs: readonly MeasuredRun[], penalty: number | null): string[] {
  const worst = worstWords({ runs }, metric, penalty);
  const where = (text: string) => [column, text].filter(Boolean).join(": ");
  const single = runs.flatMap((run) => {
    const { outcome, point } = run;
    if (outcome === "measured" && !hasDiverged(run)) return [];
    const became = hasExploded(run) ? "exploded" : point.status;
    return [where(`seed ${point.seed} ${became}${point.reason === null ? "" : `, ${point.reason}`}`)];
  });
  return [...single, ...(worst === "" ? [] : [where(worst)])];
}

/** Level 0's hyperparameters at the end of the runs that finished. */
function learnedValues(paper: Readonly<Record<string, number>>, { tower: [bottom] }: Table1Row, runs: readonly MeasuredRun[]): LearnedValue[] {
  const finished = runs.filter(({ point }) => point.status === "finished");
  return optimizerSpec(level.parse(bottom).optimizer).hyperparameters.flatMap(({ name, symbol }) => {
    const values = finished.flatMap(({ point }) => point.hyperparameters.filter((learned) => learned.level === 0 && learned.name === name).flatMap(({ value }) => value ?? []));
    return values.length === 0 ? [] : [{ name, symbol, ours: summarize(values), paper: paper[name] ?? null }];
  });
}
