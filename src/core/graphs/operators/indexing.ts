/** Entries by index. */
import { sizeOf } from "../../program/node.ts";
import { add, argMax, cast, constant, constantArray, gather, mul, neg, oneHot, reshape, scatterAdd, slice, transpose } from "../../program/operations/index.ts";
import type { Context } from "../context.ts";
import { checkedSize, computed, floatOf, known, nodeOf, stridesOf, takeKnown, type ArrayValue, type Known } from "../values.ts";
import { castTo } from "./elementwise.ts";
import type { Operators } from "./operator.ts";

const indexNode = (positions: readonly number[], shape: readonly number[] = [positions.length]) => nodeOf(known("int", shape, positions));

/** Entries along an axis at known positions. */
export function takeAlong(x: ArrayValue, axis: number, positions: readonly number[]): ArrayValue {
  if (x.known) return takeKnown(x, axis, positions);
  const [first] = positions;
  const step = positions.length > 1 ? positions[1]! - first! : 1;
  if (step !== 0 && positions.every((at, i) => at === first! + i * step)) return computed(slice(nodeOf(x), axis, first!, positions.at(-1)! + step, step));
  if (x.kind === "bool") return castTo(computed(gather(floatOf(x), indexNode(positions), axis)), "bool");
  return computed(gather(nodeOf(x), indexNode(positions), axis));
}

function checked(context: Context, indices: Known, size: number): number[] {
  return [...indices.data].map((given) => {
    const at = given < 0 ? given + size : given;
    if (!(at >= 0 && at < size)) throw context.error(`the index ${given} is out of range for an axis of size ${size}`);
    return at;
  });
}

function gathered(context: Context): readonly ArrayValue[] {
  const [x, indices] = [context.array(0), context.array(1)];
  const axis = context.axis(context.attributes.int("axis", 0), x.shape.length);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  if (indices.known) {
    const taken = takeAlong(x, axis, checked(context, indices, x.shape[axis]!));
    return [taken.known ? { ...taken, shape } : computed(reshape(taken.node, shape))];
  }
  if (x.known && x.kind !== "float") return [castTo(computed(gather(floatOf(x), cast(nodeOf(indices), "int32"), axis)), x.kind)];
  return [computed(gather(nodeOf(x), cast(nodeOf(indices), "int32"), axis))];
}

/** x as one axis. */
function flat(x: ArrayValue): ArrayValue {
  const shape = [sizeOf(x.shape)];
  return x.known ? { ...x, shape } : computed(reshape(nodeOf(x), shape));
}

const unflat = (x: ArrayValue, shape: readonly number[]): ArrayValue => (x.known ? { ...x, shape } : computed(reshape(nodeOf(x), shape)));

/** Positions in flattened x of entries that indices name along an axis, as torch.gather has it. */
function elementPositions(context: Context, x: ArrayValue, indices: Known, axis: number): number[] {
  const wrapped = checked(context, indices, x.shape[axis]!);
  const strides = stridesOf(x.shape);
  const own = stridesOf(indices.shape);
  return wrapped.map((at, i) => indices.shape.reduce((sum, n, a) => sum + (a === axis ? at : Math.floor(i / own[a]!) % n) * strides[a]!, 0));
}

function gatherElements(context: Context): readonly ArrayValue[] {
  const [x, indices] = [context.array(0), context.array(1)];
  const axis = context.axis(context.attributes.int("axis", 0), x.shape.length);
  if (indices.known) return [unflat(takeAlong(flat(x), 0, elementPositions(context, x, indices, axis)), indices.shape)];
  const size = x.shape[axis]!;
  const last = x.shape.map((_, a) => a).filter((a) => a !== axis);
  const order = [...last, axis];
  if (last.some((a) => x.shape[a] !== indices.shape[a])) throw context.error("indices that depend on the examples must have the sizes of the array on all other axes");
  // Flattened, the entries of all rows are rows of one table.
  const table = transpose(floatOf(x), order);
  const chosen = transpose(cast(nodeOf(indices), "int32"), order);
  const rows = sizeOf(last.map((a) => x.shape[a]!));
  const count = indices.shape[axis]!;
  const entries = add(cast(reshape(chosen, [rows, count]), "float"), rowStarts(rows, size));
  const taken = gather(reshape(table, [rows * size]), cast(entries, "int32"));
  const moved = reshape(taken, order.map((a) => indices.shape[a]!));
  return [computed(transpose(moved, order.map((_, a) => order.indexOf(a))))];
}

const rowStarts = (rows: number, size: number) => constantArray(Float64Array.from({ length: rows }, (_, row) => row * size), [rows, 1], "float");

