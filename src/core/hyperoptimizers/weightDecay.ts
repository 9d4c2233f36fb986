import type { Node } from "../program/node.ts";
import { add, constant, mul, sub } from "../program/operations/index.ts";
import type { ArrayArguments, GroupArguments, MovedArray, RuleContext } from "./rule.ts";

/** A decay fixed at 0 must not cost a pass over the weights. */
export const decays = ({ initial, learns }: RuleContext) => initial["weightDecay"] !== 0 || learns("weightDecay");

/** The gradient with coupled decay (L2 regularization): g + lambda w. */
export function decayedGradient({ parameter, gradient, hyper }: ArrayArguments, level: RuleContext): Node {
  if (!decays(level) || level.options.weightDecayAs !== "coupled") return gradient;
  return add(gradient, mul(hyper("weightDecay"), parameter));
}

/** The parameter after decoupled decay (Loshchilov & Hutter 2019): (1 - alpha lambda) w. */
export function decayedParameter({ parameter, hyper }: ArrayArguments, level: RuleContext): Node {
  if (!decays(level) || level.options.weightDecayAs !== "decoupled") return parameter;
  return mul(sub(constant(1), mul(hyper("alpha"), hyper("weightDecay"))), parameter);
}

/** The gradients of a group, each with coupled decay where that is asked for. */
export function decayedGradients({ arrays, hyper, count }: GroupArguments, level: RuleContext): Node[] {
  return arrays.map((array) => decayedGradient({ ...array, hyper, count }, level));
}

/** The gradient with coupled decay, for rules that know no other. */
export function coupledGradient({ parameter, gradient }: MovedArray, hyper: (name: string) => Node, level: RuleContext): Node {
  return decays(level) ? add(gradient, mul(hyper("weightDecay"), parameter)) : gradient;
}
