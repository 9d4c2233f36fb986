/** Bounds on learned hyperparameters: validation and notation. */
import { inDomain, learnableNames, optimizerSpec, type HyperparameterSpec, type OptimizerName, type Parameterisation } from "./optimizers.ts";
import type { Bounds } from "./levelOptions.ts";

export interface BoundSettings {
  readonly optimizer: OptimizerName;
  readonly alphaAs: Parameterisation;
  readonly bounds: Readonly<Record<string, Bounds>>;
}

/** @param initial value of each hyperparameter */
export function boundsProblems({ optimizer, alphaAs, bounds }: BoundSettings, initial: (name: string) => number): { readonly name: string; readonly message: string }[] {
  const learnable = learnableNames(optimizer);
  const unknown = Object.keys(bounds).filter((name) => !learnable.includes(name));
  if (unknown.length > 0) return unknown.map((name) => ({ name, message: `there are no bounds for ${name}; allowed: ${learnable.join(", ")}` }));
  return optimizerSpec(optimizer).hyperparameters.flatMap((spec) => {
    const problem = bounds[spec.name] && boundProblem(spec, spec.name === "alpha" ? alphaAs : spec.storedAs, bounds[spec.name]!, initial(spec.name));
    return problem ? [{ name: spec.name, message: problem }] : [];
  });
}

function boundProblem({ name, domain }: HyperparameterSpec, storedAs: Parameterisation, [min, max]: Bounds, initial: number): string | null {
  for (const bound of [min, max]) {
    if (bound === null) continue;
    // In the published library, a step size updated by addition may turn negative.
    if (name === "alpha" && storedAs === "raw") continue;
    if (storedAs === "log" ? bound <= 0 : storedAs === "squared" ? bound < 0 : !inDomain(bound, domain)) {
      return `a bound on ${name} is ${bound}; ${storedAs === "log" ? "in log space it must be greater than 0" : storedAs === "squared" ? "as a square it must be 0 or more" : "the value itself could not be"}`;
    }
  }
  if (min !== null && max !== null && min >= max) return `the bounds on ${name} are [${min}, ${max}]; the first must be the smaller`;
  if ((min !== null && initial < min) || (max !== null && initial > max)) return `${name} starts at ${initial}, outside its bounds ${boundsNotation([min, max])}`;
  return null;
}

/** `[1e-5, 1]`, `≥ 0.01`, `≤ 1` */
export function boundsNotation([min, max]: Bounds, format: (value: number) => string = String): string {
  if (min !== null && max !== null) return `[${format(min)}, ${format(max)}]`;
  return min !== null ? `≥ ${format(min)}` : max !== null ? `≤ ${format(max)}` : "none";
}

/** Bounds that are set, in the optimizer's order. */
export function boundsInUse(optimizer: OptimizerName, bounds: Readonly<Record<string, Bounds>>): { readonly spec: HyperparameterSpec; readonly within: Bounds }[] {
  const learnable = learnableNames(optimizer);
  return optimizerSpec(optimizer).hyperparameters.flatMap((spec) => {
    const within = bounds[spec.name];
    return within && learnable.includes(spec.name) && within.some((bound) => bound !== null) ? [{ spec, within }] : [];
  });
}
