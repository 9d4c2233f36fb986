/**
 * The safe preset: limits the steps of upper levels and turns the guard on, without changing
 * options
 * that are already set. docs/guard.md explains the values.
 */
import type { Experiment } from "./experiment.ts";
import type { Group, Level } from "./tower.ts";

/** No step size changes by more than a factor of 1 + this per step. */
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
