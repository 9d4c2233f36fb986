/**
 * The numbers of each height of a study, computed from its runs and how often each of them
 * counts: once, or as often as the bootstrap drew it. docs/sensitivity.md defines them.
 */
import type { StudyAxis } from "./axes.ts";
import { minOf } from "../extent.ts";
import { hasDiverged, hasExploded, type Curve, type MeasuredRun } from "./curves.ts";
import { thresholdOf, usableRange, type Known, type Tolerance } from "./width.ts";

/** The runs of one height, or stack, that count. */
export interface HeightSample {
  readonly curve: Curve;
  /** Values of the axis that have such runs, rising. */
  readonly xs: readonly number[];
  readonly runs: readonly SampledRun[];
  /** The runs whose time is known, by rising time per step. */
  readonly timed: readonly SampledRun[];
}

interface SampledRun {
  readonly run: MeasuredRun;
  /** Its place among the weights. */
  readonly index: number;
  /** Place of its value of the axis in `xs`. */
  readonly at: number;
  readonly counted: number;
  /** Milliseconds; NaN when unknown. */
  readonly timePerStep: number;
}

export interface HeightStatistics {
  /** Lowest mean over the axis, and where. */
  readonly best: number;
  readonly bestAt: number;
  /** Mean over the axis' values of min(metric, chance) minus the best of it (Wortsman et al. 2023). */
  readonly sensitivity: number;
  /** The same above the best of the whole study. */
  readonly excess: number;
  /** Width of what is usable by this height's own best, and by the whole study's. */
  readonly width: number;
  readonly widthOfStudy: number;
  /** Share of the runs that diverged, 0 to 1. */
  readonly diverged: number;
  /** Share of the runs that exploded without diverging. */
  readonly exploded: number;
  /** Milliseconds a step takes; NaN where no run's time is known. */
  readonly timePerStep: number;
}

export interface Setting {
  readonly scale: StudyAxis["scale"];
  readonly tolerance: Tolerance;
  /** What the metric is cut off at, as Wortsman et al. cut the loss at that of the initial weights; infinity where unknown. */
  readonly ceiling: number;
}

/** How often each run counts, by index. */
export type Weights = ArrayLike<number>;

/** The heights that have runs which count, and the number of these runs. */
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

/** The median over all steps of the runs, each step at its run's mean: a run that diverged at once hardly counts. */
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

/** Means over the axis, of the metric as it is and cut off at the ceiling. */
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

/** Statistics of every height, in their order. */
export function statisticsOf(samples: readonly HeightSample[], weights: Weights, { scale, tolerance, ceiling }: Setting): HeightStatistics[] {
  const means = samples.map((sample) => ({ sample, ...meansOf(sample, weights, ceiling) }));
  const bestOfStudy = minOf(means.map(({ curve }) => lowest(curve).value));
  const cappedBestOfStudy = minOf(means.map(({ capped }) => lowest(capped).value));
  return means.map(({ sample, curve, capped }): HeightStatistics => {
    const best = lowest(curve);
    const level = capped.reduce((sum, { value }) => sum + value, 0) / capped.length;
    const width = (reference: number) => usableRange(curve, thresholdOf(tolerance, reference), scale).width;
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
      sensitivity: level - lowest(capped).value,
      excess: level - cappedBestOfStudy,
      width: width(best.value),
      widthOfStudy: width(bestOfStudy),
      diverged: diverged / drawn,
      exploded: exploded / drawn,
      timePerStep: medianStepTime(sample.timed, weights),
    };
  });
}
