/**
 * Convolutions and pooling in the usual layout, in the forms that were fastest on the CPU;
 * images.ts has the blocked layout.
 */
import { sizeOf, type Convolution, type NodeOf, type Pooling, type Shape } from "../../../program/node.ts";
import { asPair, isPlain, isTiling, poolingWindows, windowsOf, type PlainConvolution } from "../../../program/windows.ts";
import type { Lowering } from "./rule.ts";
import type { OnnxNode } from "../model.ts";
import type { GraphWriter } from "./writer.ts";

type Image = readonly [batch: number, channels: number, height: number, width: number];

/** Attributes of Conv and ConvTranspose. */
export function convAttributes(convolution: Convolution): OnnxNode["attributes"] {
  const { strides, pads, dilations } = windowsOf(convolution);
  const { dilation, groups } = convolution;
  return {
    strides: { ints: strides },
    pads: { ints: pads },
    ...(dilation ? { dilations: { ints: dilations } } : {}),
    ...(groups ? { group: { int: groups } } : {}),
  };
}

/** Attributes of MaxPool. */
export function poolAttributes(pooling: Pooling): OnnxNode["attributes"] {
  const { strides, pads, dilations } = poolingWindows(pooling);
  return {
    kernel_shape: { ints: asPair(pooling.size) },
    strides: { ints: strides },
    ...(pooling.padding ? { pads: { ints: pads } } : {}),
    ...(pooling.dilation ? { dilations: { ints: dilations } } : {}),
  };
}

const shapeOf = (node: { readonly inputs: readonly { readonly shape: Shape }[] }, input: number) => node.inputs[input]!.shape as Image;

/** With an optional bias per output channel. */
const conv2d: Lowering<"conv2d"> = (node, [x, weight, bias], write) => {
  const biases = bias === undefined ? [] : [write.emit("Reshape", [bias, write.integers([node.shape[1]!])])];
  return write.emit("Conv", [x!, weight!, ...biases], convAttributes(node.attributes));
};

const conv2dInputGradient: Lowering<"conv2dInputGradient"> = (node, [g, weight], write) => {
  const { strides, pads, dilations } = windowsOf(node.attributes);
  const [g0, kernel] = [shapeOf(node, 0), shapeOf(node, 1)];
  const left = node.attributes.size.map(
    (n, axis) => n - ((g0[2 + axis]! - 1) * strides[axis]! + dilations[axis]! * (kernel[2 + axis]! - 1) + 1 - pads[axis]! - pads[axis + 2]!),
  );
  return write.emit("ConvTranspose", [g!, weight!], { ...convAttributes(node.attributes), output_padding: { ints: left } });
};

/** Bytes of patches processed at once: more would not stay in the cache between two operations. */
const cached = 800_000;

/** Splits several arrays along the batch into parts of at most `size` examples. */
function parts(values: readonly string[], batch: number, size: number, write: GraphWriter): { readonly count: number; readonly values: readonly string[] }[] {
  const counts = Array.from({ length: Math.ceil(batch / size) }, (_, i) => Math.min(size, batch - i * size));
  if (counts.length === 1) return [{ count: batch, values }];
  const split = values.map((value) => write.emitOnce("Split", [value, write.integers(counts)], counts.length, { axis: { int: 0 } }));
  return counts.map((count, i) => ({ count, values: split.map((names) => names[i]!) }));
}

const exchanged = (value: string, write: GraphWriter) => write.emit("Transpose", [value], { perm: { ints: [1, 0, 2, 3] } });

/**
 * For stride 1, as products of shifted images: x shifted by every kernel column,
 * `[columns * in, examples * rows * width]`, times g shifted by every kernel row. This takes
 * kh + kw copies, where patches at every kernel position would take kh * kw.
 */
function shiftedProducts(node: NodeOf<"conv2dWeightGradient">, { padding }: PlainConvolution, x: string, g: string, write: GraphWriter): string {
  const [batch, into, height] = shapeOf(node, 0);
  const [, out, rows, columns] = shapeOf(node, 1);
  const { kernel } = node.attributes;
  const width = shapeOf(node, 0)[3];
  const padded = height + 2 * padding;
  const size = Math.max(1, Math.floor(cached / (4 * kernel[1] * into * padded * columns)));
  const every = (n: number) => Array.from({ length: n }, (_, i) => i);
  let sums: readonly string[] | null = null;
  for (const { count, values } of parts([x, g], batch, size, write)) {
    const length = count * padded * columns;
    const flat = (value: string, channels: number) => write.emit("Reshape", [value, write.integers([channels, length])]);
    const [images, adjoints] = values.map((value) => exchanged(value, write)) as [string, string];
    const besides = every(kernel[1]).map((j) =>
      write.emit("Pad", [images, write.integers([0, 0, padding, padding - j, 0, 0, padding, j + columns - width - padding])]),
    );
    const shiftedImages = flat(write.emit("Concat", besides, { axis: { int: 0 } }), kernel[1] * into);
    const before: readonly string[] | null = sums;
    sums = every(kernel[0]).map((i) => {
      const below = write.emit("Pad", [adjoints, write.integers([0, 0, i, 0, 0, 0, padded - rows - i, 0])]);
      return write.emit("Gemm", [shiftedImages, flat(below, out), ...(before ? [before[i]!] : [])], { transB: { int: 1 } });
    });
  }
  const all = write.emit("Reshape", [write.emit("Concat", sums!, { axis: { int: 0 } }), write.integers([...kernel, into, out])]);
  return write.emit("Transpose", [all], { perm: { ints: [3, 2, 0, 1] } });
}

