/** Operations that only move values. */
import { makeNode, sameShape, shapeError, sizeOf, type Node, type Shape } from "../node.ts";
import { filled } from "./elementwise.ts";
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

/** Entries `start` to `end` (excluded) along one axis. */
export function slice(x: Node, axis: number, start: number, end: number): Node {
  const size = x.shape[axis];
  if (size === undefined || start < 0 || end > size || start >= end) {
    throw shapeError("slice", [x], `${start} to ${end} along axis ${axis} is out of range`);
  }
  if (start === 0 && end === size) return x;
  return makeNode("slice", [x], { axis, start, end }, x.shape.map((n, a) => (a === axis ? end - start : n)), x.dtype);
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

/** Pads one axis with zeros: the adjoint of slice. */
function padded(x: Node, axis: number, before: number, after: number): Node {
  const zeros = (size: number) => (size > 0 ? [filled(0, x.shape.map((n, a) => (a === axis ? size : n)))] : []);
  return concat([...zeros(before), x, ...zeros(after)], axis);
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
    rebuild: (inputs, { axis, start, end }) => slice(nth(inputs, 0), axis, start, end),
    gradient: (node, g) => {
      const { axis, start, end } = node.attributes;
      return [padded(g, axis, start, nth(node.inputs, 0).shape[axis]! - end)];
    },
    tangent: ({ attributes: { axis, start, end } }, [t]) => along(t, (of) => slice(of, axis, start, end)),
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
};
