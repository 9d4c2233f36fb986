/** Applies the safe preset to a draft. */
import { safeMaxChange } from "@shared/safe.ts";
import type { Draft } from "./draft.ts";
import { withOption, type DraftLevel, type DraftSettings, type OptionEntry } from "./towerEdits.ts";

const option = "maxChange";

/** Changes an option of upper levels and their groups wherever it equals `from`. */
function replaced([bottom, ...above]: readonly DraftLevel[], from: OptionEntry, to: OptionEntry): DraftLevel[] {
  const edit = <S extends DraftSettings>(settings: S): S => (settings.options[option] === from ? withOption(settings, option, to) : settings);
  return [...(bottom ? [bottom] : []), ...above.map((level) => ({ ...edit(level), groups: level.groups.map(edit) }))];
}

export function isSafe({ levels, guard }: Draft): boolean {
  return guard.on && levels.slice(1).every((level) => [level, ...level.groups].every(({ options }) => options[option] !== ""));
}

/** Keeps options that are already set. */
export function withSafe(draft: Draft): Draft {
  return { ...draft, levels: replaced(draft.levels, "", safeMaxChange), guard: { ...draft.guard, on: true } };
}

/** Removes only what the switch added. */
export function withoutSafe(draft: Draft): Draft {
  return { ...draft, levels: replaced(draft.levels, safeMaxChange, ""), guard: { ...draft.guard, on: false } };
}
