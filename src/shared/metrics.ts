/** Metrics of an evaluation: their tasks, names, units, and formulas from the stored measures. */
import { dataFacts, outputsOf, type DatasetTask } from "./datasets.ts";
import type { Experiment } from "./experiment.ts";
import { formatMeasure, formatPercent, missing } from "./format.ts";
import type { Evaluation, RunSummary } from "./run.ts";

/** Means over the examples of a set. */
export interface Measures {
  /**
   * Nats per class or character; for a regression the mean squared error in standard deviations.
   */
  readonly loss: number;
  /** Classification error in percent. */
  readonly error?: number;
  /** Root mean squared and mean absolute error of a regression, in the target's unit. */
  readonly rmse?: number;
  readonly mae?: number;
}

const classes: readonly DatasetTask[] = ["classification", "text"];
const everything: readonly DatasetTask[] = ["classification", "regression", "text"];

type StoredMeasures = Readonly<Record<keyof Measures, number | null | undefined>>;

interface Kind {
  readonly label: string;
  /** Suffix of its values. */
  readonly unit: " %" | "";
  /** Unit in axis titles; empty for none. */
  readonly counted: string;
  /** A value with the metric's name, for lists of different metrics. */
  named(value: string): string;
  readonly tasks: readonly DatasetTask[];
  readonly better: "lower" | "higher";
  of(kept: StoredMeasures): number | null | undefined;
  /** Value at chance level, with all classes equally likely. */
  chance(classes: number): number | null;
}

const map = (value: number | null | undefined, by: (value: number) => number) => (typeof value === "number" ? by(value) : value);

const kinds = {
  Error: { label: "error", unit: " %", counted: "%", named: (value) => value, tasks: classes, better: "lower", of: ({ error }) => error, chance: (n) => 100 * (1 - 1 / n) },
  Accuracy: { label: "accuracy", unit: " %", counted: "%", named: (value) => `accuracy ${value}`, tasks: classes, better: "higher", of: ({ error }) => map(error, (e) => 100 - e), chance: (n) => 100 / n },
  Loss: { label: "loss", unit: "", counted: "nats", named: (value) => `loss ${value}`, tasks: everything, better: "lower", of: ({ loss }) => loss, chance: Math.log },
  Perplexity: { label: "perplexity", unit: "", counted: "", named: (value) => `${value} ppl`, tasks: ["text"], better: "lower", of: ({ loss }) => map(loss, Math.exp), chance: (n) => n },
  BitsPerCharacter: { label: "bits per character", unit: "", counted: "bits", named: (value) => `${value} bpc`, tasks: ["text"], better: "lower", of: ({ loss }) => map(loss, (nats) => nats / Math.LN2), chance: Math.log2 },
  Rmse: { label: "RMSE", unit: "", counted: "", named: (value) => `RMSE ${value}`, tasks: ["regression"], better: "lower", of: ({ rmse }) => rmse, chance: () => null },
  Mae: { label: "MAE", unit: "", counted: "", named: (value) => `MAE ${value}`, tasks: ["regression"], better: "lower", of: ({ mae }) => mae, chance: () => null },
} as const satisfies Record<string, Kind>;
type KindName = keyof typeof kinds;

export const evaluatedSets = ["test", "validation"] as const;
export type EvaluatedSet = (typeof evaluatedSets)[number];
const sets = { test: "test", validation: "validation", train: "training" } as const;
type SetName = keyof typeof sets;

/**
 * `testError`, `validationLoss`, `trainPerplexity`; for training batches only metrics of the mean
 * loss are known.
 */
export type MetricName = `${EvaluatedSet}${KindName}` | "trainLoss" | "trainPerplexity" | "trainBitsPerCharacter";

/** Field of an evaluation: `testError`. */
export const keptAs = <S extends EvaluatedSet, M extends keyof Measures>(set: S, measure: M) => `${set}${measure.charAt(0).toUpperCase()}${measure.slice(1)}` as `${S}${Capitalize<M>}`;

/** Measures of a set as fields of an evaluation. */
export function keptMeasures(set: EvaluatedSet, measures: Measures): Partial<Evaluation> {
  return Object.fromEntries(Object.entries(measures).map(([measure, value]) => [keptAs(set, measure as keyof Measures), value]));
}

