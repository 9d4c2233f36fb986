/** D-Adaptation (Defazio and Mishchenko 2023), as in the authors' package: the step size grows with the estimated distance d to a solution. */
import type { Node } from "../program/node.ts";
import { add, constant, div, greater, maximum, mul, select, sqrt, sub } from "../program/operations/index.ts";
import { addedProducts, atFirst, epsilonOf, followedRoot, innerProduct, momentRoot, norm, orOne, sumOfMagnitudes } from "./groupNodes.ts";
import { grown, rateCorrection } from "./prodigy.ts";
import type { RuleContext, UpdateRule } from "./rule.ts";
import { runningMean } from "./runningMean.ts";
import { coupledGradient, decayedGradients, decayedParameter } from "./weightDecay.ts";

/** The next d: an estimate, never less than before. Without any gradient so far it stays. */
function nextDistance(d: Node, estimate: Node, denominator: Node, level: RuleContext): Node {
  return select(greater(denominator, constant(0)), maximum(d, grown(d, estimate, level)), d);
}

export const dAdaptSgd: UpdateRule = {
  optimizer: "dAdaptSgd",
  update({ arrays, hyper, groupSlot, count }, level) {
    const d = groupSlot("d");
    const gradients = arrays.map((array) => coupledGradient(array, hyper, level));
    // The reference measures the first gradient before decay.
    const firstNorm = atFirst(count, norm(arrays.map(({ gradient }) => gradient)), groupSlot("firstNorm"));
    const rate = div(mul(d, hyper("alpha")), orOne(firstNorm));
    const numerator = addedProducts(groupSlot("numerator"), rate, gradients, arrays.map(({ slot }) => slot("s")));
    const sums = arrays.map(({ slot }, i) => add(slot("s"), mul(rate, gradients[i]!)));
    const length = norm(sums);
    const share = sub(constant(1), hyper("mu"));
    return {
      arrays: arrays.map(({ parameter, slot }, i) => ({
        parameter: add(mul(hyper("mu"), parameter), mul(share, sub(slot("start"), sums[i]!))),
        slots: { s: sums[i]! },
      })),
      groupSlots: { d: nextDistance(d, div(mul(constant(2), numerator), orOne(length)), length, level), numerator, firstNorm },
    };
  },
};

export const dAdaptAdam: UpdateRule = {
  optimizer: "dAdaptAdam",
  update(group, level) {
    const { arrays, hyper, groupSlot, count } = group;
    const [one, d, beta1, beta2] = [constant(1), groupSlot("d"), hyper("beta1"), hyper("beta2")];
    const [decay, epsilon] = [sqrt(beta2), epsilonOf(hyper)];
    const rate = mul(mul(d, hyper("alpha")), rateCorrection(count, beta1, beta2, level));
    const gradients = decayedGradients(group, level);
    const scaled = arrays.map(({ slot }) => div(slot("s"), add(followedRoot(slot("v"), level), epsilon)));
    const numerator = runningMean(groupSlot("numerator"), mul(rate, innerProduct(gradients, scaled)), decay);
    const moments = arrays.map(({ slot }, i) => ({
      m: add(mul(beta1, slot("m")), mul(mul(rate, sub(one, beta1)), gradients[i]!)),
      v: runningMean(slot("v"), mul(gradients[i]!, gradients[i]!), beta2),
      s: add(mul(decay, slot("s")), mul(mul(rate, sub(one, decay)), gradients[i]!)),
    }));
    const length = sumOfMagnitudes(moments.map(({ s }) => s));
    return {
      arrays: arrays.map(({ parameter }, i) => {
        const { m, v, s } = moments[i]!;
        return { parameter: sub(decayedParameter({ parameter, hyper }, level, rate), div(m, add(momentRoot(v, level), epsilon))), slots: { m, v, s } };
      }),
      groupSlots: { d: nextDistance(d, div(numerator, orOne(mul(sub(one, decay), length))), length, level), numerator },
    };
  },
};
