/**
 * Rewrites a graph to an equal one with fewer passes over memory: folds constants, merges equal
 * nodes, pulls scalar factors out of array work (so reverse-mode rules may scale freely) and turns
 * sums of products into dot products. Dead nodes become unreachable.
 */
import { distinctNumber } from "./distinctNumber.ts";
import { isScalar, sameShape, sizeOf, topologicalOrder, type Node, type NodeOf } from "./node.ts";
import { add, broadcast, broadcastShapes, concat, constant, div, dot, filled, matmul, mul, reduceSum, reshape, slice, sub, transpose, withInputs } from "./operations/index.ts";
import { isScalarOp, scalarFunctions } from "./scalars.ts";
import { smallTermsLast } from "./smallTerms.ts";

/** The roots, simplified, in the same order. */
export function simplify(roots: readonly Node[]): Node[] {
  const merged = new Map<string, Node>();
  const done = new Map<Node, Node>();

  const intern = (node: Node): Node => {
    const key = keyOf(node);
    const known = merged.get(key);
    if (known) return known;
    merged.set(key, node);
    return node;
  };
  /** Interns every node of a rewrite; a rewrite is shallow, so this is cheap. */
  const settle = (node: Node): Node => {
    const known = done.get(node);
    if (known) return known;
    const inputs = node.inputs.map(settle);
    const rebuilt = withInputs(node, inputs);
    const rewritten = rewrite(rebuilt);
    const result = rewritten === rebuilt ? intern(rebuilt) : settle(rewritten);
    done.set(node, result);
    done.set(result, result);
    return result;
  };
  // Bottom-up, so that settle() never recurses deeper than one rewrite.
  for (const node of topologicalOrder(roots)) settle(node);
  return roots.map(settle);
}

function keyOf(node: Node): string {
  const ids = node.inputs.map((input) => input.id);
  if (node.op === "add" || node.op === "mul") ids.sort((a, b) => a - b);
  const bare = node.op === "input" || node.op === "state" || node.op === "constantArray" ? `${node.dtype}${node.shape.join("x")}` : "";
  const value = JSON.stringify(node.attributes, distinctNumber);
  return `${node.op}|${ids.join(",")}|${value}|${bare}`;
}

const valueOf = (node: Node | undefined): number | null => (node?.op === "constant" ? node.attributes.value : null);

/** One step towards the simplest form; the node itself when it is simplest. */
function rewrite(node: Node): Node {
  return foldConstants(node) ?? (isScalar(node) && isScalarOp(node.op) ? dropIdentity(node) : simplifyArray(node)) ?? node;
}

function foldConstants(node: Node): Node | null {
  if (!isScalar(node) || !isScalarOp(node.op) || node.dtype !== "float") return null;
  const values = node.inputs.map(valueOf);
  if (values.some((value) => value === null)) return null;
  const apply: (a: number, b: number, c: number) => number = scalarFunctions[node.op];
  return constant(apply(values[0]!, values[1] ?? 0, values[2] ?? 0));
}

/** x + 0, x - 0, x * 1, x / 1. */
function dropIdentity(node: Node): Node | null {
  const [a, b] = node.inputs;
  if (!a || !b) return null;
  const kept = (x: Node) => (sameShape(x.shape, node.shape) ? x : null);
  if (node.op === "add") return valueOf(b) === 0 ? kept(a) : valueOf(a) === 0 ? kept(b) : null;
  if (node.op === "mul") return valueOf(b) === 1 ? kept(a) : valueOf(a) === 1 ? kept(b) : null;
  if (node.op === "sub") return valueOf(b) === 0 ? kept(a) : null;
  if (node.op === "div") return valueOf(b) === 1 ? kept(a) : null;
  return null;
}

/** x = coefficient * core with a scalar coefficient; null where there is none to pull out. */
interface Scaled {
  readonly coefficient: Node | null;
  readonly core: Node;
}

function scaled(x: Node): Scaled {
  const [a, b] = x.inputs;
  if (!isScalar(x) && a && b) {
    if (x.op === "mul" && isScalar(a)) return { coefficient: a, core: b };
    if (x.op === "mul" && isScalar(b)) return { coefficient: b, core: a };
  }
  return { coefficient: null, core: x };
}

const times = (coefficient: Node | null, core: Node): Node => (coefficient ? mul(coefficient, core) : core);

function product(a: Node | null, b: Node | null): Node | null {
  return a && b ? mul(a, b) : (a ?? b);
}

