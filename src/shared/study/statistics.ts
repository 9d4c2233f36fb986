/**
 * Statistics of each height of a study from weighted runs: each counts once, or as often as the
 * bootstrap drew it. docs/sensitivity.md defines the statistics.
 */
import type { StudyAxis } from "./axes.ts";
import { minOf } from "../extent.ts";
import { hasDiverged, hasExploded, type Curve, type MeasuredRun } from "./curves.ts";
import { thresholdOf, usableRange, type Known, type Tolerance } from "./width.ts";

/** Runs of a height or stack that count. */
export interface HeightSample {
  readonly curve: Curve;
  /** Axis values with such runs, ascending. */
  readonly xs: readonly number[];
  readonly runs: readonly SampledRun[];
  /** Runs whose time is known, by ascending time per step. */
  readonly timed: readonly SampledRun[];
}

interface SampledRun {
  readonly run: MeasuredRun;
  /** Index of its weight. */
  readonly index: number;
  /** Index of its axis value in `xs`. */
  readonly at: number;
  readonly counted: number;
  /** Milliseconds; NaN if unknown. */
  readonly timePerStep: number;
}

export interface HeightStatistics {
  /** Lowest mean along the axis, and its axis value. */
  readonly best: number;
  readonly bestAt: number;
  /** Mean at the published default; NaN where that is no axis value or has no runs. */
  readonly atDefault: number;
  /** Mean of min(metric, ceiling) over the axis, minus its lowest value (Wortsman et al. 2023). */
  readonly sensitivity: number;
  /** The same mean, minus the lowest value of the whole study. */
  readonly excess: number;
  /** Usable width relative to this height's own best, and to the study's best. */
  readonly width: number;
  readonly widthOfStudy: number;
  /** Share of the runs that diverged, 0 to 1. */
  readonly diverged: number;
  /** Share of the runs that exploded without diverging. */
  readonly exploded: number;
  /** Milliseconds per step; NaN if no run's time is known. */
  readonly timePerStep: number;
}

export interface Setting {
  readonly scale: StudyAxis["scale"];
  readonly tolerance: Tolerance;
  /** Max value of the metric, if it has one. */
  readonly highest?: number;
  /** Axis value of the published default, in a study of methods. */
  readonly published?: number;
  /** Values from here on have learned nothing and are not usable, in a study of methods: a flat curve of guessing would be the widest. */
  readonly unlearned?: number;
  /** False where runs shared a program, and with it its time. */
  readonly timed?: boolean;
  /** Value at which the metric is capped: that of guessing, infinity if unknown. Wortsman et al. cap the loss at that of the initial weights. */
  readonly ceiling: number;
}

/** Weight of each run, by index. */
export type Weights = ArrayLike<number>;

/** Heights with runs that count, and the total number of these runs. */
export function samplesOf(curves: readonly Curve[]): { samples: HeightSample[]; count: number } {
  let count = 0;
  const samples = curves.flatMap((curve): HeightSample[] => {
    const known = curve.points.filter(({ n }) => n > 0);
    if (known.length === 0) return [];
    const runs = known.flatMap(({ runs: all }, at) =>
      all.flatMap((run): SampledRun[] => {
        const { counted, point } = run;
        if (counted === null) return [];
        const { trainingTime, steps } = point;
        return [{ run, index: count++, at, counted, timePerStep: trainingTime === null || steps === 0 ? NaN : trainingTime / steps }];
      }),
    );
    const timed = runs.filter(({ timePerStep }) => !Number.isNaN(timePerStep)).sort((a, b) => a.timePerStep - b.timePerStep);
    return [{ curve, xs: known.map(({ x }) => x), runs, timed }];
  });
  return { samples, count };
}

/** Median over all steps, each with its run's mean time: a run that diverged early has little weight. */
function medianStepTime(timed: readonly SampledRun[], weights: Weights): number {
  const stepsOf = ({ run, index }: SampledRun) => weights[index]! * run.point.steps;
  const half = timed.reduce((sum, run) => sum + stepsOf(run), 0) / 2;
  let done = 0;
  for (const run of timed) {
    done += stepsOf(run);
    if (done >= half && done > 0) return run.timePerStep;
  }
  return NaN;
}

const lowest = (curve: readonly Known[]) => curve.reduce((best, point) => (point.value < best.value ? point : best));

/** Means at each axis value, of the metric as it is and capped at the ceiling. */
function meansOf({ xs, runs }: HeightSample, weights: Weights, ceiling: number) {
  const sums = xs.map(() => ({ weight: 0, plain: 0, capped: 0 }));
  for (const { index, at, counted } of runs) {
    const sum = sums[at]!;
    const weight = weights[index]!;
    sum.weight += weight;
    sum.plain += weight * counted;
    sum.capped += weight * Math.min(counted, ceiling);
  }
  return {
    curve: sums.map(({ weight, plain }, i): Known => ({ x: xs[i]!, value: plain / weight })),
    capped: sums.map(({ weight, capped }, i): Known => ({ x: xs[i]!, value: capped / weight })),
  };
}

/** Statistics of every height, in order. */
export function statisticsOf(samples: readonly HeightSample[], weights: Weights, { scale, tolerance, ceiling, published, unlearned = Infinity, timed = true }: Setting): HeightStatistics[] {
  const means = samples.map((sample) => ({ sample, ...meansOf(sample, weights, ceiling) }));
  const bestOfStudy = minOf(means.map(({ curve }) => lowest(curve).value));
  const cappedBestOfStudy = minOf(means.map(({ capped }) => lowest(capped).value));
  return means.map(({ sample, curve, capped }): HeightStatistics => {
    const best = lowest(curve);
    const level = capped.reduce((sum, { value }) => sum + value, 0) / capped.length;
    const width = (reference: number) => usableRange(curve, thresholdOf(tolerance, reference, unlearned), scale).width;
    let drawn = 0;
    let diverged = 0;
    let exploded = 0;
    for (const { run, index } of sample.runs) {
      drawn += weights[index]!;
      if (hasDiverged(run)) diverged += weights[index]!;
      if (hasExploded(run)) exploded += weights[index]!;
    }
    return {
      best: best.value,
      bestAt: best.x,
      atDefault: curve.find(({ x }) => x === published)?.value ?? NaN,
      sensitivity: level - lowest(capped).value,
      excess: level - cappedBestOfStudy,
      width: width(best.value),
      widthOfStudy: width(bestOfStudy),
      diverged: diverged / drawn,
      exploded: exploded / drawn,
      timePerStep: timed ? medianStepTime(sample.timed, weights) : NaN,
    };
  });
}
