/** Nodes over all arrays of a group: products, norms, and roots that have a slope. */
import { isScalar, type Node } from "../program/node.ts";
import { add, constant, div, dot, equal, exp, filled, greater, maximum, mul, neg, pow, select, sqrt, sub } from "../program/operations/index.ts";
import type { GroupArguments, RuleContext } from "./rule.ts";

export const sum = (nodes: readonly Node[]) => nodes.reduce((total, node) => add(total, node));
const product = (a: Node, b: Node) => (isScalar(a) ? mul(a, b) : dot(a, b));

/** Sum over all arrays of the products of their entries; a scalar. */
export function innerProduct(a: readonly Node[], b: readonly Node[]): Node {
  return sum(a.map((node, i) => product(node, b[i]!)));
}

/**
 * A start, to which each array's inner product times a factor is added in turn: the reference's order of roundings, which
 * estimates that feed back into themselves amplify.
 */
export function addedProducts(start: Node, factor: Node, a: readonly Node[], b: readonly Node[]): Node {
  return a.reduce((total, node, i) => add(total, mul(factor, product(node, b[i]!))), start);
}

/** Euclidean norm of all arrays together; a scalar. */
export function norm(arrays: readonly Node[]): Node {
  return sqrt(innerProduct(arrays, arrays));
}

/** Sum of the magnitudes of all entries; a scalar. A dot product, unlike a sum, is one pass with the rest of the update. */
export function sumOfMagnitudes(arrays: readonly Node[]): Node {
  return sum(arrays.map((node) => (isScalar(node) ? magnitude(node) : dot(magnitude(node), filled(1, node.shape)))));
}

/** Absolute value of every entry. */
export const magnitude = (x: Node) => maximum(x, neg(x));

/** 1, 0 or -1 for every entry. */
export function sign(x: Node): Node {
  const [zero, of] = [constant(0), (value: number) => filled(value, x.shape)];
  return select(greater(x, zero), of(1), select(greater(zero, x), of(-1), of(0)));
}

/** `first` at the first update, `later` from then on; scalars. */
export function atFirst(count: Node, first: Node, later: Node): Node {
  return select(equal(count, constant(1)), first, later);
}

/** `first` at the first update, then the slot, which starts at 0. */
export function startingAt(count: Node, first: Node, slot: Node): Node {
  return add(slot, mul(atFirst(count, constant(1), constant(0)), first));
}

/** The denominator, or 1 where it is 0: what is divided by it is then not used. */
export function orOne(denominator: Node): Node {
  return select(equal(denominator, constant(0)), constant(1), denominator);
}

/**
 * Smallest normal number of float32. Without gradients a second moment decays until it underflows
 * to 0, where the slope of its root is infinite; adding this keeps the slope finite and changes no
 * other value within float32's precision.
 */
export const underflow = 2 ** -126;

/** Root of a second moment that a level above differentiates through, by `decay` or by coupled weight decay. */
export function momentRoot(moment: Node, level: RuleContext, decay = "beta2"): Node {
  const throughRoot = level.followed || level.learns(decay) || (level.learns("weightDecay") && level.options.weightDecayAs === "coupled");
  return rootWithSlope(moment, throughRoot);
}

/** Root of a slot, which is differentiated only where a level above has a horizon. */
export function followedRoot(slot: Node, { followed }: RuleContext): Node {
  return rootWithSlope(slot, followed);
}

const rootWithSlope = (square: Node, needed: boolean): Node => sqrt(needed ? add(square, constant(underflow)) : square);

/** ε = 10^logEps. */
export const epsilonOf = (hyper: (name: string) => Node, name = "logEps"): Node => exp(mul(constant(Math.LN10), hyper(name)));

/** What Adam divides by: the root of the second moment, corrected for its start at 0, plus ε. */
export function adamDenominator(v: Node, { hyper, count }: Pick<GroupArguments, "hyper" | "count">, level: RuleContext): Node {
  return add(div(momentRoot(v, level), sqrt(sub(constant(1), pow(hyper("beta2"), count)))), epsilonOf(hyper));
}
