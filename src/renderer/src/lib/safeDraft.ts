/** The safe preset on an experiment while it is written: one switch that fills in several options. */
import { safeMaxChange } from "@shared/safe.ts";
import type { Draft } from "./draft.ts";
import { withOption, type DraftLevel, type DraftSettings, type OptionEntry } from "./towerEdits.ts";

const option = "maxChange";

/** Changes the option of every level that moves hyperparameters, and of its groups, where it is `from`. */
function replaced([bottom, ...above]: readonly DraftLevel[], from: OptionEntry, to: OptionEntry): DraftLevel[] {
  const edit = <S extends DraftSettings>(settings: S): S => (settings.options[option] === from ? withOption(settings, option, to) : settings);
  return [...(bottom ? [bottom] : []), ...above.map((level) => ({ ...edit(level), groups: level.groups.map(edit) }))];
}

export function isSafe({ levels, guard }: Draft): boolean {
  return guard.on && levels.slice(1).every((level) => [level, ...level.groups].every(({ options }) => options[option] !== ""));
}

/** What is chosen already stays. */
export function withSafe(draft: Draft): Draft {
  return { ...draft, levels: replaced(draft.levels, "", safeMaxChange), guard: { ...draft.guard, on: true } };
}

/** Takes back what the switch has filled in, and nothing else. */
export function withoutSafe(draft: Draft): Draft {
  return { ...draft, levels: replaced(draft.levels, safeMaxChange, ""), guard: { ...draft.guard, on: false } };
}
