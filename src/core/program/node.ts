/**
 * Nodes of a step program: immutable values of static shape that know their inputs.
 * A graph is whatever is reachable from its outputs.
 */

import type { ArrayValues } from "./arrayValues.ts";

/** Sizes of the axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** `float` is the engine's own precision: float64 in the reference, float32 elsewhere. */
export type DType = "float" | "int32" | "uint8" | "bool";

type None = Readonly<Record<string, never>>;

/** Attributes of each operation. The keys are the operations' names. */
export interface Attributes {
  /** A value passed with every call of a procedure. */
  input: { readonly name: string };
  /** A value that the engine keeps between calls. */
  state: { readonly name: string };
  /** A scalar constant. */
  constant: { readonly value: number };
  /** A constant of given entries. */
  constantArray: { readonly values: ArrayValues; readonly dtype: "float" | "int32" | "bool" };

  add: None;
  sub: None;
  mul: None;
  div: None;
  pow: None;
  mod: None;
  maximum: None;
  minimum: None;
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  tanh: None;
  sigmoid: None;
  relu: None;
  erf: None;
  sin: None;
  cos: None;
  abs: None;
  floor: None;
  greater: None;
  equal: None;
  and: None;
  or: None;
  not: None;
  select: None;
  cast: { readonly to: DType };
  stopGradient: None;

  matmul: { readonly transposeA: boolean; readonly transposeB: boolean; readonly scale: number };
  dot: None;
  softmax: { readonly axis: number };
  logSoftmax: { readonly axis: number };

  reduceSum: { readonly axes: readonly number[]; readonly keepAxes: boolean };
  reduceMax: { readonly axes: readonly number[]; readonly keepAxes: boolean };
  variance: { readonly axes: readonly number[] };
  argMax: None;
  oneHot: { readonly classes: number };

  broadcast: { readonly shape: Shape };
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  /** Without `step`, every entry. A step of -1 reverses the whole axis. */
  slice: { readonly axis: number; readonly start: number; readonly end: number; readonly step?: number };
  concat: { readonly axis: number };
  cumulativeSum: { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean };
  /** Without `axis`, the first. */
  gather: { readonly axis?: number };
  scatterAdd: { readonly rows: number };

  conv2d: Convolution;
  conv2dInputGradient: Convolution & { readonly size: Pair };
  conv2dWeightGradient: Convolution & { readonly kernel: Pair };
  maxPool2d: Pooling;
  maxPool2dGradient: Pooling;
  atMaxima2d: Pooling;
}

export type Pair = readonly [height: number, width: number];
export type Sides = readonly [top: number, left: number, bottom: number, right: number];

/** How a kernel goes over an image; a single number holds in every direction. See windows.ts. */
export interface Convolution {
  readonly stride: number | Pair;
  /** Rows and columns of zeros on each side. */
  readonly padding: number | Sides;
  /** Absent where it is 1. */
  readonly dilation?: Pair;
  /** Absent where it is 1. */
  readonly groups?: number;
}

/** How windows go over an image. What is absent has its default: windows side by side, without padding. */
export interface Pooling {
  readonly size: number | Pair;
  readonly stride?: Pair;
  readonly padding?: Sides;
  readonly dilation?: Pair;
}

export type OpName = keyof Attributes;

export interface NodeOf<N extends OpName> {
  /** Creation order: inputs always have smaller ids. */
  readonly id: number;
  readonly op: N;
  readonly inputs: readonly Node[];
  readonly attributes: Attributes[N];
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Any node, discriminated by `op`. */
export type Node = { [N in OpName]: NodeOf<N> }[OpName];

let created = 0;

/** Makes a node; the builders in operations/ check shapes first. */
export function makeNode<N extends OpName>(
  op: N,
  inputs: readonly Node[],
  attributes: Attributes[N],
  shape: Shape,
  dtype: DType = "float",
): Node {
  const node: NodeOf<OpName> = { id: created++, op, inputs, attributes, shape, dtype };
  return node as Node;
}

export const none: None = {};

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, axis) => n === b[axis]);
}

export function isScalar(node: Pick<Node, "shape">): boolean {
  return node.shape.length === 0;
}

export function describe(node: Node): string {
  return `${node.op}[${node.shape.join(", ")}]`;
}

/** An error in building a program; names the operation and the shapes. */
export function shapeError(op: string, inputs: readonly Node[], why: string): Error {
  return new Error(`${op}(${inputs.map(describe).join(", ")}): ${why}`);
}

/** Nodes reachable from `roots`, inputs before users. */
export function topologicalOrder(roots: Iterable<Node>): Node[] {
  const seen = new Set<Node>();
  const stack = [...roots];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
