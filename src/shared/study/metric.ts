/** What a run of a study is judged by, and what counts for a run that has no such value. */
import { dataFacts } from "../datasets.ts";
import type { Experiment } from "../experiment.ts";
import { chanceOf, headlineOf, metricNames, metricOf, metricsOf, metricValue, type MetricName } from "../metrics.ts";
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
 * What became of a run, as far as the metric goes:
 * - `measured`: it has its value;
 * - `early`: successive halving stopped it; its last value stands for it;
 * - `diverged`: it has none, and counts as the worst (`penalty`);
 * - `pending`: not there yet; `value` is what it has so far;
 * - `failed`, `missing`: no fault of the hyperparameters; it does not count, and is not hidden either.
 */
export type Outcome = "measured" | "early" | "diverged" | "pending" | "failed" | "missing";

export interface Measurement {
  readonly outcome: Outcome;
  readonly value: number | null;
}

const hasReached = (at: Moment) => (evaluation: Evaluation) =>
  at !== "final" && at !== "best" && ("step" in at ? evaluation.step >= at.step : evaluation.epoch >= at.epoch);

function valueAt(evaluations: readonly Evaluation[], { name, at }: StudyMetric): number | null {
  const chosen = evaluations.find(hasReached(at)) ?? evaluations.at(-1);
  if (at !== "best") return chosen ? metricValue(name, chosen) : null;
  const values = evaluations.flatMap((evaluation) => metricValue(name, evaluation) ?? []);
  return values.length === 0 ? null : Math.min(...values);
}

/** Value of a run under a metric, and whether it has one. */
export function measure({ status, evaluations }: Pick<StudyPoint, "status"> & { readonly evaluations: readonly Evaluation[] }, metric: StudyMetric): Measurement {
  const value = valueAt(evaluations, metric);
  const diverged: Measurement = { outcome: "diverged", value: null };
  const measured: Measurement = value === null ? diverged : { outcome: "measured", value };
  if (status === "failed" || status === "missing") return { outcome: status, value: null };
  if (status === "finished") return evaluations.length === 0 ? { outcome: "missing", value: null } : measured;
  if (evaluations.some(hasReached(metric.at))) return measured;
  // What a run reached before it diverged is its best: the weights of that step can be kept.
  if (status === "diverged") return metric.at === "best" ? measured : diverged;
  if (status === "pruned") return value === null ? diverged : { outcome: "early", value };
  return { outcome: "pending", value };
}

/** What a model that knows nothing gets: of the error, the loss and what follows from it. Null without classes. */
export const chanceLevel = chanceOf;

/**
 * What a diverged run counts as: the chance level, or the worst value any run of the study
 * has where that is worse. Null without either.
 */
export function penalty(chance: number | null, values: readonly number[]): number | null {
  return values.reduce((worst: number | null, value) => (worst === null || value > worst ? value : worst), chance);
}