function simplifyArray(node: Node): Node | null {
  const identity = dropIdentity(node);
  if (identity) return identity;
  const [a, b] = node.inputs;
  switch (node.op) {
    case "stopGradient":
      return a!;
    case "neg":
      return isScalar(node) ? null : mul(constant(-1), a!);
    case "mul":
      return scaleProduct(a!, b!) ?? unbroadcast(node);
    case "div":
      return scaleQuotient(a!, b!) ?? unbroadcast(node);
    case "add":
    case "sub":
      return (
        (node.op === "add" ? joinPadded(a!, b!) : null) ??
        negatedTerm(node.op, a!, b!) ??
        commonFactor(node.op, a!, b!) ??
        unbroadcast(node) ??
        smallTermsLast(node, a!, b!)
      );
    case "greater":
    case "maximum":
    case "minimum":
    case "pow":
      return unbroadcast(node);
    case "reduceSum":
      return sumOfProduct(node.attributes.axes, node.attributes.keepAxes, a!);
    case "matmul":
      return scaleMatmul(node, a!, b!);
    case "dot": {
      const left = scaled(a!);
      const right = scaled(b!);
      const coefficient = product(left.coefficient, right.coefficient);
      return coefficient && mul(coefficient, dot(left.core, right.core));
    }
    case "reshape": {
      if (a!.op === "reshape") return reshape(a!.inputs[0]!, node.shape);
      const { coefficient, core } = scaled(a!);
      return coefficient && mul(coefficient, reshape(core, node.shape));
    }
    case "slice":
      return partOfConcat(node, a!);
    case "transpose": {
      const { coefficient, core } = scaled(a!);
      return coefficient && mul(coefficient, transpose(core, node.attributes.permutation));
    }
    default:
      return null;
  }
}

function scaleProduct(a: Node, b: Node): Node | null {
  const left = scaled(a);
  const right = scaled(b);
  if (isScalar(a)) return right.coefficient ? mul(mul(a, right.coefficient), right.core) : scaleSmaller(a, b);
  if (isScalar(b)) return left.coefficient ? mul(mul(b, left.coefficient), left.core) : scaleSmaller(b, a);
  // Leave a factor on a broadcast value, where it is cheap.
  const free = ({ coefficient, core }: Scaled, other: Node) => (sizeOf(core.shape) < sizeOf(other.shape) ? null : coefficient);
  const [ofLeft, ofRight] = [free(left, b), free(right, a)];
  const coefficient = product(ofLeft, ofRight);
  return coefficient && mul(coefficient, mul(ofLeft ? left.core : a, ofRight ? right.core : b));
}

/**
 * scalar * (small * large): applies the scalar to the broadcast value; the same for a broadcast
 * scalar.
 */
function scaleSmaller(scalar: Node, x: Node): Node | null {
  const [a, b] = x.inputs;
  if (x.op === "broadcast" && isScalar(a!)) return broadcast(mul(scalar, a!), x.shape);
  if (x.op !== "mul" || !a || !b || isScalar(a) || isScalar(b) || sizeOf(a.shape) === sizeOf(b.shape)) return null;
  return sizeOf(a.shape) < sizeOf(b.shape) ? mul(mul(scalar, a), b) : mul(a, mul(scalar, b));
}

function scaleQuotient(a: Node, b: Node): Node | null {
  if (isScalar(a)) return null;
  if (isScalar(b)) return mul(div(constant(1), b), a);
  const top = scaled(a);
  const bottom = scaled(b);
  if (!top.coefficient && !bottom.coefficient) return null;
  const coefficient = bottom.coefficient ? div(top.coefficient ?? constant(1), bottom.coefficient) : top.coefficient;
  return times(coefficient, div(top.core, bottom.core));
}

/** a + (-1 * b) is a - b; a - (-1 * b) is a + b. */
function negatedTerm(op: "add" | "sub", a: Node, b: Node): Node | null {
  const negated = (x: Node) => {
    const { coefficient, core } = scaled(x);
    return valueOf(coefficient ?? undefined) === -1 ? core : null;
  };
  const right = negated(b);
  if (right) return op === "add" ? sub(a, right) : add(a, right);
  const left = op === "add" ? negated(a) : null;
  return left && sub(b, left);
}

/** s a + s b is s (a + b). */
function commonFactor(op: "add" | "sub", a: Node, b: Node): Node | null {
  const left = scaled(a);
  const right = scaled(b);
  if (!left.coefficient || left.coefficient !== right.coefficient) return null;
  return mul(left.coefficient, op === "add" ? add(left.core, right.core) : sub(left.core, right.core));
}

