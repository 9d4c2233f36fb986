/** A study as a table: one row per height, stack or method and point of its axes, over all seeds. */
import { formatMeasure } from "../../../shared/format.ts";
import { isPercent, metricOf } from "../../../shared/metrics.ts";
import { studyAxes } from "../../../shared/study/axes.ts";
import { aggregate, groupBy, heightLabel, measureRuns, worstWords, type MeasuredRun } from "../../../shared/study/curves.ts";
import type { StudyCell } from "../../../shared/study/expand.ts";
import { metricFor, metricUnit, type StudyMetric } from "../../../shared/study/metric.ts";
import type { StudyPoint } from "../../../shared/study/result.ts";
import type { Study } from "../../../shared/study/study.ts";
import { formatHyperparameter, notation } from "../../../shared/tower.ts";
import { sweepWords } from "../../../shared/study/methods.ts";
import { table } from "../format.ts";
import { methodsText } from "./methods.ts";

type Placed = Pick<StudyCell, "height" | "values"> & { readonly stack?: string | undefined };

function pointCells(study: Study, { height, stack, values }: Placed): string[] {
  if (study.methods) return [stack!, sweepWords(study.methods, stack!, values)];
  return [stack ?? heightLabel(height), ...values.map(formatHyperparameter)];
}

function header(study: Study): string[] {
  if (study.methods) return ["METHOD", "START"];
  return [study.stacks ? "STACK" : "HEIGHT", ...studyAxes(study).map(({ label }) => label)];
}

/** The planned runs. */
export function cellsTable(study: Study, cells: readonly StudyCell[]): string {
  const byPoint = groupBy(cells, ({ height, stack, values }) => JSON.stringify([stack ?? height, values]));
  const body = [...byPoint.values()].map((seeds) => {
    const { experiment } = seeds[0]!;
    return [...pointCells(study, seeds[0]!), notation(experiment.tower), String(experiment.budget.epochs), seeds.map(({ seed }) => seed).join(" ")];
  });
  return table([[...header(study), "TOWER", "EPOCHS", "SEEDS"], ...body]);
}

/** The results: mean and standard error of the headline metric at the end, over the seeds; for methods their numbers. */
export function resultsTable(study: Study, points: readonly StudyPoint[]): string {
  if (study.methods) return methodsText(study, points);
  const metric: StudyMetric = { name: metricFor(undefined, study.base), at: "final" };
  const { runs, penalty } = measureRuns(study, points, metric);
  const written = (value: number) => (isPercent(metric.name) ? value.toFixed(2) : formatMeasure(value));
  const body = [...groupBy(runs, ({ point }) => JSON.stringify([point.stack ?? point.height, point.values])).values()].map((seeds) => {
    const { n, mean, standardError } = aggregate(seeds);
    const text = mean === null ? "–" : `${written(mean)}${standardError === null ? "" : ` ± ${written(standardError)}`}${metricUnit(metric.name)}`;
    return [...pointCells(study, seeds[0]!.point), String(n), text, remarks(seeds, metric, penalty)];
  });
  const spread = runs.some(({ point }) => point.seed !== runs[0]!.point.seed) ? " ± STANDARD ERROR" : "";
  return table([[...header(study), "RUNS", `${metricOf(metric.name).label.toUpperCase()}${spread}`, ""], ...body]);
}

/** Runs that count as the worst, and runs missing from the mean: `1 diverged and 1 exploded count as 90.00 %, 1 missing`. */
function remarks(runs: readonly MeasuredRun[], metric: StudyMetric, penalty: number | null): string {
  const others = runs.flatMap(({ outcome, point }) => (outcome === "early" || outcome === "failed" || outcome === "missing" || outcome === "skipped" || outcome === "pending" ? [outcome === "pending" ? point.status : outcome] : []));
  const counts = groupBy(others, (what) => what);
  return [worstWords({ runs }, metric, penalty), ...[...counts].map(([what, group]) => `${group.length} ${what === "early" ? "stopped early" : what}`)].filter(Boolean).join(", ");
}
