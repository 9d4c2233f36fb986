/**
 * The numbers of every height of a study with confidence intervals over its seeds: bootstrap percentiles
 * from five seeds on, t intervals from the bootstrap's standard error below.
 */
import { minOf } from "../extent.ts";
import { tQuantile } from "../statistics.ts";
import { formatCount } from "../format.ts";
import { nounFor, plural } from "../text.ts";
import { positionOn, valueOn } from "./axes.ts";
import { percentileInterval, resample, type BootstrapOptions, type Interval } from "./bootstrap.ts";
import { groupBy, waitingPoints, type Curve, type MeasuredRun, type Variant } from "./curves.ts";
import { samplesOf, statisticsOf, type HeightSample, type HeightStatistics, type Setting } from "./statistics.ts";
import { thresholdOf, usableRange, type Usable } from "./width.ts";

export interface Estimate {
  readonly value: number;
  /** Null with the reason in `noInterval` of its height. */
  readonly interval: Interval | null;
}

/** A difference between two heights. */
export interface Difference extends Estimate {
  /**
   * t interval for a verdict that chose one of several heights: Bonferroni, at a confidence of
   * 1 - (1 - confidence) / comparisons. Null where there is no interval.
   */
  readonly corrected: Interval | null;
}

/** How a height differs from a lower one, or a stack from another; lower metric and wider range are better, time is relative. */
export interface Change {
  /** What it is compared with. */
  readonly from: Variant;
  /** Levels that it has more. */
  readonly levels: number;
  /** Runs with the same values and seed that both have, and how often this one's is better. */
  readonly wins: number;
  readonly pairs: number;
  /** Metric of the lower height's best minus this one's: above 0 is better. */
  readonly gain: Difference;
  /** Decrease of the mean over the values of the axis, values worse than guessing counted as guessing: above 0 is better. */
  readonly onAverage: Difference;
  /** Increase of the usable width: above 0 is better. */
  readonly wider: Difference;
  /** Increase of the time per step as a share of the lower height's: 0.028 is 2.8 % more. Null where a time is unknown. */
  readonly cost: Difference | null;
}

export interface HeightNumbers extends Variant {
  /** Runs in all, those that count, diverged, exploded, not there yet, failed or missing, reruns that could not start. */
  readonly runs: number;
  readonly n: number;
  readonly diverged: number;
  readonly exploded: number;
  readonly pending: number;
  readonly lost: number;
  readonly skipped: number;
  /** Values of the axis, and those with a run that counts. */
  readonly values: number;
  readonly known: number;
  /** Points that must come further before anything is concluded: see `waitingPoints`. */
  readonly waiting: number;
  /** Fewest runs that count at a point; 0 while none does. */
  readonly seeds: number;
  /** Null while no run counts. */
  readonly numbers: {
    readonly best: Estimate;
    /** Where on the axis the best is, and the interval it falls in. */
    readonly bestAt: Estimate;
    readonly sensitivity: Estimate;
    readonly excess: Estimate;
    readonly width: Estimate;
    readonly widthOfStudy: Estimate;
    readonly divergedShare: Estimate;
    readonly explodedShare: Estimate;
    readonly timePerStep: Estimate | null;
    /** What is usable by its own best, and by the study's. */
    readonly usable: Usable;
    readonly usableOfStudy: Usable;
    /** Against the first of the study, its lowest height or first stack, or against the stack it names. Null without such a one. */
    readonly change: Change | null;
    /** Against the next lower height, divided by the levels between. Null for the lowest, and between stacks. */
    readonly perLevel: Change | null;
  } | null;
  /** Why there are no confidence intervals, in words; null when there are. */
  readonly noInterval: string | null;
}

/** Runs of one height that differ in nothing but the seed, by their indices: what the bootstrap draws from. */
function strataOf({ runs }: HeightSample): number[][] {
  return [...groupBy(runs, ({ run }) => run.point.values.join()).values()].map((cell) => cell.map(({ index }) => index));
}

function reasonAgainst(strata: readonly (readonly number[])[]): string | null {
  const single = strata.filter(({ length }) => length < 2).length;
  if (single === 0) return null;
  return single === strata.length
    ? "each point has a single seed, and an interval needs at least two"
    : `${single} of ${plural(strata.length, "point")} ${nounFor(single, "has", "have")} a single seed, and an interval needs at least two at each`;
}

/** Statistics as observed and of every resample, for every height that has runs. */
interface Bootstrapped {
  readonly curve: Curve;
  readonly observed: HeightStatistics;
  readonly resampled: readonly HeightStatistics[];
  readonly noInterval: string | null;
  /** Fewest runs at a point. */
  readonly seeds: number;
}

