/** Where a level may look back further than one step. */
import { movingParts } from "./groups.ts";
import type { Level, Settings } from "./levelSchema.ts";
import { optimizerSpec } from "./optimizers.ts";

/**
 * What is wrong with the horizon of a level or group; empty when all is well.
 * @param below the level that it moves
 */
export function horizonProblems({ horizon, frozen }: Pick<Settings, "horizon" | "frozen">, index: number, below: Level): string[] {
  if (horizon === 0 || frozen) return [];
  if (index > 1) {
    return [`horizon is ${horizon}; level ${index} moves hyperparameters of level ${index - 1}, which it sees one step back: only level 1 can have a horizon, set it to 0 here`];
  }
  const without = [...new Set(movingParts(below).map(({ settings }) => settings.optimizer))].map(optimizerSpec).filter(({ noHorizon }) => noHorizon);
  return without.map(({ label, noHorizon }) => `horizon is ${horizon}; it follows the weights through the updates of level 0, and ${label} cannot be followed: ${noHorizon!}. Set it to 0, or choose another optimizer for level 0`);
}
