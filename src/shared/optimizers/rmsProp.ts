import { convention, stepSize } from "./common.ts";
import { mechanicHyperparameters, mechanicOptions } from "./mechanic.ts";
import type { HyperparameterSpec, OptimizerSpec } from "./spec.ts";

const gamma: HyperparameterSpec<"gamma"> = {
  name: "gamma",
  symbol: "γ",
  label: "Decay",
  help: "Decay of the running mean of squared gradients. Strictly between 0 and 1.",
  initial: 0.99,
  domain: { min: 0, max: 1, minExclusive: true, maxExclusive: true },
  storedAs: "tanh",
  learnable: true,
  scale: "linear",
};

export const rmsProp = {
  name: "rmsProp",
  label: "RMSProp",
  help: "Divides by the root of a running mean of squared gradients.",
  hyperparameters: [stepSize(0.01, "squared"), gamma, ...mechanicHyperparameters],
  options: [convention, ...mechanicOptions],
  slots: () => [{ name: "squares", initial: 0 }],
  exports: {
    pytorch: { as: "library", what: "torch.optim.RMSprop" },
    optax: { as: "library", what: "optax.rmsprop" },
    keras: { as: "library", what: "keras.optimizers.RMSprop" },
  },
} as const satisfies OptimizerSpec;
