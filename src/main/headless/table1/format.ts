/** Table 1 for a terminal and as Markdown. */
import { formatHyperparameter } from "../../../shared/tower.ts";
import type { Summary } from "../../../shared/statistics.ts";
import { formatPercent, table } from "../format.ts";
import type { Table1Result } from "./runs.ts";
import type { Cell, LearnedValue, TableRow } from "./table.ts";

const nothing = "–";

const errorOf = ({ mean, deviation }: Summary) => `${mean.toFixed(2)}${deviation === null ? "" : ` ± ${deviation.toFixed(2)}`}`;

/** `4.86 ± 0.06`, with how many of the seeds where some are missing. */
function ours({ ours }: Cell, seeds: number): string {
  if (ours === null) return nothing;
  return `${errorOf(ours)}${ours.count < seeds ? ` (${ours.count} of ${seeds})` : ""}`;
}

function differenceOf({ difference }: Cell): string {
  if (difference === null) return nothing;
  return `${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(1)} σ`;
}

/** Step sizes with three digits, coefficients with four decimals. */
const valueOf = (name: string, value: number) => (name === "alpha" ? formatHyperparameter(Number(value.toPrecision(3))) : value.toFixed(4));
const spreadOf = (name: string, deviation: number) => (name === "alpha" ? formatHyperparameter(Number(deviation.toPrecision(2))) : deviation.toFixed(4));

/** `α 0.0703 ± 0.0015`; a deviation that rounds to nothing is left out. */
function learnedValue({ name, symbol, ours: { mean, deviation } }: LearnedValue): string {
  const spread = deviation === null ? "" : spreadOf(name, deviation);
  return `${symbol} ${valueOf(name, mean)}${Number(spread) === 0 ? "" : ` ± ${spread}`}`;
}

const learnedOurs = (values: readonly LearnedValue[]) => values.map(learnedValue).join(", ") || nothing;
const learnedPaper = (values: readonly LearnedValue[]) =>
  values.flatMap(({ symbol, paper }) => (paper === null ? [] : [`${symbol} ${String(paper)}`])).join(", ") || nothing;

const columns = ["row", "stack", "epochs", "error %", "paper", "difference", "learned", "paper", "rerun %", "paper", "difference"];

const atPaperColumns = ["at paper's values %", "difference"];
const withAtPaper = (rows: readonly TableRow[]) => rows.some(({ atPaper }) => atPaper !== null);
const head = (rows: readonly TableRow[]) => [...columns, ...(withAtPaper(rows) ? atPaperColumns : [])];

function cells({ row, seeds, tower, learned, rerun, atPaper }: TableRow): string[] {
  return [
    String(row.number),
    row.stack,
    String(row.epochs),
    ours(tower, seeds),
    errorOf(tower.paper),
    differenceOf(tower),
    learnedOurs(learned),
    learnedPaper(learned),
    ...(rerun ? [ours(rerun, seeds), errorOf(rerun.paper), differenceOf(rerun)] : ["", "", ""]),
    ...(atPaper ? [ours(atPaper, seeds), differenceOf(atPaper)] : []),
  ];
}

const remarksOf = (rows: readonly TableRow[]) => rows.flatMap(({ row, remarks }) => remarks.map((remark) => `row ${row.number}, ${remark}`));

const legend = (seeds: number, published: boolean) =>
  `Test error in percent, mean ± standard deviation of ${seeds} ${seeds === 1 ? "run (seed 0)" : `runs (seeds 0 to ${seeds - 1})`}; learned: level 0's values at the end of the runs; ` +
  `rerun: each run's own learned values, same seed. Difference: ours − paper in standard deviations of that difference of means, √(s²/n + s²/n)` +
  `${published ? "; at paper's values: plain, from the values that the paper's tower learned, against its second column" : ""}.`;

export function textTable(rows: readonly TableRow[]): string {
  const seeds = rows[0]?.seeds ?? 0;
  return [table([head(rows).map((name) => name.toUpperCase()), ...rows.map(cells)]), "", ...remarksOf(rows), legend(seeds, withAtPaper(rows))].join("\n");
}

const markdownTable = (header: readonly string[], rows: readonly (readonly string[])[]) =>
  [header, header.map(() => "---"), ...rows].map((row) => `| ${header.map((_, i) => (row[i] ?? "").replaceAll("|", "\\|")).join(" | ")} |`).join("\n");

/** @param facts lines on how it was made: command, machine, date */
export function markdownReport(rows: readonly TableRow[], results: readonly Table1Result[], facts: readonly string[]): string {
  const seeds = rows[0]?.seeds ?? 0;
  const every = results.map(({ row, seed, tower, rerun, atPaper }) => [
    String(row.number),
    row.stack,
    String(seed),
    formatPercent(tower.testError),
    tower.hyperparameters.filter(({ level }) => level === 0 && row.rerun !== null).map(({ name, value }) => `${name} ${value === null ? nothing : formatHyperparameter(value)}`).join(", "),
    rerun === null ? "" : "run" in rerun ? formatPercent(rerun.run.testError) : nothing,
    ...(atPaper ? [formatPercent(atPaper.testError)] : []),
  ]);
  return [
    "# Table 1 of the paper",
    facts.map((fact) => `- ${fact}`).join("\n"),
    markdownTable(head(rows), rows.map(cells)),
    legend(seeds, withAtPaper(rows)),
    remarksOf(rows).map((remark) => `- ${remark}`).join("\n"),
    "## Every run",
    markdownTable(["row", "stack", "seed", "error", "learned at level 0", "rerun", ...(withAtPaper(rows) ? ["at paper's values"] : [])], every),
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}
