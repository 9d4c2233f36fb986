import type { Node } from "../program/node.ts";
import { add, constant, mul, sub } from "../program/operations/index.ts";
import type { ArrayArguments, GroupArguments, MovedArray, RuleContext } from "./rule.ts";

type Hyper = GroupArguments["hyper"];

/** A decay fixed at 0 must not cost a pass over the weights. */
export const decays = ({ initial, learns }: RuleContext, name = "weightDecay") => initial[name] !== 0 || learns(name);

/** The gradient with coupled decay (L2 regularization), for rules that know no other: g + lambda w. */
export function coupledGradient({ parameter, gradient }: Pick<MovedArray, "parameter" | "gradient">, hyper: Hyper, level: RuleContext): Node {
  return decays(level) ? add(gradient, mul(hyper("weightDecay"), parameter)) : gradient;
}

/** The gradient, with coupled decay where the level says so. */
export function decayedGradient(args: Pick<ArrayArguments, "parameter" | "gradient" | "hyper">, level: RuleContext): Node {
  return level.options.weightDecayAs === "coupled" ? coupledGradient(args, args.hyper, level) : args.gradient;
}

/** The same for every array of a group. */
export function decayedGradients({ arrays, hyper }: GroupArguments, level: RuleContext): Node[] {
  return arrays.map((array) => decayedGradient({ ...array, hyper }, level));
}

/**
 * The parameter after decoupled decay (Loshchilov & Hutter 2019), for rules that know no other: (1 - rate lambda) w.
 * @param name the hyperparameter that is lambda
 */
export function shrunk(parameter: Node, rate: Node, hyper: Hyper, level: RuleContext, name = "weightDecay"): Node {
  return decays(level, name) ? mul(sub(constant(1), mul(rate, hyper(name))), parameter) : parameter;
}

/** The parameter, after decoupled decay where the level says so; at the step size alpha unless the rule finds its rate itself. */
export function decayedParameter({ parameter, hyper }: Pick<ArrayArguments, "parameter" | "hyper">, level: RuleContext, rate = hyper("alpha")): Node {
  return level.options.weightDecayAs === "decoupled" ? shrunk(parameter, rate, hyper, level) : parameter;
}

/** The same with the roundings of Prodigy's package, w - (rate lambda) w: its estimate amplifies the difference a million times. */
export function decayedAtRate({ parameter, hyper }: Pick<ArrayArguments, "parameter" | "hyper">, level: RuleContext, rate: Node): Node {
  if (level.options.weightDecayAs !== "decoupled" || !decays(level)) return parameter;
  return sub(parameter, mul(mul(rate, hyper("weightDecay")), parameter));
}
