/**
 * How each operation is batched over runs (as in jax.vmap): a value that differs between runs
 * gets a leading axis of runs, and no operation mixes two runs. One rule for each operation.
 */
import type { Attributes, Node, NodeOf, OpName, Shape } from "../node.ts";
import { sameShape, sizeOf } from "../node.ts";
import * as ops from "../operations/index.ts";

/**
 * A value of the single-run program. With `each`, its node has a leading axis of runs; otherwise
 * all runs share it.
 */
export interface Batched {
  readonly node: Node;
  readonly each: boolean;
}

/** The node with a leading axis of runs. Called when at least one input differs between runs. */
type Rule<N extends OpName> = (node: NodeOf<N>, inputs: readonly Batched[], runs: number) => Node;

/** The value with a leading axis of runs, repeated where all runs share it. */
export function forEach({ node, each }: Batched, runs: number): Node {
  if (each) return node;
  const source = node.op === "broadcast" ? node.inputs[0]! : node;
  return ops.broadcast(source, [runs, ...node.shape]);
}

/**
 * Inserts axes of size 1 after the axis of runs, so that it broadcasts to `rank` axes within each
 * run.
 */
function aligned({ node, each }: Batched, rank: number): Node {
  if (!each) return node;
  const [runs, ...shape] = node.shape;
  return ops.reshape(node, [runs!, ...Array<number>(rank - shape.length).fill(1), ...shape]);
}

/** Merges runs and the first axis. */
function folded(x: Batched, runs: number): Node {
  const node = forEach(x, runs);
  const [, first, ...rest] = node.shape;
  return ops.reshape(node, [runs * first!, ...rest]);
}

const unfolded = (node: Node, runs: number): Node => ops.reshape(node, [runs, node.shape[0]! / runs, ...node.shape.slice(1)]);
const shifted = (axes: readonly number[]): number[] => axes.map((axis) => axis + 1);
const allAxes = (shape: Shape): number[] => shape.map((_, axis) => axis);

function rebuilt<N extends OpName>(node: NodeOf<N>, inputs: readonly Node[], attributes: Attributes[N] = node.attributes): Node {
  return ops.operations[node.op].rebuild(inputs, attributes);
}

/** Every engine broadcasts over this many axes. */
const maxAxes = 6;

/** Runs are merged into the first axis when another axis would be too many. */
function elementwise<N extends OpName>(node: NodeOf<N>, inputs: readonly Batched[], runs: number): Node {
  const rank = node.shape.length;
  const whole = inputs.every(({ node: x, each }) => (each ? x.shape.length === rank + 1 && x.shape[1] === node.shape[0] : x.shape.length < rank));
  if (rank >= maxAxes && whole) return unfolded(rebuilt(node, inputs.map((input) => (input.each ? folded(input, runs) : input.node))), runs);
  return rebuilt(node, inputs.map((input) => aligned(input, rank)));
}

/** An operation that treats the entries of its first axis independently. */
function alongFirst<N extends OpName>(node: NodeOf<N>, inputs: readonly Batched[], runs: number): Node {
  return unfolded(rebuilt(node, inputs.map((input) => folded(input, runs))), runs);
}

/** Merges runs into the first axis where it is not reduced: engines limit the number of axes. */
function reduction<N extends "reduceSum" | "reduceMax" | "variance">(node: NodeOf<N>, inputs: readonly Batched[], runs: number): Node {
  if (!node.attributes.axes.includes(0)) return alongFirst(node, inputs, runs);
  return rebuilt(node, [inputs[0]!.node], { ...node.attributes, axes: shifted(node.attributes.axes) });
}

/** Keeps the number of axes where the first one is independent. */
function alongOneAxis<N extends "softmax" | "logSoftmax">(node: NodeOf<N>, inputs: readonly Batched[], runs: number): Node {
  const { axis } = node.attributes;
  return axis > 0 ? alongFirst(node, inputs, runs) : rebuilt(node, [inputs[0]!.node], { ...node.attributes, axis: axis + 1 });
}

/** Run by run, for operations that not every engine can batch. */
function unrolled<N extends OpName>(node: NodeOf<N>, inputs: readonly Batched[], runs: number): Node {
  const of = (run: number) => ({ node: x, each }: Batched) => (each ? ops.reshape(ops.slice(x, 0, run, run + 1), x.shape.slice(1)) : x);
  const results = Array.from({ length: runs }, (_, run) => ops.reshape(rebuilt(node, inputs.map(of(run))), [1, ...node.shape]));
  return ops.concat(results, 0);
}

/** A convolution whose weight all runs share takes the runs as further examples. */
function convolution<N extends "conv2d" | "conv2dInputGradient">(node: NodeOf<N>, inputs: readonly Batched[], runs: number): Node {
  const [image, weight] = inputs as readonly [Batched, Batched];
  return weight.each ? unrolled(node, inputs, runs) : unfolded(rebuilt(node, [folded(image, runs), weight.node]), runs);
}

/** Moves the axis of runs from `axis` to the front. */
function toFront(node: Node, axis: number): Node {
  const axes = allAxes(node.shape);
  return axis === 0 ? node : ops.transpose(node, [axis, ...axes.slice(0, axis), ...axes.slice(axis + 1)]);
}

/**
 * One-hot rows that look up a table by a product, for tables that differ between runs: `[runs?,
 * indices, rows]`.
 */
function chosen({ node, each }: Batched, rows: number): Node {
  const count = sizeOf(node.shape) / (each ? node.shape[0]! : 1);
  return ops.oneHot(ops.reshape(node, each ? [node.shape[0]!, count] : [count]), rows);
}

