/** What an evaluation tells, by name: which tasks have it, what it is called, its unit, and how it follows from what is kept. */
import { dataFacts, type DatasetTask } from "./datasets.ts";
import type { Experiment } from "./experiment.ts";
import { formatMeasure, formatPercent, missing } from "./format.ts";
import type { Evaluation, RunSummary } from "./run.ts";

/** What is kept of the examples of a set: means over them. */
export interface Measures {
  /** Nats of a class or character; of a quantity the mean squared error in its standard deviations. */
  readonly loss: number;
  /** Misclassified, in percent. */
  readonly error?: number;
  /** Root mean squared and mean absolute error of a quantity, in its own unit. */
  readonly rmse?: number;
  readonly mae?: number;
}

const classes: readonly DatasetTask[] = ["classification", "text"];
const everything: readonly DatasetTask[] = ["classification", "regression", "text"];

type Kept = Readonly<Record<keyof Measures, number | null | undefined>>;

interface Kind {
  readonly label: string;
  /** Written behind its values. */
  readonly unit: " %" | "";
  /** What it counts, where that has a name of its own. */
  readonly counted: string;
  /** A value with what it is of, for a list in which other metrics stand beside it. */
  named(value: string): string;
  readonly tasks: readonly DatasetTask[];
  readonly better: "lower" | "higher";
  of(kept: Kept): number | null | undefined;
  /** Of a model that knows nothing but the number of classes: all equally likely. */
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

/** `testError`, `validationLoss`, `trainPerplexity`; of the training batches only what follows from their mean loss is known. */
export type MetricName = `${EvaluatedSet}${KindName}` | "trainLoss" | "trainPerplexity" | "trainBitsPerCharacter";

/** Where an evaluation keeps a measure of a set: `testError`. */
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
      // What has a name of its own is known by it: "RMSE on the test set" is "test RMSE" as well.
      return [[name, { ...spec, name, set, label: `${sets[set]} ${spec.label}` }]];
    }),
  ),
);

export const metricNames = [...metrics.keys()] as [MetricName, ...MetricName[]];
export const metricOf = (name: MetricName): Metric => metrics.get(name)!;

/** Its value at an evaluation; null where that does not tell. */
export function metricValue(name: MetricName, evaluation: Evaluation): number | null {
  const { set, of } = metricOf(name);
  const kept: Kept =
    set === "train"
      ? { loss: evaluation.trainLoss, error: null, rmse: null, mae: null }
      : { loss: evaluation[keptAs(set, "loss")], error: evaluation[keptAs(set, "error")], rmse: evaluation[keptAs(set, "rmse")], mae: evaluation[keptAs(set, "mae")] };
  return of(kept) ?? null;
}

/** What a loss counts: that of a quantity is a mean of squares, in standard deviations of the training examples' targets. */
export const lossUnit = (task: DatasetTask): string => (task === "regression" ? "squared deviations" : "nats");

/** What a metric of a task counts, where that has a name of its own. */
export const unitOf = (name: MetricName, task: DatasetTask): string => (name.endsWith("Loss") ? lossUnit(task) : metricOf(name).counted);

export const isPercent = (name: MetricName): boolean => metricOf(name).unit === " %";

/** What a model that knows nothing gets: of guessing among the classes. Null where there are none. */
export function chanceOf(name: MetricName, { dataset }: Pick<Experiment, "dataset">): number | null {
  const { task, classNames, symbols } = dataFacts(dataset);
  const count = symbols ?? classNames.length;
  return task === "regression" || count < 2 ? null : metricOf(name).chance(count);
}

const headlines: Record<DatasetTask, KindName> = { classification: "Error", text: "Perplexity", regression: "Rmse" };

/** The one number that a run of the task is known by. */
export const headlineOf = (task: DatasetTask, set: EvaluatedSet = "test"): MetricName => `${set}${headlines[task]}`;

/** Metrics of a task, the headline first. */
export function metricsOf(task: DatasetTask): MetricName[] {
  const of = metricNames.filter((name) => metricOf(name).tasks.includes(task));
  return [headlineOf(task), ...of.filter((name) => name !== headlineOf(task))];
}

/** A value in words: `4.21 %`, `5.3`; null for none. */
export function metricText(name: MetricName, value: number | null): string {
  return isPercent(name) ? formatPercent(value) : formatMeasure(value);
}

const notOfTest = { test: "", validation: " val.", train: " training" } as const satisfies Record<SetName, string>;

/** A value that stands among those of other metrics: `4.21 %` of a test error, `5.3 ppl`, `RMSE 0.32`, `4.4 % val.`. */
export function namedMetricText(name: MetricName, value: number | null): string {
  const { set, named } = metricOf(name);
  const text = metricText(name, value);
  return text === missing ? text : `${named(text)}${notOfTest[set]}`;
}

/** The number a run is known by so far: of the test set, or, where that waits for the end, of what is held out. */
export function resultOf({ experiment, evaluation, testError }: Pick<RunSummary, "experiment" | "evaluation" | "testError">): { readonly name: MetricName; readonly value: number | null } {
  const task = dataFacts(experiment.dataset).task;
  const [test, validation] = [headlineOf(task), headlineOf(task, "validation")];
  const value = evaluation ? metricValue(test, evaluation) : test === "testError" ? testError : null;
  const held = value === null && evaluation ? metricValue(validation, evaluation) : null;
  return held === null ? { name: test, value } : { name: validation, value: held };
}
