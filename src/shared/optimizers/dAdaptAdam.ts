import { beta, biasCorrection, firstDistance, growthRate, logEpsilon, multiplier, weightDecay, weightDecayAs } from "./common.ts";
import type { OptimizerSpec } from "./spec.ts";

export const dAdaptAdam = {
  name: "dAdaptAdam",
  label: "D-Adaptation Adam",
  help: "Adam that estimates its step size from the distance travelled (Defazio and Mishchenko 2023).",
  hyperparameters: [multiplier, firstDistance, beta(1, 0.9), beta(2, 0.999), logEpsilon, weightDecay],
  options: [weightDecayAs, biasCorrection, growthRate],
  slots: ({ initial }) => [
    { name: "m", initial: 0 },
    { name: "v", initial: 0 },
    { name: "s", initial: 0 },
    { name: "d", initial: initial["d0"]!, of: "group" },
    { name: "numerator", initial: 0, of: "group" },
  ],
  withoutMechanic: "finds its step size itself",
  exports: {
    pytorch: { as: "package", what: "dadaptation.DAdaptAdam", package: "dadaptation==3.2" },
    optax: { as: "library", what: "optax.contrib.dadapt_adamw" },
    keras: { as: "own", why: "Keras has none" },
  },
} as const satisfies OptimizerSpec;