/** Applies a factor to the smallest of the two matrices and their product. */
function scaleMatmul(node: NodeOf<"matmul">, a: Node, b: Node): Node | null {
  const left = scaled(a);
  const right = scaled(b);
  const coefficient = product(left.coefficient, right.coefficient);
  if (!coefficient) return null;
  const constantFactor = valueOf(coefficient);
  if (constantFactor !== null) {
    const { scale } = node.attributes;
    return matmul(left.core, right.core, { ...node.attributes, scale: scale * constantFactor });
  }
  const smallest = Math.min(sizeOf(left.core.shape), sizeOf(right.core.shape), sizeOf(node.shape));
  if (smallest === sizeOf(node.shape)) return mul(coefficient, matmul(left.core, right.core, node.attributes));
  const onLeft = smallest === sizeOf(left.core.shape);
  if (onLeft ? !right.coefficient : !left.coefficient) return null;
  return onLeft
    ? matmul(mul(coefficient, left.core), right.core, node.attributes)
    : matmul(left.core, mul(coefficient, right.core), node.attributes);
}

interface Segment {
  /** Null where all entries are zero. */
  readonly part: Node | null;
  readonly size: number;
}

/** The parts of a concat along its axis, zeros recognized. */
function segments(x: NodeOf<"concat">): Segment[] {
  return x.inputs.map((part) => {
    const zero = part.op === "broadcast" && valueOf(part.inputs[0]) === 0;
    return { part: zero ? null : part, size: part.shape[x.attributes.axis]! };
  });
}

/**
 * [a, 0] + [0, b] is [a, b], the sum of the adjoints of slices of one array.
 * Null where two parts overlap.
 */
function joinPadded(a: Node, b: Node): Node | null {
  if (a.op !== "concat" || b.op !== "concat" || a.attributes.axis !== b.attributes.axis) return null;
  const { axis } = a.attributes;
  if (!sameShape(a.shape, b.shape)) return null;
  const [left, right] = [segments(a), segments(b)];
  const joined: Node[] = [];
  while (left.length > 0 && right.length > 0) {
    const [x, y] = [left.shift()!, right.shift()!];
    const size = Math.min(x.size, y.size);
    if ((x.part && x.size > size) || (y.part && y.size > size) || (x.part && y.part)) return null;
    joined.push(x.part ?? y.part ?? filled(0, a.shape.map((n, i) => (i === axis ? size : n))));
    if (x.size > size) left.unshift({ part: null, size: x.size - size });
    if (y.size > size) right.unshift({ part: null, size: y.size - size });
  }
  return concat(joined, axis);
}

/** A slice that lies within a single part of a concat. */
function partOfConcat({ attributes: { axis, start, end, step } }: NodeOf<"slice">, x: Node): Node | null {
  if (x.op !== "concat" || x.attributes.axis !== axis || (step ?? 1) < 0) return null;
  let before = 0;
  for (const part of x.inputs) {
    const after = before + part.shape[axis]!;
    if (start >= before && end <= after) return slice(part, axis, start - before, end - before, step);
    before = after;
  }
  return null;
}

/** Lets an operation broadcast a value itself instead of reading repeated entries. */
function unbroadcast(node: Node): Node | null {
  const [a, b] = node.inputs;
  const bare = (x: Node) => (x.op === "broadcast" ? x.inputs[0]! : null);
  const left = bare(a!);
  const right = bare(b!);
  if (right && sameShape(broadcastShapes(node.op, [a!, right]), node.shape)) return withInputs(node, [a!, right]);
  if (left && sameShape(broadcastShapes(node.op, [left, b!]), node.shape)) return withInputs(node, [left, b!]);
  return null;
}

function sumOfProduct(axes: readonly number[], keepAxes: boolean, x: Node): Node | null {
  const { coefficient, core } = scaled(x);
  if (coefficient) return mul(coefficient, reduceSum(core, axes, keepAxes));
  // A row of oneHot() has exactly one 1.
  if (x.op === "oneHot" && axes.length === 1 && axes[0] === x.shape.length - 1) {
    return filled(1, x.shape.flatMap((n, axis) => (axis !== axes[0] ? [n] : keepAxes ? [1] : [])));
  }
  if (axes.length !== x.shape.length || keepAxes) return null;
  const [a, b] = x.inputs;
  if (x.op === "mul" && sameShape(a!.shape, b!.shape)) return dot(a!, b!);
  if (x.op === "broadcast" && isScalar(a!)) return mul(constant(sizeOf(x.shape)), a!);
  return null;
}
