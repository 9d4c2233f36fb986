/** Hyperparameters and options that several optimizers have. */
import type { HyperparameterSpec, OptionSpec, Parameterisation } from "./spec.ts";

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

/** Schedule-Free's place between the newest weights and their average. */
export const interpolation: HyperparameterSpec<"beta1"> = {
  ...beta(1, 0.9),
  learnable: false,
  label: "Interpolation",
  help: "Where gradients are taken: 0 at the newest weights, 1 at the average. Strictly between 0 and 1.",
};

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

export const convention = {
  name: "convention",
  kind: "choice",
  label: "Computed as",
  help: "As in the paper's library, or as in PyTorch: second moments then start at 0, and ε is added outside the root.",
  choices: [
    { value: "published", label: "in the paper's library", short: "published" },
    { value: "pytorch", label: "in PyTorch", short: "PyTorch" },
  ],
  initial: "published",
} as const satisfies OptionSpec;

/** Multiplies a step size that the optimizer finds itself. */
export const multiplier: HyperparameterSpec<"alpha"> = { ...stepSize(1), label: "Multiplier", help: "Multiplies the step size that the optimizer finds itself." };

/** First estimate of the distance from the initial weights to a solution. */
export const firstDistance: HyperparameterSpec<"d0"> = {
  name: "d0",
  symbol: "d₀",
  label: "First distance",
  help: "First estimate of the distance between the initial weights and a solution. Too small costs steps, too large can diverge.",
  initial: 1e-6,
  domain: { min: 0, max: 1e12, minExclusive: true },
  storedAs: "raw",
  learnable: false,
  scale: "log",
};

/** Loss of a perfect model, for Polyak step sizes. */
export const lowerBound: HyperparameterSpec<"lowerBound"> = {
  name: "lowerBound",
  symbol: "f*",
  label: "Lower bound",
  help: "A loss that cannot be undercut; 0 for classification.",
  initial: 0,
  domain: { min: -1e12, max: 1e12 },
  storedAs: "raw",
  learnable: false,
  scale: "linear",
};

export const biasCorrection = {
  name: "biasCorrection",
  kind: "flag",
  label: "Bias correction",
  help: "Corrects the step size for moments that start at 0, as Adam does.",
  short: "bias-corrected",
} as const satisfies OptionSpec;

export const growthRate = {
  name: "growthRate",
  kind: "number",
  label: "Growth of d by at most",
  help: "Largest factor by which the estimated distance grows in one step.",
  short: "growth",
  initial: null,
  domain: { min: 1, max: 1e12, minExclusive: true },
} as const satisfies OptionSpec;

export const averaging = {
  name: "averaging",
  kind: "number",
  label: "Average with power",
  help: "Evaluates the weights' running average, in which later steps weigh more with a higher power (Shamir and Zhang 2013).",
  short: "average",
  initial: 8,
  domain: { min: 0, max: 1e12 },
  canBeOff: true,
} as const satisfies OptionSpec;
