/** Where a level may look ahead by several steps. */
import { movingParts } from "./groups.ts";
import type { Level } from "./levelSchema.ts";
import { optimizerSpec } from "./optimizers.ts";
import { plural } from "./text.ts";

/**
 * What is wrong with the lookahead of a level; empty when all is well.
 * @param below the level that it moves
 */
export function lookaheadProblems({ lookahead, horizon, frozen, groups }: Pick<Level, "lookahead" | "horizon" | "frozen" | "groups">, index: number, below: Level): string[] {
  if (lookahead === 1) return [];
  if (index > 1) return [`lookahead is ${lookahead}; level ${index} moves hyperparameters of level ${index - 1}, which it sees one step back: only level 1 can look ahead, set it to 1 here`];
  const ofHorizon = [...(frozen ? [] : [horizon]), ...groups.filter((group) => !group.frozen).map((group) => group.horizon)].some((value) => value > 0);
  const without = [...new Set(movingParts(below).map(({ settings }) => settings.optimizer))].map(optimizerSpec).filter(({ noHorizon }) => noHorizon);
  return [
    ...(ofHorizon ? [`lookahead is ${lookahead} and there is a horizon: both look further than one step; set lookahead to 1 or the horizon to 0`] : []),
    ...without.map(({ label, noHorizon }) => `lookahead is ${lookahead}; it follows the weights through the updates of level 0, and ${label} cannot be followed: ${noHorizon!}. Set it to 1, or choose another optimizer for level 0`),
  ];
}

/** What a run with a lookahead needs. */
export interface LookaheadRun {
  readonly totalSteps: number;
  readonly batchSize: number;
  /** Examples left for the last batch of an epoch; 0 where all batches have one size. */
  readonly left: number;
}

/** What of a run does not fit its lookahead. */
export function lookaheadRunProblems(lookahead: number, { totalSteps, batchSize, left }: LookaheadRun): string[] {
  if (lookahead === 1) return [];
  return [
    ...(totalSteps < lookahead ? [`lookahead is ${lookahead}; the run has only ${plural(totalSteps, "step")}: lower it or train longer`] : []),
    ...(left > 0 ? [`lookahead is ${lookahead}, which needs batches of one size; the last batch of an epoch has ${left} examples, not ${batchSize}: choose dataset.trainExamples or batchSize so that none are left`] : []),
  ];
}
