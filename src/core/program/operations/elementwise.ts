/** Elementwise arithmetic; two inputs broadcast as in NumPy. */
import { isScalar, makeNode, none, sameShape, shapeError, type DType, type Node, type OpName, type Shape } from "../node.ts";
import { equal, greater, select } from "./conditions.ts";
import { constant, filled } from "./constants.ts";
import { along, nth, rebuild1, rebuild2, type Operation } from "./operation.ts";
import { broadcast } from "./movement.ts";
import { sumTo } from "./reduction.ts";

/** @throws Error naming the operation and its inputs where the shapes do not fit */
export function broadcastShapes(op: string, inputs: readonly Node[]): Shape {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = inputs.map(({ shape }) => shape[axis - rank + shape.length] ?? 1).filter((n) => n !== 1);
    if (sizes.some((n) => n !== sizes[0])) throw shapeError(op, inputs, "shapes do not broadcast");
    return sizes[0] ?? 1;
  });
}

type BinaryName = "add" | "sub" | "mul" | "div" | "pow" | "mod" | "maximum" | "minimum";
type UnaryName = "neg" | "exp" | "log" | "sqrt" | "tanh" | "sigmoid" | "relu" | "erf" | "sin" | "cos" | "abs" | "floor" | "stopGradient";

export function requireFloat(op: string, inputs: readonly Node[]): void {
  if (inputs.some((input) => input.dtype !== "float")) throw shapeError(op, inputs, "needs float inputs; cast() first");
}

function binary(op: BinaryName) {
  return (a: Node, b: Node): Node => {
    requireFloat(op, [a, b]);
    return makeNode(op, [a, b], none, broadcastShapes(op, [a, b]));
  };
}

function unary(op: UnaryName) {
  return (x: Node): Node => {
    requireFloat(op, [x]);
    return makeNode(op, [x], none, x.shape);
  };
}

export const add = binary("add");
export const sub = binary("sub");
export const mul = binary("mul");
export const div = binary("div");
/** a to the power b. Its derivative in b is 0 where a is 0, and NaN where a is negative. */
export const pow = binary("pow");
/** Remainder of a / b with the sign of a; its gradient is zero. */
export const mod = binary("mod");
/** The larger of two; between equals the gradient goes to b. */
export const maximum = binary("maximum");
/** The smaller of two; between equals the gradient goes to b. */
export const minimum = binary("minimum");
export const neg = unary("neg");
export const exp = unary("exp");
export const log = unary("log");
export const sqrt = unary("sqrt");
export const tanh = unary("tanh");
export const sigmoid = unary("sigmoid");
export const relu = unary("relu");
/** The error function: 2 / sqrt(pi) times the integral of exp(-t t) from 0 to x. */
export const erf = unary("erf");
export const sin = unary("sin");
export const cos = unary("cos");
/** The absolute value; its derivative at 0 is 0. */
export const abs = unary("abs");
/** The largest whole number that is not above x; its gradient is zero. */
export const floor = unary("floor");
/** The same value, treated as constant by gradients(). */
export const stopGradient = unary("stopGradient");

export function cast(x: Node, to: DType): Node {
  return x.dtype === to ? x : makeNode("cast", [x], { to }, x.shape, to);
}

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

/** Derivative of pow in its base. */
const powerSlope = (base: Node, exponent: Node): Node => mul(exponent, pow(base, sub(exponent, constant(1))));

/** Derivative of pow in its exponent. */
function exponentSlope(power: Node, base: Node): Node {
  const isZero = equal(base, constant(0));
  // 0 times the logarithm of 0 would be NaN.
  return mul(power, select(isZero, constant(0), log(select(isZero, constant(1), base))));
}

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

/** Derivative of erf. */
const erfSlope = (x: Node): Node => mul(constant(2 / Math.sqrt(Math.PI)), exp(neg(mul(x, x))));

/** 1, 0 or -1. */
const signOf = (x: Node): Node => sub(cast(greater(x, constant(0)), "float"), cast(greater(constant(0), x), "float"));

export const elementwise = {
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
      const [base, exponent] = node.inputs as readonly [Node, Node];
      return both(node, mul(g, powerSlope(base, exponent)), mul(g, exponentSlope(node, base)));
    },
    tangent: (node, [toBase, toExponent]) => {
      const [base, exponent] = node.inputs as readonly [Node, Node];
      return plus(along(toBase, (t) => mul(t, powerSlope(base, exponent))), along(toExponent, (t) => mul(t, exponentSlope(node, base))));
    },
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
  erf: {
    rebuild: rebuild1(erf),
    gradient: (node, g) => [mul(g, erfSlope(nth(node.inputs, 0)))],
    tangent: (node, [t]) => along(t, (of) => mul(of, erfSlope(nth(node.inputs, 0)))),
  } satisfies Operation<"erf">,
  sin: {
    rebuild: rebuild1(sin),
    gradient: (node, g) => [mul(g, cos(nth(node.inputs, 0)))],
    tangent: (node, [t]) => along(t, (of) => mul(of, cos(nth(node.inputs, 0)))),
  } satisfies Operation<"sin">,
  cos: {
    rebuild: rebuild1(cos),
    gradient: (node, g) => [neg(mul(g, sin(nth(node.inputs, 0))))],
    tangent: (node, [t]) => along(t, (of) => neg(mul(of, sin(nth(node.inputs, 0))))),
  } satisfies Operation<"cos">,
  abs: {
    rebuild: rebuild1(abs),
    gradient: (node, g) => [mul(g, signOf(nth(node.inputs, 0)))],
    tangent: (node, [t]) => along(t, (of) => mul(of, signOf(nth(node.inputs, 0)))),
  } satisfies Operation<"abs">,
  floor: { rebuild: rebuild1(floor), gradient: null, tangent: null } satisfies Operation<"floor">,
  cast: { rebuild: (inputs, { to }) => cast(nth(inputs, 0), to), gradient: null, tangent: null } satisfies Operation<"cast">,
  stopGradient: { rebuild: rebuild1(stopGradient), gradient: null, tangent: null } satisfies Operation<"stopGradient">,
};
