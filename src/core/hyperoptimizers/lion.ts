import { constant, mul, sub } from "../program/operations/index.ts";
import { sign } from "./groupNodes.ts";
import { elementwise } from "./rule.ts";
import { runningMean } from "./runningMean.ts";
import { decays } from "./weightDecay.ts";

/** Lion (Chen et al. 2023), with decoupled weight decay. The sign has no slope: neither decay can be learned. */
export const lion = elementwise("lion", ({ parameter, gradient, hyper, slot }, level) => {
  const [alpha, m] = [hyper("alpha"), slot("m")];
  const decayed = decays(level) ? mul(sub(constant(1), mul(alpha, hyper("weightDecay"))), parameter) : parameter;
  return {
    parameter: sub(decayed, mul(alpha, sign(runningMean(m, gradient, hyper("beta1"))))),
    slots: { m: runningMean(m, gradient, hyper("beta2")) },
  };
});
