/** Shapes, and values moved without being changed. */
import { sizeOf, type Node, type Shape } from "../../program/node.ts";
import { broadcast, concat, constant, constantArray, cumulativeSum, pad, reshape, select, slice, split, transpose } from "../../program/operations/index.ts";
import type { Context } from "../context.ts";
import { broadcastShape, checkedSize, computed, concatKnown, expandKnown, floatOf, known, knownInts, nodeOf, rearranged, reduceKnown, stridesOf, takeKnown, transposeKnown, type ArrayValue, type Known } from "../values.ts";
import { castTo } from "./elementwise.ts";
import { takeAlong } from "./indexing.ts";
import type { Operators } from "./operator.ts";

export function reshaped(x: ArrayValue, shape: Shape): ArrayValue {
  return x.known ? { ...x, shape } : computed(reshape(nodeOf(x), shape));
}

/** A transformation of nodes only: bools become floats and back. */
export function moved(x: ArrayValue, move: (node: Node) => Node): ArrayValue {
  const node = nodeOf(x);
  if (node.dtype === "float") return computed(move(node));
  return castTo(computed(move(floatOf(x))), x.kind);
}

function reshapeTo(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const wanted = context.inputs.length > 1 ? [...context.known(1, "the sizes").data] : [...(context.attributes.ints("shape") ?? [])];
  const keepsZero = context.attributes.int("allowzero", 0) === 1;
  const shape = wanted.map((n, axis) => (n === 0 && !keepsZero ? (x.shape[axis] ?? 0) : n));
  const rest = shape.reduce((product, n) => (n === -1 ? product : product * n), 1);
  const whole = shape.map((n) => (n === -1 ? sizeOf(x.shape) / rest : n));
  if (shape.filter((n) => n === -1).length > 1 || whole.some((n) => !Number.isInteger(n) || n < 0) || sizeOf(whole) !== sizeOf(x.shape)) {
    throw context.error(`an array of the shape [${x.shape.join(", ")}] cannot become [${wanted.join(", ")}]; if the file was exported for one batch size, export it with a dynamic batch axis`);
  }
  return [reshaped(x, whole)];
}

/** Axes of an attribute (before opset 13) or an input. */
export function axesOf(context: Context, index: number, rank: number): number[] | null {
  const given = context.attributes.ints("axes") ?? context.numbers(index, "the axes");
  return given && given.map((axis) => context.axis(axis, rank));
}

function squeeze(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const axes = axesOf(context, 1, x.shape.length) ?? x.shape.flatMap((n, axis) => (n === 1 ? [axis] : []));
  if (axes.some((axis) => x.shape[axis] !== 1)) throw context.error(`the axes ${axes.join(", ")} of an array of the shape [${x.shape.join(", ")}] do not all have size 1`);
  return [reshaped(x, x.shape.filter((_, axis) => !axes.includes(axis)))];
}

function unsqueeze(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const given = context.attributes.ints("axes") ?? context.numbers(1, "the axes") ?? [];
  const rank = x.shape.length + given.length;
  const axes = new Set(given.map((axis) => context.axis(axis, rank)));
  const rest = [...x.shape];
  return [reshaped(x, Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : rest.shift()!)))];
}

function flatten(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const axis = context.axis(context.attributes.int("axis", 1), x.shape.length + 1);
  return [reshaped(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))])];
}

function transposed(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const permutation = (context.attributes.ints("perm") ?? x.shape.map((_, axis) => x.shape.length - 1 - axis)).map((axis) => context.axis(axis, x.shape.length));
  return [x.known ? transposeKnown(x, permutation) : computed(transpose(nodeOf(x), permutation))];
}

function expand(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const shape = broadcastShape([x.shape, [...context.known(1, "the sizes").data]]);
  return [x.known ? expandKnown(x, shape) : computed(broadcast(nodeOf(x), shape))];
}

function tile(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const repeats = [...context.known(1, "the repeats").data];
  if (x.known) {
    const strides = stridesOf(x.shape);
    return [rearranged(x, x.shape.map((n, axis) => n * repeats[axis]!), (index) => index.reduce((sum, i, axis) => sum + (i % x.shape[axis]!) * strides[axis]!, 0))];
  }
  const spread = x.shape.flatMap((n, axis) => [repeats[axis]!, n]);
  const columns = reshape(nodeOf(x), x.shape.flatMap((n) => [1, n]));
  return [computed(reshape(broadcast(columns, spread), x.shape.map((n, axis) => n * repeats[axis]!)))];
}

function joined(context: Context): readonly ArrayValue[] {
  const parts = context.arrays();
  const axis = context.axis(context.attributes.int("axis"), parts[0]!.shape.length);
  if (parts.every((part): part is Known => part.known)) return [concatKnown(parts, axis)];
  const whole = parts.filter(({ shape }) => sizeOf(shape) > 0);
  const kind = whole.some((part) => part.kind === "float") ? "float" : whole[0]!.kind;
  if (kind === "bool") return [castTo(computed(concat(whole.map(floatOf), axis)), "bool")];
  return [computed(concat(whole.map((part) => (kind === "float" ? floatOf(part) : nodeOf(part))), axis))];
}

