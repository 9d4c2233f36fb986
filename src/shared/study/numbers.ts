/**
 * Key figures of every height of a study with confidence intervals over its seeds: bootstrap
 * percentiles for five or more seeds, t intervals with the bootstrap's standard error for fewer.
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
  /** Null if there is none; `noInterval` of the height says why. */
  readonly interval: Interval | null;
}

/** A difference between two heights. */
export interface Difference extends Estimate {
  /**
   * t interval corrected for the choice of one of several heights (Bonferroni): its confidence is
   * 1 - (1 - confidence) / comparisons. Null without an interval.
   */
  readonly corrected: Interval | null;
}

/** Change from a lower height, or from another stack. Positive `gain`, `onAverage` and `wider` are improvements; `cost` is relative. */
export interface Change {
  /** The height or stack to compare with. */
  readonly from: Variant;
  /** Number of additional levels. */
  readonly levels: number;
  /** Pairs of runs with the same values and seed in both, and how often this height's run is better. */
  readonly wins: number;
  readonly pairs: number;
  /** Best of the lower height minus this height's best. */
  readonly gain: Difference;
  /** Decrease of the mean over the axis; values worse than guessing count as guessing. */
  readonly onAverage: Difference;
  /** Increase of the usable width. */
  readonly wider: Difference;
  /** Relative increase of the time per step: 0.028 is 2.8 % more. Null if a time is unknown. */
  readonly cost: Difference | null;
}

export interface HeightNumbers extends Variant {
  /** Numbers of runs: in total, that count, diverged, exploded, pending, failed or missing, and reruns that could not start. */
  readonly runs: number;
  readonly n: number;
  readonly diverged: number;
  readonly exploded: number;
  readonly pending: number;
  readonly lost: number;
  readonly skipped: number;
  /** Number of axis values, and of those with a run that counts. */
  readonly values: number;
  readonly known: number;
  /** Number of points with too few results for a verdict (`waitingPoints`). */
  readonly waiting: number;
  /** Min number of runs that count at a point; 0 while none does. */
  readonly seeds: number;
  /** Null while no run counts. */
  readonly numbers: {
    readonly best: Estimate;
    /** Axis value of the best. */
    readonly bestAt: Estimate;
    /** Value at the published default; null except in a study of methods. */
    readonly atDefault: Estimate | null;
    readonly sensitivity: Estimate;
    readonly excess: Estimate;
    readonly width: Estimate;
    readonly widthOfStudy: Estimate;
    readonly divergedShare: Estimate;
    readonly explodedShare: Estimate;
    readonly timePerStep: Estimate | null;
    /** Usable range relative to its own best, and to the study's best. */
    readonly usable: Usable;
    readonly usableOfStudy: Usable;
    /** Change from the study's lowest height or first stack, or from the stack it names. Null without one. */
    readonly change: Change | null;
    /** Change from the next lower height, divided by the levels between. Null for the lowest height and for stacks. */
    readonly perLevel: Change | null;
  } | null;
  /** Why there are no confidence intervals; null if there are. */
  readonly noInterval: string | null;
}

/** Strata of the bootstrap: indices of a height's runs that differ only in the seed. */
function strataOf({ runs }: HeightSample): number[][] {
  return [...groupBy(runs, ({ run }) => run.point.values.join()).values()].map((cell) => cell.map(({ index }) => index));
}

function whyNoInterval(strata: readonly (readonly number[])[]): string | null {
  const single = strata.filter(({ length }) => length < 2).length;
  if (single === 0) return null;
  return single === strata.length
    ? "each point has a single seed, and an interval needs at least two"
    : `${single} of ${plural(strata.length, "point")} ${nounFor(single, "has", "have")} a single seed, and an interval needs at least two at each`;
}

/** Observed statistics and those of every resample, for a height that has runs. */
export interface Bootstrapped {
  readonly curve: Curve;
  readonly observed: HeightStatistics;
  readonly resampled: readonly HeightStatistics[];
  readonly noInterval: string | null;
  /** Min number of runs at a point. */
  readonly seeds: number;
}

/** Min seeds at every point for percentile intervals; resamples of fewer only recombine a few values. */
export const minSeedsForPercentiles = 5;

export function bootstrapped(curves: readonly Curve[], setting: Setting, options: BootstrapOptions): Bootstrapped[] {
  const { samples, count } = samplesOf(curves);
  const strata = samples.map(strataOf);
  const reasons = strata.map(whyNoInterval);
  const rows: HeightStatistics[][] = [];
  // Heights with single seeds are included: other heights use the study's best.
  if (reasons.includes(null)) resample(strata.flat(), options, (weights) => rows.push(statisticsOf(samples, weights, setting)));
  return statisticsOf(samples, new Uint8Array(count).fill(1), setting).map((observed, i) => ({
    curve: samples[i]!.curve,
    observed,
    resampled: rows.map((row) => row[i]!),
    noInterval: reasons[i]!,
    seeds: minOf(strata[i]!.map(({ length }) => length)),
  }));
}

type Statistic = (statistics: HeightStatistics) => number;

/** Bounds of a number, and the scale on which its interval is symmetric. */
interface Range {
  readonly low?: number;
  readonly high?: number;
  readonly scale?: Setting["scale"];
}

/**
 * Interval of Student's t with the bootstrap's standard error. The factor sqrt(n / (n - 1)) corrects
 * the bias of resamples of n values; for the mean of one point this is the classical t interval.
 */
