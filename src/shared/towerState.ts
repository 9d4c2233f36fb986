/** How much a tower keeps from one step to the next, level by level. */
import { groupOf } from "./groups.ts";
import { slotsOf } from "./slots.ts";
import { learnedNames, slotSettings, type Level } from "./tower.ts";

/** A parameter of the model. */
export interface SizedParameter {
  readonly name: string;
  /** Number of values. */
  readonly size: number;
}

export interface LevelState {
  /** Number of values that the level moves; those it holds frozen are not among them. */
  readonly moved: number;
  /** Number of values in its slots: momenta, second moments, sums of squares. */
  readonly slots: number;
}

/** The state of every level, level 0 first. */
export function towerState(levels: readonly Level[], parameters: readonly SizedParameter[]): LevelState[] {
  return levels.map((of, index) => {
    const below = index === 0 ? parameters : learnedNames(levels[index - 1]!).map((name) => ({ name, size: 1 }));
    const held = below
      .map(({ name, size }) => ({ size, settings: groupOf(of.groups, name) ?? of }))
      .filter(({ settings }) => !settings.frozen)
      .map(({ size, settings }) => ({ settings, moved: size, slots: total(slotsOf(slotSettings(settings)).map(({ of: owner = "entry" }) => ({ entry: size, array: 1, group: 0 })[owner])) }));
    // What belongs to a whole group is kept once for all that it moves.
    const groups = [...new Set(held.map(({ settings }) => settings))].map((settings) => slotsOf(slotSettings(settings)).filter((slot) => slot.of === "group").length);
    return { moved: total(held.map(({ moved }) => moved)), slots: total([...held.map(({ slots }) => slots), ...groups]) };
  });
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
