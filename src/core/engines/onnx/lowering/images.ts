/**
 * Images in channel blocks (blockSize.ts): results of convolutions stay in that layout through
 * operations that act per pixel or per channel, and return to the usual layout for any other
 * operation. Per-channel work is one pass of a depthwise 1x1 convolution.
 */
import { isScalar, sameShape, sizeOf, type Node, type NodeOf, type OpName, type Shape, type Sides } from "../../../program/node.ts";
import { asPair, isPlain, isTiling, windowsOf } from "../../../program/windows.ts";
import { onnxType } from "../model.ts";
import { blockedConvolution, blockedDepthwise, blockedWeightGradient, fitsBlocks, scaledChannels, adjointWeight, type Finish } from "./blocked.ts";
import { isPerChannel, type Fusions } from "./fusion.ts";
import { blockedMaxima, blockedMaximaGradient, writeMask } from "./pooling.ts";
import { nchwc, type GraphWriter } from "./writer.ts";

/** Operations that act on each entry alone. */
const elementwise: { readonly [N in OpName]?: string } = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  maximum: "Max",
  minimum: "Min",
  neg: "Neg",
  exp: "Exp",
  log: "Log",
  sqrt: "Sqrt",
  tanh: "Tanh",
  sigmoid: "Sigmoid",
  relu: "Relu",
  greater: "Greater",
  equal: "Equal",
  select: "Where",
  cast: "Cast",
  stopGradient: "Identity",
};

/** Lowers a node that reads or returns a blocked image; false where it has no such form. */
export function lowerImage(node: Node, fusions: Fusions, write: GraphWriter): boolean {
  const { block } = write;
  if (block === null) return false;
  const inBlocks = answeredInBlocks(node, fusions, block, write);
  if (inBlocks !== null) {
    write.setBlockedName(node, inBlocks);
    return true;
  }
  const usual = answeredAsUsual(node, block, write);
  if (usual !== null) write.setName(node, usual);
  return usual !== null;
}

const canBeBlocked = ({ shape, dtype }: Node, block: number) => dtype === "float" && shape.length === 4 && shape[1]! % block === 0;

/** The image in the layout that a convolution reads. */
const imageFor = (x: Node, block: number, write: GraphWriter) => (x.shape[1]! < block ? write.nameOf(x) : write.blockedNameOf(x));

const asVector = (x: Node, write: GraphWriter) => write.emit("Reshape", [write.nameOf(x), write.integers([sizeOf(x.shape)])]);

function answeredInBlocks(node: Node, fusions: Fusions, block: number, write: GraphWriter): string | null {
  const rectified = fusions.rectified.get(node);
  const inner = rectified ?? node;
  const finish: Finish = { rectified: rectified !== undefined };
  const biased = fusions.biased.get(inner);
  const product = biased ? biased.product : inner;
  if (product.op === "conv2d") return convolution(product, { ...finish, bias: biased && asVector(biased.bias, write) }, block, write);

  const sum = fusions.channelSums.get(inner);
  if (sum) {
    const { image, factor, summand, rest } = sum;
    if (!canBeBlocked(image, block) || !(write.isBlocked(image) || (rest && write.isBlocked(rest)))) return null;
    const added = rest ? write.blockedNameOf(rest) : undefined;
    return scaledChannels(write.blockedNameOf(image), asVector(factor, write), image.shape[1]!, { ...finish, bias: asVector(summand, write), added }, write);
  }
  if (rectified) return null;
  if (node.op === "conv2dInputGradient") return inputGradient(node, {}, block, write);
  const joined = fusions.joined.get(node);
  if (joined) return inputGradient(joined.product, { added: joined.image }, block, write);
  if (node.op === "maxPool2d" && isTiling(node.attributes) && write.isBlocked(node.inputs[0]!)) {
    return fusions.withPlaces.has(node) ? blockedMaxima(node, node.attributes.size, write.blockedNameOf(node.inputs[0]!), block, write) : pooled(node, write);
  }
  if (node.op === "maxPool2dGradient" && isTiling(node.attributes) && write.isBlocked(node.inputs[0]!)) {
    const [image, adjoint] = node.inputs as readonly [Node, Node];
    return blockedMaximaGradient(node, node.attributes.size, write.blockedNameOf(image), write.blockedNameOf(adjoint), block, write);
  }
  return inEveryPlace(node, fusions, block, write);
}

