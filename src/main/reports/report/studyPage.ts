/** The HTML report of a study. */
import { curveNames, formatMetric, metricTitle, valueText } from "../../../charts/studyText.ts";
import { estimateText, numberColumns } from "../../../charts/numberTable.ts";
import { formatHyperparameter, levelLabel, notation } from "../../../shared/tower.ts";
import { formatCount, formatSeconds } from "../../../shared/format.ts";
import { trainedText } from "../../../shared/trainedTime.ts";
import { encodeLink } from "../../../shared/sharing.ts";
import { studyAxes } from "../../../shared/study/axes.ts";
import { hasExploded, measureRuns, worstWords, type CurvePoint } from "../../../shared/study/curves.ts";
import { explosionWords, type StudyMetric } from "../../../shared/study/metric.ts";
import { factorsOf, knobsOf, namedKnob, sweepWords } from "../../../shared/study/methods.ts";
import { knobText } from "../../../shared/study/methodTable.ts";
import { intervalWords } from "../../../shared/study/numbers.ts";
import type { Sensitivity } from "../../../shared/study/sensitivity.ts";
import type { Study } from "../../../shared/study/study.ts";
import { plural } from "../../../shared/text.ts";
import type { Figure } from "./figure.ts";
import { html, tableOf, type Html } from "./markup.ts";
import { methodNumbers } from "./methodFigures.ts";
import { spelled } from "./origin.ts";
import { figureElement, page, savedFile } from "./page.ts";
import { configuration, definitions, environments, madeBy } from "./sections.ts";
import type { ReportOfStudy } from "./source.ts";
import type { PointRun } from "./studyTables.ts";

/** Maximum number of exceptional runs named; more are counted. */
const maxNamed = 60;
/** Maximum number of heights side by side; more become rows. */
const maxColumns = 5;

export function studyPage(of: ReportOfStudy, runs: readonly PointRun[], found: Sensitivity, figures: readonly Figure[], remarks: readonly string[]): string {
  const { study, source } = of;
  const definition = { ...study.study, name: study.name };
  const [headline, ...others] = figures;
  const body = html`
<h1>${study.name || "Study"}</h1>
<p class="soft">${plural(study.total, "run")}: ${outcomes(of, found)}. ${duration(of)}</p>
${remarks.length === 0 ? null : html`<div class="notes"><ul>${remarks.map((remark) => html`<li>${remark}</li>`)}</ul></div>`}
<div class="verdict"><strong>${found.verdict.headline}</strong>${found.verdict.remarks.length === 0 ? null : html`<ul>${found.verdict.remarks.map((remark) => html`<li>${remark}</li>`)}</ul>`}</div>
${headline ? figureElement(headline, 1) : null}
<h2>The numbers</h2>
${found.methods ? methodNumbers(found) : numbers(definition, found)}
${others.map((figure, i) => figureElement(figure, i + 2))}
<h2>Every point</h2>
${points(definition, found)}
${exceptions(of, found)}
<h2>Configuration</h2>
${definitions([...axesAndTowers(definition), ...configuration(definition.base, spelled(definition.seeds))])}
<h2>Environment</h2>
${environments(runs.flatMap(({ run }) => run?.environment ?? []))}
<h2>How to repeat it</h2>
<p>Save the ${savedFile("study.json", definition, "study file")}, or open this report itself in the workbench (Studies, Import). On the command line:</p>
<pre>hypertower study study.json
hypertower report last --out report</pre>
<p>A single run is repeated, and compared step by step, by <code>hypertower reproduce RUN</code>. The same study as a link, to be pasted where the workbench imports one:</p>
<pre>${encodeLink({ kind: "study", value: definition })}</pre>
${madeBy(source.program, `Study ${study.id}.`)}`;
  return page({ title: `${study.name || "Study"} · Hypertower`, body, embedded: { kind: "study", value: definition } });
}

function outcomes({ study }: ReportOfStudy, { metric }: Sensitivity): string {
  const counts = new Map<string, number>();
  for (const run of measureRuns(study.study, study.points, metric).runs) {
    const became = hasExploded(run) ? "exploded" : run.point.status;
    counts.set(became, (counts.get(became) ?? 0) + 1);
  }
  return [...counts].map(([status, count]) => `${formatCount(count)} ${status === "pruned" ? "stopped early" : status === "missing" ? "in the bin" : status}`).join(", ");
}

function duration({ study }: ReportOfStudy): string {
  const trained = study.points.reduce((sum, { trainingTime }) => sum + (trainingTime ?? 0), 0);
  const wall = study.finishedAt !== null && study.trained !== null ? `Trained for ${trainedText(study.trained)}; ` : "";
  return `${wall}${formatSeconds(trained / 1000)} in training steps.`;
}

function numbers(study: Study, found: Sensitivity): Html {
  const columns = numberColumns(found);
  const names = curveNames(study, found.heights);
  const reasons = new Set(found.heights.flatMap(({ noInterval }) => noInterval ?? []));
  const few = found.heights.length <= maxColumns;
  const table = few
    ? tableOf(["", ...names], columns.map((column) => [column.title, ...found.heights.map((height) => estimateText(column, column.of(height)))]), "numbers")
    : tableOf(["", ...columns.map(({ title }) => title)], found.heights.map((height, i) => [names[i], ...columns.map((column) => estimateText(column, column.of(height)))]), "numbers");
  return html`${table}
<p class="soft small">In brackets: ${intervalWords(found.heights, found.bootstrap)}.${reasons.size === 0 ? "" : ` Where there is none: ${[...reasons].join("; ")}.`}${found.noTimes === null ? "" : ` ${found.noTimes}`}</p>
${definitions(columns.map(({ title, definition }) => [title, definition] as const))}`;
}

