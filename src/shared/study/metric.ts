/** What the runs of a study are judged by, and what counts for a run without such a value. */
import { dataFacts } from "../datasets.ts";
import type { Experiment } from "../experiment.ts";
import { chanceOf, headlineOf, isPercent, keptAs, metricNames, metricOf, metricsOf, metricValue, type MetricName } from "../metrics.ts";
import type { Evaluation } from "../run.ts";
import type { StudyPoint } from "./result.ts";

/** All of which lower is better: an accuracy is an error the other way round. */
export const studyMetricNames = metricNames.filter((name) => metricOf(name).better === "lower") as [MetricName, ...MetricName[]];
export type StudyMetricName = MetricName;

/** Metrics that runs of an experiment have, the headline first. */
export function studyMetricsOf({ dataset }: Pick<Experiment, "dataset">): StudyMetricName[] {
  return metricsOf(dataFacts(dataset).task).filter((name) => metricOf(name).better === "lower" && (metricOf(name).set !== "validation" || dataset.validation > 0));
}

/** The few that are drawn side by side: what runs are known by, and the losses. */
export function mainMetricsOf(of: Pick<Experiment, "dataset">): StudyMetricName[] {
  const headline = headlineOf(dataFacts(of.dataset).task);
  return studyMetricsOf(of).filter((name) => name === headline || name === "testLoss" || name === "trainLoss");
}

/** The named one where the experiment has it, else what its runs are known by. */
export function metricFor(name: StudyMetricName | undefined, of: Pick<Experiment, "dataset">): StudyMetricName {
  const all = studyMetricsOf(of);
  return name !== undefined && all.includes(name) ? name : all[0]!;
}

/**
 * When it is taken: at the end of the budget; the best of all evaluations so far; or at the
 * first evaluation at or after a step or epoch (the last one of a run whose budget ends before).
 */
export type Moment = "final" | "best" | { readonly step: number } | { readonly epoch: number };

/** Lower is better for all of them. */
export interface StudyMetric {
  readonly name: StudyMetricName;
  readonly at: Moment;
}

/** In words, as it stands inside a sentence: `test error`, `best test error`, `test loss at epoch 3`. */
export function metricLabel({ name, at }: StudyMetric): string {
  const { label } = metricOf(name);
  if (at === "final") return label;
  if (at === "best") return `best ${label}`;
  return "step" in at ? `${label} at step ${at.step}` : `${label} at epoch ${at.epoch}`;
}

/** What is written behind its values. */
export function metricUnit(name: StudyMetricName): string {
  return metricOf(name).unit;
}

/**
 * What became of a run under a metric:
 * - `measured`: it has its value;
 * - `early`: successive halving stopped it; its last value stands for it;
 * - `diverged`: its training diverged; it counts as the worst (`penalty`);
 * - `exploded`: it trained on, but its value is not finite or far worse than guessing; it counts as the worst too;
 * - `pending`: not there yet; `value` is what it has so far;
 * - `failed`, `missing`: not the hyperparameters' doing; it does not count, and its number is stated;
 * - `skipped`: a rerun with no learned values to start from; it does not count either, and its number is stated.
 */
export type Outcome = "measured" | "early" | "diverged" | "exploded" | "pending" | "failed" | "missing" | "skipped";

export interface Measurement {
  readonly outcome: Outcome;
  /** Null without a value that can be averaged: an exploded run has none. */
  readonly value: number | null;
}

/** Nats that a loss may lie above that of guessing: beyond, the perplexity is more than ten times that of guessing. */
const explosionMargin = Math.LN10;
/** Mean squared error in standard deviations of the target, of which predicting the mean has 1: RMSE of ten deviations. */
const explodedSquare = 100;

/** The loss above which a result counts as exploded; infinite where guessing has no known loss. */
export function explosionLoss(of: Pick<Experiment, "dataset">): number {
  if (dataFacts(of.dataset).task === "regression") return explodedSquare;
  const chance = chanceOf("testLoss", of);
  return chance === null ? Infinity : chance + explosionMargin;
}

/** What counts as exploded, in a sentence for captions and notes. */
export function explosionWords(of: Pick<Experiment, "dataset">): string {
  const regression = dataFacts(of.dataset).task === "regression";
  return `Exploded: not finite, or far worse than guessing (${regression ? "RMSE above ten standard deviations of the target" : "a loss more than 2.3 nats above it, ten times its perplexity"}).`;
}

type Evaluated = readonly [value: number | null, outcome: "measured" | "exploded" | "missing"];

