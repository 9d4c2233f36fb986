/** Operations that only move values. */
import { makeNode, sameShape, shapeError, sizeOf, type Node, type Shape } from "../node.ts";
import { filled } from "./constants.ts";
import { along, nth, type Operation } from "./operation.ts";
import { sumTo } from "./reduction.ts";

/** Repeats x along missing axes and axes of size 1 until it has `shape`. */
export function broadcast(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const missing = shape.length - x.shape.length;
  const fits = missing >= 0 && x.shape.every((n, axis) => n === 1 || n === shape[axis + missing]);
  if (!fits) throw shapeError("broadcast", [x], `cannot become [${shape.join(", ")}]`);
  return makeNode("broadcast", [x], { shape }, shape, x.dtype);
}

export function reshape(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  if (sizeOf(x.shape) !== sizeOf(shape)) throw shapeError("reshape", [x], `cannot become [${shape.join(", ")}]`);
  return makeNode("reshape", [x], { shape }, shape, x.dtype);
}

/** Axis i of the result is axis `permutation[i]` of x; reverses the axes by default. */
export function transpose(x: Node, permutation: readonly number[] = x.shape.map((_, axis) => x.shape.length - 1 - axis)): Node {
  if ([...permutation].sort((a, b) => a - b).some((axis, i) => axis !== i) || permutation.length !== x.shape.length) {
    throw shapeError("transpose", [x], `[${permutation.join(", ")}] is not a permutation of its axes`);
  }
  return makeNode("transpose", [x], { permutation }, permutation.map((axis) => x.shape[axis]!), x.dtype);
}

const resized = (shape: Shape, axis: number, size: number): Shape => shape.map((n, a) => (a === axis ? size : n));

/**
 * Entries `start`, `start + step`, .. before `end` along one axis; with a negative step they go
 * down to `end` (excluded, -1 for the whole axis).
 */
export function slice(x: Node, axis: number, start: number, end: number, step = 1): Node {
  const size = x.shape[axis];
  if (!Number.isInteger(step) || step === 0) throw shapeError("slice", [x], `the step is ${step}; allowed: whole numbers except 0`);
  const count = Math.ceil((end - start) / step);
  const [low, high] = step > 0 ? [start, end - 1] : [end + 1, start];
  if (size === undefined || count < 1 || low < 0 || high >= size) {
    throw shapeError("slice", [x], `${start} to ${end} along axis ${axis} is out of range`);
  }
  if (step < 0) return reversed(slice(x, axis, start + (count - 1) * step, start + 1, -step), axis);
  if (count === size) return x;
  const attributes = step === 1 ? { axis, start, end } : { axis, start, end: start + (count - 1) * step + 1, step };
  return makeNode("slice", [x], count === 1 ? { axis, start, end: start + 1 } : attributes, resized(x.shape, axis, count), x.dtype);
}

function reversed(x: Node, axis: number): Node {
  const size = x.shape[axis]!;
  return size === 1 ? x : makeNode("slice", [x], { axis, start: size - 1, end: -1, step: -1 }, x.shape, x.dtype);
}

export function concat(parts: readonly Node[], axis: number): Node {
  const first = nth(parts, 0);
  if (parts.length === 1) return first;
  const fits = parts.every(
    (p) => p.dtype === first.dtype && p.shape.length === first.shape.length && p.shape.every((n, a) => a === axis || n === first.shape[a]),
  );
  if (!fits || axis < 0 || axis >= first.shape.length) throw shapeError("concat", parts, `do not fit along axis ${axis}`);
  const total = parts.reduce((sum, p) => sum + p.shape[axis]!, 0);
  return makeNode("concat", parts, { axis }, first.shape.map((n, a) => (a === axis ? total : n)), first.dtype);
}

function padded(x: Node, axis: number, before: number, after: number, value = 0): Node {
  const more = (size: number) => (size > 0 ? [filled(value, resized(x.shape, axis, size))] : []);
  return concat([...more(before), x, ...more(after)], axis);
}

/** Adds entries of `value` around x, a count for each axis; negative counts cut entries off. */
export function pad(x: Node, before: readonly number[], after: readonly number[], value = 0): Node {
  const counts = [...before, ...after];
  if (x.dtype !== "float" || before.length !== x.shape.length || after.length !== x.shape.length || !counts.every(Number.isInteger)) {
    throw shapeError("pad", [x], `needs a float input and whole numbers for ${x.shape.length} axes`);
  }
  return x.shape.reduce((whole, size, axis) => {
    const [first, last] = [before[axis]!, after[axis]!];
    if (size + Math.min(0, first) + Math.min(0, last) < 1) throw shapeError("pad", [x], `nothing of axis ${axis} is left`);
    const cut = slice(whole, axis, Math.max(0, -first), size + Math.min(0, last));
    return padded(cut, axis, Math.max(0, first), Math.max(0, last), value);
  }, x);
}

