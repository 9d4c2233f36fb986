/** What differs between runs or studies, and their results, as a table: one row a setting or result, one column an item. */
import { differences } from "../../shared/comparison/differences.ts";
import { recordedFields } from "../../shared/comparison/recorded.ts";
import { maxOf, minOf } from "../../shared/extent.ts";
import { formatMeasure, missing } from "../../shared/format.ts";
import { metricOf, metricText, metricValue, resultOf } from "../../shared/metrics.ts";
import type { Experiment } from "../../shared/experiment.ts";
import type { RunDetail } from "../../shared/run.ts";
import type { StudyDetail } from "../../shared/study/result.ts";
import { trainedUntil } from "../../shared/study/result.ts";
import { formatHyperparameter, notation } from "../../shared/tower.ts";
import { trainedText } from "../../shared/trainedTime.ts";
import { formatDuration, levelValues } from "./format.ts";
import { csv } from "./listing/fit.ts";

export interface ComparisonRow {
  readonly section: "settings" | "results";
  readonly label: string;
  /** One per item; null where it has none. */
  readonly values: readonly (string | number | null)[];
  /** As shown. */
  readonly texts: readonly string[];
}

export interface Comparison {
  readonly kind: "run" | "study";
  readonly ids: readonly string[];
  readonly names: readonly string[];
  readonly rows: readonly ComparisonRow[];
}

function row(section: ComparisonRow["section"], label: string, values: ComparisonRow["values"], text: (value: string | number) => string = String): ComparisonRow {
  return { section, label, values, texts: values.map((value) => (value === null ? missing : text(value))) };
}

/** Differing settings of experiments, with tower levels aligned. */
function settings(experiments: readonly Experiment[]): ComparisonRow[] {
  const stacks = experiments.map(({ tower }) => notation(tower));
  return [
    ...(new Set(stacks).size > 1 ? [row("settings", "tower", stacks)] : []),
    ...differences(experiments).map(({ path, label, values }) =>
      row("settings", label, values.map((value) => value ?? null), (value) => (typeof value === "number" && path.startsWith("tower.") ? formatHyperparameter(value) : String(value))),
    ),
  ];
}

/** Rows of the runs that were trained here, with a gap for each imported run. */
function among(runs: readonly RunDetail[], rows: readonly ComparisonRow[]): ComparisonRow[] {
  const spread = <T>(values: readonly T[], gap: T): T[] => {
    const rest = values.values();
    return runs.map(({ imported }) => (imported ? gap : (rest.next().value ?? gap)));
  };
  return rows.map(({ values, texts, ...one }) => ({ ...one, values: spread(values, null), texts: spread(texts, missing) }));
}

/** What imported runs record of their configurations, where they differ. */
function recordedSettings(runs: readonly RunDetail[]): ComparisonRow[] {
  return recordedFields(runs).map(({ field, values }) => row("settings", field, values));
}

export function compareRuns(runs: readonly RunDetail[]): Comparison {
  const trained = runs.filter(({ imported }) => !imported);
  const names = [...new Set(trained.map((run) => resultOf(run).name))];
  const measures = names.flatMap((name) => {
    const all = runs.map(({ evaluations }) => evaluations.map((one) => metricValue(name, one)).filter((value) => value !== null));
    const text = (value: string | number) => (typeof value === "number" ? metricText(name, value) : value);
    return [
      row("results", `${metricOf(name).label}, last`, runs.map((run) => (!run.imported && resultOf(run).name === name ? resultOf(run).value : null)), text),
      row("results", `${metricOf(name).label}, best`, all.map((values) => values.length === 0 ? null : metricOf(name).better === "lower" ? minOf(values) : maxOf(values)), text),
    ];
  });
  const learned = runs.map((run) => new Map((run.imported ? [] : levelValues(run)).flatMap(({ level, optimizer: _optimizer, ...values }) => Object.entries(values).map(([name, value]) => [`L${String(level)}.${name}` as string, value] as const))));
  const moved = [...new Set(runs.flatMap((run) => run.hyperparameters.map(({ metric }) => metric)))];
  return {
    kind: "run",
    ids: runs.map(({ id }) => id),
    names: runs.map(({ name, stack }) => (name === "" ? stack : name)),
    rows: [
      ...among(runs, settings(trained.map(({ experiment }) => experiment))),
      ...recordedSettings(runs),
      row("results", "status", runs.map(({ status }) => status)),
      ...measures,
      row("results", "loss, last step", runs.map(({ loss }) => loss), (value) => formatMeasure(Number(value))),
      row("results", "steps", runs.map(({ steps }) => steps)),
      { ...row("results", "trained for, seconds", runs.map(({ trained }) => (trained === null ? null : trained.milliseconds / 1000))), label: "trained for", texts: runs.map(({ trained }) => trainedText(trained, formatDuration)) },
      ...moved.map((metric) => row("results", `${metric}, last`, runs.map((run, i) => learned[i]!.get(metric) ?? run.hyperparameters.find((one) => one.metric === metric)?.value ?? null), (value) => (typeof value === "number" ? formatHyperparameter(value) : value))),
    ],
  };
}