/** Repeats a matrix `[m, n]` for each of many products: `[...products, m, n]`. */
function repeated({ node, each }: Batched, products: Shape): Batched {
  const [runs, shape] = each ? [node.shape.slice(0, 1), node.shape.slice(1)] : [[], node.shape];
  return { node: ops.broadcast(ops.reshape(node, [...runs, ...products.map(() => 1), ...shape]), [...runs, ...products, ...shape]), each };
}

function source(): never {
  throw new Error("a source has no inputs that could differ between runs");
}

export const batchingRules: { readonly [N in OpName]: Rule<N> } = {
  input: source,
  state: source,
  constant: source,
  constantArray: source,

  add: elementwise,
  sub: elementwise,
  mul: elementwise,
  div: elementwise,
  pow: elementwise,
  mod: elementwise,
  maximum: elementwise,
  minimum: elementwise,
  greater: elementwise,
  equal: elementwise,
  and: elementwise,
  or: elementwise,
  not: elementwise,
  neg: elementwise,
  exp: elementwise,
  log: elementwise,
  sqrt: elementwise,
  tanh: elementwise,
  sigmoid: elementwise,
  relu: elementwise,
  erf: elementwise,
  sin: elementwise,
  cos: elementwise,
  abs: elementwise,
  floor: elementwise,
  cast: elementwise,
  stopGradient: elementwise,
  select: (node, inputs, runs) => {
    const isWhole = node.inputs.every(({ shape }) => sameShape(shape, node.shape));
    return isWhole ? rebuilt(node, inputs.map((input) => forEach(input, runs))) : elementwise(node, inputs, runs);
  },

  matmul: (node, inputs, runs) => {
    const rank = node.shape.length;
    if (rank === 2) return rebuilt(node, inputs.map((input) => input.node));
    // The products were a batch already: put the matrices of all runs into one batch.
    if (node.inputs.every(({ shape }) => shape.length === 2 || (shape.length === rank && shape[0] === node.shape[0]))) {
      const many = inputs.map((input, i) => (node.inputs[i]!.shape.length === rank ? input : repeated(input, node.shape.slice(0, -2))));
      return unfolded(rebuilt(node, many.map((input) => folded(input, runs))), runs);
    }
    return rebuilt(node, inputs.map((input) => aligned(input, rank)));
  },
  dot: (_, [a, b], runs) => {
    const product = ops.mul(forEach(a!, runs), forEach(b!, runs));
    return ops.reduceSum(product, allAxes(product.shape).slice(1));
  },
  softmax: alongOneAxis,
  logSoftmax: alongOneAxis,

  reduceSum: reduction,
  reduceMax: reduction,
  variance: reduction,
  argMax: (_, [x]) => ops.argMax(x!.node),
  oneHot: (node, [x]) => ops.oneHot(x!.node, node.attributes.classes),

  broadcast: (node, [x], runs) => {
    const rank = node.shape.length;
    const to = [runs, ...node.shape];
    const fold = rank >= maxAxes && x!.node.shape.length === rank + 1 && x!.node.shape[1] === node.shape[0];
    return fold ? unfolded(ops.broadcast(folded(x!, runs), [runs * to[1]!, ...to.slice(2)]), runs) : ops.broadcast(aligned(x!, rank), to);
  },
  reshape: (node, [x], runs) => ops.reshape(x!.node, [runs, ...node.shape]),
  transpose: (node, inputs, runs) =>
    node.attributes.permutation[0] === 0 ? alongFirst(node, inputs, runs) : ops.transpose(inputs[0]!.node, [0, ...shifted(node.attributes.permutation)]),
  slice: (node, inputs, runs) => {
    const { axis, start, end, step } = node.attributes;
    return axis > 0 ? alongFirst(node, inputs, runs) : ops.slice(inputs[0]!.node, 1, start, end, step);
  },
  concat: (node, inputs, runs) =>
    node.attributes.axis > 0 ? alongFirst(node, inputs, runs) : ops.concat(inputs.map((input) => forEach(input, runs)), 1),
  cumulativeSum: (node, inputs, runs) =>
    node.attributes.axis > 0 ? alongFirst(node, inputs, runs) : ops.cumulativeSum(inputs[0]!.node, 1, node.attributes),

  gather: (node, [table, indices], runs) => {
    const { axis = 0 } = node.attributes;
    if (!table!.each) return toFront(ops.gather(table!.node, indices!.node, axis), axis);
    const { shape } = node.inputs[0]!;
    const rows = shape[axis]!;
    if (shape.length === 2 && axis === 0) return ops.reshape(ops.matmul(chosen(indices!, rows), table!.node), [runs, ...node.shape]);
    if (!indices!.each) return ops.gather(table!.node, indices!.node, axis + 1);
    return unrolled(node, [table!, indices!], runs);
  },
  scatterAdd: (node, [values, indices], runs) => {
    const { rows } = node.attributes;
    const width = node.shape[1]!;
    const { node: all, each } = values!;
    const table = ops.reshape(all, [...(each ? [runs] : []), sizeOf(node.inputs[1]!.shape), width]);
    return ops.matmul(chosen(indices!, rows), table, { transposeA: true });
  },

  conv2d: convolution,
  conv2dInputGradient: convolution,
  conv2dWeightGradient: unrolled,
  maxPool2d: alongFirst,
  maxPool2dGradient: alongFirst,
  atMaxima2d: alongFirst,
};
