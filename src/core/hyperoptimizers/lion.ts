import { mul, sub } from "../program/operations/index.ts";
import { sign } from "./groupNodes.ts";
import { elementwise } from "./rule.ts";
import { runningMean } from "./runningMean.ts";
import { shrunk } from "./weightDecay.ts";

/** Lion (Chen et al. 2023), with decoupled weight decay. The sign has no slope: neither decay can be learned. */
export const lion = elementwise("lion", ({ parameter, gradient, hyper, slot }, level) => {
  const [alpha, m] = [hyper("alpha"), slot("m")];
  return {
    parameter: sub(shrunk(parameter, alpha, hyper, level), mul(alpha, sign(runningMean(m, gradient, hyper("beta1"))))),
    slots: { m: runningMean(m, gradient, hyper("beta2")) },
  };
});
