import { interpolation, stepSize, weightDecay } from "./common.ts";
import type { OptimizerSpec } from "./spec.ts";

export const scheduleFreeSgd = {
  name: "scheduleFreeSgd",
  label: "ScheduleFree SGD",
  help: "SGD without a schedule: gradients are taken between an average and the newest weights, and the average is evaluated (Defazio et al. 2024).",
  hyperparameters: [stepSize(1), interpolation, weightDecay],
  options: [],
  slots: () => [{ name: "z", initial: "parameter" }, { name: "largestAlpha", initial: 0, of: "group" }, { name: "weightSum", initial: 0, of: "group" }],
  withoutMechanic: "evaluates an average that Mechanic does not know",
  exports: {
    pytorch: { as: "package", what: "schedulefree.SGDScheduleFree", package: "schedulefree==1.4.1" },
    optax: { as: "library", what: "optax.contrib.schedule_free_sgd" },
    keras: { as: "own", why: "Keras has none" },
  },
} as const satisfies OptimizerSpec;
