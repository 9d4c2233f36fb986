/** Curves and grids of a study: one per tower height, stack or method, with means and standard errors over the seeds. */
import { studyAxis, type StudyAxis } from "./axes.ts";
import { standardErrorOf, summarize } from "../statistics.ts";
import { maxOf, minOf } from "../extent.ts";
import { metricText } from "../metrics.ts";
import { countedParts, listed, nounFor } from "../text.ts";
import { isOnSweep } from "./methods.ts";
import { chanceLevel, countedAs, isWorst, measure, penalty, type Outcome, type StudyMetric } from "./metric.ts";
import type { StudyPoint } from "./result.ts";
import type { Study } from "./study.ts";

/** A run and its value of a metric. */
export interface MeasuredRun {
  readonly point: StudyPoint;
  readonly outcome: Outcome;
  /** Null without a value: the run diverged, exploded, failed, is missing or has not begun. */
  readonly value: number | null;
  /** Value in means: its own, the penalty if it diverged or exploded, or null if it does not count. */
  readonly counted: number | null;
}

/** Statistics of runs that differ only in the seed (and in axes that are averaged over). */
export interface Aggregate {
  readonly runs: readonly MeasuredRun[];
  /** Number of runs that count, including diverged and exploded ones. */
  readonly n: number;
  /** Number of runs whose training diverged, whether or not they have a value. */
  readonly diverged: number;
  /** Number of runs that did not diverge, but whose value is not finite or far worse than guessing. */
  readonly exploded: number;
  readonly pending: number;
  /** Number of failed or missing runs. */
  readonly lost: number;
  /** Number of reruns without learned values to start from. */
  readonly skipped: number;
  readonly mean: number | null;
  /** Sample standard deviation divided by sqrt(n); null for fewer than two runs. */
  readonly standardError: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

export interface CurvePoint extends Aggregate {
  /** Axis value; 0 in a study without axes. */
  readonly x: number;
}

/** Identity of a curve or grid: a tower height, a named stack or a method. */
export interface Variant {
  readonly height: number;
  /** Name of a stack or method; null in a study that compares heights. */
  readonly stack: string | null;
  readonly label: string;
  /** Name of the stack to compare with, if the study names one. */
  readonly against?: string;
}

export interface Curve extends Variant {
  /** Sorted by x. */
  readonly points: readonly CurvePoint[];
}

export interface GridCell extends Aggregate {
  readonly x: number;
  readonly y: number;
}

export interface Grid extends Variant {
  readonly cells: readonly GridCell[];
}

/** Fixed values of axes, by axis index. Axes that are neither drawn nor fixed are averaged over. */
export type FixedAxes = Readonly<Record<number, number>>;

export interface CurveOptions {
  readonly metric: StudyMetric;
  /** Index of the x axis. */
  readonly axis?: number;
  readonly fixed?: FixedAxes;
}

export interface StudyCurves {
  readonly metric: StudyMetric;
  /** Null in a study without axes; its curves are single points. */
  readonly axis: StudyAxis | null;
  /** Value of guessing; null if unknown. */
  readonly chance: number | null;
  /** Value that a diverged or exploded run counts as; null if unknown. */
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

/** Groups items by key, in the order of each key's first item. */
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

/** Measures every run with a metric, in order; the penalty is that of the whole study. */
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

/** Whether a run is drawn at the top edge: it diverged or counts as the worst. */
export const atEdge = (run: MeasuredRun): boolean => hasDiverged(run) || isWorst(run.outcome);

/** Note on a mean: `1 diverged and 2 exploded count as 90.00 %`; empty if every run has its own value. */
export function worstWords({ runs }: Pick<Aggregate, "runs">, metric: StudyMetric, worst: number | null): string {
  const count = (wanted: Outcome) => runs.filter(({ outcome }) => outcome === wanted).length;
  const parts = countedParts([[count("diverged"), "diverged"], [count("exploded"), "exploded"]]);
  const all = count("diverged") + count("exploded");
  return all === 0 || worst === null ? "" : `${listed(parts)} ${nounFor(all, "counts", "count")} as ${metricText(metric.name, worst)}`;
}

/** Number of points with too few results: fewer than two of their runs (or their only run) count, and some are pending. */
export function waitingPoints(points: readonly { readonly runs: readonly MeasuredRun[] }[]): number {
  const waits = (runs: readonly MeasuredRun[]) =>
    runs.some(({ outcome }) => outcome === "pending") && runs.filter(({ counted }) => counted !== null).length < Math.min(2, runs.length);
  return points.reduce((sum, { runs }) => sum + [...groupBy(runs, ({ point }) => point.values.join()).values()].filter(waits).length, 0);
}

const hasFixedValues = (fixed: FixedAxes) => {
  const held = Object.entries(fixed).map(([index, value]) => [Number(index), value] as const);
  return ({ point }: MeasuredRun) => held.every(([index, value]) => point.values[index] === value);
};

const rising = (a: number, b: number) => a - b;

/** Heights that have runs, lowest first; in a study of stacks or methods, those that have runs, in the study's order. */
export function variantsOf({ stacks, methods }: Study, points: readonly StudyPoint[]): Variant[] {
  const order = (stacks ?? methods?.list ?? []).map(({ name }) => name);
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

/** Curve over one value of points. */
function curveOf(variant: Variant, runs: readonly MeasuredRun[], valueOf: (point: StudyPoint) => number): Curve {
  const sorted = [...groupBy(runs, ({ point }) => valueOf(point))].sort(([a], [b]) => rising(a, b));
  return { ...variant, points: sorted.map(([x, at]) => ({ x, ...aggregate(at) })) };
}

/** One curve per height, stack or method; those of methods are over factors of the starting value, with their knobs as published. @throws RangeError when the study has axes but not the requested one */
export function studyCurves(study: Study, points: readonly StudyPoint[], { metric, axis = 0, fixed = {} }: CurveOptions): StudyCurves {
  const { runs, ...levels } = measureRuns(study, points, metric);
  const x = study.axes.length === 0 && !study.methods ? null : studyAxis(study, axis);
  const drawn = study.methods ? runs.filter(({ point }) => isOnSweep(point.values, 0)) : runs;
  const curves = byVariant(study, drawn.filter(hasFixedValues(fixed))).map(({ variant, runs: own }) => curveOf(variant, own, ({ values }) => (x ? values[x.index]! : 0)));
  return { metric, axis: x, ...levels, curves };
}

/** Curve of a method over factors of one of its knobs (an index in `knobsOf`), with all else as published. Null without runs. */
export function knobCurve(study: Study, points: readonly StudyPoint[], { metric, method, knob }: { readonly metric: StudyMetric; readonly method: string; readonly knob: number }): Curve | null {
  const own = measureRuns(study, points, metric).runs.filter(({ point }) => point.stack === method && isOnSweep(point.values, knob));
  const [variant] = variantsOf(study, own.map(({ point }) => point));
  return variant ? curveOf(variant, own, ({ values }) => values[knob]!) : null;
}

/** One grid per height or stack, with the cells that have runs. @throws RangeError when the study lacks one of the axes */
export function studyGrids(
  study: Study,
  points: readonly StudyPoint[],
  { metric, x = 0, y = 1, fixed = {} }: { metric: StudyMetric; x?: number; y?: number; fixed?: FixedAxes },
): StudyGrids {
  const { runs, ...levels } = measureRuns(study, points, metric);
  const grids = byVariant(study, runs.filter(hasFixedValues(fixed))).map(({ variant, runs: own }): Grid => {
    const cells = [...groupBy(own, ({ point }) => `${point.values[x]!},${point.values[y]!}`).values()].map((at): GridCell => {
      const { values } = at[0]!.point;
      return { x: values[x]!, y: values[y]!, ...aggregate(at) };
    });
    return { ...variant, cells: cells.sort((a, b) => rising(a.x, b.x) || rising(a.y, b.y)) };
  });
  return { metric, x: studyAxis(study, x), y: studyAxis(study, y), ...levels, grids };
}
