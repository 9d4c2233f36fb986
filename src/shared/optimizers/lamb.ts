import { beta, logEpsilon, stepSize, weightDecay } from "./common.ts";
import { mechanicHyperparameters, mechanicOptions } from "./mechanic.ts";
import type { OptimizerSpec } from "./spec.ts";

export const lamb = {
  name: "lamb",
  label: "LAMB",
  help: "Adam whose step on each array is as long as the array's norm, times α (You et al. 2020). For large batches. On an upper level the step is α of the value either way, so the level above cannot learn the decays there.",
  hyperparameters: [stepSize(0.001), beta(1, 0.9), beta(2, 0.999), { ...logEpsilon, initial: -6 }, { ...weightDecay, help: "Share of the parameters in the direction of the step, which has the length of their norm." }, ...mechanicHyperparameters],
  options: [...mechanicOptions],
  slots: () => [{ name: "m", initial: 0 }, { name: "v", initial: 0 }],
  ownShapes: true,
  exports: {
    pytorch: { as: "own", why: "PyTorch has none" },
    optax: { as: "library", what: "optax.lamb" },
    keras: { as: "own", why: "keras.optimizers.Lamb leaves weight decay out of the step's direction" },
  },
} as const satisfies OptimizerSpec;
