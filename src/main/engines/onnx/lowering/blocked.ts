/** Convolutions on channels in blocks: see blockSize.ts. */
import type { Convolution } from "../../../program/node.ts";
import type { GraphWriter } from "../lowering.ts";

const domain = "com.microsoft.nchwc";

interface Filters extends Convolution {
  readonly out: number;
  readonly into: number;
  readonly kernel: readonly [number, number];
}

/** Whether a convolution of these channels has a form for blocks; few input channels need not be in blocks. */
export function fitsBlocks(out: number, into: number, block: number): boolean {
  return out % block === 0 && (into % block === 0 || into < block);
}

/** An image with its channels in blocks. */
export function blocked(image: string, write: GraphWriter): string {
  return write.emitFrom(domain, "ReorderInput", [image], {});
}

/** `[out, in, ...kernel]` as the kernels read weights: a block of outputs innermost, then one of inputs. */
function blockedWeight(weight: string, { out, into, kernel }: Filters, block: number, write: GraphWriter): string {
  const inner = into < block ? [1, into] : [into / block, block];
  const split = write.emit("Reshape", [weight, write.integers([out / block, block, ...inner, ...kernel])]);
  // Few input channels, which are not in blocks, stand outside the kernel's places.
  const moved = write.emit("Transpose", [split], { perm: { ints: into < block ? [0, 2, 3, 4, 5, 1] : [0, 2, 4, 5, 3, 1] } });
  return write.emit("Reshape", [moved, write.integers([out, into, ...kernel])]);
}

/** conv2d of an image and a weight, and a bias if there is one, in their usual order, answered in the usual order. */
export function blockedConvolution(image: string, [weight, ...bias]: readonly string[], filters: Filters, block: number, write: GraphWriter): string {
  const { into, out, kernel, stride, padding } = filters;
  const convolved = write.emitFrom(domain, "Conv", [into < block ? image : blocked(image, write), blockedWeight(weight!, filters, block, write), ...bias], {
    kernel_shape: { ints: kernel },
    strides: { ints: [stride, stride] },
    dilations: { ints: [1, 1] },
    pads: { ints: [padding, padding, padding, padding] },
    group: { int: 1 },
  });
  return write.emitFrom(domain, "ReorderOutput", [convolved], { channels: { int: out } });
}

/** The weight of the convolution that is another's adjoint: inputs and outputs exchanged, the kernel turned about. */
export function turnedWeight(weight: string, [out, into, height, width]: readonly [number, number, number, number], write: GraphWriter): string {
  const places = height * width;
  const flat = write.emit("Reshape", [weight, write.integers([out, into, places])]);
  const turned = write.emit("Slice", [flat, write.integers([-1]), write.integers([-places - 1]), write.integers([2]), write.integers([-1])]);
  const exchanged = write.emit("Transpose", [turned], { perm: { ints: [1, 0, 2] } });
  return write.emit("Reshape", [exchanged, write.integers([into, out, height, width])]);
}
