/** How much a tower keeps from one step to the next, level by level. */
import { groupOf } from "./groups.ts";
import { hasSlot, slotsOf, type Slot } from "./slots.ts";
import { learnedNames, slotSettings, type Level } from "./tower.ts";

/** A parameter of the model. */
export interface SizedParameter {
  readonly name: string;
  /** Number of values. */
  readonly size: number;
  /** Number of axes; 0 for a hyperparameter. */
  readonly axes: number;
}

export interface LevelState {
  /** Number of values that the level moves; those it holds frozen are not among them. */
  readonly moved: number;
  /** Number of values in its slots: momenta, second moments, sums of squares. */
  readonly slots: number;
}

/** The state of every level, level 0 first. */
export function towerState(levels: readonly Level[], parameters: readonly SizedParameter[]): LevelState[] {
  const states = levels.map((of, index) => {
    const below = index === 0 ? parameters : learnedNames(levels[index - 1]!).map((name) => ({ name, size: 1, axes: 0 }));
    const held = below
      .map((parameter) => ({ parameter, settings: groupOf(of.groups, parameter.name) ?? of }))
      .filter(({ settings }) => !settings.frozen)
      .map(({ parameter, settings }) => ({ settings, moved: parameter.size, slots: total(slotsOf(slotSettings(settings)).map((slot) => slotSize(slot, parameter))) }));
    // A slot of a whole group is kept once for all that it moves.
    const groups = [...new Set(held.map(({ settings }) => settings))].map((settings) => slotsOf(slotSettings(settings)).filter((slot) => slot.of === "group").length);
    return { moved: total(held.map(({ moved }) => moved)), slots: total([...held.map(({ slots }) => slots), ...groups]) };
  });
  const [bottom, above] = states;
  // A horizon keeps the derivative of every weight, gradient and slot by a hyperparameter, a lookahead their latest values (and batches).
  return states.map((state) => (bottom && state === above ? { ...state, slots: state.slots + (followedBy(levels) + (levels[1]!.lookahead - 1)) * (2 * bottom.moved + bottom.slots) } : state));
}

/** Number of level 0's hyperparameters that level 1 moves with a horizon. */
function followedBy([bottom, above]: readonly Level[]): number {
  if (!bottom || !above) return 0;
  return learnedNames(bottom).filter((name) => {
    const { horizon, frozen } = groupOf(above.groups, name) ?? above;
    return !frozen && horizon > 0;
  }).length;
}

/** Number of values of a slot that belong to one parameter. */
function slotSize(slot: Slot, { size, axes }: SizedParameter): number {
  return hasSlot(slot, axes) ? { entry: size, array: 1, group: 0 }[slot.of ?? "entry"] : 0;
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
