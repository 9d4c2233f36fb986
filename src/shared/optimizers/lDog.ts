import { averaging, multiplier, weightDecay } from "./common.ts";
import type { OptimizerSpec } from "./spec.ts";

export const lDog = {
  name: "lDog",
  label: "LDoG",
  help: "DoG with a step size for each array (Ivgi et al. 2023). The average of the weights is evaluated.",
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
    { name: "distance", initial: 0, of: "array" },
    { name: "squares", initial: 0, of: "array" },
    ...(options.averaging === null ? [] : [{ name: "average", initial: "parameter" } as const]),
  ],
  ownShapes: true,
} as const satisfies OptimizerSpec;
