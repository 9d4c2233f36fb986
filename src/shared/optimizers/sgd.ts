import { stepSize, weightDecay, weightDecayAs } from "./common.ts";
import { mechanicHyperparameters, mechanicOptions } from "./mechanic.ts";
import type { HyperparameterSpec, OptimizerSpec, SlotSettings } from "./spec.ts";

/** As in the authors' library, momentum is on when mu does not *start* at 0, or on request. */
export function hasMomentum({ initial, options }: Omit<SlotSettings, "optimizer">): boolean {
  return initial["mu"] !== 0 || options.momentumFromZero;
}

const dampening: HyperparameterSpec<"dampening"> = {
  name: "dampening",
  symbol: "τ",
  label: "Dampening",
  help: "Share of the gradient left out of the momentum buffer, from the second step on.",
  initial: 0,
  domain: { min: 0, max: 1, maxExclusive: true },
  storedAs: "raw",
  learnable: false,
  extra: true,
  scale: "linear",
};

export const sgd = {
  name: "sgd",
  label: "SGD",
  help: "Stochastic gradient descent; with μ above 0, with momentum.",
  hyperparameters: [
    stepSize(0.01),
    {
      name: "mu",
      symbol: "μ",
      label: "Momentum",
      help: "Share of the previous update that is retained. 0 means plain SGD: momentum stays off.",
      initial: 0,
      domain: { min: 0, max: 1, maxExclusive: true },
      storedAs: "raw",
      learnable: true,
      scale: "linear",
    },
    weightDecay,
    dampening,
    ...mechanicHyperparameters,
  ],
  options: [
    {
      name: "momentumFromZero",
      kind: "flag",
      label: "Momentum from 0",
      help: "Uses a momentum buffer even if μ starts at 0, so that μ can be learned.",
      short: "μ from 0",
    },
    {
      name: "nesterov",
      kind: "flag",
      label: "Nesterov",
      help: "Nesterov momentum: the update is g + μ buf. Needs momentum.",
      short: "Nesterov",
    },
    weightDecayAs,
    ...mechanicOptions,
  ],
  slots: (settings) => (hasMomentum(settings) ? [{ name: "momentum", initial: 0 }] : []),
  exports: {
    pytorch: { as: "library", what: "torch.optim.SGD" },
    optax: { as: "library", what: "optax.sgd" },
    keras: { as: "library", what: "keras.optimizers.SGD" },
  },
} as const satisfies OptimizerSpec;
