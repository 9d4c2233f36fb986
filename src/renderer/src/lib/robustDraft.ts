/** Applies the robust preset to a draft. */
import { robustUpper } from "@shared/robust.ts";
import type { Draft } from "./draft.ts";
import { newLevel, withLearned, withOption, type DraftSettings } from "./towerEdits.ts";

const { optimizer, alpha, mu, learned, normalized } = robustUpper;

function inLog<S extends DraftSettings>(settings: S): S {
  const alone = settings.learned.reduce((of, name) => withLearned(of, name, false), settings);
  return withOption(withLearned(alone, "alpha", true), "alphaAs", "log");
}

/** Replaces the levels above the first, which then learns its step size alone. */
export function withRobust(draft: Draft): Draft {
  const [bottom] = draft.levels;
  if (!bottom) return draft;
  const upper = newLevel(optimizer, { alpha, mu }, { learned, options: { normalized } });
  return { ...draft, levels: [{ ...inLog(bottom), groups: bottom.groups.map(inLog) }, upper], guard: { ...draft.guard, on: true } };
}
