/**
 * Normalized hypergradients (Baydin et al. 2018, the multiplicative rule): the hypergradient of h is the product
 * <d loss / dW, dW / dh> over everything that h moves; divided by both norms it is the cosine of the angle between them,
 * from -1 to 1 whatever the model, and the same for every way to store h, up to the sign of the slope.
 *
 * Where h moves a single number, as it may above level 0, the cosine is the hypergradient's sign.
 */
import type { Node } from "../program/node.ts";
import { constant, div, equal, greater, maximum, minimum, mul, select } from "../program/operations/index.ts";
import { norm, orOne } from "./groupNodes.ts";

/** An array that a hyperparameter h moves. */
export interface MovedByHyperparameter {
  /** d loss / d array. */
  readonly gradient: Node;
  /** d array / dh. */
  readonly derivative: Node;
  /** Change of the array in this update. */
  readonly move: Node;
}

/**
 * Derivatives smaller than this share of the moves are rounding errors: bias correction cancels a decay out of the
 * first update altogether.
 */
const roundingShare = 1e-5;

/**
 * 0 where a norm is 0.
 * @param value d loss / dh, a scalar
 * @param mayCancel whether the derivatives may cancel out but for rounding
 */
export function normalized(value: Node, arrays: readonly MovedByHyperparameter[], mayCancel: boolean): Node {
  const [zero, one] = [constant(0), constant(1)];
  if (arrays.length === 0) return zero;
  const ofGradients = norm(arrays.map(({ gradient }) => gradient));
  const ofDerivatives = norm(arrays.map(({ derivative }) => derivative));
  const least = mayCancel ? mul(constant(roundingShare), norm(arrays.map(({ move }) => move))) : zero;
  // One norm after the other, for their product may underflow; rounding may take the cosine beyond 1.
  const cosine = maximum(minimum(div(div(value, orOne(ofGradients)), orOne(ofDerivatives)), one), constant(-1));
  return select(equal(ofGradients, zero), zero, select(greater(ofDerivatives, least), cosine, zero));
}
