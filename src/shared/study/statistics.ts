/**
 * The numbers of one height of a study, computed from its runs: a pure function of a sample,
 * so that the bootstrap can call it for every resample. docs/sensitivity.md defines them.
 */
import type { StudyAxis } from "./axes.ts";
import { hasDiverged, type MeasuredRun } from "./curves.ts";
import { thresholdOf, usableRange, type Known, type Tolerance } from "./width.ts";

/** Runs at one value of the axis; those that count, in the strata that the bootstrap draws from. */
export interface SampleAt {
  readonly x: number;
  readonly strata: readonly (readonly MeasuredRun[])[];
}

export interface HeightSample {
  readonly height: number;
  readonly at: readonly SampleAt[];
}

export interface HeightStatistics {
  /** Lowest mean over the axis, and where. */
  best: number;
  bestAt: number;
  /** Mean over the axis' values of min(metric, chance) minus the best of it (Wortsman et al. 2023). */
  sensitivity: number;
  /** The same above the best of the whole study. */
  excess: number;
  /** Width of what is usable by this height's own best, and by the whole study's. */
  width: number;
  widthOfStudy: number;
  /** Share of the runs that diverged, 0 to 1. */
  diverged: number;
  /** Milliseconds; NaN where no run's time is known. */
  timePerStep: number;
}

export interface Setting {
  readonly scale: StudyAxis["scale"];
  readonly tolerance: Tolerance;
  /** What the metric is cut off at, as Wortsman et al. cut the loss at that of the initial weights; infinity where unknown. */
  readonly ceiling: number;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const lowest = (curve: readonly Known[]) => curve.reduce((best, point) => (point.value < best.value ? point : best));

function curveOf({ at }: HeightSample, counted: (run: MeasuredRun) => number): Known[] {
  return at.map(({ x, strata }) => ({ x, value: meanOf(strata.flat().map(counted)) }));
}

/** Milliseconds a step takes: the median over all steps of the runs, each step at its run's mean. */
export function medianStepTime(runs: readonly MeasuredRun[]): number {
  const times = runs.flatMap(({ point: { trainingTime, steps } }) => (trainingTime === null || steps === 0 ? [] : [{ time: trainingTime / steps, steps }]));
  times.sort((a, b) => a.time - b.time);
  const half = times.reduce((sum, { steps }) => sum + steps, 0) / 2;
  let done = 0;
  for (const { time, steps } of times) {
    done += steps;
    if (done >= half) return time;
  }
  return NaN;
}

/** Statistics of every height; a sample without runs must not be among them. */
export function statisticsOf(samples: readonly HeightSample[], { scale, tolerance, ceiling }: Setting): HeightStatistics[] {
  const curves = samples.map((sample) => ({
    sample,
    curve: curveOf(sample, ({ counted }) => counted!),
    capped: curveOf(sample, ({ counted }) => Math.min(counted!, ceiling)),
  }));
  const bestOfStudy = Math.min(...curves.map(({ curve }) => lowest(curve).value));
  const cappedBestOfStudy = Math.min(...curves.map(({ capped }) => lowest(capped).value));
  return curves.map(({ sample, curve, capped }): HeightStatistics => {
    const runs = sample.at.flatMap(({ strata }) => strata.flat());
    const best = lowest(curve);
    const level = meanOf(capped.map(({ value }) => value));
    const width = (reference: number) => usableRange(curve, thresholdOf(tolerance, reference), scale).width;
    return {
      best: best.value,
      bestAt: best.x,
      sensitivity: level - lowest(capped).value,
      excess: level - cappedBestOfStudy,
      width: width(best.value),
      widthOfStudy: width(bestOfStudy),
      diverged: runs.filter(hasDiverged).length / runs.length,
      timePerStep: medianStepTime(runs),
    };
  });
}
