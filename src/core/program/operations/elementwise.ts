/** Elementwise arithmetic; two inputs broadcast as in NumPy. */
import { isScalar, makeNode, none, sameShape, shapeError, type DType, type Node, type OpName, type Shape } from "../node.ts";
import { along, nth, type Operation } from "./operation.ts";
import { broadcast } from "./movement.ts";
import { sumTo } from "./reduction.ts";

export function broadcastShapes(op: string, a: Node, b: Node): Shape {
  const rank = Math.max(a.shape.length, b.shape.length);
  return Array.from({ length: rank }, (_, axis) => {
    const n = a.shape[axis - rank + a.shape.length] ?? 1;
    const m = b.shape[axis - rank + b.shape.length] ?? 1;
    if (n !== m && n !== 1 && m !== 1) throw shapeError(op, [a, b], "shapes do not broadcast");
    return n === 1 ? m : n;
  });
}

type BinaryName = "add" | "sub" | "mul" | "div" | "pow" | "mod" | "maximum" | "minimum" | "greater" | "equal";
type UnaryName = "neg" | "exp" | "log" | "sqrt" | "tanh" | "sigmoid" | "relu" | "stopGradient";

function requireFloat(op: string, inputs: readonly Node[]): void {
  if (inputs.some((input) => input.dtype !== "float")) throw shapeError(op, inputs, "needs float inputs; cast() first");
}

function binary(op: BinaryName, dtype: DType = "float") {
  return (a: Node, b: Node): Node => {
    if (op !== "equal") requireFloat(op, [a, b]);
    else if (a.dtype !== b.dtype) throw shapeError(op, [a, b], "needs inputs of the same type");
    return makeNode(op, [a, b], none, broadcastShapes(op, a, b), dtype);
  };
}

function unary(op: UnaryName) {
  return (x: Node): Node => {
    requireFloat(op, [x]);
    return makeNode(op, [x], none, x.shape);
  };
}

/** A scalar constant. */
export function constant(value: number): Node {
  return makeNode("constant", [], { value }, []);
}

/** An array of `shape` filled with `value`. */
export function filled(value: number, shape: Shape): Node {
  return broadcast(constant(value), shape);
}

export const add = binary("add");
export const sub = binary("sub");
export const mul = binary("mul");
export const div = binary("div");
/** a to the power b; differentiable in a only. */
export const pow = binary("pow");
/** Remainder of a / b with the sign of a; its gradient is zero. */
export const mod = binary("mod");
/** The larger of two; between equals the gradient goes to b. */
export const maximum = binary("maximum");
/** The smaller of two; between equals the gradient goes to b. */
export const minimum = binary("minimum");
export const greater = binary("greater", "bool");
export const equal = binary("equal", "bool");

export const neg = unary("neg");
export const exp = unary("exp");
export const log = unary("log");
export const sqrt = unary("sqrt");
export const tanh = unary("tanh");
export const sigmoid = unary("sigmoid");
export const relu = unary("relu");
/** The same value, treated as constant by gradients(). */
export const stopGradient = unary("stopGradient");

/** a where `condition` (bool) holds, else b; all three have the same shape. */
export function select(condition: Node, a: Node, b: Node): Node {
  if (condition.dtype !== "bool") throw shapeError("select", [condition, a, b], "condition must be bool");
  requireFloat("select", [a, b]);
  if (!sameShape(condition.shape, a.shape) || !sameShape(a.shape, b.shape)) {
    throw shapeError("select", [condition, a, b], "shapes differ");
  }
  return makeNode("select", [condition, a, b], none, a.shape);
}

export function cast(x: Node, to: DType): Node {
  return x.dtype === to ? x : makeNode("cast", [x], { to }, x.shape, to);
}

const rebuild2 = (build: (a: Node, b: Node) => Node) => (inputs: readonly Node[]) => build(nth(inputs, 0), nth(inputs, 1));
const rebuild1 = (build: (x: Node) => Node) => (inputs: readonly Node[]) => build(nth(inputs, 0));

