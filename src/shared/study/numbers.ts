/** The numbers of every height of a study, with bootstrap confidence intervals over its seeds. */
import { percentileInterval, resample, type BootstrapOptions, type Draw, type Interval } from "./bootstrap.ts";
import { groupBy, type Curve, type MeasuredRun } from "./curves.ts";
import { statisticsOf, type HeightSample, type HeightStatistics, type Setting } from "./statistics.ts";
import { thresholdOf, usableRange, type Usable } from "./width.ts";

export interface Estimate {
  readonly value: number;
  /** Null with the reason in `noInterval` of its height. */
  readonly interval: Interval | null;
}

/** How a height differs from a lower one; lower metric and wider range are better, time is relative. */
export interface Change {
  /** The height it is compared with. */
  readonly from: number;
  readonly levels: number;
  /** Metric of the lower height's best minus this one's: above 0 is better. */
  readonly gain: Estimate;
  /** Decrease of the sensitivity: above 0 is better. */
  readonly steadier: Estimate;
  /** Increase of the usable width: above 0 is better. */
  readonly wider: Estimate;
  /** Increase of the time per step as a share of the lower height's: 0.028 is 2.8 % more. Null where a time is unknown. */
  readonly cost: Estimate | null;
}

export interface HeightNumbers {
  readonly height: number;
  readonly label: string;
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
    /** Against the lowest height of the study, and against the next lower one, divided by the levels between. Null for the lowest. */
    readonly change: Change | null;
    readonly perLevel: Change | null;
  } | null;
  /** Why there are no confidence intervals, in words; null when there are. */
  readonly noInterval: string | null;
}

const cellKey = ({ point }: MeasuredRun) => point.values.join();

/** The runs of a curve that count, by value of the axis; seeds of one cell are a stratum. */
function sampleOf({ height, points }: Curve): HeightSample {
  const at = points.map(({ x, runs }) => ({ x, strata: [...groupBy(runs.filter(({ counted }) => counted !== null), cellKey).values()] }));
  return { height, at: at.filter(({ strata }) => strata.length > 0) };
}

const redraw = (draw: Draw, { height, at }: HeightSample): HeightSample => ({
  height,
  at: at.map(({ x, strata }) => ({ x, strata: strata.map(draw) })),
});

function reasonAgainst({ at }: HeightSample): string | null {
  const single = at.flatMap(({ strata }) => strata).filter(({ length }) => length < 2).length;
  if (single === 0) return null;
  const all = at.flatMap(({ strata }) => strata).length;
  return single === all
    ? "each point has a single seed: an interval needs at least two"
    : `${single} of ${all} points have a single seed so far: an interval needs at least two at each`;
}

/** Statistics with one row per resample, for every height that has runs. */
interface Bootstrapped {
  readonly sample: HeightSample;
  readonly observed: HeightStatistics;
  readonly resampled: readonly HeightStatistics[];
  readonly noInterval: string | null;
}

function bootstrapped(curves: readonly Curve[], setting: Setting, options: BootstrapOptions): Bootstrapped[] {
  const samples = curves.map(sampleOf).filter(({ at }) => at.length > 0);
  const reasons = samples.map(reasonAgainst);
  const rows: HeightStatistics[][] = [];
  // A height with single seeds takes part as it is: the others may be measured against its best.
  if (reasons.includes(null)) resample(options, (draw) => rows.push(statisticsOf(samples.map((sample) => redraw(draw, sample)), setting)));
  return statisticsOf(samples, setting).map((observed, i) => ({
    sample: samples[i]!,
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
  const levels = above.sample.height - below.sample.height;
  const share = perLevel ? 1 / levels : 1;
  const between = (difference: (below: HeightStatistics, above: HeightStatistics) => number): Estimate => {
    const value = share * difference(below.observed, above.observed);
    if (below.noInterval !== null || above.noInterval !== null) return { value, interval: null };
    return { value, interval: intervalOf(below.resampled.map((of, i) => share * difference(of, above.resampled[i]!)), options) };
  };
  const cost = between((a, b) => b.timePerStep / a.timePerStep - 1);
  return {
    from: below.sample.height,
    levels,
    gain: between((a, b) => a.best - b.best),
    steadier: between((a, b) => a.sensitivity - b.sensitivity),
    wider: between((a, b) => b.width - a.width),
    cost: Number.isFinite(cost.value) ? cost : null,
  };
}

const total = (curve: Curve, of: (point: Curve["points"][number]) => number) => curve.points.reduce((sum, point) => sum + of(point), 0);

export function heightNumbers(curves: readonly Curve[], setting: Setting, options: BootstrapOptions): HeightNumbers[] {
  const all = bootstrapped(curves, setting, options);
  const bestOfStudy = Math.min(...all.map(({ observed }) => observed.best));

  const numbersOf = (curve: Curve): HeightNumbers["numbers"] => {
    const index = all.findIndex(({ sample }) => sample.height === curve.height);
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
      perLevel: index > 0 ? changeFrom(all[index - 1]!, own, options, true) : null,
    };
  };
  return curves.map((curve): HeightNumbers => ({
    height: curve.height,
    label: curve.label,
    runs: total(curve, ({ runs }) => runs.length),
    n: total(curve, ({ n }) => n),
    diverged: total(curve, ({ diverged }) => diverged),
    pending: total(curve, ({ pending }) => pending),
    lost: total(curve, ({ lost }) => lost),
    values: curve.points.length,
    known: curve.points.filter(({ mean }) => mean !== null).length,
    numbers: numbersOf(curve),
    noInterval: all.find(({ sample }) => sample.height === curve.height)?.noInterval ?? null,
  }));
}
