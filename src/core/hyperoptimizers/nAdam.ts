import { add, constant, div, exp, mul, sub } from "../program/operations/index.ts";
import { adamDenominator } from "./groupNodes.ts";
import type { UpdateRule } from "./rule.ts";
import { runningMean } from "./runningMean.ts";
import { decayedGradient, decayedParameter } from "./weightDecay.ts";

/**
 * NAdam (Dozat 2016) as in torch.optim.NAdam: the momentum mu_t = beta1 (1 - 0.96^(t psi) / 2)
 * enters by its value of this step and of the next.
 */
export const nAdam: UpdateRule = {
  optimizer: "nAdam",
  update({ arrays, hyper, groupSlot, count }, level) {
    const [one, alpha, beta1, beta2] = [constant(1), hyper("alpha"), hyper("beta1"), hyper("beta2")];
    const momentumAt = (step: typeof count) => mul(beta1, sub(one, mul(constant(0.5), exp(mul(constant(Math.log(0.96)), mul(step, hyper("momentumDecay")))))));
    const [momentum, next] = [momentumAt(count), momentumAt(add(count, one))];
    const momentumProduct = mul(groupSlot("momentumProduct"), momentum);
    const gradientRate = div(mul(alpha, sub(one, momentum)), sub(one, momentumProduct));
    const momentRate = div(mul(alpha, next), sub(one, mul(momentumProduct, next)));
    return {
      arrays: arrays.map((array) => {
        const args = { ...array, hyper, count };
        const gradient = decayedGradient(args, level);
        const m = runningMean(array.slot("m"), gradient, beta1);
        const v = runningMean(array.slot("v"), mul(gradient, gradient), beta2);
        const direction = add(mul(gradientRate, gradient), mul(momentRate, m));
        return { parameter: sub(decayedParameter(args, level), div(direction, adamDenominator(v, args, level))), slots: { m, v } };
      }),
      groupSlots: { momentumProduct },
    };
  },
};
