/** A run as the services would report it. */
import { newRun } from "../../../src/main/hosting/newRun.ts";
import { validateExperiment } from "../../../src/shared/experiment.ts";
import type { RunSummary } from "../../../src/shared/run.ts";

export function runOf(input: unknown, changes: Partial<RunSummary> = {}): RunSummary {
  const result = validateExperiment(input);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  const { experiment } = result;
  return { ...newRun(experiment, new Date(0)), id: "r1", name: "a run", status: "running", experiment, startedAt: 1_000, ...changes };
}
