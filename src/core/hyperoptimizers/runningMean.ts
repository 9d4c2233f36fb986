import type { Node } from "../program/node.ts";
import { add, constant, mul, sub } from "../program/operations/index.ts";

/**
 * decay * mean + (1 - decay) * value, written as a step from the mean towards the value: `decay`
 * appears once, so its hypergradient takes one pass over the array instead of two.
 * (A step from the value towards the mean would lose digits where the mean is small.)
 */
export function runningMean(mean: Node, value: Node, decay: Node): Node {
  return add(mean, mul(sub(constant(1), decay), sub(value, mean)));
}
