/** Reports of studies and runs: tables, figures and a page, made from the store. */
import { metricFor, studyMetricsOf, type Moment, type StudyMetricName } from "../../../shared/study/metric.ts";
import { sensitivityOf } from "../../../shared/study/sensitivity.ts";
import type { RunDetail } from "../../../shared/run.ts";
import { isActive } from "../../../shared/run.ts";
import { trainedUntil, type StudyDetail } from "../../../shared/study/result.ts";
import { metricOf } from "../../../shared/metrics.ts";
import { nounFor, plural } from "../../../shared/text.ts";
import { thinnedProblem } from "../../../shared/thinning.ts";
import { ExportError } from "../errors.ts";
import { csvTable } from "./csv.ts";
import { pictureFile, pictureFormats, type Figure, type PictureOptions } from "./figure.ts";
import { runFooter, studyFooter } from "./origin.ts";
import { methodsTable } from "./methodFigures.ts";
import { predictionFigures } from "./predictionFigures.ts";
import { runFigures } from "./runFigures.ts";
import { runPage } from "./runPage.ts";
import { bucketsTable, evaluationsTable, runStepsTable } from "./runTables.ts";
import { figureFile, numbersOf, sidecar } from "./sidecar.ts";
import type { ReportFile, RunPredictions, RunSource } from "./source.ts";
import { studyFigures, type StudyFigureOptions } from "./studyFigures.ts";
import { studyPage } from "./studyPage.ts";
import { curvesTable, pointRuns, runsTable, stepsTable, type Table } from "./studyTables.ts";

export { pictureFile, pictureFormats, type Figure, type PictureFormat, type PictureOptions } from "./figure.ts";
export type { StudyFigureOptions } from "./studyFigures.ts";
export type { ReportFile, RunPredictions, RunSource } from "./source.ts";

export interface Report {
  /** Warnings to the reader. */
  readonly remarks: readonly string[];
  readonly figures: readonly Figure[];
  /** All files except the figures. */
  readonly documents: readonly ReportFile[];
}

/** The headline metric by default. */
export interface StudyReportOptions extends Omit<StudyFigureOptions, "metric"> {
  readonly metric?: StudyMetricName | undefined;
  readonly at: Moment;
}

export const defaultFigureOptions: StudyReportOptions = { at: "final", band: "standardError", yLog: false };

const tableFile = (table: Table): ReportFile => ({ name: table.name, mediaType: "text/csv", pieces: () => csvTable(table.columns, table.rows()) });
const jsonFile = (name: string, value: () => unknown): ReportFile => ({ name, mediaType: "application/json", pieces: () => [`${JSON.stringify(value(), null, 2)}\n`] });
const iso = (at: number) => new Date(at).toISOString();

/** @throws ExportError when no run of the study has anything to report, or none has the metric */
export function studyReport(study: StudyDetail, source: RunSource, given: StudyReportOptions = defaultFigureOptions): Report {
  const { base } = study.study;
  const metric = metricFor(given.metric, base);
  if (given.metric !== undefined && metric !== given.metric) {
    throw new ExportError(`The runs of ${study.name || study.id} have no ${metricOf(given.metric).label}; the metric can be: ${studyMetricsOf(base).join(", ")}.`);
  }
  const options: StudyFigureOptions = { ...given, metric: { name: metric, at: given.at } };
  const of = { study, source };
  if (!study.points.some(({ run, steps }) => run !== null && steps > 0)) {
    throw new ExportError(`The study ${study.name || study.id} has no run with results yet; there is nothing to report.`);
  }
  const runs = pointRuns(of);
  const definition = { ...study.study, name: study.name };
  const found = sensitivityOf(study.study, study.points, { metric: options.metric });
  const environments = runs.flatMap(({ run }) => run?.environment ?? []);
  const remarks = [...remarksOf(study), ...thinnedRemark(runs.flatMap(({ run }) => (run?.thinned ? [run.id] : [])))];
  const footer = studyFooter(definition, { name: study.name, id: study.id, at: study.finishedAt ?? study.createdAt }, environments, source.program);
  const figures = studyFigures(of, runs, found, footer, options);
  const tables = [...(found.methods ? [methodsTable(found)] : []), curvesTable(of, found), runsTable(of, runs), stepsTable(of, runs)];
  const counts: Record<string, number> = {};
  for (const { status } of study.points) counts[status] = (counts[status] ?? 0) + 1;
  const { id, name, status, createdAt, finishedAt } = study;
  // A study under way: as of this moment.
  const trained = trainedUntil(study, Date.now());
  const head = { id, name, status, createdAt: iso(createdAt), finishedAt: finishedAt === null ? null : iso(finishedAt), trained, runs: counts, definition };
  return {
    remarks,
    figures,
    documents: [
      { name: "report.html", mediaType: "text/html", pieces: () => [studyPage(of, runs, found, figures, remarks)] },
      jsonFile("report.json", () => sidecar({ of: { study: head }, program: source.program, remarks, tables, figures, environments, numbers: numbersOf(definition, found) })),
      jsonFile("study.json", () => definition),
      ...tables.map(tableFile),
    ],
  };
}

