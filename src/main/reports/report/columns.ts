/** Names and units of the columns of logged metrics. */
import type { DatasetTask } from "../../../shared/datasets.ts";
import { lossUnit, metricOf, type MetricName } from "../../../shared/metrics.ts";
import { optimizers, optimizerSpec, type HyperparameterSpec, type OptimizerName } from "../../../shared/optimizers.ts";
import type { Level } from "../../../shared/tower.ts";
import type { Column } from "./csv.ts";

const fixed: Readonly<Record<string, (task: DatasetTask) => Omit<Column, "name">>> = {
  loss: (task) => ({ unit: lossUnit(task), description: "loss of the step's batch, at the weights before its update" }),
  stepTime: () => ({ unit: "ms", description: "time the step took" }),
};

const measured: Record<string, string> = {
  Error: "misclassified examples",
  Accuracy: "rightly classified examples",
  Loss: "mean loss",
  Perplexity: "e to the mean loss of a symbol: a character, byte or word",
  BitsPerCharacter: "mean loss of a symbol (a character, byte or word), in bits",
  Rmse: "root mean squared error, in the unit of what is predicted",
  Mae: "mean absolute error, in the unit of what is predicted",
};

/** Description of an evaluation metric. */
export function metricWords(name: MetricName): string {
  const { set } = metricOf(name);
  const words = measured[name.slice(set.length)]!;
  return set === "train" ? `${words}, over the epoch that ended, each batch at the weights it was seen with` : `${words} of the ${set === "test" ? "test set" : "validation set"}`;
}

const allSpecs: readonly HyperparameterSpec[] = (Object.keys(optimizers) as OptimizerName[]).flatMap((name) => optimizerSpec(name).hyperparameters);

/** @param levels if known, hyperparameters get their optimizer's description */
export function metricColumn(metric: string, task: DatasetTask, levels: readonly Level[] = []): Column {
  const known = fixed[metric];
  if (known) return { name: metric, ...known(task) };
  const [, level, name, hyper] = /^L(\d+)\.(\w+)(\.hypergradient|\.inForce)?$/.exec(metric) ?? [];
  if (level === undefined || name === undefined) return { name: metric, unit: "", description: metric };
  const of = levels[Number(level)];
  const specs: readonly HyperparameterSpec[] = of ? optimizerSpec(of.optimizer).hyperparameters : allSpecs;
  const label = specs.find((spec) => spec.name === name)?.label.toLowerCase() ?? name;
  if (hyper === ".inForce") return { name: metric, unit: "1", description: `${label} of level ${level} times its schedule's factor, in force at the step` };
  return hyper === undefined
    ? { name: metric, unit: "1", description: `${label} of level ${level} in force at the step, in effective form` }
    : { name: metric, unit: lossUnit(task), description: `derivative of the step's loss with respect to the ${label} of level ${level}, as stored` };
}

/**
 * Metrics of several runs in one order: loss, step time, values by level, hypergradients by level.
 */
export function mergedMetrics(lists: Iterable<readonly string[]>): string[] {
  const rank = (metric: string) => (metric in fixed ? 0 : metric.endsWith(".hypergradient") ? 2 : 1);
  const level = (metric: string) => Number(/^L(\d+)/.exec(metric)?.[1] ?? -1);
  const all = [...new Set([...lists].flat())];
  return all
    .map((metric, i) => ({ metric, i }))
    .sort((a, b) => rank(a.metric) - rank(b.metric) || level(a.metric) - level(b.metric) || a.i - b.i)
    .map(({ metric }) => metric);
}