function tInterval(value: number, resampled: readonly number[], seeds: number, confidence: number, { low = -Infinity, high = Infinity, scale = "linear" }: Range): Interval | null {
  const known = resampled.filter(Number.isFinite);
  if (known.length < 2 || !Number.isFinite(value)) return null;
  const positions = known.map((sample) => positionOn(scale, sample));
  const mean = positions.reduce((sum, position) => sum + position, 0) / positions.length;
  const variance = positions.reduce((sum, position) => sum + (position - mean) ** 2, 0) / positions.length;
  const half = tQuantile(confidence, seeds - 1) * Math.sqrt((variance * seeds) / (seeds - 1));
  const at = positionOn(scale, value);
  return [Math.max(low, valueOn(scale, at - half)), Math.min(high, valueOn(scale, at + half))];
}

/** Interval from the resamples in which the statistic is finite. */
function intervalOf(value: number, resampled: readonly number[], seeds: number, { confidence }: BootstrapOptions, range: Range): Interval | null {
  if (seeds < minSeedsForPercentiles) return tInterval(value, resampled, seeds, confidence, range);
  const known = resampled.filter(Number.isFinite);
  return known.length === 0 ? null : percentileInterval(known, confidence);
}

function estimate({ observed, resampled, seeds, noInterval }: Bootstrapped, statistic: Statistic, options: BootstrapOptions, range: Range): Estimate {
  const value = statistic(observed);
  return { value, interval: noInterval === null ? intervalOf(value, resampled.map(statistic), seeds, options, range) : null };
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

/** @param comparisons number of heights or stacks that the verdict compares or chooses among */
function changeFrom(below: Bootstrapped, above: Bootstrapped, options: BootstrapOptions, { perLevel, comparisons }: { perLevel: boolean; comparisons: number }): Change {
  const { height, stack, label } = below.curve;
  const levels = above.curve.height - height;
  const share = perLevel ? 1 / levels : 1;
  const seeds = Math.min(below.seeds, above.seeds);
  const between = (difference: (below: HeightStatistics, above: HeightStatistics) => number): Difference => {
    const value = share * difference(below.observed, above.observed);
    if (below.noInterval !== null || above.noInterval !== null) return { value, interval: null, corrected: null };
    const resampled = below.resampled.map((statistics, i) => share * difference(statistics, above.resampled[i]!));
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

const total = (curve: Curve, count: (point: Curve["points"][number]) => number) => curve.points.reduce((sum, point) => sum + count(point), 0);

export function heightNumbers(curves: readonly Curve[], setting: Setting, options: BootstrapOptions, all = bootstrapped(curves, setting, options)): HeightNumbers[] {
  const bestOfStudy = minOf(all.map(({ observed }) => observed.best));
  const pairwise = curves.some(({ against }) => against !== undefined);
  const baseOf = ({ against }: Curve, index: number) => (pairwise ? all.find(({ curve }) => curve.stack === against) : index > 0 ? all[0] : undefined);
  const comparisons = pairwise ? all.filter(({ curve }, index) => baseOf(curve, index)).length : all.length - 1;

  const numbersOf = (curve: Curve): HeightNumbers["numbers"] => {
    const index = all.findIndex((known) => known.curve === curve);
    const own = all[index];
    if (!own) return null;
    const estimated = (statistic: Statistic, range: Range = { low: 0 }) => estimate(own, statistic, options, range);
    const [from, to] = [curve.points[0]!.x, curve.points.at(-1)!.x];
    const widest = positionOn(setting.scale, to) - positionOn(setting.scale, from);
    const known = curve.points.flatMap(({ x, mean }) => (mean === null ? [] : [{ x, value: mean }]));
    const usable = (reference: number) => usableRange(known, thresholdOf(setting.tolerance, reference, setting.unlearned), setting.scale);
    const time = estimated(({ timePerStep }) => timePerStep);
    const measured: Range = { low: 0, ...(setting.highest !== undefined && { high: setting.highest }) };
    const atDefault = estimated((statistics) => statistics.atDefault, measured);
    const base = baseOf(curve, index);
    return {
      best: estimated(({ best }) => best, measured),
      bestAt: estimated(({ bestAt }) => bestAt, { low: from, high: to, scale: setting.scale }),
      atDefault: Number.isFinite(atDefault.value) ? atDefault : null,
      sensitivity: estimated(({ sensitivity }) => sensitivity),
      excess: estimated(({ excess }) => excess),
      width: estimated(({ width }) => width, { low: 0, high: widest }),
      widthOfStudy: estimated(({ widthOfStudy }) => widthOfStudy, { low: 0, high: widest }),
      divergedShare: estimated(({ diverged }) => diverged, { low: 0, high: 1 }),
      explodedShare: estimated(({ exploded }) => exploded, { low: 0, high: 1 }),
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
    seeds: all.find((known) => known.curve === curve)?.seeds ?? 0,
    numbers: numbersOf(curve),
    noInterval: all.find((known) => known.curve === curve)?.noInterval ?? null,
  }));
}

/** Method of the intervals, for notes below tables and figures. */
export function intervalWords(heights: readonly HeightNumbers[], { confidence, resamples }: BootstrapOptions): string {
  const sizes = heights.flatMap(({ seeds, noInterval }) => (noInterval === null && seeds > 1 ? [seeds] : []));
  const percentile = `percentiles of ${formatCount(resamples)} bootstrap resamples`;
  const student = `t intervals with the standard error of ${formatCount(resamples)} bootstrap resamples`;
  const [some, all] = [sizes.some((seeds) => seeds < minSeedsForPercentiles), sizes.every((seeds) => seeds < minSeedsForPercentiles)];
  const how = !some ? percentile : all ? `${student} (fewer than five seeds)` : `${percentile}, or where there are fewer than five seeds ${student}`;
  return `${Math.round(100 * confidence)} % confidence intervals over the seeds: ${how}`;
}
