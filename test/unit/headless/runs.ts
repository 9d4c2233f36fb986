/** A run as the services would report it. */
import { validateExperiment, totalSteps } from "../../../src/shared/experiment.ts";
import { hyperparameterColumns, notation } from "../../../src/shared/tower.ts";
import type { RunSummary } from "../../../src/shared/run.ts";

export function runOf(input: unknown, changes: Partial<RunSummary> = {}): RunSummary {
  const result = validateExperiment(input);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  const { experiment } = result;
  return {
    id: "r1",
    name: "a run",
    status: "running",
    reason: null,
    stack: notation(experiment.tower),
    experiment,
    device: null,
    createdAt: 0,
    startedAt: 1_000,
    finishedAt: null,
    steps: 0,
    totalSteps: totalSteps(experiment),
    epoch: 0,
    samplesPerSecond: null,
    secondsLeft: null,
    loss: null,
    testError: null,
    hyperparameters: hyperparameterColumns(experiment.tower).map(({ level, spec, metric, initial }) => ({
      level,
      name: spec.name,
      metric,
      initial,
      value: initial,
    })),
    deletedAt: null,
    ...changes,
  };
}
