/**
 * What a run learned, as logged. Row t holds the loss after t updates and the hyperparameters of
 * the
 * latest update: row 0 has the initial ones, and update t (from 1) used those of row t. The last
 * update's values follow the last logged step, in a row without a loss.
 */
import { stepsPerEpoch } from "../../shared/experiment.ts";
import { nameInLevel } from "../../shared/groups.ts";
import { optimizerSpec, type HyperparameterSpec } from "../../shared/optimizers.ts";
import type { RunDetail } from "../../shared/run.ts";
import { hyperparameterColumns, inForceColumns, initialValue, type HyperparameterColumn, type Settings } from "../../shared/tower.ts";
import type { StoredStep } from "../store/runReader.ts";
import { ExportError } from "./errors.ts";

export interface ScheduleRow {
  /** Number of updates so far. */
  readonly step: number;
  readonly epoch: number;
  /** NaN when non-finite or not measured. */
  readonly loss: number;
  /** In the order of `scheduleMetrics()`, in effective form; NaN when non-finite. */
  readonly values: readonly number[];
  /** In the order of `measuredMetrics()`; NaN when non-finite or not measured. */
  readonly measured: readonly number[];
}

/**
 * Measurements of each step besides the loss: step time (ms), then the logged hypergradients of
 * every level.
 */
export function measuredMetrics({ experiment, metrics }: Pick<RunDetail, "experiment" | "metrics">): string[] {
  return ["stepTime", ...hyperparameterColumns(experiment.tower).map(({ hypergradient }) => hypergradient)].filter((metric) => metrics.includes(metric));
}

/** Every logged hyperparameter, of every level, then those in force where they follow a schedule. */
export function scheduleMetrics({ experiment, metrics }: Pick<RunDetail, "experiment" | "metrics">): string[] {
  return [...hyperparameterColumns(experiment.tower), ...inForceColumns(experiment.tower)]
    .map(({ metric }) => metric)
    .filter((metric) => metrics.includes(metric));
}

/** The rows in order, read on demand. */
export function* scheduleRows(run: RunDetail, steps: Iterable<StoredStep>): Generator<ScheduleRow> {
  const metrics = scheduleMetrics(run);
  const columns = metrics.map((metric) => run.metrics.indexOf(metric));
  const measured = measuredMetrics(run).map((metric) => run.metrics.indexOf(metric));
  const loss = run.metrics.indexOf("loss");
  const perEpoch = stepsPerEpoch(run.experiment);
  for (const { step, values } of steps) {
    const at = (column: number) => values[column] ?? NaN;
    yield { step, epoch: step / perEpoch, loss: at(loss), values: columns.map(at), measured: measured.map(at) };
  }
  // Only a run that ended by itself has applied the update after its last step.
  if (run.steps === 0 || (run.status !== "finished" && run.status !== "stopped")) return;
  const final = new Map(run.hyperparameters.map(({ metric, value }) => [metric, value ?? NaN]));
  yield { step: run.steps, epoch: run.steps / perEpoch, loss: NaN, values: metrics.map((metric) => final.get(metric) ?? NaN), measured: measured.map(() => NaN) };
}

/** A hyperparameter of level 0 over the updates. */
export interface Trajectory {
  readonly spec: HyperparameterSpec;
  /** Value of update i + 1, in effective form. */
  readonly values: Float64Array;
}

/**
 * Level 0's logged hyperparameters at each update, as they were in force, by name within the level.
 * @throws ExportError when no update was logged or a value is not finite, naming it and its step
 */
export function bottomTrajectories(run: RunDetail, steps: Iterable<StoredStep>): Map<string, Trajectory> {
  const metrics = scheduleMetrics(run);
  const scheduled = inForceColumns(run.experiment.tower);
  const follows = ({ level, group, spec }: Pick<HyperparameterColumn, "level" | "group" | "spec">) => level === 0 && scheduled.some((one) => one.group === group && one.spec.name === spec.name);
  const columns = [...hyperparameterColumns(run.experiment.tower).filter((column) => !follows(column)), ...scheduled]
    .filter(({ level, metric }) => level === 0 && metrics.includes(metric))
    .map(({ group, spec, metric }) => ({ group, spec, index: metrics.indexOf(metric), values: new Float64Array(run.steps) }));
  let updates = 0;
  for (const { step, values } of scheduleRows(run, steps)) {
    if (step === 0) continue;
    for (const column of columns) {
      const value = values[column.index]!;
      if (!Number.isFinite(value)) {
        throw new ExportError(`${nameInLevel(column.spec.symbol, column.group)} of level 0 is not finite at step ${step}; such a schedule can be exported as CSV or JSON only.`);
      }
      column.values[step - 1] = value;
    }
    updates = step;
  }
  if (updates === 0) throw new ExportError("The run has logged no update of its weights; there is nothing to export.");
  return new Map(columns.map(({ group, spec, values }) => [nameInLevel(spec.name, group), { spec, values: values.subarray(0, updates) }]));
}

/** Final values of a part of level 0: the end of each trajectory, or the setting. */
export function finalValues(settings: Settings, group: string | null, trajectories: ReadonlyMap<string, Trajectory>): Record<string, number> {
  return Object.fromEntries(
    optimizerSpec(settings.optimizer).hyperparameters.map(({ name }) => [
      name,
      trajectories.get(nameInLevel(name, group))?.values.at(-1) ?? initialValue(settings, name),
    ]),
  );
}
