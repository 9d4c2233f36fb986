/**
 * Lowerings for devices where they differ from the CPU's: fewer, larger operations, supported by
 * every graphics provider.
 */
import { sizeOf, type NodeOf, type Pair } from "../../../program/node.ts";
import { asPair, entriesUnder, isPlain, isTiling, poolingWindows, windowsOf, type Windows } from "../../../program/windows.ts";
import { convolutionLowerings, poolAttributes } from "./convolution.ts";
import type { Lowering } from "./rule.ts";
import { onnxType } from "../model.ts";
import type { GraphWriter } from "./writer.ts";

type Image = readonly [batch: number, channels: number, height: number, width: number];

/**
 * Convolves the image, its channels as the batch, with the adjoint as kernel; the stride becomes a
 * dilation, and a dilation the stride.
 */
const conv2dWeightGradient: Lowering<"conv2dWeightGradient"> = (node, [x, g], write) => {
  const { groups } = node.attributes;
  const { strides, pads, dilations } = windowsOf(node.attributes);
  const exchanged = (value: string) => write.emit("Transpose", [value], { perm: { ints: [1, 0, 2, 3] } });
  const image = groups ? channelsOfGroups(x!, node.inputs[0]!.shape as Image, groups, write) : exchanged(x!);
  const all = write.emit("Conv", [image, exchanged(g!)], {
    dilations: { ints: strides },
    pads: { ints: pads },
    ...(dilations.every((n) => n === 1) ? {} : { strides: { ints: dilations } }),
    ...(groups ? { group: { int: groups } } : {}),
  });
  // Rows and columns of the image that the kernel never reached make the result larger.
  const [out, into, height, width] = node.shape as Image;
  const whole = write.emit("Slice", [all, write.integers([0, 0]), write.integers([height, width]), write.integers([2, 3])]);
  return write.emit("Transpose", [write.emit("Reshape", [whole, write.integers([into, out, height, width])])], { perm: { ints: [1, 0, 2, 3] } });
};

/** `[batch, channels, h, w]` to `[channels / groups, groups * batch, h, w]`. */
function channelsOfGroups(x: string, [batch, channels, height, width]: Image, groups: number, write: GraphWriter): string {
  const split = write.emit("Reshape", [x, write.integers([batch, groups, channels / groups, height * width])]);
  const moved = write.emit("Transpose", [split], { perm: { ints: [2, 1, 0, 3] } });
  return write.emit("Reshape", [moved, write.integers([channels / groups, groups * batch, height, width])]);
}

type Pooled = NodeOf<"maxPool2dGradient" | "atMaxima2d">;

/** Transposes to rows of windows, `[planes, out h, out w, kh, kw]`, and back. */
const turn = { perm: { ints: [0, 1, 3, 2, 4] } };

/** Rows or columns of an image under every entry of every window; the padding is `fill`. */
function under(x: string, node: Pooled, [h, w]: Pair, fill: number, write: GraphWriter): string {
  const [kh, kw] = asPair(node.attributes.size);
  if (isTiling(node.attributes)) return write.emit("Slice", [x, write.integers([0, 0]), write.integers([h * kh, w * kw]), write.integers([2, 3])]);
  const windows = poolingWindows(node.attributes);
  const [top, left, bottom, right] = windows.pads;
  const whole = node.attributes.padding ? write.emit("Pad", [x, write.integers([0, 0, top, left, 0, 0, bottom, right]), write.float(fill)]) : x;
  const picked = (value: string, axis: 0 | 1, count: number, kernel: number) =>
    write.emit("Gather", [value, write.integers(entriesUnder(count, kernel, windows, axis).map((at) => at + windows.pads[axis]))], { axis: { int: 2 + axis } });
  return picked(picked(whole, 0, h, kh), 1, w, kw);
}

/** Windows as rows, `[batch, channels, out h, out w, pixels of a window]`. */
function windowRows(x: string, node: Pooled, places: Pair, fill: number, write: GraphWriter): string {
  const [batch, channels] = node.inputs[0]!.shape as Image;
  const [kh, kw] = asPair(node.attributes.size);
  const laid = write.emit("Reshape", [under(x, node, places, fill, write), write.integers([batch * channels, places[0], kh, places[1], kw])]);
  return write.emit("Reshape", [write.emit("Transpose", [laid], turn), write.integers([batch, channels, ...places, kh * kw])]);
}

const lowest = -3.4028234663852886e38;

/** 1 at each window's maximum, the first among equals, as in PyTorch. */
function maxima(x: string, node: Pooled, places: Pair, write: GraphWriter): string {
  const [kh, kw] = asPair(node.attributes.size);
  const first = write.emit("ArgMax", [windowRows(x, node, places, lowest, write)], { axis: { int: 4 }, keepdims: { int: 1 } });
  const hit = write.emit("Equal", [write.emit("Cast", [first], { to: { int: onnxType.int32 } }), write.iota(kh * kw)]);
  return write.emit("Cast", [hit], { to: { int: onnxType.float } });
}

