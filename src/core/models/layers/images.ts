import { sizeOf, type Node, type Shape } from "../../program/node.ts";
import { add, avgPool2d, concat, constant, conv1d, conv2d, convTranspose2d, filled, globalMaxPool, maxPool2d, mul, reduceSum, reshape, slice, transpose } from "../../program/operations/index.ts";
import { poolStride } from "../../../shared/models/convolutionLayers.ts";
import { batchOf, rows, type Activations } from "../activations.ts";
import type { Apply, Scope } from "./layer.ts";

/** Adds a bias per channel, if there is one, to `[batch, channels, ...places]`. */
function biased(product: Node, bias: boolean, scope: Scope): Node {
  if (!bias) return product;
  const [, channels, ...places] = product.shape;
  return add(product, reshape(scope.parameter("bias"), [channels!, ...places.map(() => 1)]));
}

/** Weight `[out, in / groups, kernel, kernel]`, as PyTorch's nn.Conv2d. */
const convolution: Apply<"conv2d"> = (x, config, scope) => batchOf(biased(conv2d(rows(x), scope.parameter("weight"), config), config.bias, scope));

/** Weight `[in, out / groups, kernel, kernel]`, as PyTorch's nn.ConvTranspose2d. */
const transposed: Apply<"convTranspose2d"> = (x, config, scope) =>
  batchOf(biased(convTranspose2d(rows(x), scope.parameter("weight"), config), config.bias, scope));

/** Along the steps, with weight `[out, in / groups, kernel]`, as PyTorch's nn.Conv1d. */
const alongSteps: Apply<"conv1d"> = (x, config, scope) => {
  const product = conv1d(transpose(rows(x), [0, 2, 1]), scope.parameter("weight"), config);
  return batchOf(transpose(biased(product, config.bias, scope), [0, 2, 1]));
};

const maxPool: Apply<"maxPool"> = (x, config) => batchOf(maxPool2d(rows(x), { ...config, stride: poolStride(config) }));

const avgPool: Apply<"avgPool"> = (x, config) => batchOf(avgPool2d(rows(x), { ...config, stride: poolStride(config) }));

const globalMax: Apply<"globalMaxPool"> = (x, _, __, { output }) => batchOf(reshape(globalMaxPool(rows(x)), [x.batch, ...output.shape]));

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

export const imageLayers = { conv2d: convolution, conv1d: alongSteps, convTranspose2d: transposed, maxPool, avgPool, globalAvgPool, globalMaxPool: globalMax };
