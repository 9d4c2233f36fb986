/**
 * Schedule-Free SGD and AdamW (Defazio et al. 2024), as in the authors' package. The parameters are
 * y, where gradients are taken: between z, which moves by them, and the average x of all z, which is
 * evaluated. x follows from y and z, so it is not kept.
 */
import type { Node } from "../program/node.ts";
import { add, constant, div, maximum, mul, sub } from "../program/operations/index.ts";
import { adamDenominator, orOne } from "./groupNodes.ts";
import type { GroupArguments, MovedArray, RuleContext, UpdateRule } from "./rule.ts";
import { runningMean } from "./runningMean.ts";
import { coupledGradient, decays } from "./weightDecay.ts";

const towards = (from: Node, to: Node, share: Node) => add(from, mul(share, sub(to, from)));

/** @param directionOf what z moves along, with the further slots that it updates */
function scheduleFree(
  optimizer: UpdateRule["optimizer"],
  directionOf: (array: MovedArray, group: GroupArguments, level: RuleContext) => { readonly direction: Node; readonly slots: Readonly<Record<string, Node>> },
): UpdateRule {
  return {
    optimizer,
    update(group, level) {
      const { arrays, hyper, groupSlot } = group;
      const [one, alpha, beta1] = [constant(1), hyper("alpha"), hyper("beta1")];
      const largestAlpha = maximum(groupSlot("largestAlpha"), alpha);
      const weight = mul(largestAlpha, largestAlpha);
      const weightSum = add(groupSlot("weightSum"), weight);
      // While all step sizes were 0 nothing has moved: the average needs no newer weights.
      const share = div(weight, orOne(weightSum));
      const rate = mul(alpha, sub(mul(beta1, sub(one, share)), one));
      return {
        arrays: arrays.map((array) => {
          const { direction, slots } = directionOf(array, group, level);
          const parameter = add(towards(array.parameter, array.slot("z"), share), mul(rate, direction));
          const z = sub(array.slot("z"), mul(alpha, direction));
          return { parameter, slots: { z, ...slots }, evaluated: towards(parameter, z, sub(one, div(one, beta1))) };
        }),
        groupSlots: { largestAlpha, weightSum },
      };
    },
  };
}

export const scheduleFreeSgd = scheduleFree("scheduleFreeSgd", (array, { hyper }, level) => ({ direction: coupledGradient(array, hyper, level), slots: {} }));

export const scheduleFreeAdam = scheduleFree("scheduleFreeAdam", ({ parameter, gradient, slot }, group, level) => {
  const v = runningMean(slot("v"), mul(gradient, gradient), group.hyper("beta2"));
  const normalized = div(gradient, adamDenominator(v, group, level));
  return { direction: decays(level) ? add(normalized, mul(group.hyper("weightDecay"), parameter)) : normalized, slots: { v } };
});
