/** Table 1 as data: ours beside the paper's, summarized over the seeds. */
import { optimizerSpec } from "../../../shared/optimizers.ts";
import type { RunSummary } from "../../../shared/run.ts";
import { standardizedDifference, summarize, type Summary } from "../../../shared/statistics.ts";
import type { Table1Row } from "../../../shared/table1.ts";
import type { Table1Result } from "./runs.ts";

/** One column of one row. */
export interface Cell {
  /** Test errors in percent; null where no run ended with one. */
  readonly ours: Summary | null;
  readonly paper: Summary;
  /** ours - paper in standard deviations of that difference. */
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
  readonly seeds: number;
  readonly tower: Cell;
  readonly learned: readonly LearnedValue[];
  readonly rerun: Cell | null;
  /** Plain at the paper's learned values, beside the paper's second column; null without such runs. */
  readonly atPaper: Cell | null;
  /** Why a run is missing from a figure, seed by seed. */
  readonly remarks: readonly string[];
}

/** @param results by row, then by seed */
export function tableRows(results: readonly Table1Result[]): TableRow[] {
  const rows = [...new Set(results.map(({ row }) => row))];
  return rows.map((row) => tableRow(row, results.filter((result) => result.row === row)));
}

function tableRow(row: Table1Row, results: readonly Table1Result[]): TableRow {
  const remarks = results.flatMap(({ seed, tower, rerun }) => [
    ...unusable(tower).map((why) => `seed ${seed}: ${why}`),
    ...(rerun === null ? [] : "impossible" in rerun ? [`seed ${seed}, rerun: ${rerun.impossible}`] : unusable(rerun.run).map((why) => `seed ${seed}, rerun: ${why}`)),
  ]);
  const published = results.flatMap(({ atPaper }) => atPaper ?? []);
  return {
    row,
    seeds: results.length,
    tower: cell(results.map(({ tower }) => tower), row.paper),
    learned: row.rerun === null ? [] : learnedValues(row.rerun.learned, results.map(({ tower }) => tower)),
    rerun: row.rerun === null ? null : cell(results.flatMap(({ rerun }) => (rerun && "run" in rerun ? [rerun.run] : [])), row.rerun.paper),
    atPaper: row.rerun === null || published.length === 0 ? null : cell(published, row.rerun.paper),
    remarks,
  };
}

function unusable({ status, reason, testError }: RunSummary): string[] {
  return status === "finished" && testError !== null ? [] : [`${status}${reason === null ? "" : `: ${reason}`}`];
}

function cell(runs: readonly RunSummary[], paper: Summary): Cell {
  const errors = runs.filter((run) => unusable(run).length === 0).map(({ testError }) => testError!);
  const ours = errors.length === 0 ? null : summarize(errors);
  return { ours, paper, difference: ours && standardizedDifference(ours, paper) };
}

/** Level 0's hyperparameters at the end of the runs. */
function learnedValues(paper: Readonly<Record<string, number>>, runs: readonly RunSummary[]): LearnedValue[] {
  const usable = runs.filter((run) => unusable(run).length === 0);
  const [first] = usable;
  if (!first) return [];
  const { hyperparameters } = optimizerSpec(first.experiment.tower[0]!.optimizer);
  return hyperparameters.flatMap(({ name, symbol }) => {
    const values = usable.flatMap((run) => run.hyperparameters.filter((h) => h.level === 0 && h.name === name).flatMap(({ value }) => value ?? []));
    return values.length === 0 ? [] : [{ name, symbol, ours: summarize(values), paper: paper[name] ?? null }];
  });
}