function convolution(node: NodeOf<"conv2d">, finish: Finish, block: number, write: GraphWriter): string | null {
  const [x, weight] = node.inputs as readonly [Node, Node];
  const [out, into, ...kernel] = weight.shape as [number, number, number, number];
  const { attributes } = node;
  if (isDepthwise(node, weight, block)) return blockedDepthwise(write.blockedNameOf(x), write.nameOf(weight), weight.shape, windowsOf(attributes), finish, block, write);
  if (!isPlain(attributes) || !fitsBlocks(out, into, block)) return null;
  return blockedConvolution(imageFor(x, block, write), x.shape, write.nameOf(weight), { out, into, kernel, ...attributes }, finish, block, write);
}

/** Whether every channel is convolved by itself, and the channels fill blocks. */
const isDepthwise = ({ attributes: { groups } }: NodeOf<"conv2d" | "conv2dInputGradient">, { shape: [out, into] }: Node, block: number) =>
  groups !== undefined && groups === out && into === 1 && out % block === 0;

/** With stride 1, a depthwise convolution of the adjoint with the flipped kernel; null where that has negative padding. */
function depthwiseInputGradient(node: NodeOf<"conv2dInputGradient">, finish: Finish, block: number, write: GraphWriter): string | null {
  const [g, weight] = node.inputs as readonly [Node, Node];
  const { strides, pads, dilations } = windowsOf(node.attributes);
  const reach = [0, 1].map((axis) => dilations[axis]! * (weight.shape[axis + 2]! - 1));
  const adjointPads = pads.map((n, side) => reach[side % 2]! - n);
  if (strides.some((n) => n !== 1) || adjointPads.some((n) => n < 0)) return null;
  const flipped = write.emit("Reshape", [adjointWeight(write.nameOf(weight), weight.shape, write), write.integers(weight.shape)]);
  return blockedDepthwise(write.blockedNameOf(g), flipped, weight.shape, { strides, pads: adjointPads as unknown as Sides, dilations }, finish, block, write);
}

function inputGradient(node: NodeOf<"conv2dInputGradient">, { added }: { readonly added?: Node }, block: number, write: GraphWriter): string | null {
  const [g, weight] = node.inputs as readonly [Node, Node];
  if (isDepthwise(node, weight, block)) return depthwiseInputGradient(node, { added: added && write.blockedNameOf(added) }, block, write);
  if (!isPlain(node.attributes)) return null;
  const { stride, padding } = node.attributes;
  const [out, into, height, width] = weight.shape as [number, number, number, number];
  const adjointPadding = height - 1 - padding;
  if (stride !== 1 || height !== width || adjointPadding < 0 || !fitsBlocks(into, out, block)) return null;
  const filters = { out: into, into: out, kernel: [height, width] as const, stride: 1, padding: adjointPadding };
  const finish = { added: added && write.blockedNameOf(added) };
  return blockedConvolution(imageFor(g, block, write), g.shape, adjointWeight(write.nameOf(weight), weight.shape, write), filters, finish, block, write);
}

function pooled(node: NodeOf<"maxPool2d">, write: GraphWriter): string {
  const { size } = node.attributes;
  const sizes = asPair(size);
  const attributes = { kernel_shape: { ints: sizes }, strides: { ints: sizes }, dilations: { ints: [1, 1] }, pads: { ints: [0, 0, 0, 0] } };
  return write.emit("MaxPool", [write.blockedNameOf(node.inputs[0]!)], attributes, nchwc);
}

/** Whether x has one value per channel, or per channel and example. */
const isPerImage = ({ shape }: Node, image: Shape) => shape.length === 4 && shape[1] === image[1] && shape[2] === 1 && shape[3] === 1;

