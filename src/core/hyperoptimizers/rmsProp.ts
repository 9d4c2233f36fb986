import { add, constant, div, mul, sqrt, sub } from "../program/operations/index.ts";
import { momentRoot } from "./groupNodes.ts";
import { elementwise } from "./rule.ts";
import { runningMean } from "./runningMean.ts";

/**
 * RMSProp (Hinton 2012) as in the authors' library: the mean square starts at 0; 1e-8 is added
 * inside the root, in PyTorch outside.
 */
export const rmsProp = elementwise("rmsProp", ({ parameter, gradient, hyper, slot }, level) => {
  const squares = runningMean(slot("squares"), mul(gradient, gradient), hyper("gamma"));
  const root = level.options.convention === "pytorch" ? add(momentRoot(squares, level, "gamma"), constant(1e-8)) : sqrt(add(squares, constant(1e-8)));
  return { parameter: sub(parameter, mul(hyper("alpha"), div(gradient, root))), slots: { squares } };
});
