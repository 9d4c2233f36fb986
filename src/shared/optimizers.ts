/**
 * Hyperparameters of each optimizer: defaults, domains and symbols. The schema, the editor and the
 * update rules (core/hyperoptimizers) read this table.
 *
 * Defaults and published names follow the authors' library
 * ("Gradient Descent: The Ultimate Optimizer", Chandra et al., NeurIPS 2022).
 */

/**
 * How a hyperparameter x is stored while learned: `raw` as x, `log` as ln(x) and `squared` as
 * sqrt(x),
 * so x stays positive, `tanh` as atanh(2x - 1), so x stays in (0, 1).
 */
export type Parameterisation = "raw" | "log" | "squared" | "tanh";

export interface HyperparameterSpec<Name extends string = string> {
  readonly name: Name;
  readonly symbol: string;
  readonly label: string;
  /** One line of help for the editor. */
  readonly help: string;
  readonly initial: number;
  readonly domain: Domain;
  readonly storedAs: Parameterisation;
  /** Whether a level above can learn it, and does so by default. */
  readonly learnable: boolean;
  readonly learnedByDefault?: boolean;
  /** Not in the published library; 0 by default. */
  readonly extra?: boolean;
  /** Shown on a log axis and edited in decades. */
  readonly scale: "log" | "linear";
}

export interface Domain {
  readonly min: number;
  readonly max: number;
  readonly minExclusive?: boolean;
  readonly maxExclusive?: boolean;
}

export interface OptimizerSpec {
  readonly name: string;
  /** Name in the paper's notation, e.g. `Adam^α`. */
  readonly label: string;
  readonly help: string;
  readonly hyperparameters: readonly HyperparameterSpec[];
}

const stepSize = (initial: number, storedAs: Parameterisation = "raw"): HyperparameterSpec<"alpha"> => ({
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

const gamma: HyperparameterSpec<"gamma"> = {
  name: "gamma",
  symbol: "γ",
  label: "Decay",
  help: "Decay of the running mean of squared gradients. Strictly between 0 and 1.",
  initial: 0.99,
  domain: { min: 0, max: 1, minExclusive: true, maxExclusive: true },
  storedAs: "tanh",
  learnable: true,
  scale: "linear",
};

const beta = <N extends 1 | 2>(which: N, initial: number): HyperparameterSpec<`beta${N}`> => ({
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

const logEpsilon: HyperparameterSpec<"logEps"> = {
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

const weightDecay: HyperparameterSpec<"weightDecay"> = {
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

const dampening: HyperparameterSpec<"dampening"> = {
  name: "dampening",
  symbol: "τ",
  label: "Dampening",
  help: "Share of the gradient left out of the momentum buffer, from the second step on.",
  initial: 0,
  domain: { min: 0, max: 1, maxExclusive: true },
  storedAs: "raw",
  learnable: false,
  extra: true,
  scale: "linear",
};

export const optimizers = {
  sgd: {
    name: "sgd",
    label: "SGD",
    help: "Stochastic gradient descent; with μ above 0, with momentum.",
    hyperparameters: [
      stepSize(0.01),
      {
        name: "mu",
        symbol: "μ",
        label: "Momentum",
        help: "Share of the previous update that is retained. 0 means plain SGD: momentum stays off.",
        initial: 0,
        domain: { min: 0, max: 1, maxExclusive: true },
        storedAs: "raw",
        learnable: true,
        scale: "linear",
      },
      weightDecay,
      dampening,
    ],
  },
  adam: {
    name: "adam",
    label: "Adam",
    help: "Adaptive moments: running means of the gradient and of its square.",
    hyperparameters: [stepSize(0.001), beta(1, 0.9), beta(2, 0.999), logEpsilon, weightDecay],
  },
  adaGrad: {
    name: "adaGrad",
    label: "AdaGrad",
    help: "Divides by the root of the sum of all squared gradients so far.",
    hyperparameters: [stepSize(0.01)],
  },
  rmsProp: {
    name: "rmsProp",
    label: "RMSProp",
    help: "Divides by the root of a running mean of squared gradients.",
    hyperparameters: [stepSize(0.01, "squared"), gamma],
  },
} as const satisfies Record<string, OptimizerSpec>;

export type OptimizerName = keyof typeof optimizers;

export const optimizerNames = Object.keys(optimizers) as [OptimizerName, ...OptimizerName[]];

export function optimizerSpec(name: OptimizerName): OptimizerSpec {
  return optimizers[name];
}

/** An optimizer and the hyperparameters that the level above moves. */
export interface LevelForm {
  readonly name: string;
  /** In the paper's notation, e.g. `Adam^α`. */
  readonly label: string;
  readonly help: string;
  readonly optimizer: OptimizerName;
  readonly learned: readonly string[];
  /** One group per parameter, by `alphas`. */
  readonly perParameter?: boolean;
}

/** Names of an optimizer's learnable hyperparameters. */
export function learnableNames(optimizer: OptimizerName): string[] {
  return optimizerSpec(optimizer).hyperparameters.filter(({ learnable }) => learnable).map(({ name }) => name);
}

/** Hyperparameters learned by default, as in the published library. */
export function learnedByDefault(optimizer: OptimizerName): string[] {
  const { hyperparameters } = optimizerSpec(optimizer);
  return hyperparameters.filter((spec) => spec.learnable && (spec.learnedByDefault ?? true)).map(({ name }) => name);
}

/** Classes of the library that are special cases, by the names used in experiments. */
const narrowForms: readonly LevelForm[] = [
  {
    name: "adamBaydin",
    label: "Adam^α",
    help: "Adam with only the step size learned (Baydin et al. 2018).",
    optimizer: "adam",
    learned: ["alpha"],
  },
  {
    name: "rmsPropAlpha",
    label: "RMSProp^α",
    help: "RMSProp with only the step size learned.",
    optimizer: "rmsProp",
    learned: ["alpha"],
  },
  {
    name: "sgdPerParam",
    label: "SGDPerParam",
    help: "SGD with a step size per named parameter; the others are frozen.",
    optimizer: "sgd",
    learned: ["alpha"],
    perParameter: true,
  },
];

/** The paper's optimizers: one mechanism with different choices of what is learned. */
export const levelForms: readonly LevelForm[] = [
  ...optimizerNames.map((name) => {
    const { label, help } = optimizerSpec(name);
    return { name, label, help, optimizer: name, learned: learnedByDefault(name) };
  }),
  ...narrowForms,
];

export function findForm(name: string): LevelForm | undefined {
  return levelForms.find((form) => form.name === name);
}

/** Describes a domain, such as "0 or more" or "strictly between 0 and 1". */
export function describeDomain({ min, max, minExclusive, maxExclusive }: Domain): string {
  if (minExclusive && maxExclusive) return `strictly between ${min} and ${max}`;
  if (max >= 1e12) return minExclusive ? `greater than ${min}` : `${min} or more`;
  return `from ${min}${minExclusive ? " (excluded)" : ""} to ${max}${maxExclusive ? " (excluded)" : ""}`;
}

export function inDomain(value: number, { min, max, minExclusive, maxExclusive }: Domain): boolean {
  return (
    Number.isFinite(value) &&
    (minExclusive ? value > min : value >= min) &&
    (maxExclusive ? value < max : value <= max)
  );
}