const withoutUnit = (text: string) => text.replace(" %", "");

function points(study: Study, { axis, curves, metric, penalty }: Sensitivity): Html {
  const names = curveNames(study, curves);
  const xs = [...new Set(curves.flatMap(({ points: own }) => own.map(({ x }) => x)))].sort((a, b) => a - b);
  const cell = (own: (typeof curves)[number]["points"][number] | undefined): string => {
    if (!own) return "–";
    const spread = own.standardError === null ? "" : ` ± ${withoutUnit(formatMetric(metric, own.standardError))}`;
    const remarks = contentsOf(own, metric, penalty);
    return `${withoutUnit(formatMetric(metric, own.mean))}${spread}${remarks === "" ? "" : ` (${remarks})`}`;
  };
  return html`<p class="soft small">Mean ${metricTitle(metric, study.base).replace(/^./, (first) => first.toLowerCase())} ± standard error over the seeds; in brackets what the mean contains.${curves.some((curve) => curve.points.some((point) => point.exploded > 0)) ? ` ${explosionWords(study.base)}` : ""}</p>
${tableOf([axis ? axis.symbol : "", ...names], xs.map((x) => [axis ? formatHyperparameter(x) : "", ...curves.map(({ points: own }) => cell(own.find((point) => point.x === x)))]), "points")}`;
}

/** `of 3, 1 diverged and 1 exploded count as 90.00 %`; empty where every run has its own value. */
function contentsOf(point: CurvePoint, metric: StudyMetric, penalty: number | null): string {
  const worst = worstWords(point, metric, penalty);
  return worst === "" ? "" : `mean of ${point.n}, ${worst}`;
}

/** Names runs that diverged, exploded, failed, were stopped or are missing. */
function exceptions({ study }: ReportOfStudy, { metric }: Sensitivity): Html | null {
  const axes = studyAxes(study.study);
  const some = measureRuns(study.study, study.points, metric).runs.filter((run) => run.point.status !== "finished" || hasExploded(run)).map((run) => ({ ...run.point, became: hasExploded(run) ? "exploded" : run.point.status }));
  if (some.length === 0) return null;
  const shown = some.slice(0, maxNamed);
  return html`<h2>Runs without a result of their own</h2>
${tableOf(
    ["Run", "Where", "What became of it", "Why"],
    shown.map(({ run, height, stack, values, seed, became, steps, reason }) => [
      run ?? "–",
      [stack ?? `height ${height}`, ...(study.study.methods ? [sweepWords(study.study.methods, stack!, values)] : values.map((value, i) => valueText(axes[i]!, value))), `seed ${seed}`].join(", "),
      `${became}${run === null ? "" : ` after ${plural(steps, "step")}`}`,
      reason ?? "",
    ]),
  )}
${some.length > shown.length ? html`<p class="soft small">And ${formatCount(some.length - shown.length)} more; runs.csv has them all.</p>` : null}`;
}

function ruleWords({ values, rule, upper, upperAt }: NonNullable<Study["heights"]>): string {
  const words = {
    equal: "every level starts at level 0's step size",
    figure4b: "levels above start as in the paper's Figure 4b",
    fixed: `levels above start at ${rule.kind === "fixed" ? rule.alphas.map(formatHyperparameter).join(", ") : ""}`,
    base: "levels above as in the base experiment",
  }[rule.kind];
  const single = Object.entries(upperAt).map(([at, level]) => `, ${levelLabel(level, Number(at) <= 1)} at height ${at}`);
  return `${words}${upper ? `, ${levelLabel(upper, Math.max(...values) <= 1)}` : ""}${single.join("")}`;
}

function axesAndTowers({ axes, heights, stacks, methods, safe }: Study): [string, string][] {
  const words = ({ level, hyperparameter, values }: Study["axes"][number]) => {
    const of = `${hyperparameter} of level ${level}`;
    if (values.kind === "list") return `${of}: ${values.values.map(formatHyperparameter).join(", ")}`;
    return `${of}: ${values.kind === "grid" ? "grid" : values.kind === "random" ? `random samples (seed ${values.seed})` : "quasi-random samples"} of ${plural(values.points, "point")} from ${formatHyperparameter(values.from)} to ${formatHyperparameter(values.to)}, ${values.scale}`;
  };
  return [
    ...axes.map((axis): [string, string] => ["Axis", words(axis)]),
    ...(heights ? ([["Heights", `${spelled(heights.values)}; ${ruleWords(heights)}`]] as [string, string][]) : []),
    ...(safe ? ([["Safe", "every run with the safe preset"]] as [string, string][]) : []),
    ...(methods?.list.map((method): [string, string] => [method.name, `${notation(method.tower)}; ${knobsOf(method).map((knob) => knobText(namedKnob(method, knob))).join(", ")}, each times ${factorsOf(methods).map(formatHyperparameter).join(", ")}`]) ?? []),
    ...(stacks ? ([["Stacks", stacks.map(({ name }) => name).join("; ")]] as [string, string][]) : []),
  ];
}
