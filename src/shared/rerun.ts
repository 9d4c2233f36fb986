/** A run's experiment once more, plain: the second column of the paper's Table 1. */
import { movingParts, nameInLevel } from "./groups.ts";
import { validateExperiment, type Experiment } from "./experiment.ts";
import { describeDomain, inDomain, optimizerSpec } from "./optimizers.ts";
import { isActive, type RunSummary } from "./run.ts";
import { height, initialValue } from "./tower.ts";

/** The experiment to train, or why there is none, in words. */
export type Rerun = { readonly experiment: Experiment } | { readonly impossible: string };

const maxName = 200;
const suffix = ", plain at the learned values";

/**
 * The run's experiment with level 0 alone, which starts from its final hyperparameters; the
 * seed and all else stay. There is none for a run that did not finish, that learned nothing,
 * or whose values cannot be started from: step sizes that are stored raw may leave their domain.
 */
export function plainAtLearnedValues(run: Pick<RunSummary, "name" | "status" | "experiment" | "hyperparameters">): Rerun {
  const { name, status, experiment, hyperparameters } = run;
  const [bottom] = experiment.tower;
  if (!bottom || height(experiment.tower) < 1) {
    return { impossible: "The run was plain already: its tower has one level, which learned nothing." };
  }
  if (status !== "finished") {
    const when = isActive(status) ? "It has no final values yet." : "Its values are not those of a whole run.";
    return { impossible: `The run is ${status}; only a finished run can be rerun. ${when}` };
  }
  const learned = new Map<string | null, Record<string, number>>();
  for (const { group, settings } of movingParts(bottom)) {
    const { label, hyperparameters: specs } = optimizerSpec(settings.optimizer);
    const values: Record<string, number> = {};
    for (const { name: field, symbol, domain } of specs) {
      const found = hyperparameters.find((h) => h.level === 0 && h.name === nameInLevel(field, group));
      const value = found ? found.value : initialValue(settings, field);
      const whose = `${label}’s ${nameInLevel(symbol, group)}`;
      if (value === null) return { impossible: `${whose} ended at a value that is not finite; no optimizer can start from it.` };
      if (!inDomain(value, domain)) {
        return { impossible: `${whose} ended at ${String(value)}, from which no optimizer can start; allowed: ${describeDomain(domain)}.` };
      }
      values[field] = value;
    }
    learned.set(group, values);
  }
  const result = validateExperiment({
    ...experiment,
    name: `${name.slice(0, maxName - suffix.length)}${suffix}`,
    // Bounds are for what moves.
    tower: [{ ...bottom, ...learned.get(null), bounds: {}, groups: bottom.groups.map((group) => ({ ...group, ...learned.get(group.name), bounds: {} })) }],
  });
  return result.ok ? { experiment: result.experiment } : { impossible: result.errors.map(({ message }) => message).join("; ") };
}
