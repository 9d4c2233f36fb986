import type { Node } from "../program/node.ts";
import { add, constant, div, equal, greater, maximum, minimum, mul, pow, select, sqrt, sub } from "../program/operations/index.ts";
import { addedProducts, epsilonOf, momentRoot, orOne, sumOfMagnitudes } from "./groupNodes.ts";
import type { RuleContext, UpdateRule } from "./rule.ts";
import { decayedAtRate, decayedGradients } from "./weightDecay.ts";

/** Adam's bias correction of a step size, or 1 where it is off. */
export function rateCorrection(count: Node, beta1: Node, beta2: Node, { options }: RuleContext): Node {
  const one = constant(1);
  return options.biasCorrection ? div(sqrt(sub(one, pow(beta2, count))), sub(one, pow(beta1, count))) : one;
}

/** d times the largest allowed growth, if there is one. */
export function grown(d: Node, atMost: Node, { options: { growthRate } }: RuleContext): Node {
  return growthRate === null ? atMost : minimum(atMost, mul(constant(growthRate), d));
}

/** Prodigy (Mishchenko and Defazio 2023), as in the authors' package, with beta3 = sqrt(beta2) and d_coef = 1. */
export const prodigy: UpdateRule = {
  optimizer: "prodigy",
  update(group, level) {
    const { arrays, hyper, groupSlot, count } = group;
    const [one, beta1, beta2] = [constant(1), hyper("beta1"), hyper("beta2")];
    const [d, d0] = [groupSlot("d"), constant(level.initial["d0"]!)];
    const beta3 = sqrt(beta2);
    const rate = mul(mul(d, hyper("alpha")), rateCorrection(count, beta1, beta2, level));
    const scale = mul(div(d, d0), rate);
    const gradients = decayedGradients(group, level);
    const moments = arrays.map(({ slot }, i) => ({
      m: add(mul(beta1, slot("m")), mul(mul(d, sub(one, beta1)), gradients[i]!)),
      v: add(mul(beta2, slot("v")), mul(mul(mul(d, d), sub(one, beta2)), mul(gradients[i]!, gradients[i]!))),
      s: add(mul(beta3, slot("s")), mul(scale, gradients[i]!)),
    }));
    const gained = addedProducts(constant(0), scale, gradients, arrays.map(({ parameter, slot }) => sub(slot("start"), parameter)));
    const numerator = add(mul(beta3, groupSlot("numerator")), gained);
    const denominator = sumOfMagnitudes(moments.map(({ s }) => s));
    // Without any gradient so far nothing moves, weight decay included.
    const moves = greater(denominator, constant(0));
    const applied = select(moves, rate, constant(0));
    const estimate = select(moves, div(numerator, orOne(denominator)), d);
    const largestD = maximum(groupSlot("largestD"), estimate);
    const first = select(equal(d, d0), maximum(d, estimate), d);
    const next = grown(first, largestD, level);
    const epsilon = mul(next, epsilonOf(hyper));
    return {
      arrays: arrays.map(({ parameter }, i) => {
        const { m, v, s } = moments[i]!;
        const moved = sub(decayedAtRate({ parameter, hyper }, level, applied), mul(applied, div(m, add(momentRoot(v, level), epsilon))));
        return { parameter: moved, slots: { m, v, s } };
      }),
      groupSlots: { d: next, largestD, numerator },
    };
  },
};