/** From so many seeds at every point on, percentiles of resamples make an interval; fewer can only recombine a few values. */
export const fewestForPercentiles = 5;

function bootstrapped(curves: readonly Curve[], setting: Setting, options: BootstrapOptions): Bootstrapped[] {
  const { samples, count } = samplesOf(curves);
  const strata = samples.map(strataOf);
  const reasons = strata.map(reasonAgainst);
  const rows: HeightStatistics[][] = [];
  // A height with single seeds takes part as it is: the others may be measured against its best.
  if (reasons.includes(null)) resample(strata.flat(), options, (weights) => rows.push(statisticsOf(samples, weights, setting)));
  return statisticsOf(samples, new Uint8Array(count).fill(1), setting).map((observed, i) => ({
    curve: samples[i]!.curve,
    observed,
    resampled: rows.map((row) => row[i]!),
    noInterval: reasons[i]!,
    seeds: minOf(strata[i]!.map(({ length }) => length)),
  }));
}

type Statistic = (of: HeightStatistics) => number;

/** Where a number may lie, and the scale on which it is symmetric. */
interface Range {
  readonly low?: number;
  readonly high?: number;
  readonly scale?: Setting["scale"];
}

/**
 * The bootstrap's standard error times Student's t. The factor sqrt(n / (n - 1)) undoes that resamples of n
 * values scatter too little: for the mean of one point this is the classical t interval.
 */
function tInterval(value: number, resampled: readonly number[], seeds: number, confidence: number, { low = -Infinity, high = Infinity, scale = "linear" }: Range): Interval | null {
  const known = resampled.filter(Number.isFinite);
  if (known.length < 2 || !Number.isFinite(value)) return null;
  const positions = known.map((one) => positionOn(scale, one));
  const mean = positions.reduce((sum, one) => sum + one, 0) / positions.length;
  const variance = positions.reduce((sum, one) => sum + (one - mean) ** 2, 0) / positions.length;
  const half = tQuantile(confidence, seeds - 1) * Math.sqrt((variance * seeds) / (seeds - 1));
  const at = positionOn(scale, value);
  return [Math.max(low, valueOn(scale, at - half)), Math.min(high, valueOn(scale, at + half))];
}

/** Of the resamples in which the statistic is known. */
function intervalOf(value: number, resampled: readonly number[], seeds: number, { confidence }: BootstrapOptions, range: Range): Interval | null {
  if (seeds < fewestForPercentiles) return tInterval(value, resampled, seeds, confidence, range);
  const known = resampled.filter(Number.isFinite);
  return known.length === 0 ? null : percentileInterval(known, confidence);
}

function estimate(of: Bootstrapped, statistic: Statistic, options: BootstrapOptions, range: Range): Estimate {
  const value = statistic(of.observed);
  return { value, interval: of.noInterval === null ? intervalOf(value, of.resampled.map(statistic), of.seeds, options, range) : null };
}

/** How often a run of `above` is better than the run of `below` with the same values and seed. */
function winsOver(below: Curve, above: Curve): { wins: number; pairs: number } {
  const key = ({ point: { values, seed } }: MeasuredRun) => JSON.stringify([values, seed]);
  const known = new Map(below.points.flatMap(({ runs }) => runs.map((run) => [key(run), run.counted] as const)));
  const pairs = above.points.flatMap(({ runs }) => runs.flatMap((run) => {
    const other = known.get(key(run)) ?? null;
    return run.counted === null || other === null ? [] : [run.counted < other];
  }));
  return { wins: pairs.filter(Boolean).length, pairs: pairs.length };
}

/** @param comparisons how many heights or stacks the verdict compares, or chooses among */
function changeFrom(below: Bootstrapped, above: Bootstrapped, options: BootstrapOptions, { perLevel, comparisons }: { perLevel: boolean; comparisons: number }): Change {
  const { height, stack, label } = below.curve;
  const levels = above.curve.height - height;
  const share = perLevel ? 1 / levels : 1;
  const seeds = Math.min(below.seeds, above.seeds);
  const between = (difference: (below: HeightStatistics, above: HeightStatistics) => number): Difference => {
    const value = share * difference(below.observed, above.observed);
    if (below.noInterval !== null || above.noInterval !== null) return { value, interval: null, corrected: null };
    const resampled = below.resampled.map((of, i) => share * difference(of, above.resampled[i]!));
    const corrected = tInterval(value, resampled, seeds, 1 - (1 - options.confidence) / comparisons, {});
    return { value, interval: intervalOf(value, resampled, seeds, options, {}), corrected };
  };
  const cost = between((a, b) => b.timePerStep / a.timePerStep - 1);
  return {
    from: { height, stack, label },
    levels,
    ...winsOver(below.curve, above.curve),
    gain: between((a, b) => a.best - b.best),
    onAverage: between((a, b) => a.excess - b.excess),
    wider: between((a, b) => b.width - a.width),
    cost: Number.isFinite(cost.value) ? cost : null,
  };
}

