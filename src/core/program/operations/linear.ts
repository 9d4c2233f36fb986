/** Products of matrices and vectors, softmax and log-softmax. */
import { isScalar, makeNode, none, sameShape, shapeError, sizeOf, type Node, type NodeOf, type Shape } from "../node.ts";
import { exp, mul, plus, sub } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { along, nth, type Operation } from "./operation.ts";
import { reduceSum, sumTo } from "./reduction.ts";

export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Constant factor of the product. */
  readonly scale?: number;
}

/**
 * `[..., m, k] x [..., k, n]` to `[..., m, n]`, each side optionally transposed in its last two axes
 * first. The leading axes broadcast as in NumPy.
 */
export function matmul(a: Node, b: Node, { transposeA = false, transposeB = false, scale = 1 }: MatmulOptions = {}): Node {
  const [rows, inner] = a.shape.slice(-2);
  const [inner2, columns] = b.shape.slice(-2);
  const [m, k] = transposeA ? [inner, rows] : [rows, inner];
  const [k2, n] = transposeB ? [columns, inner2] : [inner2, columns];
  const options = { transposeA, transposeB, scale };
  if (a.dtype !== "float" || b.dtype !== "float") throw shapeError("matmul", [a, b], "needs float inputs; cast() first");
  if (a.shape.length < 2 || b.shape.length < 2) throw shapeError("matmul", [a, b], "needs at least two axes on both sides");
  if (m === undefined || n === undefined || k !== k2) {
    throw shapeError("matmul", [a, b], `inner sizes differ${transposeA ? ", a transposed" : ""}${transposeB ? ", b transposed" : ""}`);
  }
  const leading = leadingAxes(a, b);
  // Rows of all matrices times one shared matrix are a single product.
  if (a.shape.length > 2 && b.shape.length === 2 && !transposeA) {
    return reshape(matmul(reshape(a, [sizeOf(leading) * m, k!]), b, options), [...leading, m, n]);
  }
  return makeNode("matmul", [a, b], options, [...leading, m, n]);
}

function leadingAxes(a: Node, b: Node): Shape {
  const rank = Math.max(a.shape.length, b.shape.length) - 2;
  return Array.from({ length: rank }, (_, axis) => {
    const n = a.shape[axis - rank + a.shape.length - 2] ?? 1;
    const n2 = b.shape[axis - rank + b.shape.length - 2] ?? 1;
    if (n !== n2 && n !== 1 && n2 !== 1) throw shapeError("matmul", [a, b], "the axes before the last two do not broadcast");
    return n === 1 ? n2 : n;
  });
}

/** Scalar product of two values of the same shape. */
export function dot(a: Node, b: Node): Node {
  if (!sameShape(a.shape, b.shape) || isScalar(a)) throw shapeError("dot", [a, b], "needs two arrays of the same shape");
  return makeNode("dot", [a, b], none, []);
}

function alongAxis(op: "softmax" | "logSoftmax") {
  return (x: Node, axis = -1): Node => {
    const rank = x.shape.length;
    if (x.dtype !== "float") throw shapeError(op, [x], "needs a float input; cast() first");
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank) throw shapeError(op, [x], `has no axis ${axis}`);
    return makeNode(op, [x], { axis: axis < 0 ? axis + rank : axis }, x.shape);
  };
}

/**
 * exp(x) divided by its sum along `axis` (the last by default). An entry of -Infinity gives 0; a
 * line of nothing else gives NaN.
 */
export const softmax = alongAxis("softmax");
/** log(softmax(x)) along `axis` (the last by default). */
export const logSoftmax = alongAxis("logSoftmax");

/** The derivative of softmax is symmetric: the same for adjoints and tangents. */
function softmaxSlope(node: NodeOf<"softmax">, direction: Node): Node {
  const weighted = mul(node, direction);
  return sub(weighted, mul(node, reduceSum(weighted, [node.attributes.axis], true)));
}

export const linear = {
  matmul: {
    rebuild: (inputs, attributes) => matmul(nth(inputs, 0), nth(inputs, 1), attributes),
    gradient: (node, g) => {
      const a = nth(node.inputs, 0);
      const b = nth(node.inputs, 1);
      const { transposeA, transposeB, scale } = node.attributes;
      const toA = transposeA
        ? matmul(b, g, { transposeA: transposeB, transposeB: true, scale })
        : matmul(g, b, { transposeB: !transposeB, scale });
      const toB = transposeB
        ? matmul(g, a, { transposeA: true, transposeB: transposeA, scale })
        : matmul(a, g, { transposeA: !transposeA, scale });
      return [sumTo(toA, a.shape), sumTo(toB, b.shape)];
    },
    tangent: ({ inputs: [a, b], attributes }, [ta, tb]) =>
      plus(along(ta, (t) => matmul(t, b!, attributes)), along(tb, (t) => matmul(a!, t, attributes))),
  } satisfies Operation<"matmul">,
  dot: {
    rebuild: (inputs) => dot(nth(inputs, 0), nth(inputs, 1)),
    gradient: (node, g) => [mul(g, nth(node.inputs, 1)), mul(g, nth(node.inputs, 0))],
    tangent: ({ inputs: [a, b] }, [ta, tb]) => plus(along(ta, (t) => dot(t, b!)), along(tb, (t) => dot(a!, t))),
  } satisfies Operation<"dot">,
  softmax: {
    rebuild: (inputs, { axis }) => softmax(nth(inputs, 0), axis),
    gradient: (node, g) => [softmaxSlope(node, g)],
    tangent: (node, [t]) => along(t, (of) => softmaxSlope(node, of)),
  } satisfies Operation<"softmax">,
  logSoftmax: {
    rebuild: (inputs, { axis }) => logSoftmax(nth(inputs, 0), axis),
    gradient: (node, g) => [sub(g, mul(exp(node), reduceSum(g, [node.attributes.axis], true)))],
    tangent: (node, [t]) => along(t, (of) => sub(of, reduceSum(mul(exp(node), of), [node.attributes.axis], true))),
  } satisfies Operation<"logSoftmax">,
};
