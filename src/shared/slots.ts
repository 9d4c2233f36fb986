/** Slots: arrays that an optimizer keeps for every value it moves. */
import type { LevelOptions } from "./levelOptions.ts";
import type { OptimizerName } from "./optimizers.ts";

export interface Slot {
  readonly name: string;
  /** Initial value of every entry. */
  readonly initial: number;
}

/**
 * Everything that determines the slots: optimizer, initial hyperparameters in effective form,
 * options.
 */
export interface SlotSettings {
  readonly optimizer: OptimizerName;
  readonly initial: Readonly<Record<string, number>>;
  readonly options: Pick<LevelOptions, "momentumFromZero" | "amsgrad">;
}

/** As in the authors' library, momentum is on when mu does not *start* at 0, or on request. */
export function hasMomentum({ initial, options }: Pick<SlotSettings, "initial" | "options">): boolean {
  return initial["mu"] !== 0 || options.momentumFromZero;
}

/** Slots of each optimizer. */
const slots: Readonly<Record<OptimizerName, (settings: SlotSettings) => readonly Slot[]>> = {
  sgd: (settings) => (hasMomentum(settings) ? [{ name: "momentum", initial: 0 }] : []),
  adam: ({ initial, options }) => [
    { name: "m", initial: 0 },
    { name: "v", initial: 10 ** initial["logEps"]! },
    ...(options.amsgrad ? [{ name: "largestV", initial: 0 }] : []),
  ],
  adaGrad: () => [{ name: "squares", initial: 0.1 }],
  rmsProp: () => [{ name: "squares", initial: 0 }],
};

export function slotsOf(settings: SlotSettings): readonly Slot[] {
  return slots[settings.optimizer](settings);
}
