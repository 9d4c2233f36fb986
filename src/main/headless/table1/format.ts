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

const short = (value: number) => formatHyperparameter(Number(value.toPrecision(3)));
const decay = (value: number) => value.toFixed(4);
const valueOf = (name: string, value: number) => (name === "alpha" ? short(value) : decay(value));

const learnedOurs = (values: readonly LearnedValue[]) =>
  values.map(({ name, symbol, ours: { mean } }) => `${symbol} ${valueOf(name, mean)}`).join(", ") || nothing;
const learnedPaper = (values: readonly LearnedValue[]) =>
  values.flatMap(({ symbol, paper }) => (paper === null ? [] : [`${symbol} ${String(paper)}`])).join(", ") || nothing;

const columns = ["row", "stack", "epochs", "error %", "paper", "difference", "learned", "paper", "rerun %", "paper", "difference"];

function cells({ row, seeds, tower, learned, rerun }: TableRow): string[] {
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
  ];
}

const remarksOf = (rows: readonly TableRow[]) => rows.flatMap(({ row, remarks }) => remarks.map((remark) => `row ${row.number}, ${remark}`));

const legend = (seeds: number) =>
  `Test error in percent, mean ± standard deviation of ${seeds} ${seeds === 1 ? "run (seed 0)" : `runs (seeds 0 to ${seeds - 1})`}; learned values: means at the end of the runs; ` +
  `rerun: each run's own learned values, same seed. Difference: ours − paper in standard deviations of that difference of means, √(s²/n + s²/n).`;

export function textTable(rows: readonly TableRow[]): string {
  const seeds = rows[0]?.seeds ?? 0;
  return [table([columns.map((name) => name.toUpperCase()), ...rows.map(cells)]), "", ...remarksOf(rows), legend(seeds)].join("\n");
}

const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");

/** @param facts lines on how it was made: command, machine, date */
export function markdownReport(rows: readonly TableRow[], results: readonly Table1Result[], facts: readonly string[]): string {
  const seeds = rows[0]?.seeds ?? 0;
  const every = results.map(({ row, seed, tower, rerun }) => [
    String(row.number),
    row.stack,
    String(seed),
    formatPercent(tower.testError),
    tower.hyperparameters.filter(({ level }) => level === 0 && row.rerun !== null).map(({ name, value }) => `${name} ${value === null ? nothing : formatHyperparameter(value)}`).join(", "),
    rerun === null ? "" : "run" in rerun ? formatPercent(rerun.run.testError) : nothing,
  ]);
  return [
    "# Table 1 of the paper",
    facts.map((fact) => `- ${fact}`).join("\n"),
    markdownTable(columns, rows.map(cells)),
    legend(seeds),
    ...remarksOf(rows).map((remark) => `- ${remark}`),
    "## Every run",
    markdownTable(["row", "stack", "seed", "error", "learned at level 0", "rerun"], every),
    "",
  ].join("\n\n").trimEnd().concat("\n");
}
