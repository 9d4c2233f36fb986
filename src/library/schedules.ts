/** Schedules where the number of steps is not known beforehand. */
import { scheduledLevel } from "../core/training/prepare.ts";
import type { TowerLevel } from "../core/hyperoptimizers/tower.ts";
import type { Level, Settings } from "../shared/tower.ts";
import { OptimizerError } from "./optimizers.ts";

/**
 * The levels with their schedules, which must end by themselves: a training has no budget.
 * @param stepsPerEpoch null where an epoch has no length either
 * @throws OptimizerError naming a schedule that depends on the budget
 */
export function openEndedLevels(what: string, levels: readonly Level[], stepsPerEpoch: number | null = null): TowerLevel[] {
  const [bottom] = levels;
  const all: { readonly path: string; readonly settings: Settings }[] = bottom ? [{ path: "0", settings: bottom }, ...bottom.groups.map((settings, i) => ({ path: `0.groups.${i}`, settings }))] : [];
  const fields = all.flatMap(({ path, settings }) =>
    Object.entries(settings.schedules ?? {}).flatMap(([name, { unit, pieces }]) => {
      const at = `${path}.schedules.${name}`;
      if (unit === "shares") return [{ path: `${at}.unit`, message: `a training has no budget to take shares of; use "unit": "steps"${stepsPerEpoch === null ? "" : ' or "epochs"'}` }];
      if (unit === "epochs" && stepsPerEpoch === null) return [{ path: `${at}.unit`, message: 'a training has no epochs of a fixed length; use "unit": "steps"' }];
      return pieces.some(({ until }) => until === null) ? [{ path: `${at}.pieces`, message: "a training has no budget; every piece needs until" }] : [];
    }),
  );
  if (fields.length > 0) throw new OptimizerError(what, fields);
  return levels.map((level) => scheduledLevel(level, { stepsPerEpoch: stepsPerEpoch ?? 1, totalSteps: Number.MAX_SAFE_INTEGER }));
}
