/** Retrains a run's experiment without its tower: the second column of the paper's Table 1. */
import { movingParts, nameInLevel } from "./groups.ts";
import { validateExperiment, type Experiment } from "./experiment.ts";
import { describeDomain, inDomain, optimizerSpec } from "./optimizers.ts";
import { isActive, type RunSummary } from "./run.ts";
import { height, initialValue } from "./tower.ts";

/** The experiment, or why there is none. */
export type Rerun = { readonly experiment: Experiment } | { readonly impossible: string };

const maxName = 200;
const suffix = ", plain at the learned values";

/**
 * The run's experiment with level 0 alone, starting from its final hyperparameters; all else,
 * including the
 * seed, is unchanged. Impossible for a run that did not finish or learned nothing, or whose values
 * left
 * their domain (raw step sizes can).
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
    // Bounds apply only to learned values.
    tower: [{ ...bottom, ...learned.get(null), bounds: {}, groups: bottom.groups.map((group) => ({ ...group, ...learned.get(group.name), bounds: {} })) }],
  });
  return result.ok ? { experiment: result.experiment } : { impossible: result.errors.map(({ message }) => message).join("; ") };
}
