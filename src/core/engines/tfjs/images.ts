/**
 * Convolutions and pools as TensorFlow.js kernels. Backends differ in the strides, dilations and
 * groups that their kernels know, so what is not plain becomes patches and products.
 */
import type { NodeOf, OpName, Pair } from "../../program/node.ts";
import { asPair, entriesUnder, isPlain, isTiling, poolingWindows, windowsOf, type PlainConvolution, type Windows } from "../../program/windows.ts";
import { tf, type Tensor, type Tensor4D } from "./core.ts";

type Kernel<N extends OpName> = (node: NodeOf<N>, inputs: readonly Tensor[]) => Tensor;
type Image = [batch: number, channels: number, height: number, width: number];

/**
 * Programs use [batch, channels, height, width]; most backends convolve only [batch, height, width,
 * channels].
 */
const toLast = (x: Tensor) => tf.transpose(x, [0, 2, 3, 1]) as Tensor4D;
const toFirst = (x: Tensor) => tf.transpose(x, [0, 3, 1, 2]);
/** Weights [out, in, h, w] to [h, w, in, out]. */
const filterOf = (weight: Tensor) => tf.transpose(weight, [2, 3, 1, 0]) as Tensor4D;

/** Pads explicitly, because backends differ in the paddings they support. */
const padded = (x: Tensor4D, { padding }: PlainConvolution) => (padding === 0 ? x : tf.pad(x, [[0, 0], [padding, padding], [padding, padding], [0, 0]]));

/** int32 first: the wasm backend writes an integer's bits into a float. Fewer than 2 classes are refused by tfjs. */
export function oneHot(indices: Tensor, classes: number): Tensor {
  const rows = tf.cast(tf.oneHot(indices, Math.max(2, classes), 1, 0, "int32"), "float32");
  return classes > 1 ? rows : tf.slice(rows, rows.shape.map(() => 0), [...indices.shape, 1]);
}

const integers = (values: number[]) => tf.tensor1d(values, "int32");

/**
 * What lies under every entry of a kernel at every position, `[batch * channels, kh, kw, oh, ow]`.
 * @param fill value of the padding
 */
function patches(x: Tensor, [kh, kw]: Pair, [oh, ow]: Pair, windows: Windows, fill: number): Tensor {
  const [batch, channels, height, width] = x.shape as Image;
  const [top, left, bottom, right] = windows.pads;
  const whole = tf.pad(tf.reshape(x, [batch * channels, height, width]), [[0, 0], [top, bottom], [left, right]], fill);
  const rows = entriesUnder(oh, kh, windows, 0).map((row) => row + top);
  const columns = entriesUnder(ow, kw, windows, 1).map((column) => column + left);
  const picked = tf.gather(tf.gather(whole, integers(rows), 1), integers(columns), 2);
  return tf.transpose(tf.reshape(picked, [batch * channels, oh, kh, ow, kw]), [0, 2, 4, 1, 3]);
}

/** The adjoint of patches: adds every entry where it lies in the image. */
function joinedPatches(x: Tensor, shape: Image, windows: Windows): Tensor {
  const [planes, kh, kw, oh, ow] = x.shape as [number, number, number, number, number];
  const [, , height, width] = shape;
  const laid = tf.reshape(tf.transpose(x, [0, 3, 1, 4, 2]), [planes * oh * kh, ow * kw]);
  // An entry in the padding is outside the one-hot row: it is added nowhere.
  const columns = oneHot(integers(entriesUnder(ow, kw, windows, 1)), width);
  const rows = oneHot(integers(entriesUnder(oh, kh, windows, 0)), height);
  const across = tf.reshape(tf.matMul(laid, columns), [planes, oh * kh, width]);
  return tf.reshape(tf.matMul(tf.expandDims(rows, 0), across, true, false), shape);
}

/** `[batch, rows, places]` to `[groups, rows / groups, batch * places]`. */
function inGroups(x: Tensor, groups: number): Tensor {
  const [batch, rows, places] = x.shape as [number, number, number];
  return tf.reshape(tf.transpose(x, [1, 0, 2]), [groups, rows / groups, batch * places]);
}

/** The inverse of inGroups. */
function outOfGroups(x: Tensor, batch: number): Tensor {
  const [groups, rows, columns] = x.shape as [number, number, number];
  return tf.transpose(tf.reshape(x, [groups * rows, batch, columns / batch]), [1, 0, 2]);
}

interface Product {
  readonly groups: number;
  /** `[groups, in / groups * kh * kw, batch * places]`. */
  readonly columns: (x: Tensor) => Tensor;
  /** `[groups, out / groups, ...]`. */
  readonly filters: (x: Tensor) => Tensor;
  readonly adjoints: (g: Tensor) => Tensor;
}

/** A convolution as a product of filters with patches. */
function product({ attributes }: NodeOf<"conv2d" | "conv2dInputGradient" | "conv2dWeightGradient">, weight: readonly number[], result: readonly number[]): Product {
  const { groups = 1 } = attributes;
  const [out, into, kh, kw] = weight as Image;
  const [batch, , oh, ow] = result as Image;
  const rows = into * groups * kh * kw;
  return {
    groups,
    columns: (x) => inGroups(tf.reshape(patches(x, [kh, kw], [oh, ow], windowsOf(attributes), 0), [batch, rows, oh * ow]), groups),
    filters: (w) => tf.reshape(w, [groups, out / groups, rows / groups]),
    adjoints: (g) => inGroups(tf.reshape(g, [batch, out, oh * ow]), groups),
  };
}

