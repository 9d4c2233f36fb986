import { convention, stepSize } from "./common.ts";
import { mechanicHyperparameters, mechanicOptions } from "./mechanic.ts";
import type { OptimizerSpec } from "./spec.ts";

export const adaGrad = {
  name: "adaGrad",
  label: "AdaGrad",
  help: "Divides by the root of the sum of all squared gradients so far.",
  hyperparameters: [stepSize(0.01), ...mechanicHyperparameters],
  options: [convention, ...mechanicOptions],
  slots: ({ options }) => [{ name: "squares", initial: options.convention === "pytorch" ? 0 : 0.1 }],
  exports: {
    pytorch: { as: "library", what: "torch.optim.Adagrad" },
    optax: { as: "library", what: "optax.adagrad" },
    keras: { as: "library", what: "keras.optimizers.Adagrad" },
  },
} as const satisfies OptimizerSpec;
