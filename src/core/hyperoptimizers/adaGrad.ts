import { add, constant, div, mul, sqrt, stopGradient, sub } from "../program/operations/index.ts";
import { momentRoot } from "./groupNodes.ts";
import { elementwise } from "./rule.ts";

/**
 * AdaGrad (Duchi et al. 2011) as in the authors' library: the sum of squares starts at 0.1,
 * 1e-10 is added inside the root, and the root is treated as constant, except where a horizon follows
 * the slots. In PyTorch the sum starts at 0 and 1e-10 is added outside.
 */
export const adaGrad = elementwise("adaGrad", ({ parameter, gradient, hyper, slot }, level) => {
  const squares = add(slot("squares"), mul(gradient, gradient));
  const root = level.options.convention === "pytorch" ? add(momentRoot(squares, level), constant(1e-10)) : sqrt(add(squares, constant(1e-10)));
  return { parameter: sub(parameter, mul(hyper("alpha"), div(gradient, level.followed ? root : stopGradient(root)))), slots: { squares } };
});