/** Parts of the given sizes along an axis. */
export function split(x: Node, axis: number, sizes: readonly number[]): Node[] {
  if (sizes.reduce((sum, size) => sum + size, 0) !== x.shape[axis]) throw shapeError("split", [x], `parts of ${sizes.join(" + ")} do not fit along axis ${axis}`);
  let end = 0;
  return sizes.map((size) => slice(x, axis, end, (end += size)));
}

/** Inserts `step - 1` zeros between the entries of an axis. */
function spread(x: Node, axis: number, step: number): Node {
  const [before, size, after] = [x.shape.slice(0, axis), x.shape[axis]!, x.shape.slice(axis + 1)];
  const column = reshape(x, [...before, size, 1, ...after]);
  const whole = reshape(padded(column, axis + 1, 0, step - 1), [...before, size * step, ...after]);
  return slice(whole, axis, 0, (size - 1) * step + 1);
}

export interface CumulativeSum {
  /** Whether an entry leaves itself out of its sum. */
  readonly exclusive?: boolean;
  /** Whether the sums start at the end of the axis. */
  readonly reverse?: boolean;
}

/** Sum of the entries up to each entry along an axis. */
export function cumulativeSum(x: Node, axis: number, { exclusive = false, reverse = false }: CumulativeSum = {}): Node {
  if (x.dtype !== "float" || x.shape[axis] === undefined) throw shapeError("cumulativeSum", [x], `needs a float input with an axis ${axis}`);
  return makeNode("cumulativeSum", [x], { axis, exclusive, reverse }, x.shape);
}

export const movement = {
  broadcast: {
    rebuild: (inputs, { shape }) => broadcast(nth(inputs, 0), shape),
    gradient: (node, g) => [sumTo(g, nth(node.inputs, 0).shape)],
    tangent: ({ attributes: { shape } }, [t]) => along(t, (of) => broadcast(of, shape)),
  } satisfies Operation<"broadcast">,
  reshape: {
    rebuild: (inputs, { shape }) => reshape(nth(inputs, 0), shape),
    gradient: (node, g) => [reshape(g, nth(node.inputs, 0).shape)],
    tangent: ({ attributes: { shape } }, [t]) => along(t, (of) => reshape(of, shape)),
  } satisfies Operation<"reshape">,
  transpose: {
    rebuild: (inputs, { permutation }) => transpose(nth(inputs, 0), permutation),
    gradient: ({ attributes: { permutation } }, g) => [transpose(g, permutation.map((_, axis) => permutation.indexOf(axis)))],
    tangent: ({ attributes: { permutation } }, [t]) => along(t, (of) => transpose(of, permutation)),
  } satisfies Operation<"transpose">,
  slice: {
    rebuild: (inputs, { axis, start, end, step }) => slice(nth(inputs, 0), axis, start, end, step),
    gradient: (node, g) => {
      const { axis, start, end, step = 1 } = node.attributes;
      if (step < 0) return [reversed(g, axis)];
      const entries = step === 1 ? g : spread(g, axis, step);
      return [padded(entries, axis, start, nth(node.inputs, 0).shape[axis]! - end)];
    },
    tangent: ({ attributes: { axis, start, end, step } }, [t]) => along(t, (of) => slice(of, axis, start, end, step)),
  } satisfies Operation<"slice">,
  concat: {
    rebuild: (inputs, { axis }) => concat(inputs, axis),
    gradient: (node, g) => {
      const { axis } = node.attributes;
      let end = 0;
      return node.inputs.map((part) => slice(g, axis, end, (end += part.shape[axis]!)));
    },
    tangent: ({ inputs, attributes: { axis } }, tangents) => concat(inputs.map(({ shape }, i) => tangents[i] ?? filled(0, shape)), axis),
  } satisfies Operation<"concat">,
  cumulativeSum: {
    rebuild: (inputs, attributes) => cumulativeSum(nth(inputs, 0), attributes.axis, attributes),
    gradient: ({ attributes }, g) => [cumulativeSum(g, attributes.axis, { ...attributes, reverse: !attributes.reverse })],
    tangent: ({ attributes }, [t]) => along(t, (of) => cumulativeSum(of, attributes.axis, attributes)),
  } satisfies Operation<"cumulativeSum">,
};
