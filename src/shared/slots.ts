/** Slots: what an optimizer keeps, for every value it moves or for a whole group. */
import { optimizerSpec, type OptimizerName } from "./optimizers.ts";
import { mechanicSlots } from "./optimizers/mechanic.ts";
import type { Slot, SlotSettings as Settings } from "./optimizers/spec.ts";

export { hasMomentum } from "./optimizers/sgd.ts";
export type { Slot } from "./optimizers/spec.ts";

export type SlotSettings = Settings<OptimizerName>;

export function slotsOf(settings: SlotSettings): readonly Slot[] {
  return [...optimizerSpec(settings.optimizer).slots(settings), ...mechanicSlots(settings.options)];
}

/** Whether an array with this many axes has the slot. */
export function hasSlot({ only }: Slot, axes: number): boolean {
  return only === undefined || (only === "matrices") === (axes === 2);
}
