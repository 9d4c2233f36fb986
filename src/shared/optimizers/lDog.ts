import { dog, dogSlots } from "./dog.ts";
import type { OptimizerSpec } from "./spec.ts";

export const lDog = {
  ...dog,
  name: "lDog",
  label: "LDoG",
  help: "DoG with a step size for each array (Ivgi et al. 2023). The average of the weights is evaluated.",
  slots: dogSlots("array"),
  ownShapes: true,
  exports: {
    ...dog.exports,
    pytorch: { as: "package", what: "dog.LDoG", package: "dog-optimizer==1.0.3" },
    optax: { as: "own", why: "Optax has none" },
  },
} as const satisfies OptimizerSpec;