/** Maximum number of runs named in a remark. */
const maxNamed = 5;

/** Remarks on missing and unfinished runs. */
function remarksOf({ points, status, reason }: StudyDetail): string[] {
  const named = (which: (status: string) => boolean) => {
    const keys = points.filter((point) => which(point.status)).map(({ run, key }) => run ?? key);
    return { count: keys.length, names: `${keys.slice(0, maxNamed).join(", ")}${keys.length > maxNamed ? `, and ${keys.length - maxNamed} more` : ""}` };
  };
  const remarks: string[] = [];
  const missing = named((one) => one === "missing");
  if (missing.count > 0) remarks.push(`${plural(missing.count, "run")} of the study ${nounFor(missing.count, "is", "are")} in the bin and left out of every number: ${missing.names}.`);
  const failed = named((one) => one === "failed");
  if (failed.count > 0) remarks.push(`${plural(failed.count, "run")} failed and ${nounFor(failed.count, "does", "do")} not count: ${failed.names}.`);
  const skipped = named((one) => one === "skipped");
  if (skipped.count > 0) remarks.push(`${plural(skipped.count, "rerun")} had no learned values to start from and ${nounFor(skipped.count, "does", "do")} not count: ${skipped.names}.`);
  const open = named((one) => !["finished", "diverged", "pruned", "missing", "skipped", "failed"].includes(one));
  if (open.count > 0) remarks.push(`The study is ${status}${reason ? ` (${reason})` : ""}: ${plural(open.count, "run")} of ${points.length} ${nounFor(open.count, "has", "have")} not come to an end, and the numbers are those of the others.`);
  return remarks;
}

function thinnedRemark(runs: readonly string[]): string[] {
  const names = `${runs.slice(0, maxNamed).join(", ")}${runs.length > maxNamed ? `, and ${runs.length - maxNamed} more` : ""}`;
  return runs.length === 0 ? [] : [`${plural(runs.length, "run")} ${nounFor(runs.length, "was", "were")} thinned: ${nounFor(runs.length, "its", "their")} values were erased and are missing in steps.csv; the figures use the kept summaries: ${names}.`];
}

/**
 * @param predictions null where there are none; a text says why they are missing
 * @throws ExportError when the run has logged nothing
 */
export function runReport(run: RunDetail, source: RunSource, predictions: RunPredictions | string | null): Report {
  if (run.steps === 0 || run.metrics.length === 0) throw new ExportError(`The run ${run.name} (${run.id}) has logged no steps; there is nothing to report.`);
  const predicted = typeof predictions === "string" ? null : predictions;
  const remarks = [
    ...(isActive(run.status) ? [`The run is ${run.status}: this is what it had logged when the report was made.`] : []),
    ...(run.thinned ? [`${thinnedProblem(run.name, run.thinned)} They are in buckets.csv; there is no steps.csv.`] : []),
    ...(typeof predictions === "string" ? [`Predictions are left out. ${predictions}`] : []),
  ];
  const footer = runFooter(run, source.program);
  const figures = [...runFigures(run, source, footer), ...(predicted ? predictionFigures(run, predicted.report, footer) : [])];
  const tables = [evaluationsTable(run), run.thinned ? bucketsTable(run, source) : runStepsTable(run, source)];
  const head = { run: run.id, name: run.name, status: run.status, createdAt: iso(run.createdAt), finishedAt: run.finishedAt === null ? null : iso(run.finishedAt), trained: run.trained, definition: run.experiment };
  return {
    remarks,
    figures,
    documents: [
      { name: "report.html", mediaType: "text/html", pieces: () => [runPage(run, source, { figures, remarks, text: predicted?.text ?? null })] },
      jsonFile("report.json", () => sidecar({ of: { experiment: head }, program: source.program, remarks, tables, figures, environments: run.environment ? [run.environment] : [] })),
      jsonFile("experiment.json", () => run.experiment),
      ...tables.map(tableFile),
    ],
  };
}

/** All files of a report; figures are drawn when they are written. */
export function reportFiles({ documents, figures }: Report, options: PictureOptions & { readonly scale?: number }): ReportFile[] {
  const pictures = figures.flatMap((figure) =>
    pictureFormats.map((format): ReportFile => ({ name: figureFile(figure, format), mediaType: format === "svg" ? "image/svg+xml" : "image/png", pieces: () => [pictureFile(figure, format, options)] })),
  );
  return [...documents, ...pictures];
}
