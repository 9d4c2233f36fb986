import { firstDistance, growthRate, multiplier, weightDecay } from "./common.ts";
import type { OptimizerSpec } from "./spec.ts";

export const dAdaptSgd = {
  name: "dAdaptSgd",
  label: "D-Adaptation SGD",
  help: "SGD that estimates its step size from the distance travelled (Defazio and Mishchenko 2023).",
  hyperparameters: [
    multiplier,
    firstDistance,
    {
      name: "mu",
      symbol: "μ",
      label: "Momentum",
      help: "Share of the previous weights in the next ones. 0 means none.",
      initial: 0,
      domain: { min: 0, max: 1, maxExclusive: true },
      storedAs: "raw",
      learnable: true,
      learnedByDefault: false,
      scale: "linear",
    },
    weightDecay,
  ],
  options: [growthRate],
  slots: ({ initial }) => [
    { name: "s", initial: 0 },
    { name: "start", initial: "parameter" },
    { name: "d", initial: initial["d0"]!, of: "group" },
    { name: "numerator", initial: 0, of: "group" },
    { name: "firstNorm", initial: 0, of: "group" },
  ],
  withoutMechanic: "finds its step size itself",
  exports: {
    pytorch: { as: "package", what: "dadaptation.DAdaptSGD", package: "dadaptation==3.2" },
    optax: { as: "own", why: "Optax has none" },
    keras: { as: "own", why: "Keras has none" },
  },
} as const satisfies OptimizerSpec;
