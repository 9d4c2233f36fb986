import { beta, logEpsilon, stepSize, weightDecay, weightDecayAs } from "./common.ts";
import { mechanicHyperparameters, mechanicOptions } from "./mechanic.ts";
import type { OptimizerSpec } from "./spec.ts";

export const nAdam = {
  name: "nAdam",
  label: "NAdam",
  help: "Adam with Nesterov momentum (Dozat 2016), as in PyTorch; with decoupled decay, NAdamW.",
  hyperparameters: [
    stepSize(0.002),
    beta(1, 0.9),
    beta(2, 0.999),
    logEpsilon,
    weightDecay,
    {
      name: "momentumDecay",
      symbol: "ψ",
      label: "Momentum schedule",
      help: "How fast the momentum rises to β₁: it is β₁ (1 - 0.96^(step ψ) / 2).",
      initial: 0.004,
      domain: { min: 0, max: 1e12 },
      storedAs: "raw",
      learnable: true,
      learnedByDefault: false,
      scale: "linear",
    },
    ...mechanicHyperparameters,
  ],
  options: [weightDecayAs, ...mechanicOptions],
  slots: () => [{ name: "m", initial: 0 }, { name: "v", initial: 0 }, { name: "momentumProduct", initial: 1, of: "group" }],
  exports: {
    pytorch: { as: "library", what: "torch.optim.NAdam" },
    optax: { as: "own", why: "optax.nadam has no schedule of the momentum" },
    keras: { as: "own", why: "keras.optimizers.Nadam has another schedule of the momentum" },
  },
} as const satisfies OptimizerSpec;