/** Adjoints of two broadcast inputs, summed back to each input's shape. */
function both(node: { inputs: readonly Node[] }, a: Node | null, b: Node | null): (Node | null)[] {
  return [a && sumTo(a, nth(node.inputs, 0).shape), b && sumTo(b, nth(node.inputs, 1).shape)];
}

/**
 * Adjoints of an operation that returns its first input where a condition holds, else its second.
 */
function choice(node: { inputs: readonly Node[] }, g: Node, first: Node): (Node | null)[] {
  const share = cast(first, "float");
  return both(node, mul(g, share), mul(g, sub(constant(1), share)));
}

/** Sum and difference of two tangents; null is zero. */
export function plus(a: Tangent, b: Tangent): Node | null {
  return a && b ? add(a, b) : (a ?? b ?? null);
}

function minus(a: Tangent, b: Tangent): Node | null {
  return a && b ? sub(a, b) : (a ?? along(b, neg));
}

/** Tangent of an operation that returns its first input where a condition holds, else its second. */
function chosenTangent({ shape }: { shape: Shape }, first: Node, [a, b]: readonly Tangent[]): Node | null {
  // select(), not a product: the tangent of the other input may be infinite.
  const whole = (tangent: Tangent) => (tangent ? broadcast(tangent, shape) : filled(0, shape));
  return select(first, whole(a), whole(b));
}

type Tangent = Node | null | undefined;

/** The node itself as a value, for rules that reuse their result. */
const value = (node: { op: OpName }) => node as Node;

/**
 * Splits the adjoint of a gate that is multiplied: the product's adjoint and the other factor; null
 * otherwise.
 */
function factors(g: Node): readonly [adjoint: Node, other: Node] | null {
  const [adjoint, other] = g.inputs;
  if (g.op !== "mul" || isScalar(g) || !adjoint || !other) return null;
  return sameShape(adjoint.shape, g.shape) && sameShape(other.shape, g.shape) ? [adjoint, other] : null;
}

