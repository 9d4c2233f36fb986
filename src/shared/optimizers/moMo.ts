import { beta, lowerBound, stepSize, weightDecay } from "./common.ts";
import type { OptimizerSpec } from "./spec.ts";

export const moMo = {
  name: "moMo",
  label: "MoMo",
  help: "Momentum with an adaptive Polyak step size: the loss itself says how far to go (Schaipp et al. 2024).",
  hyperparameters: [
    { ...stepSize(1), label: "Largest step", help: "Largest step size." },
    { ...beta(1, 0.9), learnedByDefault: false },
    lowerBound,
    weightDecay,
  ],
  options: [],
  slots: () => [{ name: "m", initial: 0 }, { name: "meanLoss", initial: 0, of: "group" }, { name: "meanProduct", initial: 0, of: "group" }],
  withoutMechanic: "finds its step size itself",
  exports: {
    pytorch: { as: "package", what: "momo.Momo", package: "momo-opt==0.1.0" },
    optax: { as: "library", what: "optax.contrib.momo" },
    keras: { as: "refused", why: "Keras does not give the loss to an optimizer, and its step size depends on the loss" },
  },
} as const satisfies OptimizerSpec;
