/** What a run of a study is judged by, and what counts for a run that has no such value. */
import { factsOf } from "../datasets.ts";
import type { Experiment } from "../experiment.ts";
import type { Evaluation } from "../run.ts";
import type { StudyPoint } from "./result.ts";

export const studyMetricNames = ["testError", "testLoss", "trainLoss"] as const;
export type StudyMetricName = (typeof studyMetricNames)[number];

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

export const defaultMetric: StudyMetric = { name: "testError", at: "final" };

const labels: Record<StudyMetricName, string> = { testError: "test error", testLoss: "test loss", trainLoss: "training loss" };

/** In words, as it stands inside a sentence: `test error`, `best test error`, `test loss at epoch 3`. */
export function metricLabel({ name, at }: StudyMetric): string {
  if (at === "final") return labels[name];
  if (at === "best") return `best ${labels[name]}`;
  return "step" in at ? `${labels[name]} at step ${at.step}` : `${labels[name]} at epoch ${at.epoch}`;
}

/** What is written behind its values. */
export function metricUnit(name: StudyMetricName): string {
  return name === "testError" ? " %" : "";
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
  if (at !== "best") return (evaluations.find(hasReached(at)) ?? evaluations.at(-1))?.[name] ?? null;
  const values = evaluations.flatMap((evaluation) => evaluation[name] ?? []);
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

/**
 * What a model that knows nothing gets: the error (1 - 1/classes) * 100 % of guessing, the
 * loss ln(classes) of equal probabilities, in nats. Null without classes.
 */
export function chanceLevel(name: StudyMetricName, { dataset }: Pick<Experiment, "dataset">): number | null {
  const count = factsOf(dataset.kind)?.classNames.length ?? 0;
  if (count < 2) return null;
  return name === "testError" ? 100 * (1 - 1 / count) : Math.log(count);
}

/**
 * What a diverged run counts as: the chance level, or the worst value any run of the study
 * has where that is worse. Null without either.
 */
export function penalty(chance: number | null, values: readonly number[]): number | null {
  return values.reduce((worst: number | null, value) => (worst === null || value > worst ? value : worst), chance);
}
