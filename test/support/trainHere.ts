/** Trains a run in this process, without a store, to test its numbers. */
import type { Captured, Saver } from "../../src/core/checkpoint/saver.ts";
import { RunControl } from "../../src/core/training/control.ts";
import { prepareRun } from "../../src/core/training/prepare.ts";
import { loggedMetrics, TrainingRun } from "../../src/core/training/run.ts";
import type { WeightsKeeper } from "../../src/core/weights/keeper.ts";
import { experiment, type ExperimentInput } from "../../src/shared/experiment.ts";
import type { Evaluation } from "../../src/shared/run.ts";

/**
 * Returns the messages and the final state of the run; for each step its number, then the logged values without wall time.
 * @param evaluating called after each batch of an evaluation
 */
export async function trainHere(
  config: ExperimentInput,
  from?: Captured,
  saver?: Saver,
  keeper?: Pick<WeightsKeeper, "keep">,
  evaluating?: (control: RunControl, stepsTaken: number) => void,
) {
  const control = new RunControl();
  const prepared = await prepareRun(experiment.parse(config));
  const steps: number[][] = [];
  const evaluations: Evaluation[] = [];
  const rollbacks: [number, string][] = [];
  const untimed = loggedMetrics(prepared.training).map((name) => name !== "stepTime");
  const listener = {
    step: ({ step, values }: { step: number; values: readonly number[] }) => void steps.push([step, ...values.filter((_, i) => untimed[i])]),
    evaluation: (evaluation: Evaluation) => void evaluations.push(evaluation),
    alive: () => evaluating?.(control, steps.length),
    paused: () => undefined,
    resumed: () => undefined,
    rolledBack: (step: number, message: string) => void rollbacks.push([step, message]),
  };
  const run = new TrainingRun(prepared, control, listener, saver, keeper);
  if (from) run.restore(from);
  const end = await run.train();
  const state = await prepared.executable.state();
  await prepared.executable.dispose();
  return { steps, evaluations, rollbacks, end, state };
}
