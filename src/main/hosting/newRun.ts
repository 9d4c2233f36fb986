/** Creates the summary of a new run. */
import { randomInt } from "node:crypto";
import { nameInLevel } from "../../shared/groups.ts";
import { totalSteps, type Experiment } from "../../shared/experiment.ts";
import type { RunSummary } from "../../shared/run.ts";
import { hyperparameterColumns, inForceColumns, notation } from "../../shared/tower.ts";

/** Id that sorts by time and is short enough to type: `20261103-142530-k3x9f` (UTC). */
export function newRunId(now: Date): string {
  const [day = "", time = ""] = now.toISOString().split("T");
  const tail = Array.from({ length: 5 }, () => randomInt(36).toString(36)).join("");
  return `${day.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}-${tail}`;
}

/** A queued run of a validated experiment. An empty name becomes the tower's notation. */
export function newRun(experiment: Experiment, now = new Date(), study: string | null = null): RunSummary {
  const stack = notation(experiment.tower);
  const name = experiment.name.trim() || stack;
  return {
    id: newRunId(now),
    name,
    status: "queued",
    reason: null,
    stack,
    experiment: { ...experiment, name },
    device: null,
    createdAt: now.getTime(),
    startedAt: null,
    finishedAt: null,
    trained: null,
    steps: 0,
    totalSteps: totalSteps(experiment),
    epoch: 0,
    samplesPerSecond: null,
    secondsLeft: null,
    loss: null,
    testError: null,
    evaluation: null,
    hyperparameters: [
      ...hyperparameterColumns(experiment.tower).map((column) => ({ ...column, name: nameInLevel(column.spec.name, column.group) })),
      ...inForceColumns(experiment.tower).map((column) => ({ ...column, name: `${nameInLevel(column.spec.name, column.group)}.inForce` })),
    ].map(({ level, name, metric, initial }) => ({ level, name, metric, initial, value: initial })),
    study,
    deletedAt: null,
  };
}
