/** Metrics of studies, and how runs without a value count. */
import { dataFacts } from "../datasets.ts";
import type { Experiment } from "../experiment.ts";
import { chanceOf, headlineOf, isPercent, keptAs, metricNames, metricOf, metricsOf, metricValue, type MetricName } from "../metrics.ts";
import type { Evaluation } from "../run.ts";
import type { StudyPoint } from "./result.ts";

/** Metrics of which lower is better. Accuracies are excluded; the error has the same information. */
export const studyMetricNames = metricNames.filter((name) => metricOf(name).better === "lower") as [MetricName, ...MetricName[]];
export type StudyMetricName = MetricName;

/** Metrics that an experiment's runs have, headline metric first. */
export function studyMetricsOf({ dataset }: Pick<Experiment, "dataset">): StudyMetricName[] {
  return metricsOf(dataFacts(dataset).task).filter((name) => metricOf(name).better === "lower" && (metricOf(name).set !== "validation" || dataset.validation > 0));
}

/** Metrics that are drawn side by side: the headline metric and the losses. */
export function mainMetricsOf(experiment: Pick<Experiment, "dataset">): StudyMetricName[] {
  const headline = headlineOf(dataFacts(experiment.dataset).task);
  return studyMetricsOf(experiment).filter((name) => name === headline || name === "testLoss" || name === "trainLoss");
}

/** The named metric if the experiment has it, else its headline metric. */
export function metricFor(name: StudyMetricName | undefined, experiment: Pick<Experiment, "dataset">): StudyMetricName {
  const all = studyMetricsOf(experiment);
  return name !== undefined && all.includes(name) ? name : all[0]!;
}

/**
 * Which evaluation counts: the last one; the best so far; or the first at or after a step or epoch
 * (the last one if the budget ends before).
 */
export type Moment = "final" | "best" | { readonly step: number } | { readonly epoch: number };

/** A metric at an evaluation; lower is better. */
export interface StudyMetric {
  readonly name: StudyMetricName;
  readonly at: Moment;
}

/** Name within a sentence: `test error`, `best test error`, `test loss at epoch 3`. */
export function metricLabel({ name, at }: StudyMetric): string {
  const { label } = metricOf(name);
  if (at === "final") return label;
  if (at === "best") return `best ${label}`;
  return "step" in at ? `${label} at step ${at.step}` : `${label} at epoch ${at.epoch}`;
}

/** Suffix of its values. */
export function metricUnit(name: StudyMetricName): string {
  return metricOf(name).unit;
}

/**
 * Outcome of a run for a metric:
 * - `measured`: it has a value;
 * - `early`: successive halving stopped it, and its last value counts;
 * - `diverged`: its training diverged; it counts as the worst (`penalty`);
 * - `exploded`: it did not diverge, but its value is not finite or far worse than guessing; it counts as the worst;
 * - `pending`: it has not reached the evaluation; `value` is the one so far;
 * - `failed`, `missing`: not caused by hyperparameters; it does not count, and such runs are reported by number;
 * - `skipped`: a rerun without learned values to start from; it does not count and is reported likewise.
 */
export type Outcome = "measured" | "early" | "diverged" | "exploded" | "pending" | "failed" | "missing" | "skipped";

export interface Measurement {
  readonly outcome: Outcome;
  /** Null without a value that can be averaged, as for an exploded run. */
  readonly value: number | null;
}

/** Nats above the loss of guessing beyond which a run exploded: its perplexity is then more than ten times that of guessing. */
const explosionMargin = Math.LN10;
/** Max mean squared error of a standardized target: an RMSE of ten standard deviations. Predicting the mean has 1. */
const explodedSquare = 100;

/** Loss above which a result counts as exploded; infinite if the loss of guessing is unknown. */
export function explosionLoss(experiment: Pick<Experiment, "dataset">): number {
  if (dataFacts(experiment.dataset).task === "regression") return explodedSquare;
  const chance = chanceOf("testLoss", experiment);
  return chance === null ? Infinity : chance + explosionMargin;
}

/** Definition of exploded, as a sentence for captions and notes. */
export function explosionWords(experiment: Pick<Experiment, "dataset">): string {
  const regression = dataFacts(experiment.dataset).task === "regression";
  return `Exploded: not finite, or far worse than guessing (${regression ? "RMSE above ten standard deviations of the target" : "a loss more than 2.3 nats above it, ten times its perplexity"}).`;
}

type Evaluated = readonly [value: number | null, outcome: "measured" | "exploded" | "missing"];

