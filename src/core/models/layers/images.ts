import { sizeOf, type Node, type Shape } from "../../program/node.ts";
import { add, avgPool2d, concat, constant, conv2d, filled, maxPool2d, mul, reduceSum, reshape, slice } from "../../program/operations/index.ts";
import { rows, type Activations } from "../activations.ts";
import type { Apply } from "./layer.ts";

/** Weight `[out, in, kernel, kernel]`, as PyTorch's nn.Conv2d. */
const convolution: Apply<"conv2d"> = (x, { stride, padding, bias }, scope, { output }) => {
  const weight = scope.parameter("weight");
  const product = conv2d(rows(x), weight, { stride, padding });
  return { ...x, node: bias ? add(product, reshape(scope.parameter("bias"), [weight.shape[0]!, 1, 1])) : product, shape: output.shape, layout: "rows" };
};

const maxPool: Apply<"maxPool"> = (x, { size }, _, { output }) => ({ ...x, node: maxPool2d(rows(x), size), shape: output.shape, layout: "rows" });

const avgPool: Apply<"avgPool"> = (x, { size }, _, { output }) => ({ ...x, node: avgPool2d(rows(x), size), shape: output.shape, layout: "rows" });

const globalAvgPool: Apply<"globalAvgPool"> = (x, _, __, { output }) => ({
  ...x,
  node: mul(constant(sizeOf(output.shape) / sizeOf(x.shape)), reduceSum(rows(x), [2, 3])),
  shape: output.shape,
  layout: "rows",
});

/** Every `stride`th entry along an axis, starting with the first. */
function thinned(x: Node, axis: number, stride: number): Node {
  if (stride === 1) return x;
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + 1);
  const places = Math.ceil(x.shape[axis]! / stride);
  const missing = places * stride - x.shape[axis]!;
  const whole = missing > 0 ? concat([x, filled(0, [...before, missing, ...after])], axis) : x;
  return reshape(slice(reshape(whole, [...before, places, stride, ...after]), axis + 1, 0, 1), [...before, places, ...after]);
}

/**
 * Shortcut of a residual block. Where shapes differ: strided, and zero-padded channels on both
 * sides (option A of He et al. 2016).
 */
function shortcut(x: Activations, shape: Shape): Node {
  if (x.shape.every((n, axis) => n === shape[axis])) return rows(x);
  const [channels, height, width] = shape as [number, number, number];
  const [from, rowsBefore, columnsBefore] = x.shape as [number, number, number];
  const small = thinned(thinned(rows(x), 2, Math.ceil(rowsBefore / height)), 3, Math.ceil(columnsBefore / width));
  const zeros = (count: number) => (count > 0 ? [filled(0, [x.batch, count, height, width])] : []);
  const before = Math.floor((channels - from) / 2);
  return concat([...zeros(before), small, ...zeros(channels - from - before)], 1);
}

/** Output of a residual block: its input plus what its layers make of it. */
export function residual(x: Activations, body: Activations): Activations {
  if (x.layout === body.layout && x.layout !== "rows") return { ...body, node: add(body.node, x.node) };
  return { ...body, node: add(rows(body), shortcut(x, body.shape)), layout: "rows" };
}

export const imageLayers = { conv2d: convolution, maxPool, avgPool, globalAvgPool };
