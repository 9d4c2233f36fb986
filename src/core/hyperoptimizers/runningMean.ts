import type { Node } from "../program/node.ts";
import { add, constant, mul, sub } from "../program/operations/index.ts";

/**
 * decay * mean + (1 - decay) * value, written as a step towards the value: the decay
 * then stands in one place, and its hypergradient is one pass over the array, not two.
 * (A step from the value towards the mean would lose digits where the mean is small.)
 */
export function runningMean(mean: Node, value: Node, decay: Node): Node {
  return add(mean, mul(sub(constant(1), decay), sub(value, mean)));
}
