/**
 * The robust preset: one level above the first that needs no tuning, whatever the model and the step size that
 * training starts at. docs/robust.md explains the values and says where they hold.
 */
import { validateExperiment, type Experiment, type Validation } from "./experiment.ts";
import type { LevelInput } from "./tower.ts";

/** Settings of the level above; the same for every model. */
export const robustUpper = { optimizer: "sgd", alpha: 0.02, mu: 0.9, learned: [], normalized: true } as const satisfies LevelInput;

/** Level 0 learns its step size alone, in log space; all other settings are kept. The levels above are replaced. */
export const robustTower = (bottom: object): LevelInput[] => {
  const inLog = <S extends object>(settings: S) => ({ ...settings, learned: ["alpha"], alphaAs: "log" });
  const groups = "groups" in bottom && Array.isArray(bottom.groups) ? (bottom.groups as object[]).map(inLog) : [];
  return [{ ...inLog(bottom), groups } as unknown as LevelInput, robustUpper];
};

/** Also turns the guard on. Not valid where the first level's step size is 0, which has no logarithm. */
export function madeRobust(experiment: Experiment): Validation {
  return validateExperiment({ ...experiment, tower: robustTower(experiment.tower[0]!), guard: { ...experiment.guard, on: true } });
}
