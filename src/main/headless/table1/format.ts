/** Table 1 for a terminal and as Markdown. */
import { explosionWords } from "../../../shared/study/metric.ts";
import { formatHyperparameter } from "../../../shared/tower.ts";
import { standardErrorOf, type Summary } from "../../../shared/statistics.ts";
import type { MeasuredRun } from "../../../shared/study/curves.ts";
import type { StudyDetail } from "../../../shared/study/result.ts";
import { formatPercent, table } from "../format.ts";
import { table1Runs, type Cell, type LearnedValue, type Table1Asked, type TableRow } from "./table.ts";

const nothing = "–";

/** `4.86 ± 0.06` */
const withSpread = (mean: number, spread: number | null) => `${mean.toFixed(2)}${spread === null ? "" : ` ± ${spread.toFixed(2)}`}`;
const paperText = ({ mean, deviation }: Summary) => withSpread(mean, deviation);

/** The mean with its standard error, and the number of runs in it. */
const oursOf = ({ ours, standardError }: Cell): string[] => (ours === null ? [nothing, "0"] : [withSpread(ours.mean, standardError), String(ours.count)]);

function differenceOf({ difference }: Cell): string {
  if (difference === null) return nothing;
  return `${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(1)} σ`;
}

/** Step sizes with three digits, coefficients with four decimals. */
const valueOf = (name: string, value: number) => (name === "alpha" ? formatHyperparameter(Number(value.toPrecision(3))) : value.toFixed(4));
const spreadOf = (name: string, spread: number) => (name === "alpha" ? formatHyperparameter(Number(spread.toPrecision(2))) : spread.toFixed(4));

/** `α 0.0703 ± 0.0009`; omits a standard error that rounds to 0. */
function learnedValue({ name, symbol, ours }: LearnedValue): string {
  const error = standardErrorOf(ours);
  const spread = error === null ? "" : spreadOf(name, error);
  return `${symbol} ${valueOf(name, ours.mean)}${Number(spread) === 0 ? "" : ` ± ${spread}`}`;
}

const learnedOurs = (values: readonly LearnedValue[]) => values.map(learnedValue).join(", ") || nothing;
const learnedPaper = (values: readonly LearnedValue[]) =>
  values.flatMap(({ symbol, paper }) => (paper === null ? [] : [`${symbol} ${String(paper)}`])).join(", ") || nothing;

const columns = ["row", "stack", "epochs", "error %", "n", "paper", "difference", "learned", "paper", "rerun %", "n", "paper", "difference"];
const atPaperColumns = ["at paper's values %", "n", "difference"];
const withAtPaper = (rows: readonly TableRow[]) => rows.some(({ atPaper }) => atPaper !== null);
const head = (rows: readonly TableRow[]) => [...columns, ...(withAtPaper(rows) ? atPaperColumns : [])];

function cells({ row, tower, learned, rerun, atPaper }: TableRow, epochs: number): string[] {
  return [
    String(row.number),
    row.stack,
    String(epochs),
    ...oursOf(tower),
    paperText(tower.paper),
    differenceOf(tower),
    learnedOurs(learned),
    learnedPaper(learned),
    ...(rerun ? [...oursOf(rerun), paperText(rerun.paper), differenceOf(rerun)] : ["", "", "", ""]),
    ...(atPaper ? [...oursOf(atPaper), differenceOf(atPaper)] : []),
  ];
}

/** A printed table: its rows, and the study and request they come from. */
export interface Printed {
  readonly rows: readonly TableRow[];
  readonly study: StudyDetail;
  readonly asked: Table1Asked;
}

const epochsOf = ({ study }: StudyDetail, stack: string, fallback: number) => study.stacks?.find(({ name }) => name === stack)?.epochs ?? fallback;
const body = ({ rows, study }: Printed) => rows.map((line) => cells(line, epochsOf(study, `${line.row.number}: ${line.row.stack}`, line.row.epochs)));

function remarksOf({ rows, study }: Printed): string[] {
  const remarks = rows.flatMap(({ row, remarks }) => remarks.map((remark) => `row ${row.number}, ${remark}`));
  return remarks.some((remark) => remark.includes("exploded")) ? [...remarks, explosionWords(study.study.base)] : remarks;
}

const legend = ({ rows }: Printed) =>
  "Test error in percent, mean ± standard error of n runs that differ in their seeds; diverged and exploded runs count as the worst. The paper's ± is as printed, the standard deviation of 3 runs. " +
  "Learned: level 0's values at the end of the runs; rerun: plain at each run's own learned values, same seed. Difference: ours − paper in standard deviations of that difference of means, √(s²/n + s²/n)" +
  `${withAtPaper(rows) ? "; at paper's values: plain, from the values that the paper's tower learned, against its second column" : ""}.`;

export function textTable(printed: Printed): string {
  return [table([head(printed.rows).map((name) => name.toUpperCase()), ...body(printed)]), "", ...remarksOf(printed), legend(printed)].join("\n");
}

const markdownTable = (header: readonly string[], rows: readonly (readonly string[])[]) =>
  [header, header.map(() => "---"), ...rows].map((row) => `| ${header.map((_, i) => (row[i] ?? "").replaceAll("|", "\\|")).join(" | ")} |`).join("\n");

/** @param facts lines on how the table was made: command, machine, date */
export function markdownReport(printed: Printed, facts: readonly string[]): string {
  const { study, asked, rows } = printed;
  const result = (run: MeasuredRun | undefined) => (run === undefined ? "" : run.value === null ? `${nothing} (${run.outcome})` : formatPercent(run.value));
  const every = table1Runs(study.study, study.points, asked).rows.flatMap(({ row, runs }) =>
    runs.tower.map((tower) => {
      const same = (runsOf: readonly MeasuredRun[]) => runsOf.find(({ point }) => point.seed === tower.point.seed);
      const learned = tower.point.hyperparameters.filter(({ level }) => level === 0 && row.rerun !== null).map(({ name, value }) => `${name} ${value === null ? nothing : formatHyperparameter(value)}`);
      return [String(row.number), row.stack, String(tower.point.seed), result(tower), learned.join(", "), result(same(runs.rerun)), ...(asked.paperValues ? [result(same(runs.atPaper))] : [])];
    }),
  );
  return [
    "# Table 1 of the paper",
    facts.map((fact) => `- ${fact}`).join("\n"),
    markdownTable(head(rows), body(printed)),
    legend(printed),
    remarksOf(printed).map((remark) => `- ${remark}`).join("\n"),
    "## Every run",
    markdownTable(["row", "stack", "seed", "error", "learned at level 0", "rerun", ...(asked.paperValues ? ["at paper's values"] : [])], every),
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}
