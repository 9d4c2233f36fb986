/** The second column of Table 1: the plain optimizer, started from what the tower learned. */
import { validateExperiment, type Experiment } from "../../../shared/experiment.ts";
import type { RunSummary } from "../../../shared/run.ts";

export type Rerun = { readonly experiment: Experiment } | { readonly impossible: string };

/**
 * The run's experiment with level 0 alone, from its final hyperparameters, with the same seed.
 * Step sizes that are stored raw may have left their domain: then there is none, and the reason says so.
 */
export function plainAtLearnedValues({ experiment, hyperparameters }: Pick<RunSummary, "experiment" | "hyperparameters">): Rerun {
  const learned = Object.fromEntries(hyperparameters.filter(({ level }) => level === 0).map(({ name, value }) => [name, value]));
  const result = validateExperiment({
    ...experiment,
    name: experiment.name === "" ? "" : `${experiment.name}, plain at the learned values`,
    tower: [{ ...experiment.tower[0], ...learned }],
  });
  return result.ok ? { experiment: result.experiment } : { impossible: result.errors.map(({ message }) => message).join("; ") };
}
