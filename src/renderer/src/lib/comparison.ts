/** Metrics available for comparing runs. */
import { capital } from "@charts/studyText.ts";
import { nameInLevel } from "@shared/groups.ts";
import { metricOf, type MetricName } from "@shared/metrics.ts";
import { studyMetricsOf } from "@shared/study/metric.ts";
import { hyperparameterColumns, inForceColumns } from "@shared/tower.ts";
import type { RunSummary } from "@shared/run.ts";

export interface MetricChoice {
  /** Name of the logged metric. */
  readonly metric: string;
  /** Evaluation metric; undefined for a per-step metric. */
  readonly evaluated?: MetricName;
  readonly label: string;
  readonly group: string;
  readonly logarithmic: boolean;
}

/** Loss, evaluation metrics, step time, then every logged hyperparameter and its hypergradient. */
export function metricChoices(all: readonly RunSummary[]): MetricChoice[] {
  const runs = all.filter(({ imported }) => !imported);
  const choices = new Map<string, MetricChoice>();
  const add = (choice: MetricChoice) => choices.has(choice.metric) || choices.set(choice.metric, choice);
  add({ metric: "loss", label: "Training loss", group: "Training", logarithmic: true });
  for (const name of runs.flatMap(({ experiment }) => studyMetricsOf(experiment)).filter((one) => metricOf(one).set !== "train")) {
    add({ metric: name, evaluated: name, label: capital(metricOf(name).label), group: "Training", logarithmic: false });
  }
  add({ metric: "stepTime", label: "Step time (ms)", group: "Training", logarithmic: false });
  const columns = runs.flatMap((run) => hyperparameterColumns(run.experiment.tower)).sort((a, b) => a.level - b.level);
  for (const { level, group, spec, metric } of columns) {
    add({ metric, label: `${nameInLevel(spec.symbol, group)} of level ${level}`, group: `Level ${level}`, logarithmic: spec.scale === "log" });
  }
  for (const { level, group, spec, metric } of runs.flatMap((run) => inForceColumns(run.experiment.tower))) {
    add({ metric, label: `${nameInLevel(spec.symbol, group)} of level ${level} in force`, group: `Level ${level}`, logarithmic: spec.scale === "log" });
  }
  for (const { level, group, spec, hypergradient } of columns) {
    add({ metric: hypergradient, label: `∂loss/∂${nameInLevel(spec.symbol, group)} of level ${level}`, group: `Level ${level}`, logarithmic: false });
  }
  for (const name of all.flatMap(({ imported }) => imported?.series ?? [])) add({ metric: name, label: name, group: "Imported", logarithmic: false });
  return [...choices.values()];
}
