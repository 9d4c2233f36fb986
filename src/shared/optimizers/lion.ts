import { beta, stepSize, weightDecay } from "./common.ts";
import { mechanicHyperparameters, mechanicOptions } from "./mechanic.ts";
import type { OptimizerSpec } from "./spec.ts";

export const lion = {
  name: "lion",
  label: "Lion",
  help: "Moves every weight by the same amount, in the direction of a running mean of gradients (Chen et al. 2023). The direction is a sign, so the level above cannot learn the decays.",
  hyperparameters: [stepSize(0.0001), { ...beta(1, 0.9), learnable: false }, { ...beta(2, 0.99), learnable: false, help: "Decay of the running mean that is kept. Strictly between 0 and 1." }, weightDecay, ...mechanicHyperparameters],
  options: [...mechanicOptions],
  noHorizon: "it moves by a sign, which has no slope",
  slots: () => [{ name: "m", initial: 0 }],
  exports: {
    pytorch: { as: "package", what: "lion_pytorch.Lion", package: "lion-pytorch==0.2.5" },
    optax: { as: "library", what: "optax.lion" },
    keras: { as: "library", what: "keras.optimizers.Lion" },
  },
} as const satisfies OptimizerSpec;
