/** The runs of a study as a table that can be sorted and filtered. */
import { hasExploded, type MeasuredRun } from "@shared/study/curves.ts";
import type { StudyPoint } from "@shared/study/result.ts";
import { pointStatusLabels } from "./studyWords.ts";

export interface RunSorting {
  /** `x0`, `x1`, ... are the axes. */
  readonly column: string;
  readonly order: "asc" | "desc";
}

/** Value of a point on an axis. */
type ValueOn = (point: StudyPoint, axis: number) => number | undefined;

function sortKey(run: MeasuredRun, column: string, valueOn: ValueOn): string | number | null {
  const { point, value } = run;
  if (column.startsWith("x")) return valueOn(point, Number(column.slice(1))) ?? null;
  switch (column) {
    case "status":
      return hasExploded(run) ? "Exploded" : pointStatusLabels[point.status];
    case "tower":
      return point.stack ?? point.height;
    case "seed":
      return point.seed;
    case "steps":
      return point.steps;
    case "time":
      return point.trainingTime;
    default:
      return value;
  }
}

/** Sorted copy; rows without a value last in either order; stable. */
export function sortStudyRuns(runs: readonly MeasuredRun[], { column, order }: RunSorting, valueOn: ValueOn = ({ values }, axis) => values[axis]): MeasuredRun[] {
  const sign = order === "asc" ? 1 : -1;
  const keyed = runs.map((run, index) => ({ run, index, key: sortKey(run, column, valueOn) }));
  keyed.sort((a, b) => {
    if (a.key === b.key) return a.index - b.index;
    if (a.key === null) return 1;
    if (b.key === null) return -1;
    return a.key < b.key ? -sign : sign;
  });
  return keyed.map(({ run }) => run);
}