const maxPool2dGradient: Lowering<"maxPool2dGradient"> = (node, [x, g], write) => {
  const { attributes } = node;
  const [batch, channels, height, width] = node.shape as Image;
  const [kh, kw] = asPair(attributes.size);
  const [h, w] = node.inputs[1]!.shape.slice(2) as [number, number];
  const column = write.emit("Reshape", [g!, write.integers([batch, channels, h, w, 1])]);
  const spread = write.emit("Mul", [maxima(x!, node, [h, w], write), column]);
  const back = write.emit("Transpose", [write.emit("Reshape", [spread, write.integers([batch * channels, h, w, kh, kw])])], turn);
  const laid = write.emit("Reshape", [back, write.integers([batch, channels, h * kh, w * kw])]);
  if (!isTiling(attributes)) {
    return addedUp(laid, poolingWindows(attributes), [kh, kw], [h, w], [height, width], write);
  }
  if (sizeOf([h * kh, w * kw]) === sizeOf([height, width])) return laid;
  return write.emit("Pad", [laid, write.integers([0, 0, 0, 0, 0, 0, height - h * kh, width - w * kw])]);
};

/** Adds every entry of all windows, `[.., out h * kh, out w * kw]`, where it lies in the image. */
function addedUp(laid: string, windows: Windows, kernel: Pair, places: Pair, size: Pair, write: GraphWriter): string {
  const [rows, columns] = [0, 1].map((axis) => placed(windows, axis as 0 | 1, places[axis]!, kernel[axis]!, size[axis]!, write)) as [string, string];
  return write.emit("MatMul", [write.emit("Transpose", [rows], { perm: { ints: [1, 0] } }), write.emit("MatMul", [laid, columns])]);
}

/** As products with the weight: the WebGPU provider's ConvTranspose is wrong for what is not plain. */
const conv2dInputGradient: Lowering<"conv2dInputGradient"> = (node, inputs, write) => {
  const { attributes } = node;
  if (isPlain(attributes)) return convolutionLowerings.conv2dInputGradient(node, inputs, write);
  const { groups = 1, size } = attributes;
  const [batch, channels] = node.shape as Image;
  const [out, into, kh, kw] = node.inputs[1]!.shape as Image;
  const [oh, ow] = node.inputs[0]!.shape.slice(2) as [number, number];
  const adjoint = write.emit("Reshape", [inputs[0]!, write.integers([batch, groups, out / groups, oh * ow])]);
  const filters = write.emit("Reshape", [inputs[1]!, write.integers([groups, out / groups, into * kh * kw])]);
  const products = write.emit("MatMul", [write.emit("Transpose", [filters], { perm: { ints: [0, 2, 1] } }), adjoint]);
  const split = write.emit("Reshape", [products, write.integers([batch * channels, kh, kw, oh, ow])]);
  const turned = write.emit("Transpose", [split], { perm: { ints: [0, 3, 1, 4, 2] } });
  const laid = write.emit("Reshape", [turned, write.integers([batch, channels, oh * kh, ow * kw])]);
  return addedUp(laid, windowsOf(attributes), [kh, kw], [oh, ow], size, write);
};

/** `[entries of all windows, size]`: 1 where an entry lies in the image. */
function placed(windows: Windows, axis: 0 | 1, count: number, kernel: number, size: number, write: GraphWriter): string {
  const entries = entriesUnder(count, kernel, windows, axis);
  return write.array(`placed${entries.join("_")}x${size}`, [entries.length, size], () => {
    const values = new Float32Array(entries.length * size);
    entries.forEach((at, i) => {
      if (at >= 0 && at < size) values[i * size + at] = 1;
    });
    return values;
  });
}

const atMaxima2d: Lowering<"atMaxima2d"> = (node, [x, y], write) => {
  const places = node.shape.slice(2) as unknown as Pair;
  const chosen = write.emit("Mul", [maxima(x!, node, places, write), windowRows(y!, node, places, 0, write)]);
  return write.emit("ReduceSum", [chosen, write.integers([4])], { keepdims: { int: 0 } });
};

/** Expanded: the WebGPU provider has no kernel for it, and a step would wait for the CPU twice. */
const logSoftmax: Lowering<"logSoftmax"> = ({ attributes: { axis } }, [x], write) => {
  const line = write.integers([axis]);
  const over = { keepdims: { int: 1 } };
  const shifted = write.emit("Sub", [x!, write.emit("ReduceMax", [x!, line], over)]);
  return write.emit("Sub", [shifted, write.emit("Log", [write.emit("ReduceSum", [write.emit("Exp", [shifted]), line], over)])]);
};

export const deviceLowerings = {
  logSoftmax,
  conv2dInputGradient,
  conv2dWeightGradient,
  maxPool2d: ((node, inputs, write) => write.emit("MaxPool", inputs, poolAttributes(node.attributes))) satisfies Lowering<"maxPool2d">,
  maxPool2dGradient,
  atMaxima2d,
};