const total = (curve: Curve, of: (point: Curve["points"][number]) => number) => curve.points.reduce((sum, point) => sum + of(point), 0);

export function heightNumbers(curves: readonly Curve[], setting: Setting, options: BootstrapOptions): HeightNumbers[] {
  const all = bootstrapped(curves, setting, options);
  const bestOfStudy = minOf(all.map(({ observed }) => observed.best));
  const pairwise = curves.some(({ against }) => against !== undefined);
  const baseOf = ({ against }: Curve, index: number) => (pairwise ? all.find(({ curve }) => curve.stack === against) : index > 0 ? all[0] : undefined);
  const comparisons = pairwise ? all.filter(({ curve }, index) => baseOf(curve, index)).length : all.length - 1;

  const numbersOf = (curve: Curve): HeightNumbers["numbers"] => {
    const index = all.findIndex((of) => of.curve === curve);
    const own = all[index];
    if (!own) return null;
    const of = (statistic: Statistic, range: Range = { low: 0 }) => estimate(own, statistic, options, range);
    const [from, to] = [curve.points[0]!.x, curve.points.at(-1)!.x];
    const widest = positionOn(setting.scale, to) - positionOn(setting.scale, from);
    const known = curve.points.flatMap(({ x, mean }) => (mean === null ? [] : [{ x, value: mean }]));
    const usable = (reference: number) => usableRange(known, thresholdOf(setting.tolerance, reference), setting.scale);
    const time = of(({ timePerStep }) => timePerStep);
    const base = baseOf(curve, index);
    return {
      best: of(({ best }) => best),
      bestAt: of(({ bestAt }) => bestAt, { low: from, high: to, scale: setting.scale }),
      sensitivity: of(({ sensitivity }) => sensitivity),
      excess: of(({ excess }) => excess),
      width: of(({ width }) => width, { low: 0, high: widest }),
      widthOfStudy: of(({ widthOfStudy }) => widthOfStudy, { low: 0, high: widest }),
      divergedShare: of(({ diverged }) => diverged, { low: 0, high: 1 }),
      explodedShare: of(({ exploded }) => exploded, { low: 0, high: 1 }),
      timePerStep: Number.isFinite(time.value) ? time : null,
      usable: usable(own.observed.best),
      usableOfStudy: usable(bestOfStudy),
      change: base ? changeFrom(base, own, options, { perLevel: false, comparisons }) : null,
      perLevel: index > 0 && curve.stack === null ? changeFrom(all[index - 1]!, own, options, { perLevel: true, comparisons: 1 }) : null,
    };
  };
  return curves.map((curve): HeightNumbers => ({
    height: curve.height,
    stack: curve.stack,
    label: curve.label,
    ...(curve.against !== undefined && { against: curve.against }),
    runs: total(curve, ({ runs }) => runs.length),
    n: total(curve, ({ n }) => n),
    diverged: total(curve, ({ diverged }) => diverged),
    exploded: total(curve, ({ exploded }) => exploded),
    pending: total(curve, ({ pending }) => pending),
    lost: total(curve, ({ lost }) => lost),
    skipped: total(curve, ({ skipped }) => skipped),
    values: curve.points.length,
    known: curve.points.filter(({ mean }) => mean !== null).length,
    waiting: waitingPoints(curve.points),
    seeds: all.find((of) => of.curve === curve)?.seeds ?? 0,
    numbers: numbersOf(curve),
    noInterval: all.find((of) => of.curve === curve)?.noInterval ?? null,
  }));
}

/** How the intervals were made, for notes below tables and pictures. */
export function intervalWords(heights: readonly HeightNumbers[], { confidence, resamples }: BootstrapOptions): string {
  const sizes = heights.flatMap(({ seeds, noInterval }) => (noInterval === null && seeds > 1 ? [seeds] : []));
  const percentile = `percentiles of ${formatCount(resamples)} bootstrap resamples`;
  const student = `t intervals with the standard error of ${formatCount(resamples)} bootstrap resamples`;
  const [some, all] = [sizes.some((seeds) => seeds < fewestForPercentiles), sizes.every((seeds) => seeds < fewestForPercentiles)];
  const how = !some ? percentile : all ? `${student} (fewer than five seeds)` : `${percentile}, or where there are fewer than five seeds ${student}`;
  return `${Math.round(100 * confidence)} % confidence intervals over the seeds: ${how}`;
}
