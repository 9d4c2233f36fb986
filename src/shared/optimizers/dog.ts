import { averaging, multiplier, weightDecay } from "./common.ts";
import type { OptimizerSpec, Slot, SlotSettings } from "./spec.ts";

/** @param of what a step size belongs to: the whole group, or each array */
export const dogSlots = (of: "group" | "array") => ({ options }: Omit<SlotSettings, "optimizer">): readonly Slot[] => [
  { name: "start", initial: "parameter" },
  { name: "distance", initial: 0, of },
  { name: "squares", initial: 0, of },
  ...(options.averaging === null ? [] : [{ name: "average", initial: "parameter" } as const]),
];

export const dog = {
  name: "dog",
  label: "DoG",
  help: "SGD whose step size is the largest distance from the start over the root of all squared gradients (Ivgi et al. 2023). The average of the weights is evaluated.",
  hyperparameters: [
    multiplier,
    {
      name: "firstMove",
      symbol: "r_ε",
      label: "First move",
      help: "Length of the first step, relative to 1 + the weights' norm.",
      initial: 1e-6,
      domain: { min: 0, max: 1e12, minExclusive: true },
      storedAs: "raw",
      learnable: false,
      scale: "log",
    },
    weightDecay,
  ],
  options: [averaging],
  slots: dogSlots("group"),
  withoutMechanic: "finds its step size itself",
  exports: {
    pytorch: { as: "package", what: "dog.DoG", package: "dog-optimizer==1.0.3" },
    optax: { as: "library", what: "optax.contrib.dog" },
    keras: { as: "own", why: "Keras has none" },
  },
} as const satisfies OptimizerSpec;