export interface Metric extends Kind {
  readonly name: MetricName;
  readonly set: SetName;
}

const trainKinds: readonly KindName[] = ["Loss", "Perplexity", "BitsPerCharacter"];
const metrics = new Map(
  (["test", "validation", "train"] as const).flatMap((set) =>
    (Object.keys(kinds) as KindName[]).flatMap((kind): [string, Metric][] => {
      if (set === "train" && !trainKinds.includes(kind)) return [];
      const name = `${set}${kind}` as MetricName;
      const spec: Kind = kinds[kind];
      // Avoid repeating the set: "RMSE on the test set" is "test RMSE".
      return [[name, { ...spec, name, set, label: `${sets[set]} ${spec.label}` }]];
    }),
  ),
);

export const metricNames = [...metrics.keys()] as [MetricName, ...MetricName[]];
export const metricOf = (name: MetricName): Metric => metrics.get(name)!;

/** Value at an evaluation; null where unknown. */
export function metricValue(name: MetricName, evaluation: Evaluation): number | null {
  const { set, of } = metricOf(name);
  const kept: StoredMeasures =
    set === "train"
      ? { loss: evaluation.trainLoss, error: null, rmse: null, mae: null }
      : { loss: evaluation[keptAs(set, "loss")], error: evaluation[keptAs(set, "error")], rmse: evaluation[keptAs(set, "rmse")], mae: evaluation[keptAs(set, "mae")] };
  return of(kept) ?? null;
}

/** Unit of a loss: for a regression squared standard deviations of the training targets. */
export const lossUnit = (task: DatasetTask): string => (task === "regression" ? "squared deviations" : "nats");

/** Unit of a metric; empty for none. */
export const unitOf = (name: MetricName, task: DatasetTask): string => (name.endsWith("Loss") ? lossUnit(task) : metricOf(name).counted);

export const isPercent = (name: MetricName): boolean => metricOf(name).unit === " %";

/** Chance level of a metric; null without classes. */
export function chanceOf(name: MetricName, { dataset }: Pick<Experiment, "dataset">): number | null {
  const facts = dataFacts(dataset);
  const count = outputsOf(facts);
  return facts.task === "regression" || count < 2 ? null : metricOf(name).chance(count);
}

const headlines: Record<DatasetTask, KindName> = { classification: "Error", text: "Perplexity", regression: "Rmse" };

/** Headline metric of a task. */
export const headlineOf = (task: DatasetTask, set: EvaluatedSet = "test"): MetricName => `${set}${headlines[task]}`;

/** Metrics of a task, the headline first. */
export function metricsOf(task: DatasetTask): MetricName[] {
  const of = metricNames.filter((name) => metricOf(name).tasks.includes(task));
  return [headlineOf(task), ...of.filter((name) => name !== headlineOf(task))];
}

/** Formats a value: `4.21 %`, `5.3`; a placeholder for null. */
export function metricText(name: MetricName, value: number | null): string {
  return isPercent(name) ? formatPercent(value) : formatMeasure(value);
}

const notOfTest = { test: "", validation: " val.", train: " training" } as const satisfies Record<SetName, string>;

/** Formats a value with its metric: `4.21 %` (test error), `5.3 ppl`, `RMSE 0.32`, `4.4 % val.`. */
export function namedMetricText(name: MetricName, value: number | null): string {
  const { set, named } = metricOf(name);
  const text = metricText(name, value);
  return text === missing ? text : `${named(text)}${notOfTest[set]}`;
}

/**
 * Latest headline value: of the test set, or of the validation set until the test set is evaluated.
 */
export function resultOf({ experiment, evaluation, testError }: Pick<RunSummary, "experiment" | "evaluation" | "testError">): { readonly name: MetricName; readonly value: number | null } {
  const task = dataFacts(experiment.dataset).task;
  const [test, validation] = [headlineOf(task), headlineOf(task, "validation")];
  const value = evaluation ? metricValue(test, evaluation) : test === "testError" ? testError : null;
  const held = value === null && evaluation ? metricValue(validation, evaluation) : null;
  return held === null ? { name: test, value } : { name: validation, value: held };
}
