/** Products of matrices and vectors, and log-softmax. */
import { isScalar, makeNode, none, sameShape, shapeError, type Node } from "../node.ts";
import { exp, mul, sub } from "./elementwise.ts";
import { nth, type Operation } from "./operation.ts";
import { reduceSum } from "./reduction.ts";

export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Constant the product is multiplied with. */
  readonly scale?: number;
}

/** `[m, k] x [k, n]` to `[m, n]`, each side optionally transposed first. */
export function matmul(a: Node, b: Node, { transposeA = false, transposeB = false, scale = 1 }: MatmulOptions = {}): Node {
  const [m, k] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
  const [k2, n] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
  if (a.shape.length !== 2 || b.shape.length !== 2 || m === undefined || n === undefined || k !== k2) {
    throw shapeError("matmul", [a, b], `inner sizes differ${transposeA ? ", a transposed" : ""}${transposeB ? ", b transposed" : ""}`);
  }
  return makeNode("matmul", [a, b], { transposeA, transposeB, scale }, [m, n]);
}

/** Sum of the products of two values of one shape; a scalar. */
export function dot(a: Node, b: Node): Node {
  if (!sameShape(a.shape, b.shape) || isScalar(a)) throw shapeError("dot", [a, b], "needs two arrays of one shape");
  return makeNode("dot", [a, b], none, []);
}

/** log(softmax(x)) along the last of two axes. */
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
      return [
        transposeA
          ? matmul(b, g, { transposeA: transposeB, transposeB: true, scale })
          : matmul(g, b, { transposeB: !transposeB, scale }),
        transposeB
          ? matmul(g, a, { transposeA: true, transposeB: transposeA, scale })
          : matmul(a, g, { transposeA: !transposeA, scale }),
      ];
    },
  } satisfies Operation<"matmul">,
  dot: {
    rebuild: (inputs) => dot(nth(inputs, 0), nth(inputs, 1)),
    gradient: (node, g) => [mul(g, nth(node.inputs, 1)), mul(g, nth(node.inputs, 0))],
  } satisfies Operation<"dot">,
  logSoftmax: {
    rebuild: (inputs) => logSoftmax(nth(inputs, 0)),
    gradient: (node, g) => [sub(g, mul(exp(node), reduceSum(g, [1], true)))],
  } satisfies Operation<"logSoftmax">,
};
