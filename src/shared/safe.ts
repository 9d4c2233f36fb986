/**
 * The safe preset, for any experiment: what keeps a step of a level above, however large, from
 * throwing a run out of its regime, and what brings it back if something does. What is chosen
 * already stays; docs/guard.md says how it was found.
 */
import type { Experiment } from "./experiment.ts";
import type { Group, Level } from "./tower.ts";

/** No step size is multiplied or divided by more than 1 + this in one step. */
export const safeMaxChange = 0.03;

export function madeSafe(experiment: Experiment): Experiment {
  const safe = <S extends Level | Group>(settings: S): S => (settings.maxChange === null ? { ...settings, maxChange: safeMaxChange } : settings);
  const [bottom, ...above] = experiment.tower;
  return {
    ...experiment,
    tower: [bottom!, ...above.map((of) => ({ ...safe(of), groups: of.groups.map(safe) }) as Level)],
    guard: { ...experiment.guard, on: true },
  };
}