/** Positions in flattened x of blocks that index tuples name, and the shape of a block. */
function tuplePositions(context: Context, shape: readonly number[], indices: Known, batchAxes: number): { positions: number[]; block: number[] } {
  const width = indices.shape.at(-1)!;
  const strides = stridesOf(shape);
  const block = shape.slice(batchAxes + width);
  const inner = sizeOf(block);
  const tuples = indices.data.length / Math.max(1, width);
  const perBatch = tuples / sizeOf(shape.slice(0, batchAxes));
  const positions: number[] = [];
  checkedSize([tuples, inner]);
  for (let tuple = 0; tuple < tuples; tuple++) {
    let start = batchAxes > 0 ? Math.floor(tuple / perBatch) * strides[batchAxes - 1]! : 0;
    for (let i = 0; i < width; i++) {
      const size = shape[batchAxes + i]!;
      const given = indices.data[tuple * width + i]!;
      const at = given < 0 ? given + size : given;
      if (!(at >= 0 && at < size)) throw context.error(`the index ${given} is out of range for an axis of size ${size}`);
      start += at * strides[batchAxes + i]!;
    }
    for (let k = 0; k < inner; k++) positions.push(start + k);
  }
  return { positions, block };
}

function gatherTuples(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const indices = context.known(1, "the indices");
  const { positions, block } = tuplePositions(context, x.shape, indices, context.attributes.int("batch_dims", 0));
  return [unflat(takeAlong(flat(x), 0, positions), [...indices.shape.slice(0, -1), ...block])];
}

/** Entries of x at positions replaced by updates, or increased by them. */
function scattered(context: Context, x: ArrayValue, updates: ArrayValue, positions: readonly number[]): ArrayValue {
  context.attributes.only("reduction", "none", "add");
  const adds = context.attributes.text("reduction", "none") === "add";
  if (x.known && updates.known) {
    const data = x.data.slice();
    positions.forEach((at, i) => (data[at] = adds ? data[at]! + updates.data[i]! : updates.data[i]!));
    return { ...x, data };
  }
  const size = sizeOf(x.shape);
  const kept = new Float64Array(size).fill(1);
  if (!adds) for (const at of positions) kept[at] = 0;
  const placed = scatterAdd(reshape(floatOf(updates), [positions.length]), indexNode(positions), size);
  const base = adds ? reshape(floatOf(x), [size]) : mul(reshape(floatOf(x), [size]), constantArray(kept, [size], "float"));
  return castTo(computed(reshape(add(base, placed), x.shape)), x.kind);
}

function argument(sign: 1 | -1) {
  return (context: Context): readonly ArrayValue[] => {
    const x = floatOf(context.array(0));
    const rank = x.shape.length;
    const axis = context.axis(context.attributes.int("axis", 0), rank);
    const axes = x.shape.map((_, a) => a);
    const order = [...axes.filter((a) => a !== axis), axis];
    const chosen = argMax(transpose(sign === 1 ? x : neg(x), order));
    const keeps = context.attributes.int("keepdims", 1) === 1;
    return [computed(keeps ? reshape(chosen, x.shape.map((n, a) => (a === axis ? 1 : n))) : chosen)];
  };
}

function hot(context: Context): readonly ArrayValue[] {
  const indices = context.array(0);
  const depth = context.known(1, "the depth").data[0]!;
  const [off, on] = [...context.known(2, "the values").data] as [number, number];
  const rank = indices.shape.length + 1;
  const axis = context.axis(context.attributes.int("axis", -1), rank);
  const whole = oneHot(cast(nodeOf(castTo(indices, "int")), "int32"), depth);
  const scaled = on === 1 && off === 0 ? cast(whole, "float") : add(mul(constant(on - off), cast(whole, "float")), constant(off));
  const order = Array.from({ length: rank }, (_, a) => (a < axis ? a : a === axis ? rank - 1 : a - 1));
  return [computed(transpose(scaled, order))];
}

function nonZero(context: Context): readonly ArrayValue[] {
  const x = context.known(0, "the values");
  const found = [...x.data].flatMap((value, i) => (value === 0 ? [] : [i]));
  const strides = stridesOf(x.shape);
  return [known("int", [x.shape.length, found.length], strides.flatMap((stride, axis) => found.map((i) => Math.floor(i / stride) % x.shape[axis]!)))];
}

function compressed(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const condition = context.known(1, "the condition");
  const kept = [...condition.data].flatMap((value, i) => (value === 0 ? [] : [i]));
  if (!context.attributes.has("axis")) return [takeAlong(flat(x), 0, kept)];
  return [takeAlong(x, context.axis(context.attributes.int("axis"), x.shape.length), kept)];
}

export const indexingOperators: Operators = {
  Gather: gathered,
  GatherElements: gatherElements,
  GatherND: gatherTuples,
  ScatterND: (context) => {
    const x = context.array(0);
    const { positions } = tuplePositions(context, x.shape, context.known(1, "the indices"), 0);
    return [scattered(context, x, context.array(2), positions)];
  },
  ScatterElements: (context) => {
    const x = context.array(0);
    const axis = context.axis(context.attributes.int("axis", 0), x.shape.length);
    return [scattered(context, x, context.array(2), elementPositions(context, x, context.known(1, "the indices"), axis))];
  },
  ArgMax: argument(1),
  ArgMin: argument(-1),
  OneHot: hot,
  NonZero: nonZero,
  Compress: compressed,
};
