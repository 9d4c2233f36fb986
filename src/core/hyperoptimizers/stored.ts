/** Converts hyperparameters between their stored and effective forms. */
import type { Parameterisation } from "../../shared/optimizers.ts";
import type { Node } from "../program/node.ts";
import { add, constant, exp, mul, tanh } from "../program/operations/index.ts";

/** Stored form of an effective value. */
export function toStored(value: number, as: Parameterisation): number {
  if (as === "tanh") return Math.atanh(2 * value - 1);
  if (as === "log") return Math.log(value);
  return as === "squared" ? Math.sqrt(value) : value;
}

/** Effective form of a stored value. */
export function toEffective(stored: number, as: Parameterisation): number {
  if (as === "tanh") return (Math.tanh(stored) + 1) / 2;
  if (as === "log") return Math.exp(stored);
  return as === "squared" ? stored * stored : stored;
}

/** Effective form as a node, differentiable in the stored value. */
export function effectiveNode(stored: Node, as: Parameterisation): Node {
  if (as === "tanh") return mul(constant(0.5), add(tanh(stored), constant(1)));
  if (as === "log") return exp(stored);
  return as === "squared" ? mul(stored, stored) : stored;
}
