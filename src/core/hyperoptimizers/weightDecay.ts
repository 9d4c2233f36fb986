import type { Node } from "../program/node.ts";
import { add, constant, mul, sub } from "../program/operations/index.ts";
import type { RuleContext, ArrayArguments } from "./rule.ts";

/** A decay fixed at 0 must not cost a pass over the weights. */
const decays = ({ initial, learns }: RuleContext) => initial["weightDecay"] !== 0 || learns("weightDecay");

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
