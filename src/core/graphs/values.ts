/** Values while a graph becomes a program: known ones, which plain JavaScript calculates with, and nodes. */
import type { GraphKind } from "../../shared/models/graph.ts";
import { sizeOf, type Node, type Shape } from "../program/node.ts";
import { cast, constant, constantArray, filled, greater } from "../program/operations/index.ts";
import { broadcast } from "../program/operations/index.ts";
import { GraphError } from "./errors.ts";

/** A value that depends on no input and no weight: shape arithmetic, masks, indices. */
export interface Known {
  readonly known: true;
  readonly kind: GraphKind;
  readonly shape: Shape;
  /** Row-major; booleans are 0 and 1. */
  readonly data: Float64Array;
}

/** A value of the program. */
export interface Computed {
  readonly known: false;
  readonly kind: GraphKind;
  readonly shape: Shape;
  readonly node: Node;
}

export type ArrayValue = Known | Computed;

/** ONNX's sequence of arrays. */
export interface Sequence {
  readonly items: readonly ArrayValue[];
}

export type Value = ArrayValue | Sequence;

/** Entries of one known value; more are an error, not a calculation that never ends. */
const knownLimit = 2 ** 26;

export function checkedSize(shape: Shape): number {
  const size = sizeOf(shape);
  if (!(size <= knownLimit)) throw new GraphError(`a constant of the shape [${shape.join(", ")}] has ${size} entries; at most ${knownLimit} are allowed`);
  return size;
}

export function known(kind: GraphKind, shape: Shape, data: Float64Array | readonly number[]): Known {
  return { known: true, kind, shape, data: data instanceof Float64Array ? data : Float64Array.from(data) };
}

export const knownInts = (values: readonly number[]): Known => known("int", [values.length], values);

const kindOf = (node: Node): GraphKind => (node.dtype === "float" ? "float" : node.dtype === "bool" ? "bool" : "int");

export function computed(node: Node): Computed {
  return { known: false, kind: kindOf(node), shape: node.shape, node };
}

/** The value as a node of its own type: float, int32 or bool. */
export function nodeOf(value: ArrayValue): Node {
  if (!value.known) return value.node.dtype === "uint8" ? cast(value.node, "int32") : value.node;
  const { kind, shape, data } = value;
  const first = data[0]!;
  const uniform = data.every((one) => Object.is(one, first));
  if (kind === "float") return uniform ? filled(first, shape) : constantArray(data, shape, "float");
  if (kind === "bool") return uniform ? broadcast(greater(constant(first), constant(0)), shape) : constantArray(data, shape, "bool");
  const whole = data.map((one) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, one)));
  return uniform ? broadcast(cast(constant(whole[0]!), "int32"), shape) : constantArray(Int32Array.from(whole), shape, "int32");
}

/** The value as a float node. */
export function floatOf(value: ArrayValue): Node {
  if (value.known) return nodeOf({ ...value, kind: "float" });
  return cast(value.node, "float");
}

export function broadcastShape(shapes: readonly Shape[]): Shape {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).filter((n) => n !== 1);
    if (sizes.some((n) => n !== sizes[0])) throw new GraphError(`the shapes ${shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")} do not broadcast`);
    return sizes[0] ?? 1;
  });
}

export function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** A known value whose entry at each index of `shape` is that of `source` at `at(index)`. */
export function rearranged(source: Known, shape: Shape, at: (index: readonly number[]) => number): Known {
  const size = checkedSize(shape);
  const data = new Float64Array(size);
  const index = shape.map(() => 0);
  for (let i = 0; i < size; i++) {
    data[i] = source.data[at(index)]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return { ...source, shape, data };
}

export function expandKnown(x: Known, shape: Shape): Known {
  if (x.shape.length === shape.length && x.shape.every((n, axis) => n === shape[axis])) return x;
  const strides = stridesOf(x.shape);
  const offset = shape.length - x.shape.length;
  if (x.data.length === 1) return { ...x, shape, data: new Float64Array(checkedSize(shape)).fill(x.data[0]!) };
  return rearranged(x, shape, (index) => x.shape.reduce((sum, n, axis) => sum + (n === 1 ? 0 : index[axis + offset]! * strides[axis]!), 0));
}

/** An elementwise function of known values that broadcast. */
export function mapKnown(kind: GraphKind, inputs: readonly Known[], map: (...values: number[]) => number): Known {
  const shape = broadcastShape(inputs.map((input) => input.shape));
  const whole = inputs.map((input) => expandKnown(input, shape).data);
  const [a, b] = whole;
  const size = checkedSize(shape);
  const data = new Float64Array(size);
  for (let i = 0; i < size; i++) data[i] = whole.length === 1 ? map(a![i]!) : whole.length === 2 ? map(a![i]!, b![i]!) : map(...whole.map((one) => one[i]!));
  return known(kind, shape, data);
}

export function transposeKnown(x: Known, permutation: readonly number[]): Known {
  const strides = stridesOf(x.shape);
  const moved = permutation.map((axis) => strides[axis]!);
  return rearranged(x, permutation.map((axis) => x.shape[axis]!), (index) => index.reduce((sum, i, axis) => sum + i * moved[axis]!, 0));
}

/** Entries along an axis at positions (whole numbers in range). */
export function takeKnown(x: Known, axis: number, positions: readonly number[]): Known {
  const strides = stridesOf(x.shape);
  return rearranged(x, x.shape.map((n, a) => (a === axis ? positions.length : n)), (index) =>
    index.reduce((sum, i, a) => sum + (a === axis ? positions[i]! : i) * strides[a]!, 0),
  );
}

export function concatKnown(parts: readonly Known[], axis: number): Known {
  const filledParts = parts.filter(({ data, shape }) => data.length > 0 || shape.length > 1);
  const first = filledParts[0] ?? parts[0]!;
  const total = filledParts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const shape = first.shape.map((n, a) => (a === axis ? total : n));
  const data = new Float64Array(checkedSize(shape));
  const inner = sizeOf(first.shape.slice(axis + 1));
  const outer = sizeOf(first.shape.slice(0, axis));
  let start = 0;
  for (const part of filledParts) {
    const count = part.shape[axis]! * inner;
    if (part.data.length !== outer * count) throw new GraphError(`parts of the shapes ${parts.map((one) => `[${one.shape.join(", ")}]`).join(", ")} do not fit along axis ${axis}`);
    for (let row = 0; row < outer; row++) data.set(part.data.subarray(row * count, (row + 1) * count), row * total * inner + start);
    start += count;
  }
  return { ...first, kind: parts.some(({ kind }) => kind === "float") ? "float" : first.kind, shape, data };
}

/** Reduces known values over axes. @param first the result of no entries */
export function reduceKnown(x: Known, axes: readonly number[], keep: boolean, first: number, reduce: (sum: number, value: number) => number): Known {
  const kept = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
  const strides = stridesOf(kept);
  const data = new Float64Array(sizeOf(kept)).fill(first);
  const index = x.shape.map(() => 0);
  for (const value of x.data) {
    const at = index.reduce((sum, i, axis) => sum + (axes.includes(axis) ? 0 : i * strides[axis]!), 0);
    data[at] = reduce(data[at]!, value);
    for (let axis = x.shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < x.shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return { ...x, shape: keep ? kept : x.shape.filter((_, axis) => !axes.includes(axis)), data };
}
