/** Sums, means, extremes and norms over axes. */
import { sizeOf, type Node } from "../../program/node.ts";
import { abs, add, constant, div, exp, log, mul, neg, reduceMax, reduceSum, reshape, slice, sqrt, stopGradient, sub } from "../../program/operations/index.ts";
import type { Context } from "../context.ts";
import { computed, floatOf, mapKnown, reduceKnown, type ArrayValue, type Known } from "../values.ts";
import { castTo } from "./elementwise.ts";
import type { Operator, Operators } from "./operator.ts";
import { axesOf } from "./shapes.ts";

interface Reduction {
  /** With the axes kept. */
  readonly build: (x: Node, axes: readonly number[]) => Node;
  readonly onKnown?: (x: Known, axes: readonly number[], keep: boolean) => Known;
}

const keptSum = (x: Node, axes: readonly number[]) => reduceSum(x, axes, true);

/** The product of entries along axes, one factor after the other. */
function product(x: Node, axes: readonly number[]): Node {
  return axes.reduce((whole, axis) => Array.from({ length: x.shape[axis]! }, (_, i) => slice(whole, axis, i, i + 1)).reduce(mul), x);
}

/** Logarithm of the sum of exponentials, shifted by the maximum. */
function logSumExp(x: Node, axes: readonly number[]): Node {
  const largest = stopGradient(reduceMax(x, axes, true));
  return add(largest, log(keptSum(exp(sub(x, largest)), axes)));
}

function reduced({ build, onKnown }: Reduction): Operator {
  return (context: Context): readonly ArrayValue[] => {
    const x = context.array(0);
    const rank = x.shape.length;
    const given = axesOf(context, 1, rank);
    const none = given === null || given.length === 0;
    if (none && context.attributes.int("noop_with_empty_axes", 0) === 1) return [x];
    const axes = none ? x.shape.map((_, axis) => axis) : given;
    const keep = context.attributes.int("keepdims", 1) === 1;
    if (x.known && onKnown) return [onKnown(x, axes, keep)];
    const kept = axes.length === 0 ? floatOf(x) : build(floatOf(x), axes);
    return [castTo(computed(keep ? kept : reshape(kept, x.shape.filter((_, axis) => !axes.includes(axis)))), x.kind)];
  };
}

const knownReduction = (first: number, reduce: (sum: number, value: number) => number) => (x: Known, axes: readonly number[], keep: boolean) => reduceKnown(x, axes, keep, first, reduce);
const sumOfKnown = knownReduction(0, (sum, value) => sum + value);

export const reductionOperators: Operators = {
  ReduceSum: reduced({ build: keptSum, onKnown: sumOfKnown }),
  ReduceMean: reduced({
    build: (x, axes) => mul(constant(1 / sizeOf(axes.map((axis) => x.shape[axis]!))), keptSum(x, axes)),
    onKnown: (x, axes, keep) => mapKnown(x.kind, [sumOfKnown(x, axes, keep)], (value) => value! / sizeOf(axes.map((axis) => x.shape[axis]!))),
  }),
  ReduceMax: reduced({ build: (x, axes) => reduceMax(x, axes, true), onKnown: knownReduction(-Infinity, Math.max) }),
  ReduceMin: reduced({ build: (x, axes) => neg(reduceMax(neg(x), axes, true)), onKnown: knownReduction(Infinity, Math.min) }),
  ReduceProd: reduced({ build: product, onKnown: knownReduction(1, (sum, value) => sum * value) }),
  ReduceL1: reduced({ build: (x, axes) => keptSum(abs(x), axes) }),
  ReduceL2: reduced({ build: (x, axes) => sqrt(keptSum(mul(x, x), axes)) }),
  ReduceSumSquare: reduced({ build: (x, axes) => keptSum(mul(x, x), axes) }),
  ReduceLogSum: reduced({ build: (x, axes) => log(keptSum(x, axes)) }),
  ReduceLogSumExp: reduced({ build: logSumExp }),
  LpNormalization: (context) => {
    context.attributes.only("p", 1, 2);
    const x = floatOf(context.array(0));
    const axes = [context.axis(context.attributes.int("axis", -1), x.shape.length)];
    return [computed(div(x, context.attributes.int("p", 2) === 1 ? keptSum(abs(x), axes) : sqrt(keptSum(mul(x, x), axes))))];
  },
};
