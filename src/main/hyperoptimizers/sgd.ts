import { add, mul, sub } from "../program/operations/index.ts";
import type { UpdateArguments, Updated, UpdateRule, Hyperparameters } from "./rule.ts";

/**
 * w -= alpha g, or with momentum buf = mu buf + g, w -= alpha buf. As in the
 * authors' library, momentum is in use when mu does not *start* at 0.
 */
export const sgd: UpdateRule = {
  optimizer: "sgd",
  slots: ({ mu }) => (mu ? [{ name: "momentum", initial: 0 }] : []),
  update({ parameter, gradient, hyper, slot }: UpdateArguments, { mu }: Hyperparameters): Updated {
    if (!mu) return { parameter: sub(parameter, mul(hyper("alpha"), gradient)), slots: {} };
    const momentum = add(mul(hyper("mu"), slot("momentum")), gradient);
    return { parameter: sub(parameter, mul(hyper("alpha"), momentum)), slots: { momentum } };
  },
};