const conv2d: Kernel<"conv2d"> = (node, [x, weight]) => {
  const { attributes } = node;
  if (isPlain(attributes)) return toFirst(tf.conv2d(padded(toLast(x!), attributes), filterOf(weight!), attributes.stride, "valid"));
  const { columns, filters } = product(node, weight!.shape, node.shape);
  return tf.reshape(outOfGroups(tf.matMul(filters(weight!), columns(x!)), node.shape[0]!), [...node.shape]);
};

const conv2dInputGradient: Kernel<"conv2dInputGradient"> = (node, [g, weight]) => {
  const [batch, channels] = node.shape as Image;
  const { attributes } = node;
  const { size } = attributes;
  if (!isPlain(attributes)) {
    const { filters, adjoints } = product(node, weight!.shape, g!.shape);
    const columns = outOfGroups(tf.matMul(filters(weight!), adjoints(g!), true, false), batch);
    const sizes = [batch * channels, ...weight!.shape.slice(2), ...g!.shape.slice(2)];
    return joinedPatches(tf.reshape(columns, sizes), node.shape as Image, windowsOf(attributes));
  }
  const { padding, stride } = attributes;
  const [height, width] = [size[0] + 2 * padding, size[1] + 2 * padding];
  const options = { strides: stride, pad: "valid", dataFormat: "NHWC", inputShape: [batch, height, width, channels] };
  const whole = tf.engine().runKernel("Conv2DBackpropInput", { dy: toLast(g!), filter: filterOf(weight!) }, options) as Tensor;
  return toFirst(padding === 0 ? whole : tf.slice(whole, [0, padding, padding, 0], [batch, size[0], size[1], channels]));
};

/**
 * Convolves the image, its channels as the batch, with the adjoint as kernel; the stride becomes a
 * dilation.
 */
const conv2dWeightGradient: Kernel<"conv2dWeightGradient"> = (node, [x, g]) => {
  const { attributes } = node;
  const { kernel } = attributes;
  if (!isPlain(attributes)) {
    const { columns, adjoints } = product(node, node.shape, g!.shape);
    return tf.reshape(tf.matMul(adjoints(g!), columns(x!), false, true), [...node.shape]);
  }
  const [out, channels] = node.shape as Image;
  const image = tf.transpose(padded(toLast(x!), attributes), [3, 1, 2, 0]) as Tensor4D;
  const filter = tf.transpose(g!, [2, 3, 0, 1]) as Tensor4D;
  const all = tf.conv2d(image, filter, 1, "valid", "NHWC", attributes.stride);
  // Rows and columns of the image that the kernel never reached make the result larger.
  return tf.transpose(tf.slice(all, [0, 0, 0, 0], [channels, kernel[0], kernel[1], out]), [3, 0, 1, 2]);
};

type Pooled = NodeOf<"maxPool2d" | "maxPool2dGradient" | "atMaxima2d">;

/** Windows of an image as rows: [batch, channels, out h, out w, pixels of a window]. */
function windowRows(x: Tensor, { attributes }: Pooled, [oh, ow]: Pair, fill: number): Tensor {
  const [batch, channels, height, width] = x.shape as Image;
  const [kh, kw] = asPair(attributes.size);
  if (!isTiling(attributes)) {
    const rows = tf.transpose(patches(x, [kh, kw], [oh, ow], poolingWindows(attributes), fill), [0, 3, 4, 1, 2]);
    return tf.reshape(rows, [batch, channels, oh, ow, kh * kw]);
  }
  const whole = height === oh * kh && width === ow * kw ? x : tf.slice(x, [0, 0, 0, 0], [batch, channels, oh * kh, ow * kw]);
  const cut = tf.transpose(tf.reshape(whole, [batch * channels, oh, kh, ow, kw]), [0, 1, 3, 2, 4]);
  return tf.reshape(cut, [batch, channels, oh, ow, kh * kw]);
}

const placesOf = (pooled: Tensor) => pooled.shape.slice(2) as [number, number];

/** 1 at each window's maximum; argMax returns the first of equals, as PyTorch does. */
function maxima(x: Tensor, node: Pooled, places: Pair): Tensor {
  const [kh, kw] = asPair(node.attributes.size);
  return oneHot(tf.argMax(windowRows(x, node, places, -Infinity), 4), kh * kw);
}

const maxPool2dGradient: Kernel<"maxPool2dGradient"> = (node, [x, g]) => {
  const { attributes } = node;
  const [batch, channels, height, width] = node.shape as Image;
  const [kh, kw] = asPair(attributes.size);
  const [oh, ow] = placesOf(g!);
  const spread = tf.reshape(tf.mul(maxima(x!, node, [oh, ow]), tf.expandDims(g!, 4)), [batch * channels, oh, ow, kh, kw]);
  if (!isTiling(attributes)) return joinedPatches(tf.transpose(spread, [0, 3, 4, 1, 2]), node.shape as Image, poolingWindows(attributes));
  const whole = tf.reshape(tf.transpose(spread, [0, 1, 3, 2, 4]), [batch, channels, oh * kh, ow * kw]);
  return height === oh * kh && width === ow * kw ? whole : tf.pad(whole, [[0, 0], [0, 0], [0, height - oh * kh], [0, width - ow * kw]]);
};

export const imageKernels = {
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
  maxPool2d: ((node, [x]) => tf.max(windowRows(x!, node, node.shape.slice(2) as unknown as Pair, -Infinity), 4)) satisfies Kernel<"maxPool2d">,
  maxPool2dGradient,
  atMaxima2d: ((node, [x, y]) => {
    const places = node.shape.slice(2) as unknown as Pair;
    return tf.sum(tf.mul(maxima(x!, node, places), windowRows(y!, node, places, 0)), 4);
  }) satisfies Kernel<"atMaxima2d">,
};