/**
 * Patches at every kernel position, `[examples, in * kh * kw, rows, columns]`: a depthwise
 * convolution with one-hot kernels.
 */
function patches(node: NodeOf<"conv2dWeightGradient">, images: string, write: GraphWriter): string {
  const channels = shapeOf(node, 0)[1];
  const [height, width] = node.attributes.kernel;
  const places = height * width;
  const ones = write.array(`patches${channels}x${height}x${width}`, [channels * places, 1, height, width], () => {
    const values = new Float32Array(channels * places * places);
    for (let channel = 0; channel < channels; channel++) {
      for (let place = 0; place < places; place++) values[(channel * places + place) * places + place] = 1;
    }
    return values;
  });
  return write.emit("Conv", [images, ones], { ...convAttributes(node.attributes), group: { int: channels } });
}

function patchProducts(node: NodeOf<"conv2dWeightGradient">, x: string, g: string, write: GraphWriter): string {
  const [batch, out, rows, columns] = shapeOf(node, 1);
  const { groups } = node.attributes;
  const patchSize = node.shape[1]! * node.shape[2]! * node.shape[3]!;
  const size = Math.max(1, Math.floor(cached / (4 * (groups ?? 1) * patchSize * rows * columns)));
  const products = parts([x, g], batch, size, write).map(({ count, values: [images, adjoints] }) => {
    const inGroups = groups ? [count, groups] : [count];
    const flat = (value: string, channels: number) => write.emit("Reshape", [value, write.integers([...inGroups, channels, rows * columns])]);
    const transposed = write.emit("Transpose", [flat(patches(node, images!, write), patchSize)], { perm: { ints: groups ? [0, 1, 3, 2] : [0, 2, 1] } });
    const product = write.emit("MatMul", [flat(adjoints!, out / (groups ?? 1)), transposed]);
    return write.emit("ReduceSum", [product, write.integers([0])], { keepdims: { int: 0 } });
  });
  const sum = products.length === 1 ? products[0]! : write.emit("Sum", products);
  return write.emit("Reshape", [sum, write.integers(node.shape)]);
}

/** Few channels make short rows of shifted images, on which products are slow. */
const conv2dWeightGradient: Lowering<"conv2dWeightGradient"> = (node, [x, g], write) => {
  const { attributes } = node;
  if (isPlain(attributes) && attributes.stride === 1 && node.shape[1]! >= 8) return shiftedProducts(node, attributes, x!, g!, write);
  return patchProducts(node, x!, g!, write);
};

/** Maxima and their indices in the whole image array, for the operation and its gradient. */
const pooled = (image: string, pooling: Pooling, write: GraphWriter) => write.emitOnce("MaxPool", [image], 2, poolAttributes(pooling));

const asList = (value: string, write: GraphWriter) => write.emit("Reshape", [value, write.integers([-1])]);

export const convolutionLowerings = {
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
  maxPool2d: ((node, [x], write) => pooled(x!, node.attributes, write)[0]!) satisfies Lowering<"maxPool2d">,
  maxPool2dGradient: ((node, [x, g], write) => {
    const places = pooled(x!, node.attributes, write)[1]!;
    if (isTiling(node.attributes)) return write.emit("MaxUnpool", [g!, places, write.integers(node.shape)], poolAttributes(node.attributes));
    const sums = write.emit("ScatterElements", [write.zeros([sizeOf(node.shape)]), asList(places, write), asList(g!, write)], { axis: { int: 0 }, reduction: { text: "add" } });
    return write.emit("Reshape", [sums, write.integers(node.shape)]);
  }) satisfies Lowering<"maxPool2dGradient">,
  atMaxima2d: ((node, [x, y], write) => write.emit("Gather", [asList(y!, write), pooled(x!, node.attributes, write)[1]!], { axis: { int: 0 } })) satisfies Lowering<"atMaxima2d">,
};
