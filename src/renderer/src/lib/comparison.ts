/** What several runs can be compared by. */
import { hyperparameterColumns } from "@shared/tower.ts";
import { optimizerSpec } from "@shared/optimizers.ts";
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
  for (const { level, spec, metric } of columns) {
    add({ metric, label: `${spec.symbol} of level ${level}`, group: `Level ${level}`, logarithmic: spec.scale === "log" });
  }
  for (const { level, spec, hypergradient } of columns) {
    add({ metric: hypergradient, label: `∂loss/∂${spec.symbol} of level ${level}`, group: `Level ${level}`, logarithmic: false });
  }
  return [...choices.values()];
}

/** A short name for each run, told apart by seed or id where names repeat. */
export function distinctNames(runs: readonly RunSummary[]): string[] {
  const titles = runs.map((run) => (run.name === "" ? run.stack : run.name));
  const repeated = (names: readonly string[], name: string) => names.filter((other) => other === name).length > 1;
  const withSeed = titles.map((title, i) => (repeated(titles, title) ? `${title}, seed ${runs[i]?.experiment.seed ?? ""}` : title));
  return withSeed.map((name, i) => (repeated(withSeed, name) ? `${name} (${runs[i]?.id.slice(-6) ?? ""})` : name));
}

const labels: Readonly<Record<string, string>> = {
  "dataset.kind": "dataset",
  "dataset.trainExamples": "training examples",
  "dataset.testExamples": "test examples",
  "model.kind": "model",
  "model.initialization": "initialization",
  "model.activation": "hidden activation",
  "model.outputActivation": "output activation",
  batchSize: "batch size",
  "budget.epochs": "epochs",
  "engine.kind": "engine",
  "engine.threads": "threads",
};

/** Label of a field in the table of differences: `tower.0.alpha` reads "α of level 0". */
export function fieldLabel(path: string, runs: readonly RunSummary[]): string {
  const [, level, name] = /^tower\.(\d+)\.(\w+)$/.exec(path) ?? [];
  if (level === undefined || name === undefined) return labels[path] ?? path.replace(/^model\.hidden\.(\d+)$/, (_, index) => `width of hidden layer ${Number(index) + 1}`);
  if (name === "optimizer") return `optimizer of level ${level}`;
  if (name === "learned") return `learned in level ${level}`;
  for (const run of runs) {
    const of = run.experiment.tower[Number(level)];
    const spec = of && optimizerSpec(of.optimizer).hyperparameters.find((h) => h.name === name);
    if (spec) return `${spec.symbol} of level ${level}`;
  }
  return path;
}
