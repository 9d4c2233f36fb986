import { firstDistance, logEpsilon, multiplier, weightDecay } from "./common.ts";
import type { OptimizerSpec } from "./spec.ts";

export const dowg = {
  name: "dowg",
  label: "DoWG",
  help: "SGD whose step size is the squared distance from the start over the root of gradients weighted by it (Khaled et al. 2023).",
  hyperparameters: [
    multiplier,
    { ...firstDistance, symbol: "r_ε", help: "Least distance from the start that the step size counts with. Too small costs steps, too large can diverge.", initial: 0.01 },
    { ...logEpsilon, initial: -4 },
    weightDecay,
  ],
  options: [],
  slots: ({ initial }) => [
    { name: "start", initial: "parameter" },
    { name: "squaredDistance", initial: initial["d0"]! ** 2, of: "group" },
    { name: "weightedSquares", initial: 0, of: "group" },
  ],
  withoutMechanic: "finds its step size itself",
  exports: {
    pytorch: { as: "own", why: "PyTorch has none" },
    optax: { as: "library", what: "optax.contrib.dowg" },
    keras: { as: "own", why: "Keras has none" },
  },
} as const satisfies OptimizerSpec;
