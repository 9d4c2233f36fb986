/** Whole runs by the authors' library and by ours, from the same initial weights, on the same batches. */
import { toEffective } from "../../src/core/hyperoptimizers/stored.ts";
import { RunControl } from "../../src/core/training/control.ts";
import { batchSizes } from "../../src/core/feeds/labelledFeed.ts";
import { prepareRun } from "../../src/core/training/prepare.ts";
import { TrainingRun } from "../../src/core/training/run.ts";
import { stepsPerEpoch, validateExperiment, type Experiment, type ExperimentInput } from "../../src/shared/experiment.ts";
import { summarize } from "../../src/shared/statistics.ts";
import { hyperparameterColumns } from "../../src/shared/tower.ts";
import type { Library } from "./libraryPeer.ts";

export interface Outcome {
  /** Percent. */
  readonly testError: number | null;
  /** Hyperparameters at the end, effective, by metric. */
  readonly learned: Readonly<Record<string, number>>;
}

export interface Outcomes {
  readonly ours: Outcome;
  readonly library: Outcome;
}

/** @throws Error with the first thing that is wrong with it */
export function experimentOf(input: ExperimentInput): Experiment {
  const result = validateExperiment(input);
  if (!result.ok) throw new Error(result.errors[0]!.message);
  return result.experiment;
}

export async function oursTrained(experiment: Experiment): Promise<Outcome> {
  let testError: number | null = null;
  const nothing = () => undefined;
  const prepared = await prepareRun(experiment);
  const listener = { step: nothing, paused: nothing, resumed: nothing, rolledBack: nothing, evaluation: (e: { testError: number | null }) => (testError = e.testError) };
  const { hyperparameters } = await new TrainingRun(prepared, new RunControl(), listener).train();
  await prepared.executable.dispose();
  return { testError, learned: hyperparameters };
}

export async function libraryTrained(library: Library, experiment: Experiment): Promise<Outcome> {
  await library.load(experiment);
  const [whole, rest] = batchSizes(experiment.dataset.trainExamples, experiment.batchSize) as [number, number | undefined];
  const epoch = Array.from({ length: stepsPerEpoch(experiment) }, (_, i) => (rest !== undefined && i === stepsPerEpoch(experiment) - 1 ? rest : whole));
  const sizes = Array.from({ length: experiment.budget.epochs }, () => epoch).flat();
  const { testError, final } = await library.train(experiment.tower, sizes, false);
  const learned = hyperparameterColumns(experiment.tower).map(({ metric, spec }) => [metric, toEffective(final[metric]!, spec.storedAs)] as const);
  return { testError, learned: Object.fromEntries(learned) };
}

export const bothTrained = async (library: Library, experiment: Experiment): Promise<Outcomes> => ({
  library: await libraryTrained(library, experiment),
  ours: await oursTrained(experiment),
});

/** Mean ± standard deviation of the test errors, in percent. */
export function meanError(outcomes: readonly Outcome[]): string {
  const { mean, deviation } = summarize(outcomes.map(({ testError }) => testError ?? NaN));
  return `${mean.toFixed(2)}${deviation === null ? "" : ` ± ${deviation.toFixed(2)}`}`;
}
