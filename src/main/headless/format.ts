/** Formats runs for a terminal and for `--json`. */
import type { DatasetChoice } from "../../shared/datasets.ts";
import { movingParts, nameInLevel } from "../../shared/groups.ts";
import { formatHyperparameter, inForceMetric, initialValue, levelLabel, shownHyperparameters } from "../../shared/tower.ts";
import { taskOf, type Experiment } from "../../shared/experiment.ts";
import { modelText } from "../../shared/models/text.ts";
import { headlineOf, isPercent, metricOf, metricValue, resultOf, type MetricName } from "../../shared/metrics.ts";
import { perSymbol } from "../../shared/texts.ts";
import type { Evaluation, RunSummary } from "../../shared/run.ts";
import { plural } from "../../shared/text.ts";

/** Hyperparameters of a level by name (`alpha`, or `alpha[bias]` for a group), in effective form; null where the value is not finite. */
export type LevelValues = { level: number; optimizer: string } & Record<string, number | string | null>;

/** The latest hyperparameters of every level, constant ones included. */
export function levelValues({ experiment, hyperparameters }: Pick<RunSummary, "experiment" | "hyperparameters">): LevelValues[] {
  return experiment.tower.map((levelSettings, level) => {
    const values: LevelValues = { level, optimizer: levelSettings.optimizer };
    for (const { group, settings } of movingParts(levelSettings)) {
      for (const { name } of shownHyperparameters(settings)) {
        const field = nameInLevel(name, group);
        const logged = hyperparameters.find((h) => h.level === level && h.name === field);
        values[field] = logged ? logged.value : initialValue(settings, name);
      }
    }
    return values;
  });
}

/** One line for each level: `level 0  Adam  α 0.00213 (from 0.001)  β₁ ...`. */
export function levelLines(run: Pick<RunSummary, "experiment" | "hyperparameters">): string[] {
  const latest = levelValues(run);
  return run.experiment.tower.map((levelSettings, level) => {
    const shown = movingParts(levelSettings).flatMap(({ group, settings }) => shownHyperparameters(settings).map((spec) => ({ group, settings, spec })));
    const values = shown.map(({ group, settings, spec }) => {
      const initial = initialValue(settings, spec.name);
      const value = latest[level]![nameInLevel(spec.name, group)];
      const symbol = nameInLevel(spec.symbol, group);
      if (typeof value !== "number") return `${symbol} not finite (from ${formatHyperparameter(initial)})`;
      const [now, before] = [formatHyperparameter(value), formatHyperparameter(initial)];
      const inForce = level === 0 ? run.hyperparameters.find(({ metric }) => metric === inForceMetric(spec.name, group))?.value : undefined;
      const further = [...(now === before ? [] : [`from ${before}`]), ...(typeof inForce === "number" ? [`in force ${formatHyperparameter(Number(inForce.toPrecision(3)))}`] : [])];
      return further.length === 0 ? `${symbol} ${now}` : `${symbol} ${now} (${further.join(", ")})`;
    });
    return `level ${level}  ${levelLabel(levelSettings, level === run.experiment.tower.length - 1).padEnd(6)}  ${values.join("  ")}`;
  });
}

export function formatLoss(loss: number | null): string {
  return loss === null ? "not finite" : loss.toFixed(4);
}

export function formatPercent(value: number | null): string {
  return value === null ? "–" : `${value.toFixed(2)} %`;
}

/** `epoch 1/5  training loss 0.4123  test error 5.21 %` */
export function epochLine(evaluation: Evaluation, experiment: Pick<Experiment, "budget"> & { readonly dataset: DatasetChoice & { readonly validation: number } }): string {
  const { epoch, trainLoss } = evaluation;
  const results = (["validation", "test"] as const).flatMap((set) => {
    const name = headlineOf(taskOf(experiment), set);
    const value = metricValue(name, evaluation);
    // Without validation data the test result is always shown, even if it is not finite.
    return value === null && (set === "validation" || experiment.dataset.validation > 0) ? [] : [`${perSymbol(metricOf(name).label, experiment.dataset)} ${measureText(name, value)}`];
  });
  return [`epoch ${formatCount(epoch)}/${experiment.budget.epochs}`, `training loss ${formatLoss(trainLoss)}`, ...results].join("  ");
}

/** `test error 4.21 %`, `test perplexity 5.302`. */
export function resultLine(run: Pick<RunSummary, "experiment" | "evaluation" | "testError">): string {
  const { name, value } = resultOf(run);
  return `${perSymbol(metricOf(name).label, run.experiment.dataset)} ${measureText(name, value)}`;
}

const measureText = (name: MetricName, value: number | null) => (isPercent(name) ? formatPercent(value) : formatLoss(value));

/** Whole epochs as integers, parts of an epoch with two decimals. */
function formatCount(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

/** `mnist 60000  mlp 128 tanh/tanh  batch 256  5 epochs  seed 0  onnx-cpu, 1 thread` */
export function experimentLine({ dataset, model, batchSize, shuffle, budget, seed, engine }: Experiment): string {
  return [
    `${dataset.kind} ${dataset.trainExamples}`,
    modelText(model),
    `batch ${batchSize}${shuffle ? "" : ", not shuffled"}`,
    plural(budget.epochs, "epoch"),
    `seed ${seed}`,
    `${engine.kind}, ${plural(engine.threads, "thread")}`,
  ].join("  ");
}

/** `12.3 s`, `4 min 05 s`, `2 h 03 min` */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** Local time, sortable: `2026-11-23 21:04`. */
export function formatTime(at: number): string {
  const d = new Date(at);
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${pad(d.getHours())}:${pad(d.getMinutes())}`;
}

const pad = (value: number) => String(value).padStart(2, "0");

/** Aligned columns, two spaces apart, without trailing spaces. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd()).join("\n");
}
