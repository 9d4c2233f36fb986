/** The numbers of every height of a study, with bootstrap confidence intervals over its seeds. */
import { percentileInterval, resample, type BootstrapOptions, type Interval } from "./bootstrap.ts";
import { groupBy, type Curve, type Variant } from "./curves.ts";
import { samplesOf, statisticsOf, type HeightSample, type HeightStatistics, type Setting } from "./statistics.ts";
import { thresholdOf, usableRange, type Usable } from "./width.ts";

export interface Estimate {
  readonly value: number;
  /** Null with the reason in `noInterval` of its height. */
  readonly interval: Interval | null;
}

/** How a height differs from a lower one, or a stack from another; lower metric and wider range are better, time is relative. */
export interface Change {
  /** What it is compared with. */
  readonly from: Variant;
  /** Levels that it has more. */
  readonly levels: number;
  /** Metric of the lower height's best minus this one's: above 0 is better. */
  readonly gain: Estimate;
  /** Decrease of the mean over the values of the axis, values worse than guessing counted as guessing: above 0 is better. */
  readonly onAverage: Estimate;
  /** Increase of the usable width: above 0 is better. */
  readonly wider: Estimate;
  /** Increase of the time per step as a share of the lower height's: 0.028 is 2.8 % more. Null where a time is unknown. */
  readonly cost: Estimate | null;
}

export interface HeightNumbers extends Variant {
  /** Runs in all, those that count, diverged, not there yet, failed or missing. */
  readonly runs: number;
  readonly n: number;
  readonly diverged: number;
  readonly pending: number;
  readonly lost: number;
  /** Values of the axis, and those with a run that counts. */
  readonly values: number;
  readonly known: number;
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
    readonly timePerStep: Estimate | null;
    /** What is usable by its own best, and by the study's. */
    readonly usable: Usable;
    readonly usableOfStudy: Usable;
    /** Against the first of the study: its lowest height, or first stack. Null for itself. */
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
    : `${single} of ${strata.length} points ${single === 1 ? "has" : "have"} a single seed, and an interval needs at least two at each`;
}

/** Statistics as observed and of every resample, for every height that has runs. */
interface Bootstrapped {
  readonly curve: Curve;
  readonly observed: HeightStatistics;
  readonly resampled: readonly HeightStatistics[];
  readonly noInterval: string | null;
}

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
  }));
}

type Statistic = (of: HeightStatistics) => number;

/** Of the resamples in which the statistic is known. */
function intervalOf(values: readonly number[], { confidence }: BootstrapOptions): Interval | null {
  const known = values.filter(Number.isFinite);
  return known.length === 0 ? null : percentileInterval(known, confidence);
}

function estimate(of: Bootstrapped, statistic: Statistic, options: BootstrapOptions): Estimate {
  return { value: statistic(of.observed), interval: of.noInterval === null ? intervalOf(of.resampled.map(statistic), options) : null };
}

function changeFrom(below: Bootstrapped, above: Bootstrapped, options: BootstrapOptions, perLevel: boolean): Change {
  const { height, stack, label } = below.curve;
  const levels = above.curve.height - height;
  const share = perLevel ? 1 / levels : 1;
  const between = (difference: (below: HeightStatistics, above: HeightStatistics) => number): Estimate => {
    const value = share * difference(below.observed, above.observed);
    if (below.noInterval !== null || above.noInterval !== null) return { value, interval: null };
    return { value, interval: intervalOf(below.resampled.map((of, i) => share * difference(of, above.resampled[i]!)), options) };
  };
  const cost = between((a, b) => b.timePerStep / a.timePerStep - 1);
  return {
    from: { height, stack, label },
    levels,
    gain: between((a, b) => a.best - b.best),
    onAverage: between((a, b) => a.excess - b.excess),
    wider: between((a, b) => b.width - a.width),
    cost: Number.isFinite(cost.value) ? cost : null,
  };
}

const total = (curve: Curve, of: (point: Curve["points"][number]) => number) => curve.points.reduce((sum, point) => sum + of(point), 0);

export function heightNumbers(curves: readonly Curve[], setting: Setting, options: BootstrapOptions): HeightNumbers[] {
  const all = bootstrapped(curves, setting, options);
  const bestOfStudy = Math.min(...all.map(({ observed }) => observed.best));

  const numbersOf = (curve: Curve): HeightNumbers["numbers"] => {
    const index = all.findIndex((of) => of.curve === curve);
    const own = all[index];
    if (!own) return null;
    const of = (statistic: Statistic) => estimate(own, statistic, options);
    const known = curve.points.flatMap(({ x, mean }) => (mean === null ? [] : [{ x, value: mean }]));
    const usable = (reference: number) => usableRange(known, thresholdOf(setting.tolerance, reference), setting.scale);
    const time = of(({ timePerStep }) => timePerStep);
    return {
      best: of(({ best }) => best),
      bestAt: of(({ bestAt }) => bestAt),
      sensitivity: of(({ sensitivity }) => sensitivity),
      excess: of(({ excess }) => excess),
      width: of(({ width }) => width),
      widthOfStudy: of(({ widthOfStudy }) => widthOfStudy),
      divergedShare: of(({ diverged }) => diverged),
      timePerStep: Number.isFinite(time.value) ? time : null,
      usable: usable(own.observed.best),
      usableOfStudy: usable(bestOfStudy),
      change: index > 0 ? changeFrom(all[0]!, own, options, false) : null,
      perLevel: index > 0 && curve.stack === null ? changeFrom(all[index - 1]!, own, options, true) : null,
    };
  };
  return curves.map((curve): HeightNumbers => ({
    height: curve.height,
    stack: curve.stack,
    label: curve.label,
    runs: total(curve, ({ runs }) => runs.length),
    n: total(curve, ({ n }) => n),
    diverged: total(curve, ({ diverged }) => diverged),
    pending: total(curve, ({ pending }) => pending),
    lost: total(curve, ({ lost }) => lost),
    values: curve.points.length,
    known: curve.points.filter(({ mean }) => mean !== null).length,
    numbers: numbersOf(curve),
    noInterval: all.find((of) => of.curve === curve)?.noInterval ?? null,
  }));
}
