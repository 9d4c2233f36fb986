import { stepSize } from "./common.ts";
import type { OptimizerSpec } from "./spec.ts";

export const adaGrad = {
  name: "adaGrad",
  label: "AdaGrad",
  help: "Divides by the root of the sum of all squared gradients so far.",
  hyperparameters: [stepSize(0.01)],
  options: [],
  slots: () => [{ name: "squares", initial: 0.1 }],
} as const satisfies OptimizerSpec;