/** Value of an evaluation. Errors in percent are bounded and explode only when not finite; other metrics derive from a loss, which must not exceed `limit`. */
function evaluated(name: StudyMetricName, evaluation: Evaluation, isLast: boolean, limit: number): Evaluated {
  const { set } = metricOf(name);
  const value = metricValue(name, evaluation);
  // With a validation set, only the last evaluation uses the test set.
  if (value === null && set === "test" && !isLast && evaluation.validationLoss !== undefined) return [null, "missing"];
  const loss = (set === "train" ? evaluation.trainLoss : evaluation[keptAs(set, "loss")]) ?? 0;
  if (value === null || !Number.isFinite(value) || (!isPercent(name) && loss > limit)) return [null, "exploded"];
  return [value, "measured"];
}

const hasReached = (at: Moment) => (evaluation: Evaluation) =>
  at !== "final" && at !== "best" && ("step" in at ? evaluation.step >= at.step : evaluation.epoch >= at.epoch);

/**
 * Metric that selects a run's best evaluation: the validation metric if every evaluation has it, else the
 * metric itself. Selection on the test set makes the best value slightly optimistic.
 */
function bestChosenBy(name: StudyMetricName, evaluations: readonly Evaluation[]): StudyMetricName {
  const { set } = metricOf(name);
  const held = name.replace(/^test/, "validation") as StudyMetricName;
  return set === "test" && evaluations.every((evaluation) => metricValue(held, evaluation) !== null) ? held : name;
}

/** Whether a run's best evaluation is selected on the test set because there is no validation set. */
export function choosesOnTest({ name, at }: StudyMetric, { dataset }: Pick<Experiment, "dataset">): boolean {
  return at === "best" && metricOf(name).set === "test" && dataset.validation === 0;
}

function valueAt(evaluations: readonly Evaluation[], { name, at }: StudyMetric, limit: number): Evaluated {
  const found = evaluations.map((evaluation, i) => ({ evaluation, result: evaluated(name, evaluation, i === evaluations.length - 1, limit) }));
  const chosen = found.find(({ evaluation }) => hasReached(at)(evaluation)) ?? found.at(-1);
  if (at !== "best") return chosen?.result ?? [null, "missing"];
  const usable = found.filter(({ result: [value] }) => value !== null);
  const [first] = usable;
  if (!first) return found.at(-1)?.result ?? [null, "missing"];
  const by = bestChosenBy(name, usable.map(({ evaluation }) => evaluation));
  return usable.reduce((best, next) => (metricValue(by, next.evaluation)! < metricValue(by, best.evaluation)! ? next : best), first).result;
}

/** Outcome and value of a run for a metric. @param experiment determines the loss of guessing */
export function measure({ status, evaluations }: Pick<StudyPoint, "status"> & { readonly evaluations: readonly Evaluation[] }, metric: StudyMetric, experiment: Pick<Experiment, "dataset">): Measurement {
  const [value, outcome] = valueAt(evaluations, metric, explosionLoss(experiment));
  const measured: Measurement = { outcome, value };
  if (status === "failed" || status === "missing" || status === "skipped") return { outcome: status, value: null };
  if (status === "finished") return measured;
  const known = status === "diverged" && value === null ? ({ outcome: "diverged", value: null } as const) : measured;
  if (evaluations.some(hasReached(metric.at))) return known;
  // A run's best before it diverged counts, because those weights can be saved.
  if (status === "diverged") return metric.at === "best" ? known : { outcome: "diverged", value: null };
  if (status === "pruned") return value === null ? { outcome: "exploded", value: null } : { outcome: "early", value };
  return { outcome: "pending", value };
}

/** Whether a run counts as the worst. */
export const isWorst = (outcome: Outcome): boolean => outcome === "diverged" || outcome === "exploded";

/** Value that a run counts as: its own, or the penalty `worst`; null if it does not count. */
export function countedAs({ outcome, value }: Measurement, worst: number | null): number | null {
  if (outcome === "measured" || outcome === "early") return value;
  return isWorst(outcome) ? worst : null;
}

/** Value of a metric for guessing: errors, losses and metrics derived from them. Null without classes. */
export const chanceLevel = chanceOf;

/**
 * Value that a diverged or exploded run counts as: the chance level, or the worst value of the other
 * runs if that is worse. Null without either.
 */
export function penalty(chance: number | null, values: readonly number[]): number | null {
  return values.reduce((worst: number | null, value) => (worst === null || value > worst ? value : worst), chance);
}
