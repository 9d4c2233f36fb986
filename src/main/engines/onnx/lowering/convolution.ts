/** Convolutions and pooling in ONNX, each in the form that was fastest on the CPU. */
import type { Convolution, NodeOf } from "../../../program/node.ts";
import type { Lowering } from "../lowering.ts";
import type { OnnxAttribute } from "../model.ts";

const strides = ({ stride }: Convolution): OnnxAttribute => ({ ints: [stride, stride] });
const pads = ({ padding }: Convolution): OnnxAttribute => ({ ints: [padding, padding, padding, padding] });
const square = (size: number) => ({ kernel_shape: { ints: [size, size] }, strides: { ints: [size, size] } });

/**
 * The patches under every place of the kernel, `[batch, channels * kh * kw, oh, ow]`: a
 * convolution of each channel with kernels of a single 1. Copying the patches with Slice took longer.
 */
const patches = (
  { inputs, attributes }: NodeOf<"conv2dWeightGradient">,
  image: string,
  write: Parameters<Lowering<"conv2dWeightGradient">>[2],
): string => {
  const channels = inputs[0]!.shape[1]!;
  const [height, width] = attributes.kernel;
  const places = height * width;
  const ones = write.array(`patches${channels}x${height}x${width}`, [channels * places, 1, height, width], () => {
    const values = new Float32Array(channels * places * places);
    for (let channel = 0; channel < channels; channel++) {
      for (let place = 0; place < places; place++) values[(channel * places + place) * places + place] = 1;
    }
    return values;
  });
  return write.emit("Conv", [image, ones], { group: { int: channels }, strides: strides(attributes), pads: pads(attributes) });
};

const conv2dWeightGradient: Lowering<"conv2dWeightGradient"> = (node, [x, g], write) => {
  const [batch, out, rows, columns] = node.inputs[1]!.shape as [number, number, number, number];
  const patchSize = node.shape[1]! * node.shape[2]! * node.shape[3]!;
  const flat = (value: string, channels: number) => write.emit("Reshape", [value, write.integers([batch, channels, rows * columns])]);
  const columnsOfPatches = write.emit("Transpose", [flat(patches(node, x!, write), patchSize)], { perm: { ints: [0, 2, 1] } });
  const products = write.emit("MatMul", [flat(g!, out), columnsOfPatches]);
  const sum = write.emit("ReduceSum", [products, write.integers([0])], { keepdims: { int: 0 } });
  return write.emit("Reshape", [sum, write.integers(node.shape)]);
};

/** Maxima and where they stand, for the operation and its gradient. */
const pooled = (image: string, size: number, write: Parameters<Lowering<"maxPool2d">>[2]) => write.emitOnce("MaxPool", [image], 2, square(size));

export const convolutionLowerings = {
  conv2d: (({ attributes }, inputs, write) =>
    write.emit("Conv", inputs, { strides: strides(attributes), pads: pads(attributes) })) satisfies Lowering<"conv2d">,
  conv2dInputGradient: ((node, [g, weight], write) => {
    const { size, stride, padding } = node.attributes;
    const left = size.map((n, axis) => n - ((node.inputs[0]!.shape[2 + axis]! - 1) * stride + node.inputs[1]!.shape[2 + axis]! - 2 * padding));
    return write.emit("ConvTranspose", [g!, weight!], {
      strides: strides(node.attributes),
      pads: pads(node.attributes),
      output_padding: { ints: left },
    });
  }) satisfies Lowering<"conv2dInputGradient">,
  conv2dWeightGradient,
  maxPool2d: ((node, [x], write) => pooled(x!, node.attributes.size, write)[0]!) satisfies Lowering<"maxPool2d">,
  maxPool2dGradient: ((node, [x, g], write) => {
    const { size } = node.attributes;
    const places = pooled(x!, size, write)[1]!;
    return write.emit("MaxUnpool", [g!, places, write.integers(node.shape)], square(size));
  }) satisfies Lowering<"maxPool2dGradient">,
};
