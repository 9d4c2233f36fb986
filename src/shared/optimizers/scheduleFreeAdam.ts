import { beta, interpolation, logEpsilon, stepSize, weightDecay } from "./common.ts";
import type { OptimizerSpec } from "./spec.ts";

export const scheduleFreeAdam = {
  name: "scheduleFreeAdam",
  label: "ScheduleFree AdamW",
  help: "AdamW without a schedule: gradients are taken between an average and the newest weights, and the average is evaluated (Defazio et al. 2024).",
  hyperparameters: [stepSize(0.0025), interpolation, beta(2, 0.999), logEpsilon, weightDecay],
  options: [],
  slots: () => [
    { name: "z", initial: "parameter" },
    { name: "v", initial: 0 },
    { name: "largestAlpha", initial: 0, of: "group" },
    { name: "weightSum", initial: 0, of: "group" },
  ],
  withoutMechanic: "evaluates an average that Mechanic does not know",
  exports: {
    pytorch: { as: "package", what: "schedulefree.AdamWScheduleFree", package: "schedulefree==1.4.1" },
    optax: { as: "library", what: "optax.contrib.schedule_free_adamw" },
    keras: { as: "own", why: "keras.optimizers.ScheduleFreeAdamW averages with equal weights and does not evaluate the average" },
  },
} as const satisfies OptimizerSpec;
