/** The evaluations of a run that is being watched: what was read, and what events brought since. */
import type { Evaluation } from "@shared/run.ts";

/**
 * Evaluations in order of their steps, with `added` in place of older ones of the same step. Costs no more than a copy
 * where the added ones come last, as they do while a run trains.
 */
export function withEvaluations(list: Evaluation[], added: readonly Evaluation[]): Evaluation[] {
  if (added.length === 0) return list;
  const isNext = added.every(({ step }, i) => step > (i > 0 ? added[i - 1]! : (list.at(-1) ?? { step: -1 })).step);
  if (isNext) return [...list, ...added];
  const byStep = new Map([...list, ...added].map((evaluation) => [evaluation.step, evaluation]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}
