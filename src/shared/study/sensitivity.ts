/**
 * Sensitivity of training to an initial hyperparameter, by tower height, stack or method: curves, key figures with
 * confidence intervals, and a verdict.
 */
import { defaultBootstrap, type BootstrapOptions } from "./bootstrap.ts";
import { studyCurves, type CurveOptions, type StudyCurves } from "./curves.ts";
import { noTimesWords } from "./cohorts.ts";
import { isPercent } from "../metrics.ts";
import { choosesOnTest, explosionWords, metricFor, type StudyMetric, type StudyMetricName } from "./metric.ts";
import { learnedBelow, methodResults, type MethodResult } from "./methodResults.ts";
import { bootstrapped, heightNumbers, type HeightNumbers } from "./numbers.ts";
import type { StudyPoint } from "./result.ts";
import type { Study } from "./study.ts";
import { verdictOf, type Verdict } from "./verdict.ts";
import type { Tolerance } from "./width.ts";

export interface SensitivityOptions extends Partial<CurveOptions> {
  /**
   * Definition of usable; by default within 1 percentage point of the best error, or 10 % of the
   * best loss.
   */
  readonly tolerance?: Tolerance;
  readonly bootstrap?: Partial<BootstrapOptions>;
}

export interface Sensitivity extends StudyCurves {
  readonly tolerance: Tolerance;
  readonly bootstrap: BootstrapOptions;
  readonly heights: readonly HeightNumbers[];
  /** Ranks and other knobs of each curve's method; null except in a study of methods. */
  readonly methods: readonly MethodResult[] | null;
  /** Why there is no time per step; null where there is one. */
  readonly noTimes: string | null;
  readonly verdict: Verdict;
}

export function defaultTolerance(name: StudyMetricName): Tolerance {
  return isPercent(name) ? { kind: "absolute", by: 1 } : { kind: "relative", by: 0.1 };
}

/**
 * Analyzes a study, finished or not.
 *
 * @throws RangeError when the study has axes but not the requested one
 */
export function sensitivityOf(study: Study, points: readonly StudyPoint[], options: SensitivityOptions = {}): Sensitivity {
  const { metric = { name: metricFor(undefined, study.base), at: "final" }, axis = 0, fixed = {} } = options;
  const found = studyCurves(study, points, { metric, axis, fixed });
  const tolerance = options.tolerance ?? defaultTolerance(metric.name);
  const bootstrap = { ...defaultBootstrap, ...options.bootstrap };
  const noTimes = noTimesWords(study);
  const setting = { scale: found.axis?.scale ?? "linear", tolerance, ceiling: found.chance ?? Infinity, timed: noTimes === null, ...(isPercent(metric.name) && { highest: 100 }), ...(study.methods && { published: 1, unlearned: learnedBelow * (found.chance ?? Infinity) }) };
  const resampled = bootstrapped(found.curves, setting, bootstrap);
  const heights = heightNumbers(found.curves, setting, bootstrap, resampled);
  const methods = study.methods && methodResults(study, points, found.curves, { metric, setting, bootstrap, resampled });
  const evidence = { metric, axis: found.axis, chance: found.chance, tolerance, heights, methods, choices: [...(noTimes === null ? [] : [noTimes]), ...choicesOf(study, metric, heights)] };
  return { ...found, tolerance, bootstrap, heights, methods, noTimes, verdict: verdictOf(evidence) };
}

/** Remarks on choices made on the judging data, and on exploded runs. */
function choicesOf({ base, halving }: Study, metric: StudyMetric, heights: readonly HeightNumbers[]): string[] {
  return [
    ...(heights.some(({ exploded }) => exploded > 0) ? [explosionWords(base)] : []),
    ...(halving && base.dataset.validation === 0 ? ["Successive halving chose the runs that go on by the test set, for want of validation data: the best are a little optimistic."] : []),
    ...(choosesOnTest(metric, base) ? ["The best evaluation of each run was chosen on the test set, for want of validation data: it is a little optimistic."] : []),
  ];
}