/** @param headlines one sentence a study: what its results say */
export function compareStudies(studies: readonly StudyDetail[], headlines: readonly string[]): Comparison {
  const axes = studies.map(({ study }) => study.axes.map((axis) => JSON.stringify(axis)).join(" "));
  const methods = studies.map(({ study }) => study.methods?.list.map(({ name }) => name).join("; ") ?? "");
  const counts = (["total", "finished", "diverged", "failed", "pruned", "skipped"] as const).map((name) => row("results", name === "total" ? "runs" : name, studies.map((study) => study[name])));
  return {
    kind: "study",
    ids: studies.map(({ id }) => id),
    names: studies.map(({ name }) => name),
    rows: [
      ...settings(studies.map(({ study }) => study.base)),
      ...(new Set(axes).size > 1 ? [row("settings", "axes", axes)] : []),
      ...(new Set(methods).size > 1 ? [row("settings", "methods", methods)] : []),
      ...(new Set(studies.map(({ study }) => study.seeds.join(" "))).size > 1 ? [row("settings", "seeds", studies.map(({ study }) => study.seeds.join(" ")))] : []),
      row("results", "status", studies.map(({ status }) => status)),
      ...counts.filter(({ values }) => values.some((value) => value !== 0)),
      { ...row("results", "trained for", studies.map((study) => (trainedUntil(study, Date.now())?.milliseconds ?? 0) / 1000)), texts: studies.map((study) => trainedText(trainedUntil(study, Date.now()), formatDuration)) },
      row("results", "verdict", headlines),
    ],
  };
}

/** The rows with a header of names; ids where a name is there twice. */
export function tableRows({ ids, names, rows }: Comparison): string[][] {
  const titles = names.map((name, i) => (name === "" || names.filter((other) => other === name).length > 1 ? ids[i]! : name));
  return [["", ...titles], ...rows.map(({ label, texts }) => [label, ...texts])];
}

export const comparisonEndings = { ".csv": "csv", ".json": "json", ".md": "markdown", ".html": "html", ".svg": "svg", ".png": "png" } as const;
export type ComparisonFormat = (typeof comparisonEndings)[keyof typeof comparisonEndings];

/** The comparison as text in a format; pictures are drawn elsewhere. */
export function written(comparison: Comparison, format: Exclude<ComparisonFormat, "svg" | "png">): string {
  const [header, ...body] = tableRows(comparison);
  switch (format) {
    case "csv":
      return csv([["section", "field", ...comparison.ids], ["", "name", ...comparison.names], ...comparison.rows.map(({ section, label, values }) => [section, label, ...values])]);
    case "json":
      return `${JSON.stringify(comparison, null, 2)}\n`;
    case "markdown": {
      const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replace(/\s+/g, " ")).join(" | ")} |\n`;
      return line(header!) + line(header!.map((_, i) => (i === 0 ? "---" : "---:"))) + body.map(line).join("");
    }
    case "html": {
      const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
      const cells = (row: readonly string[], tag: "th" | "td") => row.map((cell, i) => (i === 0 ? `<th scope="row">${escaped(cell)}</th>` : `<${tag}>${escaped(cell)}</${tag}>`)).join("");
      return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Comparison of ${comparison.kind === "run" ? "runs" : "studies"}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color-scheme: light dark; }
table { border-collapse: collapse; }
th, td { padding: 0.3rem 0.8rem; border-bottom: 1px solid #8884; text-align: right; font-weight: normal; font-variant-numeric: tabular-nums; }
th[scope="row"] { text-align: left; color: GrayText; }
thead th { font-weight: 600; }
</style>
<table>
<thead><tr>${cells(header!, "th")}</tr></thead>
<tbody>
${body.map((line) => `<tr>${cells(line, "td")}</tr>`).join("\n")}
</tbody>
</table>
</html>
`;
    }
  }
}
