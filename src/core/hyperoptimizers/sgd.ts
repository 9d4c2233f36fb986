import { hasMomentum } from "../../shared/slots.ts";
import { add, constant, equal, mul, select, sub } from "../program/operations/index.ts";
import { elementwise, type UpdatedArray } from "./rule.ts";
import { decayedGradient, decayedParameter } from "./weightDecay.ts";

/**
 * w -= alpha g, or with momentum buf = mu buf + (1 - dampening) g (the first time
 * buf = g), w -= alpha buf; with Nesterov's look-ahead w -= alpha (g + mu buf).
 * Dampening, Nesterov and coupled decay are PyTorch's.
 */
export const sgd = elementwise("sgd", (args, level): UpdatedArray => {
  const { hyper, slot, count } = args;
  const gradient = decayedGradient(args, level);
  const parameter = decayedParameter(args, level);
  if (!hasMomentum(level)) return { parameter: sub(parameter, mul(hyper("alpha"), gradient)), slots: {} };

  const { dampening } = level.initial;
  const share = select(equal(count, constant(1)), constant(1), sub(constant(1), hyper("dampening")));
  const momentum = add(mul(hyper("mu"), slot("momentum")), dampening === 0 ? gradient : mul(share, gradient));
  const direction = level.options.nesterov ? add(gradient, mul(hyper("mu"), momentum)) : momentum;
  return { parameter: sub(parameter, mul(hyper("alpha"), direction)), slots: { momentum } };
});
