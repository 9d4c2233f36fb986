import type { OptimizerName } from "../../shared/optimizers.ts";
import { add, constant, div, mul, sqrt, sub } from "../program/operations/index.ts";
import type { UpdateRule } from "./rule.ts";
import { runningMean } from "./runningMean.ts";

/** RMSProp (Hinton 2012) as in the authors' library: the mean of squares starts at 0, 1e-8 is added inside the root. */
function rmsPropRule(optimizer: OptimizerName): UpdateRule {
  return {
    optimizer,
    slots: () => [{ name: "squares", initial: 0 }],
    update({ parameter, gradient, hyper, slot }) {
      const squares = runningMean(slot("squares"), mul(gradient, gradient), hyper("gamma"));
      const root = sqrt(add(squares, constant(1e-8)));
      return { parameter: sub(parameter, mul(hyper("alpha"), div(gradient, root))), slots: { squares } };
    },
  };
}

export const rmsProp = rmsPropRule("rmsProp");
/** RMSProp with a constant gamma: which hyperparameters are learned is the tower's business. */
export const rmsPropAlpha = rmsPropRule("rmsPropAlpha");
