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
} as const satisfies OptimizerSpec;
