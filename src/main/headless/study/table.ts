/** A study as a table: a row for each height or stack and each point of its axes, its seeds together. */
import { formatMeasure } from "../../../shared/format.ts";
import { isPercent, metricOf, metricValue } from "../../../shared/metrics.ts";
import { studyAxes } from "../../../shared/study/axes.ts";
import { heightLabel } from "../../../shared/study/curves.ts";
import type { StudyCell } from "../../../shared/study/expand.ts";
import { metricFor, metricUnit } from "../../../shared/study/metric.ts";
import type { StudyPoint } from "../../../shared/study/result.ts";
import type { Study } from "../../../shared/study/study.ts";
import { summarize } from "../../../shared/statistics.ts";
import { formatHyperparameter, notation } from "../../../shared/tower.ts";
import { table } from "../format.ts";

type Placed = Pick<StudyPoint, "height" | "values" | "seed"> & { readonly stack?: string | undefined };

function rows<T extends Placed>(points: readonly T[]): T[][] {
  const groups = new Map<string, T[]>();
  for (const point of points) {
    const key = JSON.stringify([point.stack ?? point.height, point.values]);
    const of = groups.get(key);
    if (of) of.push(point);
    else groups.set(key, [point]);
  }
  return [...groups.values()];
}

const place = ({ height, stack, values }: Placed) => [stack ?? heightLabel(height), ...values.map(formatHyperparameter)];

function header(study: Study): string[] {
  return [study.stacks ? "STACK" : "HEIGHT", ...studyAxes(study).map(({ label }) => label)];
}

/** What each run will be. */
export function cellsTable(study: Study, cells: readonly StudyCell[]): string {
  const body = rows(cells as readonly (StudyCell & Placed)[]).map((of) => {
    const { experiment } = of[0]!;
    return [...place(of[0]!), notation(experiment.tower), String(experiment.budget.epochs), of.map(({ seed }) => seed).join(" ")];
  });
  return table([[...header(study), "TOWER", "EPOCHS", "SEEDS"], ...body]);
}

/** What became of them: what runs are known by at the end, over the seeds. */
export function resultsTable(study: Study, points: readonly StudyPoint[]): string {
  const name = metricFor(undefined, study.base);
  const written = (value: number) => (isPercent(name) ? value.toFixed(2) : formatMeasure(value));
  const body = rows(points).map((of) => {
    const values = of.flatMap(({ status, evaluations }) => (status === "finished" && evaluations.length > 0 ? (metricValue(name, evaluations.at(-1)!) ?? []) : []));
    const summary = values.length === 0 ? null : summarize(values);
    const text = summary === null ? "–" : `${written(summary.mean)}${summary.deviation === null ? "" : ` ± ${written(summary.deviation)}`}${metricUnit(name)}`;
    return [...place(of[0]!), String(values.length), text, remarks(of)];
  });
  return table([[...header(study), "RUNS", metricOf(name).label.toUpperCase(), ""], ...body]);
}

/** Runs that stand behind no error, by what became of them: `2 diverged, 1 missing`. */
function remarks(points: readonly StudyPoint[]): string {
  const counts = new Map<string, number>();
  for (const { status } of points) if (status !== "finished") counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
}
