import { beta, convention, logEpsilon, stepSize, weightDecay, weightDecayAs } from "./common.ts";
import { mechanicHyperparameters, mechanicOptions } from "./mechanic.ts";
import type { OptimizerSpec } from "./spec.ts";

export const adam = {
  name: "adam",
  label: "Adam",
  help: "Adaptive moments: running means of the gradient and of its square.",
  hyperparameters: [stepSize(0.001), beta(1, 0.9), beta(2, 0.999), logEpsilon, weightDecay, ...mechanicHyperparameters],
  options: [
    {
      name: "amsgrad",
      kind: "flag",
      label: "AMSGrad",
      help: "Divides by the largest second moment so far (Reddi et al. 2018).",
      short: "AMSGrad",
    },
    weightDecayAs,
    convention,
    ...mechanicOptions,
  ],
  slots: ({ initial, options }) => [
    { name: "m", initial: 0 },
    { name: "v", initial: options.convention === "pytorch" ? 0 : 10 ** initial["logEps"]! },
    ...(options.amsgrad ? [{ name: "largestV", initial: 0 }] : []),
  ],
  exports: {
    pytorch: { as: "library", what: "torch.optim.Adam" },
    optax: { as: "library", what: "optax.adam" },
    keras: { as: "library", what: "keras.optimizers.Adam" },
  },
} as const satisfies OptimizerSpec;
