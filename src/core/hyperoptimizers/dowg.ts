import { add, div, maximum, mul, sub } from "../program/operations/index.ts";
import { epsilonOf, innerProduct, momentRoot } from "./groupNodes.ts";
import type { UpdateRule } from "./rule.ts";
import { coupledGradient } from "./weightDecay.ts";

/**
 * DoWG (Khaled et al. 2023), as optax.contrib.dowg: epsilon is added to the root, which the paper does
 * without, and the newest weights are evaluated, not the paper's average.
 */
export const dowg: UpdateRule = {
  optimizer: "dowg",
  update({ arrays, hyper, groupSlot }, level) {
    const gradients = arrays.map((array) => coupledGradient(array, hyper, level));
    const moves = arrays.map(({ parameter, slot }) => sub(parameter, slot("start")));
    const squaredDistance = maximum(groupSlot("squaredDistance"), innerProduct(moves, moves));
    const weightedSquares = add(groupSlot("weightedSquares"), mul(squaredDistance, innerProduct(gradients, gradients)));
    const epsilon = epsilonOf(hyper);
    const rate = div(mul(hyper("alpha"), squaredDistance), add(momentRoot(weightedSquares, level, "weightDecay"), epsilon));
    return {
      arrays: arrays.map(({ parameter }, i) => ({ parameter: sub(parameter, mul(rate, gradients[i]!)), slots: {} })),
      groupSlots: { squaredDistance, weightedSquares },
    };
  },
};