export const elementwise = {
  constant: { rebuild: (_, { value }) => constant(value), gradient: null, tangent: null } satisfies Operation<"constant">,
  add: { rebuild: rebuild2(add), gradient: (node, g) => both(node, g, g), tangent: (_, [a, b]) => plus(a, b) } satisfies Operation<"add">,
  sub: { rebuild: rebuild2(sub), gradient: (node, g) => both(node, g, neg(g)), tangent: (_, [a, b]) => minus(a, b) } satisfies Operation<"sub">,
  mul: {
    rebuild: rebuild2(mul),
    gradient: (node, g) => both(node, mul(g, nth(node.inputs, 1)), mul(g, nth(node.inputs, 0))),
    tangent: ({ inputs: [a, b] }, [ta, tb]) => plus(along(ta, (t) => mul(t, b!)), along(tb, (t) => mul(a!, t))),
  } satisfies Operation<"mul">,
  div: {
    rebuild: rebuild2(div),
    gradient: (node, g) => {
      const toNumerator = div(g, nth(node.inputs, 1));
      return both(node, toNumerator, neg(mul(toNumerator, value(node))));
    },
    tangent: (node, [ta, tb]) => along(minus(ta, along(tb, (t) => mul(value(node), t))), (t) => div(t, nth(node.inputs, 1))),
  } satisfies Operation<"div">,
  pow: {
    rebuild: rebuild2(pow),
    gradient: (node, g) => {
      const base = nth(node.inputs, 0);
      const exponent = nth(node.inputs, 1);
      return both(node, mul(g, mul(exponent, pow(base, sub(exponent, constant(1))))), null);
    },
    tangent: ({ inputs: [base, exponent] }, [t]) => along(t, (of) => mul(of, mul(exponent!, pow(base!, sub(exponent!, constant(1)))))),
  } satisfies Operation<"pow">,
  mod: { rebuild: rebuild2(mod), gradient: null, tangent: null } satisfies Operation<"mod">,
  maximum: {
    rebuild: rebuild2(maximum),
    gradient: (node, g) => choice(node, g, greater(nth(node.inputs, 0), nth(node.inputs, 1))),
    tangent: (node, tangents) => chosenTangent(node, greater(nth(node.inputs, 0), nth(node.inputs, 1)), tangents),
  } satisfies Operation<"maximum">,
  minimum: {
    rebuild: rebuild2(minimum),
    gradient: (node, g) => choice(node, g, greater(nth(node.inputs, 1), nth(node.inputs, 0))),
    tangent: (node, tangents) => chosenTangent(node, greater(nth(node.inputs, 1), nth(node.inputs, 0)), tangents),
  } satisfies Operation<"minimum">,
  neg: { rebuild: rebuild1(neg), gradient: (_, g) => [neg(g)], tangent: (_, [t]) => along(t, neg) } satisfies Operation<"neg">,
  exp: {
    rebuild: rebuild1(exp),
    gradient: (node, g) => [mul(g, value(node))],
    tangent: (node, [t]) => along(t, (of) => mul(of, value(node))),
  } satisfies Operation<"exp">,
  log: {
    rebuild: rebuild1(log),
    gradient: (node, g) => [div(g, nth(node.inputs, 0))],
    tangent: (node, [t]) => along(t, (of) => div(of, nth(node.inputs, 0))),
  } satisfies Operation<"log">,
  sqrt: {
    rebuild: rebuild1(sqrt),
    gradient: (node, g) => [mul(constant(0.5), div(g, value(node)))],
    tangent: (node, [t]) => along(t, (of) => mul(constant(0.5), div(of, value(node)))),
  } satisfies Operation<"sqrt">,
  tanh: {
    rebuild: rebuild1(tanh),
    gradient: (node, g) => {
      const [a, x] = factors(g) ?? [g];
      // (a x) (1 - t t), reusing the product x t of the forward pass.
      return [x ? mul(a, sub(x, mul(mul(x, value(node)), value(node)))) : mul(g, sub(constant(1), mul(value(node), value(node))))];
    },
    tangent: (node, [t]) => along(t, (of) => mul(of, sub(constant(1), mul(value(node), value(node))))),
  } satisfies Operation<"tanh">,
  sigmoid: {
    rebuild: rebuild1(sigmoid),
    gradient: (node, g) => {
      const [a, x] = factors(g) ?? [g];
      // (a x) s (1 - s), reusing the forward product x s and its other adjoint a s.
      return [x ? mul(mul(a, value(node)), sub(x, mul(x, value(node)))) : mul(g, mul(value(node), sub(constant(1), value(node))))];
    },
    tangent: (node, [t]) => along(t, (of) => mul(of, mul(value(node), sub(constant(1), value(node))))),
  } satisfies Operation<"sigmoid">,
  relu: {
    rebuild: rebuild1(relu),
    gradient: (node, g) => [mul(g, cast(greater(value(node), constant(0)), "float"))],
    tangent: (node, [t]) => along(t, (of) => mul(of, cast(greater(value(node), constant(0)), "float"))),
  } satisfies Operation<"relu">,
  greater: { rebuild: rebuild2(greater), gradient: null, tangent: null } satisfies Operation<"greater">,
  equal: { rebuild: rebuild2(equal), gradient: null, tangent: null } satisfies Operation<"equal">,
  select: {
    rebuild: (inputs) => select(nth(inputs, 0), nth(inputs, 1), nth(inputs, 2)),
    gradient: (node, g) => {
      const condition = nth(node.inputs, 0);
      const zero = filled(0, g.shape);
      return [null, select(condition, g, zero), select(condition, zero, g)];
    },
    tangent: (node, [, a, b]) => {
      const condition = nth(node.inputs, 0);
      const zero = filled(0, node.shape);
      return select(condition, a ?? zero, b ?? zero);
    },
  } satisfies Operation<"select">,
  cast: { rebuild: (inputs, { to }) => cast(nth(inputs, 0), to), gradient: null, tangent: null } satisfies Operation<"cast">,
  stopGradient: { rebuild: rebuild1(stopGradient), gradient: null, tangent: null } satisfies Operation<"stopGradient">,
};
