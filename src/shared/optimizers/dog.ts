import { averaging, multiplier, weightDecay } from "./common.ts";
import type { OptimizerSpec } from "./spec.ts";

export const dog = {
  name: "dog",
  label: "DoG",
  help: "SGD whose step size is the largest distance from the start over the root of all squared gradients (Ivgi et al. 2023). The average of the weights is evaluated.",
  hyperparameters: [
    multiplier,
    {
      name: "firstMove",
      symbol: "r_ε",
      label: "First move",
      help: "Length of the first step, relative to 1 + the weights' norm.",
      initial: 1e-6,
      domain: { min: 0, max: 1e12, minExclusive: true },
      storedAs: "raw",
      learnable: false,
      scale: "log",
    },
    weightDecay,
  ],
  options: [averaging],
  slots: ({ options }) => [
    { name: "start", initial: "parameter" },
    { name: "distance", initial: 0, of: "group" },
    { name: "squares", initial: 0, of: "group" },
    ...(options.averaging === null ? [] : [{ name: "average", initial: "parameter" } as const]),
  ],
} as const satisfies OptimizerSpec;
