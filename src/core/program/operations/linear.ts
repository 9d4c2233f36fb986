/** Products of matrices and vectors, and log-softmax. */
import { isScalar, makeNode, none, sameShape, shapeError, type Node } from "../node.ts";
import { exp, mul, plus, sub } from "./elementwise.ts";
import { along, nth, type Operation } from "./operation.ts";
import { reduceSum, sumTo } from "./reduction.ts";

export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Constant factor of the product. */
  readonly scale?: number;
}

/**
 * `[m, k] x [k, n]` to `[m, n]`, each side optionally transposed first. With a leading axis, a
 * batch of products, `[p, m, k] x [p, k, n]`; a side without it is shared by all of them.
 */
export function matmul(a: Node, b: Node, { transposeA = false, transposeB = false, scale = 1 }: MatmulOptions = {}): Node {
  const [rows, inner] = a.shape.slice(-2);
  const [inner2, columns] = b.shape.slice(-2);
  const [m, k] = transposeA ? [inner, rows] : [rows, inner];
  const [k2, n] = transposeB ? [columns, inner2] : [inner2, columns];
  const [products, products2] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  if (products.length > 1 || products2.length > 1 || (products.length === products2.length && products[0] !== products2[0])) {
    throw shapeError("matmul", [a, b], "needs two axes, or three with equally many matrices on both sides");
  }
  if (m === undefined || n === undefined || k !== k2) {
    throw shapeError("matmul", [a, b], `inner sizes differ${transposeA ? ", a transposed" : ""}${transposeB ? ", b transposed" : ""}`);
  }
  const leading = products.length > 0 ? products : products2;
  return makeNode("matmul", [a, b], { transposeA, transposeB, scale }, [...leading, m, n]);
}

/** Scalar product of two values of the same shape. */
export function dot(a: Node, b: Node): Node {
  if (!sameShape(a.shape, b.shape) || isScalar(a)) throw shapeError("dot", [a, b], "needs two arrays of the same shape");
  return makeNode("dot", [a, b], none, []);
}

/** log(softmax(x)) along the last axis of a matrix. */
export function logSoftmax(x: Node): Node {
  if (x.shape.length !== 2) throw shapeError("logSoftmax", [x], "needs two axes");
  return makeNode("logSoftmax", [x], none, x.shape);
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
  logSoftmax: {
    rebuild: (inputs) => logSoftmax(nth(inputs, 0)),
    gradient: (node, g) => [sub(g, mul(exp(node), reduceSum(g, [1], true)))],
    tangent: (node, [t]) => along(t, (of) => sub(of, reduceSum(mul(exp(node), of), [1], true))),
  } satisfies Operation<"logSoftmax">,
};
