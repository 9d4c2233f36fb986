import { add, constant, div, maximum, mul, pow, sqrt, sub } from "../program/operations/index.ts";
import { epsilonOf, momentRoot } from "./groupNodes.ts";
import { elementwise } from "./rule.ts";
import { runningMean } from "./runningMean.ts";
import { decayedGradient, decayedParameter } from "./weightDecay.ts";

/**
 * Adam (Kingma & Ba 2015) with eps outside the root and v starting at eps, as in the authors'
 * library; in PyTorch v starts at 0. Both betas are differentiated through the bias correction; eps is 10^logEps, so that
 * it can be learned in log space.
 *
 * With r = sqrt(1 - beta2^T), m_hat / (sqrt(v_hat) + eps) is computed as
 * (r / (1 - beta1^T)) m / (sqrt(v) + r eps), which keeps the corrections scalar.
 * AMSGrad (Reddi et al. 2018) uses the largest v so far, as PyTorch does.
 */
export const adam = elementwise("adam", (args, level) => {
  const { hyper, slot, count } = args;
  const [alpha, beta1, beta2] = [hyper("alpha"), hyper("beta1"), hyper("beta2")];
  const one = constant(1);
  const gradient = decayedGradient(args, level);
  const m = runningMean(slot("m"), gradient, beta1);
  const v = runningMean(slot("v"), mul(gradient, gradient), beta2);
  const largestV = level.options.amsgrad ? maximum(slot("largestV"), v) : v;
  const correction1 = sub(one, pow(beta1, count));
  const root = sqrt(sub(one, pow(beta2, count)));
  const epsilon = epsilonOf(hyper);
  const direction = div(m, add(momentRoot(largestV, level), mul(root, epsilon)));
  const rate = div(mul(alpha, root), correction1);
  return {
    parameter: sub(decayedParameter(args, level), mul(rate, direction)),
    slots: { m, v, ...(level.options.amsgrad ? { largestV } : {}) },
  };
});
