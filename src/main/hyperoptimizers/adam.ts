import { add, constant, div, mul, pow, sqrt, sub } from "../program/operations/index.ts";
import type { UpdateRule } from "./rule.ts";
import { runningMean } from "./runningMean.ts";

/**
 * Adam (Kingma & Ba 2015), eps outside the root, v starting at eps as in the
 * authors' library. Both betas stay live through the bias correction.
 *
 * With r = sqrt(1 - beta2^T), m_hat / (sqrt(v_hat) + eps) is written as
 * (r / (1 - beta1^T)) m / (sqrt(v) + r eps), which keeps the corrections scalar.
 */
export const adam: UpdateRule = {
  optimizer: "adam",
  slots: ({ logEps }) => [
    { name: "m", initial: 0 },
    { name: "v", initial: 10 ** logEps! },
  ],
  update({ parameter, gradient, hyper, slot, count }, { logEps }) {
    const [alpha, beta1, beta2] = [hyper("alpha"), hyper("beta1"), hyper("beta2")];
    const one = constant(1);
    const m = runningMean(slot("m"), gradient, beta1);
    const v = runningMean(slot("v"), mul(gradient, gradient), beta2);
    const correction1 = sub(one, pow(beta1, count));
    const root = sqrt(sub(one, pow(beta2, count)));
    const direction = div(m, add(sqrt(v), mul(root, constant(10 ** logEps!))));
    const rate = div(mul(alpha, root), correction1);
    return { parameter: sub(parameter, mul(rate, direction)), slots: { m, v } };
  },
};
