/**
 * Lowerings for devices where they differ from the CPU's: fewer, larger operations, supported by
 * every graphics provider.
 */
import { sizeOf, type NodeOf, type Shape } from "../../../program/node.ts";
import type { Lowering } from "./rule.ts";
import { onnxType } from "../model.ts";
import type { GraphWriter } from "./writer.ts";

type Image = readonly [batch: number, channels: number, height: number, width: number];

/**
 * Convolves the image, its channels as the batch, with the adjoint as kernel; the stride becomes a
 * dilation.
 */
const conv2dWeightGradient: Lowering<"conv2dWeightGradient"> = (node, [x, g], write) => {
  const { stride, padding } = node.attributes;
  const exchanged = (value: string) => write.emit("Transpose", [value], { perm: { ints: [1, 0, 2, 3] } });
  const all = write.emit("Conv", [exchanged(x!), exchanged(g!)], {
    dilations: { ints: [stride, stride] },
    pads: { ints: [padding, padding, padding, padding] },
  });
  // Rows and columns of the image that the kernel never reached make the result larger.
  const [out, into, height, width] = node.shape as Image;
  const whole = write.emit("Slice", [all, write.integers([0, 0]), write.integers([height, width]), write.integers([2, 3])]);
  return write.emit("Transpose", [write.emit("Reshape", [whole, write.integers([into, out, height, width])])], { perm: { ints: [1, 0, 2, 3] } });
};

const square = (size: number) => ({ kernel_shape: { ints: [size, size] }, strides: { ints: [size, size] } });

/** Transposes to rows of windows, `[batch, channels, out h, out w, size * size]`, and back. */
const turn = { perm: { ints: [0, 1, 3, 2, 4] } };

function windows(x: string, [batch, channels]: Image, [h, w]: readonly [number, number], size: number, write: GraphWriter): string {
  const whole = write.emit("Slice", [x, write.integers([0, 0]), write.integers([h * size, w * size]), write.integers([2, 3])]);
  const cut = write.emit("Transpose", [write.emit("Reshape", [whole, write.integers([batch * channels, h, size, w, size])])], turn);
  return write.emit("Reshape", [cut, write.integers([batch, channels, h, w, size * size])]);
}

/** The gradient goes to the first of equal maxima, as in PyTorch. */
const maxPool2dGradient: Lowering<"maxPool2dGradient"> = (node, [x, g], write) => {
  const { size } = node.attributes;
  const shape = node.shape as Image;
  const [batch, channels, height, width] = shape;
  const [h, w] = gradientShape(node).slice(2) as [number, number];
  const first = write.emit("ArgMax", [windows(x!, shape, [h, w], size, write)], { axis: { int: 4 }, keepdims: { int: 1 } });
  const hit = write.emit("Equal", [write.emit("Cast", [first], { to: { int: onnxType.int32 } }), write.iota(size * size)]);
  const column = write.emit("Reshape", [g!, write.integers([batch, channels, h, w, 1])]);
  const spread = write.emit("Mul", [write.emit("Cast", [hit], { to: { int: onnxType.float } }), column]);
  const back = write.emit("Transpose", [write.emit("Reshape", [spread, write.integers([batch * channels, h, w, size, size])])], turn);
  const whole = write.emit("Reshape", [back, write.integers([batch, channels, h * size, w * size])]);
  if (sizeOf([h * size, w * size]) === sizeOf([height, width])) return whole;
  return write.emit("Pad", [whole, write.integers([0, 0, 0, 0, 0, 0, height - h * size, width - w * size])]);
};

const gradientShape = (node: NodeOf<"maxPool2dGradient">): Shape => node.inputs[1]!.shape;

/** Expanded: the WebGPU provider has no kernel for it, and a step would wait for the CPU twice. */
const logSoftmax: Lowering<"logSoftmax"> = ({ attributes: { axis } }, [x], write) => {
  const line = write.integers([axis]);
  const over = { keepdims: { int: 1 } };
  const shifted = write.emit("Sub", [x!, write.emit("ReduceMax", [x!, line], over)]);
  return write.emit("Sub", [shifted, write.emit("Log", [write.emit("ReduceSum", [write.emit("Exp", [shifted]), line], over)])]);
};

export const deviceLowerings = {
  logSoftmax,
  conv2dWeightGradient,
  maxPool2d: ((node, inputs, write) => write.emit("MaxPool", inputs, square(node.attributes.size))) satisfies Lowering<"maxPool2d">,
  maxPool2dGradient,
};
