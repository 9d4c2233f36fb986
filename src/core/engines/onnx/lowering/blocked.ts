/** Convolutions on channel blocks (blockSize.ts). Image names refer to blocked images. */
import { sizeOf, type NodeOf, type Shape } from "../../../program/node.ts";
import type { PlainConvolution, Windows } from "../../../program/windows.ts";
import type { OnnxAttribute } from "../model.ts";
import { nchwc, type GraphWriter } from "./writer.ts";

export interface Filters extends PlainConvolution {
  readonly out: number;
  readonly into: number;
  readonly kernel: readonly [number, number];
}

/** What a convolution fuses into its result. */
export interface Finish {
  /** `[channels]`. */
  readonly bias?: string | undefined;
  /** An image of the result's shape. */
  readonly added?: string | undefined;
  readonly rectified?: boolean | undefined;
}

/**
 * Whether a convolution with these channels has a blocked form; a few input channels may stay
 * unblocked.
 */
export function fitsBlocks(out: number, into: number, block: number): boolean {
  return out % block === 0 && (into % block === 0 || into < block);
}

function convolve(image: string, filters: string, attributes: Readonly<Record<string, OnnxAttribute>>, { bias, added, rectified }: Finish, write: GraphWriter): string {
  const inputs = [image, filters, ...(bias === undefined && added === undefined ? [] : [bias ?? ""]), ...(added === undefined ? [] : [added])];
  return write.emit("Conv", inputs, { ...attributes, ...(rectified ? { activation: { text: "Relu" } } : {}) }, nchwc);
}

/** `[out, in, ...kernel]` in the kernels' order: an output block innermost, then an input block. */
function blockedWeight(weight: string, { out, into, kernel }: Filters, block: number, write: GraphWriter): string {
  const inner = into < block ? [1, into] : [into / block, block];
  const split = write.emit("Reshape", [weight, write.integers([out / block, block, ...inner, ...kernel])]);
  // A few unblocked input channels precede the kernel's positions.
  const moved = write.emit("Transpose", [split], { perm: { ints: into < block ? [0, 2, 3, 4, 5, 1] : [0, 2, 4, 5, 3, 1] } });
  return write.emit("Reshape", [moved, write.integers([out, into, ...kernel])]);
}

/**
 * conv2d of an image (in the usual layout when it has fewer channels than a block) and a weight in
 * the usual layout.
 */
export function blockedConvolution(image: string, shape: Shape, weight: string, filters: Filters, finish: Finish, block: number, write: GraphWriter): string {
  const { into, kernel, stride, padding } = filters;
  // Results at the border are computed one by one: where there are many, a wider image is faster.
  const isNarrow = into >= block && 2 * padding >= narrow * shape[3]!;
  const besides = isNarrow ? 0 : padding;
  const attributes = {
    kernel_shape: { ints: kernel },
    strides: { ints: [stride, stride] },
    dilations: { ints: [1, 1] },
    pads: { ints: [padding, besides, padding, besides] },
    group: { int: 1 },
  };
  const padded = isNarrow ? widened(image, shape, padding, block, write) : image;
  return convolve(padded, blockedWeight(weight, filters, block, write), attributes, finish, write);
}

/** Share of padding in the columns from which an image counts as narrow. */
const narrow = 0.2;

/** A blocked image with columns of zeros added on both sides. */
function widened(image: string, [batch, channels, height, width]: Shape, padding: number, block: number, write: GraphWriter): string {
  const lines = (batch! * channels! * height!) / block;
  const zeros = write.zeros([lines, padding * block]);
  const wide = write.emit("Concat", [zeros, write.emit("Reshape", [image, write.integers([lines, width! * block])]), zeros], { axis: { int: 1 } });
  return write.emit("Reshape", [wide, write.integers([batch!, channels!, height!, width! + 2 * padding])]);
}

