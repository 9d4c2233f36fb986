/** Hyperparameters and options that several optimizers have. */
import type { HyperparameterSpec, Parameterisation } from "./spec.ts";

export const stepSize = (initial: number, storedAs: Parameterisation = "raw"): HyperparameterSpec<"alpha"> => ({
  name: "alpha",
  symbol: "α",
  label: "Step size",
  help: "Scale of one update.",
  initial,
  domain: { min: 0, max: 1e12 },
  storedAs,
  learnable: true,
  scale: "log",
});

export const beta = <N extends 1 | 2>(which: N, initial: number): HyperparameterSpec<`beta${N}`> => ({
  name: `beta${which}`,
  symbol: which === 1 ? "β₁" : "β₂",
  label: which === 1 ? "First-moment decay" : "Second-moment decay",
  help: `Decay of the running mean of ${which === 1 ? "gradients" : "squared gradients"}. Strictly between 0 and 1.`,
  initial,
  domain: { min: 0, max: 1, minExclusive: true, maxExclusive: true },
  storedAs: "tanh",
  learnable: true,
  scale: "linear",
});

export const logEpsilon: HyperparameterSpec<"logEps"> = {
  name: "logEps",
  symbol: "log₁₀ ε",
  label: "Log epsilon",
  help: "Power of ten added to the denominator, outside the root.",
  initial: -8,
  domain: { min: -30, max: 0 },
  storedAs: "raw",
  learnable: true,
  learnedByDefault: false,
  scale: "linear",
};

export const weightDecay: HyperparameterSpec<"weightDecay"> = {
  name: "weightDecay",
  symbol: "λ",
  label: "Weight decay",
  help: "Pulls the parameters towards 0 by this much per step.",
  initial: 0,
  domain: { min: 0, max: 1e12 },
  storedAs: "raw",
  learnable: true,
  learnedByDefault: false,
  extra: true,
  scale: "log",
};

export const weightDecayAs = {
  name: "weightDecayAs",
  kind: "choice",
  label: "Weight decay is",
  help: "Decoupled: shrinks the weights by α λ themselves (AdamW, Loshchilov and Hutter 2019). Coupled: adds λ w to the gradient.",
  choices: [
    { value: "decoupled", label: "decoupled", short: "decoupled" },
    { value: "coupled", label: "coupled", short: "coupled" },
  ],
  initial: "decoupled",
} as const;
