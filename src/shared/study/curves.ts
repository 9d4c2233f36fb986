/** The runs of a study as curves and grids: one per tower height or stack, means and spreads over the seeds. */
import { studyAxis, type StudyAxis } from "./axes.ts";
import { standardErrorOf, summarize } from "../statistics.ts";
import { maxOf, minOf } from "../extent.ts";
import { metricText } from "../metrics.ts";
import { countedParts, listed, nounFor } from "../text.ts";
import { chanceLevel, countedAs, isWorst, measure, penalty, type Outcome, type StudyMetric } from "./metric.ts";
import type { StudyPoint } from "./result.ts";
import type { Study } from "./study.ts";

/** One run as a metric sees it. */
export interface MeasuredRun {
  readonly point: StudyPoint;
  readonly outcome: Outcome;
  /** Null without one: diverged, exploded, failed, missing, not begun. */
  readonly value: number | null;
  /** What it counts as in means: its value, the penalty of a diverged or exploded run, null where it does not count. */
  readonly counted: number | null;
}

/** Runs that differ in nothing but the seed (and in axes that are averaged over). */
export interface Aggregate {
  readonly runs: readonly MeasuredRun[];
  /** Runs that count, diverged and exploded ones among them. */
  readonly n: number;
  /** Runs whose training diverged, whatever the metric makes of them. */
  readonly diverged: number;
  /** Runs that did not diverge, but whose value is not finite or far worse than guessing. */
  readonly exploded: number;
  readonly pending: number;
  /** Failed or missing. */
  readonly lost: number;
  /** Reruns with no learned values to start from. */
  readonly skipped: number;
  readonly mean: number | null;
  /** Sample standard deviation over sqrt(n); null for fewer than two runs. */
  readonly standardError: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

export interface CurvePoint extends Aggregate {
  /** Value of the axis; 0 in a study without axes. */
  readonly x: number;
}

/** What a curve or a grid is of: a height of the tower, or a stack with a name. */
export interface Variant {
  readonly height: number;
  /** Null in a study that compares heights. */
  readonly stack: string | null;
  readonly label: string;
  /** Name of the stack that it is compared with, where the study names one. */
  readonly against?: string;
}

export interface Curve extends Variant {
  /** By rising x. */
  readonly points: readonly CurvePoint[];
}

export interface GridCell extends Aggregate {
  readonly x: number;
  readonly y: number;
}

export interface Grid extends Variant {
  readonly cells: readonly GridCell[];
}

/** Axes held at one of their values, by index; runs of axes that are neither drawn nor fixed are averaged over. */
export type FixedAxes = Readonly<Record<number, number>>;

export interface CurveOptions {
  readonly metric: StudyMetric;
  /** Which axis is x. */
  readonly axis?: number;
  readonly fixed?: FixedAxes;
}

export interface StudyCurves {
  readonly metric: StudyMetric;
  /** Null in a study without axes, whose curves are single points. */
  readonly axis: StudyAxis | null;
  /** What guessing gets; null where that is unknown. */
  readonly chance: number | null;
  /** What a diverged or exploded run counts as; null while nothing is known. */
  readonly penalty: number | null;
  readonly curves: readonly Curve[];
}

export interface StudyGrids extends Omit<StudyCurves, "axis" | "curves"> {
  readonly x: StudyAxis;
  readonly y: StudyAxis;
  readonly grids: readonly Grid[];
}

export function heightLabel(height: number): string {
  return `height ${height}`;
}

/** Groups in the order in which their keys come first. */
export function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** Every run under a metric, in their order; the penalty is that of the whole study. */
export function measureRuns(study: Study, points: readonly StudyPoint[], metric: StudyMetric) {
  const measured = points.map((point) => ({ point, ...measure(point, metric, study.base) }));
  const chance = chanceLevel(metric.name, study.base);
  const worst = penalty(chance, measured.flatMap(({ value }) => value ?? []));
  const runs = measured.map((run): MeasuredRun => ({ ...run, counted: countedAs(run, worst) }));
  return { runs, chance, penalty: worst };
}

export function aggregate(runs: readonly MeasuredRun[]): Aggregate {
  const counted = runs.flatMap(({ counted }) => counted ?? []);
  const count = (test: (run: MeasuredRun) => boolean) => runs.filter(test).length;
  const summary = counted.length === 0 ? null : summarize(counted);
  return {
    runs,
    n: counted.length,
    diverged: count(hasDiverged),
    exploded: count(hasExploded),
    pending: count(({ outcome }) => outcome === "pending"),
    lost: count(({ outcome }) => outcome === "failed" || outcome === "missing"),
    skipped: count(({ outcome }) => outcome === "skipped"),
    mean: summary?.mean ?? null,
    standardError: summary && standardErrorOf(summary),
    min: counted.length === 0 ? null : minOf(counted),
    max: counted.length === 0 ? null : maxOf(counted),
  };
}

export function hasDiverged({ point, outcome }: MeasuredRun): boolean {
  return point.status === "diverged" || outcome === "diverged";
}

export function hasExploded(run: MeasuredRun): boolean {
  return run.outcome === "exploded" && !hasDiverged(run);
}

/** Runs that are drawn at the top edge: they diverged, or count as the worst. */
export const atEdge = (run: MeasuredRun): boolean => hasDiverged(run) || isWorst(run.outcome);

/** What a mean contains: `1 diverged and 2 exploded count as 90.00 %`; empty where every run has a value of its own. */
export function worstWords({ runs }: Pick<Aggregate, "runs">, metric: StudyMetric, worst: number | null): string {
  const count = (of: Outcome) => runs.filter(({ outcome }) => outcome === of).length;
  const parts = countedParts([[count("diverged"), "diverged"], [count("exploded"), "exploded"]]);
  const all = count("diverged") + count("exploded");
  return all === 0 || worst === null ? "" : `${listed(parts)} ${nounFor(all, "counts", "count")} as ${metricText(metric.name, worst)}`;
}

/** Points that too little is known of: fewer than two of their runs (or the only one) count, and more are to come. */
export function waitingPoints(points: readonly { readonly runs: readonly MeasuredRun[] }[]): number {
  const waits = (runs: readonly MeasuredRun[]) =>
    runs.some(({ outcome }) => outcome === "pending") && runs.filter(({ counted }) => counted !== null).length < Math.min(2, runs.length);
  return points.reduce((sum, { runs }) => sum + [...groupBy(runs, ({ point }) => point.values.join()).values()].filter(waits).length, 0);
}

const isAt = (fixed: FixedAxes) => {
  const held = Object.entries(fixed).map(([index, value]) => [Number(index), value] as const);
  return ({ point }: MeasuredRun) => held.every(([index, value]) => point.values[index] === value);
};

const rising = (a: number, b: number) => a - b;

/** The heights that have runs, lowest first; in a study of stacks those, as they are listed. */
export function variantsOf({ stacks }: Study, points: readonly StudyPoint[]): Variant[] {
  const order = stacks?.map(({ name }) => name) ?? [];
  return [...groupBy(points, ({ stack, height }) => stack ?? height).values()]
    .map(([first]): Variant => {
      const { height, stack = null } = first!;
      const against = stacks?.find(({ name }) => name === stack)?.against;
      return { height, stack, label: stack ?? heightLabel(height), ...(against && { against }) };
    })
    .sort((a, b) => (a.stack !== null && b.stack !== null ? order.indexOf(a.stack) - order.indexOf(b.stack) : a.height - b.height));
}

function byVariant(study: Study, runs: readonly MeasuredRun[]): { variant: Variant; runs: MeasuredRun[] }[] {
  const own = groupBy(runs, ({ point }) => point.stack ?? point.height);
  return variantsOf(study, runs.map(({ point }) => point)).map((variant) => ({ variant, runs: own.get(variant.stack ?? variant.height)! }));
}

/** One curve per height or stack. @throws RangeError when the study has axes but not the one asked for */
export function studyCurves(study: Study, points: readonly StudyPoint[], { metric, axis = 0, fixed = {} }: CurveOptions): StudyCurves {
  const { runs, ...levels } = measureRuns(study, points, metric);
  const x = study.axes.length === 0 ? null : studyAxis(study, axis);
  const curves = byVariant(study, runs.filter(isAt(fixed))).map(({ variant, runs: own }): Curve => {
    const byX = groupBy(own, ({ point }) => (x ? point.values[x.index]! : 0));
    const sorted = [...byX].sort(([a], [b]) => rising(a, b));
    return { ...variant, points: sorted.map(([value, at]) => ({ x: value, ...aggregate(at) })) };
  });
  return { metric, axis: x, ...levels, curves };
}

/** One grid per height or stack, of the cells that have runs. @throws RangeError when the study has no such axes */
export function studyGrids(
  study: Study,
  points: readonly StudyPoint[],
  { metric, x = 0, y = 1, fixed = {} }: { metric: StudyMetric; x?: number; y?: number; fixed?: FixedAxes },
): StudyGrids {
  const { runs, ...levels } = measureRuns(study, points, metric);
  const grids = byVariant(study, runs.filter(isAt(fixed))).map(({ variant, runs: own }): Grid => {
    const cells = [...groupBy(own, ({ point }) => `${point.values[x]!},${point.values[y]!}`).values()].map((at): GridCell => {
      const { values } = at[0]!.point;
      return { x: values[x]!, y: values[y]!, ...aggregate(at) };
    });
    return { ...variant, cells: cells.sort((a, b) => rising(a.x, b.x) || rising(a.y, b.y)) };
  });
  return { metric, x: studyAxis(study, x), y: studyAxis(study, y), ...levels, grids };
}