/** conv2d of a blocked image with a kernel `[channels, 1, ...kernel]` for every channel. */
export function blockedDepthwise(image: string, weight: string, [channels, , height, width]: Shape, { strides, pads, dilations }: Windows, finish: Finish, block: number, write: GraphWriter): string {
  const split = write.emit("Reshape", [weight, write.integers([channels! / block, block, height! * width!])]);
  const moved = write.emit("Transpose", [split], { perm: { ints: [0, 2, 1] } });
  const filters = write.emit("Reshape", [moved, write.integers([channels!, 1, height!, width!])]);
  const attributes = { kernel_shape: { ints: [height!, width!] }, strides: { ints: strides }, dilations: { ints: dilations }, pads: { ints: pads }, group: { int: channels! } };
  return convolve(image, filters, attributes, finish, write);
}

/** Multiplies by a factor per channel, `[channels]`, and applies `finish`, in one pass. */
export function scaledChannels(image: string, factor: string, channels: number, finish: Finish, write: GraphWriter): string {
  const attributes = { kernel_shape: { ints: [1, 1] }, strides: { ints: [1, 1] }, dilations: { ints: [1, 1] }, pads: { ints: [0, 0, 0, 0] }, group: { int: channels } };
  return convolve(image, write.emit("Reshape", [factor, write.integers([channels, 1, 1, 1])]), attributes, finish, write);
}

/** Weight of the adjoint convolution: inputs and outputs swapped, the kernel flipped. */
export function adjointWeight(weight: string, [out, into, height, width]: Shape, write: GraphWriter): string {
  const places = height! * width!;
  const flat = write.emit("Reshape", [weight, write.integers([out!, into!, places])]);
  const flipped = write.emit("Slice", [flat, write.integers([-1]), write.integers([-places - 1]), write.integers([2]), write.integers([-1])]);
  const exchanged = write.emit("Transpose", [flipped], { perm: { ints: [1, 0, 2] } });
  return write.emit("Reshape", [exchanged, write.integers([into!, out!, height!, width!])]);
}

/**
 * Gradient of a weight as a convolution over the batch: examples are the channels to sum over, and
 * the result's adjoint g is the filter, dilated by the stride. The image has its channels last in
 * each row, `[batch, rows, columns * in]`, so that kernel positions and channels form one long row
 * of results.
 * @param image the image with its channels last, `[batch, rows, columns, in]`
 * @param adjoint name of g
 */
export function blockedWeightGradient(node: NodeOf<"conv2dWeightGradient">, { stride, padding }: PlainConvolution, image: string, adjoint: string, block: number, write: GraphWriter): string {
  const { kernel } = node.attributes;
  const [batch, into, ...size] = node.inputs[0]!.shape as [number, number, number, number];
  const [, out, ...places] = node.inputs[1]!.shape as [number, number, number, number];
  const missing = (block - (batch % block)) % block;
  // Cut off the part of the padded image that the kernel never reaches.
  const after = size.map((n, axis) => padding - (n + 2 * padding - (places[axis]! - 1) * stride - kernel[axis]!));
  const examples = write.emit("Reshape", [image, write.integers([1, batch, size[0]!, size[1]! * into])]);
  const begin = [0, 0, 0, padding * into];
  const end = [0, missing, Math.min(0, after[0]!), after[1]! * into];
  const padded = [...begin, ...end].every((n) => n === 0) ? examples : write.emit("Pad", [examples, write.integers([...begin, ...end])]);
  const inBlocks = write.emit("ReorderInput", [padded], {}, nchwc);

  const whole = missing === 0 ? adjoint : write.emit("Pad", [adjoint, write.integers([0, 0, 0, 0, missing, 0, 0, 0])]);
  const split = write.emit("Reshape", [whole, write.integers([(batch + missing) / block, block, out / block, sizeOf(places), block])]);
  const transposed = write.emit("Transpose", [split], { perm: { ints: [2, 0, 3, 1, 4] } });
  const filters = write.emit("Reshape", [transposed, write.integers([out, batch + missing, ...places])]);
  const attributes = {
    kernel_shape: { ints: places },
    strides: { ints: [1, 1] },
    dilations: { ints: [stride, stride * into] },
    pads: { ints: [padding, 0, Math.max(0, after[0]!), 0] },
    group: { int: 1 },
  };
  const sums = write.emit("ReorderOutput", [convolve(inBlocks, filters, attributes, {}, write)], { channels: { int: out } }, nchwc);
  return write.emit("Transpose", [write.emit("Reshape", [sums, write.integers([out, ...kernel, into])])], { perm: { ints: [0, 3, 1, 2] } });
}
