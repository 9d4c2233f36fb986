/**
 * The optimizers; each declares itself in a file of the folder beside this one.
 *
 * Defaults and published names follow the authors' library
 * ("Gradient Descent: The Ultimate Optimizer", Chandra et al., NeurIPS 2022).
 */
import { adaGrad } from "./optimizers/adaGrad.ts";
import { adam } from "./optimizers/adam.ts";
import { dAdaptAdam } from "./optimizers/dAdaptAdam.ts";
import { dAdaptSgd } from "./optimizers/dAdaptSgd.ts";
import { dog } from "./optimizers/dog.ts";
import { dowg } from "./optimizers/dowg.ts";
import { lamb } from "./optimizers/lamb.ts";
import { lDog } from "./optimizers/lDog.ts";
import { lion } from "./optimizers/lion.ts";
import { moMo } from "./optimizers/moMo.ts";
import { moMoAdam } from "./optimizers/moMoAdam.ts";
import { muon } from "./optimizers/muon.ts";
import { nAdam } from "./optimizers/nAdam.ts";
import { prodigy } from "./optimizers/prodigy.ts";
import { rmsProp } from "./optimizers/rmsProp.ts";
import { scheduleFreeAdam } from "./optimizers/scheduleFreeAdam.ts";
import { scheduleFreeSgd } from "./optimizers/scheduleFreeSgd.ts";
import { sgd } from "./optimizers/sgd.ts";
import type { Domain, OptimizerSpec } from "./optimizers/spec.ts";

export type { Domain, HyperparameterSpec, OptimizerSpec, Parameterisation } from "./optimizers/spec.ts";

export const optimizers = {
  sgd,
  adam,
  adaGrad,
  rmsProp,
  nAdam,
  lion,
  scheduleFreeSgd,
  scheduleFreeAdam,
  prodigy,
  dAdaptSgd,
  dAdaptAdam,
  dog,
  lDog,
  moMo,
  moMoAdam,
  muon,
  dowg,
  lamb,
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