function splitIn(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const axis = context.axis(context.attributes.int("axis", 0), x.shape.length);
  const size = x.shape[axis]!;
  const parts = context.attributes.int("num_outputs", context.node.outputs.length);
  const each = Math.ceil(size / parts);
  const sizes = context.attributes.ints("split") ?? context.numbers(1, "the sizes") ?? Array.from({ length: parts }, (_, i) => Math.min(each, size - i * each));
  return splitBy(x, axis, sizes);
}

export function splitBy(x: ArrayValue, axis: number, sizes: readonly number[]): ArrayValue[] {
  if (!x.known) return split(nodeOf(x), axis, sizes).map(computed);
  let start = 0;
  return sizes.map((size) => {
    const from = start;
    start += size;
    return takeKnown(x, axis, Array.from({ length: size }, (_, i) => from + i));
  });
}

interface Range {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** Bounds as NumPy clamps them. */
function clamped(start: number, end: number, step: number, size: number): Pick<Range, "start" | "end"> {
  const wrap = (at: number) => (at < 0 ? at + size : at);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const fit = (at: number) => Math.max(low, Math.min(high, at));
  return { start: fit(wrap(start)), end: fit(wrap(end)) };
}

function sliceOf(context: Context): readonly ArrayValue[] {
  let x = context.array(0);
  const starts = context.attributes.ints("starts") ?? context.numbers(1, "the starts") ?? [];
  const ends = context.attributes.ints("ends") ?? context.numbers(2, "the ends") ?? [];
  const axes = context.attributes.ints("axes") ?? context.numbers(3, "the axes") ?? starts.map((_, axis) => axis);
  const steps = context.numbers(4, "the steps") ?? starts.map(() => 1);
  axes.forEach((given, i) => {
    const axis = context.axis(given, x.shape.length);
    const step = steps[i]!;
    if (step === 0) throw context.error("a step is 0; allowed: whole numbers except 0");
    const { start, end } = clamped(starts[i]!, ends[i]!, step, x.shape[axis]!);
    const count = Math.max(0, Math.ceil((end - start) / step));
    if (x.known) x = takeKnown(x, axis, Array.from({ length: count }, (_, k) => start + k * step));
    else if (count === 0) x = known(x.kind, x.shape.map((n, a) => (a === axis ? 0 : n)), []);
    else x = computed(slice(nodeOf(x), axis, start, end, step));
  });
  return [x];
}

/** Positions of an axis with entries added on both sides. */
function paddedPositions(size: number, before: number, after: number, mode: string): number[] {
  return Array.from({ length: size + before + after }, (_, i) => {
    const at = i - before;
    if (mode === "edge") return Math.max(0, Math.min(size - 1, at));
    if (mode === "wrap") return ((at % size) + size) % size;
    const period = 2 * (size - 1);
    const back = period === 0 ? 0 : ((at % period) + period) % period;
    return back < size ? back : period - back;
  });
}

function padded(context: Context): readonly ArrayValue[] {
  context.attributes.only("mode", "constant", "reflect", "edge", "wrap");
  const x = context.array(0);
  const rank = x.shape.length;
  const pads = context.attributes.ints("pads") ?? context.attributes.ints("paddings") ?? context.numbers(1, "the pads") ?? [];
  const axes = (context.numbers(3, "the axes") ?? x.shape.map((_, axis) => axis)).map((axis) => context.axis(axis, rank));
  const mode = context.attributes.text("mode", "constant");
  if (pads.length !== 2 * axes.length) throw context.error(`it has ${pads.length} pads for ${axes.length} axes; 2 for each axis are needed`);
  const sides = (first: number) => x.shape.map((_, axis) => (axes.includes(axis) ? pads[axes.indexOf(axis) + first]! : 0));
  const [before, after] = [sides(0), sides(axes.length)];
  if (mode === "constant") {
    const value = context.numbers(2, "the value")?.[0] ?? context.attributes.float("value", 0);
    if (x.known && x.kind !== "float") return [padKnown(x, before, after, value)];
    return [moved(x, (node) => pad(node, before, after, value))];
  }
  return [x.shape.reduce((whole, size, axis) => (before[axis] === 0 && after[axis] === 0 ? whole : takeAlong(whole, axis, paddedPositions(size, before[axis]!, after[axis]!, mode))), x as ArrayValue)];
}

function padKnown(x: Known, before: readonly number[], after: readonly number[], value: number): Known {
  const withValue: Known = { ...x, data: Float64Array.from([...x.data, value]) };
  const strides = stridesOf(x.shape);
  return rearranged(withValue, x.shape.map((n, axis) => n + before[axis]! + after[axis]!), (index) => {
    const at = index.map((i, axis) => i - before[axis]!);
    return at.every((i, axis) => i >= 0 && i < x.shape[axis]!) ? at.reduce((sum, i, axis) => sum + i * strides[axis]!, 0) : x.data.length;
  });
}

/** A triangle of the last two axes; the rest is 0. */
function triangle(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const upper = context.attributes.int("upper", 1) === 1;
  const diagonal = context.optional(1) ? context.known(1, "the diagonal").data[0]! : 0;
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const keeps = (i: number) => {
    const offset = (i % columns) - Math.floor(i / columns) % rows;
    return upper ? offset >= diagonal : offset <= diagonal;
  };
  if (x.known) return [{ ...x, data: x.data.map((value, i) => (keeps(i) ? value : 0)) }];
  const kept = constantArray(Float64Array.from({ length: rows * columns }, (_, i) => Number(keeps(i))), [rows, columns], "bool");
  return [moved(x, (node) => select(kept, node, constant(0)))];
}

function range(context: Context): readonly ArrayValue[] {
  const [start, limit, delta] = [0, 1, 2].map((i) => context.known(i, "the bounds").data[0]!) as [number, number, number];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  checkedSize([count]);
  return [known(context.array(0).kind, [count], Float64Array.from({ length: count }, (_, i) => start + i * delta))];
}

function shapeOf(context: Context): readonly ArrayValue[] {
  const { shape } = context.array(0);
  const rank = shape.length;
  const bound = (name: string, missing: number) => {
    const given = context.attributes.int(name, missing);
    return Math.max(0, Math.min(rank, given < 0 ? given + rank : given));
  };
  return [knownInts(shape.slice(bound("start", 0), bound("end", rank)))];
}

function constantOfShape(context: Context): readonly ArrayValue[] {
  const shape = [...context.known(0, "the sizes").data];
  const value = context.attributes.array("value");
  return [known(value?.kind ?? "float", shape, new Float64Array(checkedSize(shape)).fill(value?.data[0] ?? 0))];
}

function runningSum(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const axis = context.axis(context.known(1, "the axis").data[0]!, x.shape.length);
  const options = { exclusive: context.attributes.int("exclusive", 0) === 1, reverse: context.attributes.int("reverse", 0) === 1 };
  if (!x.known) return [moved(x, (node) => cumulativeSum(node, axis, options))];
  const size = x.shape[axis]!;
  const at = (i: number) => (options.reverse ? size - 1 - i : i);
  let sum = reduceKnown(x, [axis], true, 0, () => 0);
  const parts: Known[] = [];
  for (let i = 0; i < size; i++) {
    const entry = takeKnown(x, axis, [at(i)]);
    const next = { ...entry, data: entry.data.map((value, k) => value + sum.data[k]!) };
    parts.push(options.exclusive ? sum : next);
    sum = next;
  }
  return [concatKnown(options.reverse ? parts.reverse() : parts, axis)];
}

function spaced(context: Context, toDepth: boolean): readonly ArrayValue[] {
  const x = floatOf(context.array(0));
  const block = context.attributes.int("blocksize");
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (toDepth) {
    const cells = reshape(x, [n, c, h / block, block, w / block, block]);
    return [computed(reshape(transpose(cells, [0, 3, 5, 1, 2, 4]), [n, c * block * block, h / block, w / block]))];
  }
  const depth = c / (block * block);
  const columnsFirst = context.attributes.text("mode", "DCR") === "CRD";
  const cells = reshape(x, columnsFirst ? [n, depth, block, block, h, w] : [n, block, block, depth, h, w]);
  return [computed(reshape(transpose(cells, columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]), [n, depth, h * block, w * block]))];
}

function eyeLike(context: Context): readonly ArrayValue[] {
  const [rows, columns] = context.array(0).shape as [number, number];
  const offset = context.attributes.int("k", 0);
  return [known("float", [rows, columns], Float64Array.from({ length: checkedSize([rows, columns]) }, (_, i) => Number((i % columns) - Math.floor(i / columns) === offset)))];
}

export const shapeOperators: Operators = {
  Shape: shapeOf,
  Size: (context) => [known("int", [], [sizeOf(context.array(0).shape)])],
  Reshape: reshapeTo,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Flatten: flatten,
  Transpose: transposed,
  Expand: expand,
  Tile: tile,
  Concat: joined,
  Split: splitIn,
  Slice: sliceOf,
  Pad: padded,
  Trilu: triangle,
  Range: range,
  ConstantOfShape: constantOfShape,
  EyeLike: eyeLike,
  CumSum: runningSum,
  DepthToSpace: (context) => spaced(context, false),
  SpaceToDepth: (context) => spaced(context, true),
};
