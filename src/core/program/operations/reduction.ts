/** Sums, maxima, moments, and the index operations of classification. */
import { isScalar, makeNode, none, sameShape, shapeError, sizeOf, type Node, type Shape } from "../node.ts";
import { equal, select } from "./conditions.ts";
import { constant, filled } from "./constants.ts";
import { cast, div, mul, sub } from "./elementwise.ts";
import { broadcast, reshape } from "./movement.ts";
import { along, nth, type Operation } from "./operation.ts";

function reducedShape(op: string, x: Node, axes: readonly number[], keepAxes: boolean): Shape {
  for (const axis of axes) if (axis < 0 || axis >= x.shape.length) throw shapeError(op, [x], `has no axis ${axis}`);
  return keepAxes ? x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)) : x.shape.filter((_, axis) => !axes.includes(axis));
}

const allAxes = (x: Node) => x.shape.map((_, axis) => axis);

function reduce(op: "reduceSum" | "reduceMax") {
  return (x: Node, axes: readonly number[] = allAxes(x), keepAxes = false): Node => {
    if (x.dtype !== "float") throw shapeError(op, [x], "needs a float input");
    if (axes.length === 0) return x;
    const sorted = [...axes].sort((a, b) => a - b);
    return makeNode(op, [x], { axes: sorted, keepAxes }, reducedShape(op, x, sorted, keepAxes));
  };
}

/** Sum over `axes` (all by default). */
export const reduceSum = reduce("reduceSum");
/** Maximum over `axes` (all by default); ties share the gradient. */
export const reduceMax = reduce("reduceMax");

/** Mean over `axes`, which stay with size 1. */
export function mean(x: Node, axes: readonly number[]): Node {
  const sum = reduceSum(x, axes, true);
  return mul(constant(sizeOf(sum.shape) / sizeOf(x.shape)), sum);
}

/** Biased variance over `axes`, which stay with size 1. */
export function variance(x: Node, axes: readonly number[]): Node {
  if (x.dtype !== "float" || axes.length === 0) throw shapeError("variance", [x], "needs a float input and an axis");
  const sorted = [...axes].sort((a, b) => a - b);
  return makeNode("variance", [x], { axes: sorted }, reducedShape("variance", x, sorted, true));
}

/**
 * Index of the largest entry along the last axis (the first among equals); int32, last axis
 * dropped.
 */
export function argMax(x: Node): Node {
  if (x.shape.length === 0) throw shapeError("argMax", [x], "needs at least one axis");
  return makeNode("argMax", [x], none, x.shape.slice(0, -1), "int32");
}

/** int32 class indices `[...]` to `[..., classes]` of 0 and 1. */
export function oneHot(indices: Node, classes: number): Node {
  if (indices.dtype !== "int32") throw shapeError("oneHot", [indices], "needs int32 indices");
  return makeNode("oneHot", [indices], { classes }, [...indices.shape, classes]);
}

/** Sums over the broadcast axes so that the result has `shape`. */
export function sumTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const added = x.shape.length - shape.length;
  const axes = x.shape.flatMap((n, axis) => (axis < added || (shape[axis - added] === 1 && n !== 1) ? [axis] : []));
  return reshape(reduceSum(x, axes), shape);
}

/** Broadcasts a reduced value back over the axes it was reduced over. */
function spread(reduced: Node, x: Node, axes: readonly number[]): Node {
  const kept = isScalar(reduced) ? reduced : reshape(reduced, x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)));
  return broadcast(kept, x.shape);
}

/** Share of each entry of x in its maximum: the maxima among equals share 1, all others have 0. */
function shareOfMax(maxima: Node, x: Node, axes: readonly number[]): Node {
  const isMax = equal(x, spread(maxima, x, axes));
  const share = select(isMax, filled(1, x.shape), filled(0, x.shape));
  return div(share, spread(reduceSum(share, axes), x, axes));
}

export const reduction = {
  reduceSum: {
    rebuild: (inputs, { axes, keepAxes }) => reduceSum(nth(inputs, 0), axes, keepAxes),
    gradient: (node, g) => [spread(g, nth(node.inputs, 0), node.attributes.axes)],
    tangent: ({ attributes: { axes, keepAxes } }, [t]) => along(t, (of) => reduceSum(of, axes, keepAxes)),
  } satisfies Operation<"reduceSum">,
  reduceMax: {
    rebuild: (inputs, { axes, keepAxes }) => reduceMax(nth(inputs, 0), axes, keepAxes),
    gradient: (node, g) => {
      const x = nth(node.inputs, 0);
      return [mul(spread(g, x, node.attributes.axes), shareOfMax(node, x, node.attributes.axes))];
    },
    tangent: (node, [t]) => {
      const { axes, keepAxes } = node.attributes;
      return along(t, (of) => reduceSum(mul(of, shareOfMax(node, nth(node.inputs, 0), axes)), axes, keepAxes));
    },
  } satisfies Operation<"reduceMax">,
  variance: {
    rebuild: (inputs, { axes }) => variance(nth(inputs, 0), axes),
    // 2 / n (x - mean), with the per-axis factor multiplied out so that it merges with other terms
    // of that size.
    gradient: (node, g) => {
      const x = nth(node.inputs, 0);
      const factor = mul(constant((2 * sizeOf(node.shape)) / sizeOf(x.shape)), g);
      return [sub(mul(factor, x), mul(factor, mean(x, node.attributes.axes)))];
    },
    tangent: (node, [t]) => {
      const { axes } = node.attributes;
      const x = nth(node.inputs, 0);
      const factor = constant((2 * sizeOf(node.shape)) / sizeOf(x.shape));
      return along(t, (of) => mul(factor, reduceSum(mul(sub(x, mean(x, axes)), of), axes, true)));
    },
  } satisfies Operation<"variance">,
  argMax: { rebuild: (inputs) => argMax(nth(inputs, 0)), gradient: null, tangent: null } satisfies Operation<"argMax">,
  oneHot: { rebuild: (inputs, { classes }) => oneHot(cast(nth(inputs, 0), "int32"), classes), gradient: null, tangent: null } satisfies Operation<"oneHot">,
};