function inEveryPlace(node: Node, fusions: Fusions, block: number, write: GraphWriter): string | null {
  const masked = fusions.masks.get(node);
  if (masked) return write.isBlocked(masked) ? writeMask(write.blockedNameOf(masked), write) : null;
  const operator = elementwise[node.op];
  const { shape } = node;
  if (operator === undefined || shape.length !== 4 || !node.inputs.some((input) => write.isBlocked(input))) return null;
  const [batch, channels] = shape as [number, number, number, number];
  const small = node.inputs.filter((input) => !isScalar(input) && !sameShape(input.shape, shape));
  const whole = node.inputs.filter((input) => sameShape(input.shape, shape));
  if (!whole.every((input) => write.isBlocked(input) || canBeBlocked(input, block))) return null;

  if (small.length === 0) {
    const names = node.inputs.map((input) => (isScalar(input) ? write.nameOf(input) : write.blockedNameOf(input)));
    return write.emit(operator, names, node.op === "cast" ? { to: { int: onnxType.float } } : {});
  }
  if (small.length > 1 || whole.length !== 1) return null;
  const [image, other] = [whole[0]!, small[0]!];
  if (isPerChannel(other, image) && (node.op === "mul" || node.op === "add")) {
    const name = write.blockedNameOf(image);
    if (node.op === "mul") return scaledChannels(name, asVector(other, write), channels, {}, write);
    return scaledChannels(name, write.ones([channels]), channels, { bias: asVector(other, write) }, write);
  }
  if (!isPerImage(other, shape)) return null;
  const places = shape[2]! * shape[3]!;
  const names = node.inputs.map((input) => {
    if (isScalar(input)) return write.nameOf(input);
    if (input === other) return write.emit("Reshape", [write.nameOf(input), write.integers([other.shape[0]!, channels / block, 1, block])]);
    return write.emit("Reshape", [write.blockedNameOf(input), write.integers([batch, channels / block, places, block])]);
  });
  return write.emit("Reshape", [write.emit(operator, names), write.integers(shape)]);
}

function answeredAsUsual(node: Node, block: number, write: GraphWriter): string | null {
  if (node.op === "conv2dWeightGradient") {
    const [x, g] = node.inputs as readonly [Node, Node];
    const { attributes } = node;
    if (!isPlain(attributes) || !canBeBlocked(g, block)) return null;
    return blockedWeightGradient(node, attributes, channelsLast(x, block, write), write.blockedNameOf(g), block, write);
  }
  const [x] = node.inputs;
  if (!x || !write.isBlocked(x) || x.shape.length !== 4) return null;
  const places = x.shape[2]! * x.shape[3]!;
  const resized = (name: string) => write.emit("Reshape", [name, write.integers(node.shape)]);
  if (node.op === "variance" && node.attributes.axes.join() === "0,2,3") {
    const channels = x.shape[1]!;
    const center = write.emit("Reshape", [channelSum(write.blockedNameOf(x), x.shape, -1 / x.shape[0]!, write), write.integers([channels])]);
    const centered = scaledChannels(write.blockedNameOf(x), write.ones([channels]), channels, { bias: center }, write);
    return resized(channelSum(write.emit("Mul", [centered, centered]), x.shape, 1 / x.shape[0]!, write));
  }
  if (node.op !== "reduceSum") return null;
  const axes = node.attributes.axes.join();
  if (axes === "0,2,3") return resized(channelSum(write.blockedNameOf(x), x.shape, places, write));
  if (axes === "2,3") return resized(write.emit("Mul", [means(write.blockedNameOf(x), write), write.float(places)]));
  return null;
}

/** Mean of each channel of each example, `[batch, channels, 1, 1]`. */
const means = (image: string, write: GraphWriter) => write.once("GlobalAveragePool", [image], {}, nchwc);

/** Each channel's means summed over the batch, times a factor: `[1, channels]`. */
function channelSum(image: string, [batch, channels]: Shape, factor: number, write: GraphWriter): string {
  const rows = write.emit("Reshape", [means(image, write), write.integers([batch!, channels!])]);
  return write.emit("Gemm", [write.ones([1, batch!]), rows], { alpha: { float: factor } });
}

/** An image as `[batch, rows, columns, channels]`. */
function channelsLast(x: Node, block: number, write: GraphWriter): string {
  const channels = x.shape[1]!;
  if (write.isBlocked(x)) {
    const name = write.blockedNameOf(x);
    return channels === block ? name : write.emit("ReorderOutput", [name], { channels: { int: channels }, channels_last: { int: 1 } }, nchwc);
  }
  return channels === 1 ? write.nameOf(x) : write.emit("Transpose", [write.nameOf(x)], { perm: { ints: [0, 2, 3, 1] } });
}
