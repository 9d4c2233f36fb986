/** Points of a study as expandable table rows. */
import { countedParts } from "@shared/text.ts";
import type { CurvePoint, MeasuredRun, StudyCurves } from "@shared/study/curves.ts";
import { atEdge } from "@shared/study/curves.ts";

export interface PointRow {
  readonly kind: "point";
  readonly id: string;
  /** Index of its curve in the study. */
  readonly curve: number;
  readonly point: CurvePoint;
  readonly open: boolean;
}

export interface RunRow {
  readonly kind: "run";
  readonly id: string;
  readonly curve: number;
  readonly run: MeasuredRun;
}

export type StudyTableRow = PointRow | RunRow;

export type PointOrder = "axis" | "best";

const rowId = (curve: number, x: number) => `${curve}:${x}`;

/**
 * A row for each height and value, with a row per run below expanded ones.
 * `axis`: in curve order; `best`: best mean first, points without a mean last.
 */
export function tableRows({ curves }: Pick<StudyCurves, "curves">, opened: ReadonlySet<string>, order: PointOrder): StudyTableRow[] {
  const points = curves.flatMap(({ points }, curve) => points.map((point) => ({ curve, point })));
  if (order === "best") points.sort((a, b) => (a.point.mean ?? Infinity) - (b.point.mean ?? Infinity));
  return points.flatMap(({ curve, point }): StudyTableRow[] => {
    const id = rowId(curve, point.x);
    const open = opened.has(id);
    const runs = open ? point.runs.map((run): RunRow => ({ kind: "run", id: run.point.key, curve, run })) : [];
    return [{ kind: "point", id, curve, point, open }, ...runs];
  });
}

/** Row of the point that a run belongs to, by run. */
export function rowsByRun({ curves }: Pick<StudyCurves, "curves">): Map<string, string> {
  return new Map(
    curves.flatMap(({ points }, curve) => points.flatMap((point) => point.runs.flatMap(({ point: { run } }) => (run === null ? [] : [[run, rowId(curve, point.x)] as const])))),
  );
}

export const runIds = (runs: readonly MeasuredRun[]) => runs.flatMap(({ point }) => point.run ?? []);

/** Describes runs that were not simply measured: `2 diverged, 1 pending`; empty when all were. */
export function remarks({ runs, diverged, exploded, pending }: CurvePoint): string {
  const early = runs.filter((run) => run.outcome === "early" && !atEdge(run)).length;
  const lost = (status: "failed" | "missing" | "skipped") => runs.filter(({ point }) => point.status === status).length;
  const parts = [
    [diverged, "diverged"],
    [exploded, "exploded"],
    [early, "stopped early"],
    [pending, "pending"],
    [lost("failed"), "failed"],
    [lost("missing"), "in the bin"],
    [lost("skipped"), "skipped"],
  ] as const;
  return countedParts(parts).join(", ");
}
