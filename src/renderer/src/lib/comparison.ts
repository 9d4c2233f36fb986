/** What several runs can be compared by. */
import { nameInLevel } from "@shared/groups.ts";
import { hyperparameterColumns } from "@shared/tower.ts";
import type { RunSummary } from "@shared/run.ts";

export interface MetricChoice {
  /** Name of the logged metric, or `testError` for evaluations. */
  readonly metric: string;
  readonly label: string;
  readonly group: string;
  readonly logarithmic: boolean;
}

/** Loss, test error, step time, then every hyperparameter any of the runs logs, with its hypergradient. */
export function metricChoices(runs: readonly RunSummary[]): MetricChoice[] {
  const choices = new Map<string, MetricChoice>();
  const add = (choice: MetricChoice) => choices.has(choice.metric) || choices.set(choice.metric, choice);
  add({ metric: "loss", label: "Training loss", group: "Training", logarithmic: true });
  add({ metric: "testError", label: "Test error", group: "Training", logarithmic: false });
  add({ metric: "stepTime", label: "Step time (ms)", group: "Training", logarithmic: false });
  const columns = runs.flatMap((run) => hyperparameterColumns(run.experiment.tower)).sort((a, b) => a.level - b.level);
  for (const { level, group, spec, metric } of columns) {
    add({ metric, label: `${nameInLevel(spec.symbol, group)} of level ${level}`, group: `Level ${level}`, logarithmic: spec.scale === "log" });
  }
  for (const { level, group, spec, hypergradient } of columns) {
    add({ metric: hypergradient, label: `∂loss/∂${nameInLevel(spec.symbol, group)} of level ${level}`, group: `Level ${level}`, logarithmic: false });
  }
  return [...choices.values()];
}
