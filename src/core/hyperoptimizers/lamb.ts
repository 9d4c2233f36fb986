import type { Node } from "../program/node.ts";
import { add, constant, div, equal, mul, pow, select, sqrt, sub } from "../program/operations/index.ts";
import { adamDenominator, innerProduct, orOne } from "./groupNodes.ts";
import type { UpdateRule } from "./rule.ts";
import { runningMean } from "./runningMean.ts";
import { decays } from "./weightDecay.ts";

/** The norm of the parameter over that of its direction; 1 where either is 0. */
function trustRatio(parameter: Node, direction: Node): Node {
  const [one, zero] = [constant(1), constant(0)];
  const [weights, squares] = [innerProduct([parameter], [parameter]), innerProduct([direction], [direction])];
  // Its root has no slope at 0, so it is taken of 1 there.
  return select(equal(mul(weights, squares), zero), one, div(sqrt(weights), sqrt(orOne(squares))));
}

/**
 * LAMB (You et al. 2020) as optax.lamb: Adam's direction plus weight decay, scaled for each array by
 * its trust ratio, without the paper's bounds on the norm of the weights.
 */
export const lamb: UpdateRule = {
  optimizer: "lamb",
  update({ arrays, hyper, count }, level) {
    const [one, beta1, beta2] = [constant(1), hyper("beta1"), hyper("beta2")];
    const correction = sub(one, pow(beta1, count));
    return {
      arrays: arrays.map(({ parameter, gradient, slot }) => {
        const m = runningMean(slot("m"), gradient, beta1);
        const v = runningMean(slot("v"), mul(gradient, gradient), beta2);
        const adam = div(div(m, correction), adamDenominator(v, { hyper, count }, level));
        const direction = decays(level) ? add(adam, mul(hyper("weightDecay"), parameter)) : adam;
        const rate = mul(hyper("alpha"), trustRatio(parameter, direction));
        return { parameter: sub(parameter, mul(rate, direction)), slots: { m, v } };
      }),
    };
  },
};