/** Errors are bounded, and only explode by not being finite; everything else follows from a loss, which is judged. */
function evaluated(name: StudyMetricName, evaluation: Evaluation, isLast: boolean, limit: number): Evaluated {
  const { set } = metricOf(name);
  const value = metricValue(name, evaluation);
  // The test set waits for the end where examples are held out for validation.
  if (value === null && set === "test" && !isLast && evaluation.validationLoss !== undefined) return [null, "missing"];
  const loss = (set === "train" ? evaluation.trainLoss : evaluation[keptAs(set, "loss")]) ?? 0;
  if (value === null || !Number.isFinite(value) || (!isPercent(name) && loss > limit)) return [null, "exploded"];
  return [value, "measured"];
}

const hasReached = (at: Moment) => (evaluation: Evaluation) =>
  at !== "final" && at !== "best" && ("step" in at ? evaluation.step >= at.step : evaluation.epoch >= at.epoch);

/**
 * What the best evaluation of a run is chosen by: the validation set's value where each has one, else the
 * metric's own, which on the test set makes the best a little optimistic.
 */
function bestChosenBy(name: StudyMetricName, evaluations: readonly Evaluation[]): StudyMetricName {
  const { set } = metricOf(name);
  const held = name.replace(/^test/, "validation") as StudyMetricName;
  return set === "test" && evaluations.every((one) => metricValue(held, one) !== null) ? held : name;
}

/** Whether the best of a run's evaluations is chosen on the test set, for want of validation data. */
export function choosesOnTest({ name, at }: StudyMetric, { dataset }: Pick<Experiment, "dataset">): boolean {
  return at === "best" && metricOf(name).set === "test" && dataset.validation === 0;
}

function valueAt(evaluations: readonly Evaluation[], { name, at }: StudyMetric, limit: number): Evaluated {
  const found = evaluations.map((evaluation, i) => ({ evaluation, of: evaluated(name, evaluation, i === evaluations.length - 1, limit) }));
  const chosen = found.find(({ evaluation }) => hasReached(at)(evaluation)) ?? found.at(-1);
  if (at !== "best") return chosen?.of ?? [null, "missing"];
  const usable = found.filter(({ of: [value] }) => value !== null);
  const [first] = usable;
  if (!first) return found.at(-1)?.of ?? [null, "missing"];
  const by = bestChosenBy(name, usable.map(({ evaluation }) => evaluation));
  return usable.reduce((best, one) => (metricValue(by, one.evaluation)! < metricValue(by, best.evaluation)! ? one : best), first).of;
}

/** Value of a run under a metric, and whether it has one. @param of the experiment, which says what guessing gets */
export function measure({ status, evaluations }: Pick<StudyPoint, "status"> & { readonly evaluations: readonly Evaluation[] }, metric: StudyMetric, of: Pick<Experiment, "dataset">): Measurement {
  const [value, outcome] = valueAt(evaluations, metric, explosionLoss(of));
  const measured: Measurement = { outcome, value };
  if (status === "failed" || status === "missing" || status === "skipped") return { outcome: status, value: null };
  if (status === "finished") return measured;
  const known = status === "diverged" && value === null ? ({ outcome: "diverged", value: null } as const) : measured;
  if (evaluations.some(hasReached(metric.at))) return known;
  // What a run reached before it diverged is its best: the weights of that step can be kept.
  if (status === "diverged") return metric.at === "best" ? known : { outcome: "diverged", value: null };
  if (status === "pruned") return value === null ? { outcome: "exploded", value: null } : { outcome: "early", value };
  return { outcome: "pending", value };
}

/** Whether a run counts as the worst. */
export const isWorst = (outcome: Outcome): boolean => outcome === "diverged" || outcome === "exploded";

/** What a run counts as in every number: its value, or the penalty; null where it does not count. */
export function countedAs({ outcome, value }: Measurement, worst: number | null): number | null {
  if (outcome === "measured" || outcome === "early") return value;
  return isWorst(outcome) ? worst : null;
}

/** What a model that knows nothing gets: of the error, the loss and what follows from it. Null without classes. */
export const chanceLevel = chanceOf;

/**
 * What a diverged or exploded run counts as: the chance level, or the worst value any other run
 * has where that is worse. Null without either.
 */
export function penalty(chance: number | null, values: readonly number[]): number | null {
  return values.reduce((worst: number | null, value) => (worst === null || value > worst ? value : worst), chance);
}
