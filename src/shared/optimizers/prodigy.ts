import { dAdaptAdam } from "./dAdaptAdam.ts";
import type { OptimizerSpec } from "./spec.ts";

export const prodigy = {
  name: "prodigy",
  label: "Prodigy",
  help: "Adam that estimates its step size from the distance travelled (Mishchenko and Defazio 2023).",
  hyperparameters: dAdaptAdam.hyperparameters,
  options: dAdaptAdam.options,
  slots: ({ initial }) => [
    { name: "m", initial: 0 },
    { name: "v", initial: 0 },
    { name: "s", initial: 0 },
    { name: "start", initial: "parameter" },
    { name: "d", initial: initial["d0"]!, of: "group" },
    { name: "largestD", initial: initial["d0"]!, of: "group" },
    { name: "numerator", initial: 0, of: "group" },
  ],
  withoutMechanic: "finds its step size itself",
  exports: {
    pytorch: { as: "package", what: "prodigyopt.Prodigy", package: "prodigyopt==1.1.2" },
    optax: { as: "library", what: "optax.contrib.prodigy" },
    keras: { as: "own", why: "Keras has none" },
  },
} as const satisfies OptimizerSpec;
