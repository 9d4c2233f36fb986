/** A study as a table: a row for each height or stack and each point of its axes, its seeds together. */
import { formatMeasure } from "../../../shared/format.ts";
import { isPercent, metricOf } from "../../../shared/metrics.ts";
import { studyAxes } from "../../../shared/study/axes.ts";
import { aggregate, groupBy, heightLabel, measureRuns, worstWords, type MeasuredRun } from "../../../shared/study/curves.ts";
import type { StudyCell } from "../../../shared/study/expand.ts";
import { metricFor, metricUnit, type StudyMetric } from "../../../shared/study/metric.ts";
import type { StudyPoint } from "../../../shared/study/result.ts";
import type { Study } from "../../../shared/study/study.ts";
import { formatHyperparameter, notation } from "../../../shared/tower.ts";
import { table } from "../format.ts";

type Placed = Pick<StudyCell, "height" | "values"> & { readonly stack?: string | undefined };

const place = ({ height, stack, values }: Placed) => [stack ?? heightLabel(height), ...values.map(formatHyperparameter)];

function header(study: Study): string[] {
  return [study.stacks ? "STACK" : "HEIGHT", ...studyAxes(study).map(({ label }) => label)];
}

/** What each run will be. */
export function cellsTable(study: Study, cells: readonly StudyCell[]): string {
  const byPoint = groupBy(cells, ({ height, stack, values }) => JSON.stringify([stack ?? height, values]));
  const body = [...byPoint.values()].map((of) => {
    const { experiment } = of[0]!;
    return [...place(of[0]!), notation(experiment.tower), String(experiment.budget.epochs), of.map(({ seed }) => seed).join(" ")];
  });
  return table([[...header(study), "TOWER", "EPOCHS", "SEEDS"], ...body]);
}

/** What became of them: mean and standard error of the headline metric at the end, over the seeds. */
export function resultsTable(study: Study, points: readonly StudyPoint[]): string {
  const metric: StudyMetric = { name: metricFor(undefined, study.base), at: "final" };
  const { runs, penalty } = measureRuns(study, points, metric);
  const written = (value: number) => (isPercent(metric.name) ? value.toFixed(2) : formatMeasure(value));
  const body = [...groupBy(runs, ({ point }) => JSON.stringify([point.stack ?? point.height, point.values])).values()].map((of) => {
    const { n, mean, standardError } = aggregate(of);
    const text = mean === null ? "–" : `${written(mean)}${standardError === null ? "" : ` ± ${written(standardError)}`}${metricUnit(metric.name)}`;
    return [...place(of[0]!.point), String(n), text, remarks(of, metric, penalty)];
  });
  const spread = runs.some(({ point }) => point.seed !== runs[0]!.point.seed) ? " ± STANDARD ERROR" : "";
  return table([[...header(study), "RUNS", `${metricOf(metric.name).label.toUpperCase()}${spread}`, ""], ...body]);
}

/** What the mean contains, and the runs that it does not: `1 diverged and 1 exploded count as 90.00 %, 1 missing`. */
function remarks(runs: readonly MeasuredRun[], metric: StudyMetric, penalty: number | null): string {
  const others = runs.flatMap(({ outcome, point }) => (outcome === "early" || outcome === "failed" || outcome === "missing" || outcome === "skipped" || outcome === "pending" ? [outcome === "pending" ? point.status : outcome] : []));
  const counts = groupBy(others, (what) => what);
  return [worstWords({ runs }, metric, penalty), ...[...counts].map(([what, of]) => `${of.length} ${what === "early" ? "stopped early" : what}`)].filter(Boolean).join(", ");
}
