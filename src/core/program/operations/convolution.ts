/**
 * Convolutions of images `[batch, channels, height, width]`; pooling.ts has the pools.
 * A convolution is linear in the image and in the weight, and so is each of its two
 * gradients: the three operations are one another's gradient rules.
 */
import { makeNode, sameShape, shapeError, type Convolution, type Node, type Pair, type Sides } from "../node.ts";
import { asPair, convolutionAttributes, positions, windowsOf, type ConvolutionOptions } from "../windows.ts";
import { plus } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { along, nth, type Operation } from "./operation.ts";

export type Image = readonly [batch: number, channels: number, height: number, width: number];

export function image(op: string, inputs: readonly Node[], x: Node, what: string): Image {
  if (x.dtype !== "float" || x.shape.length !== 4) throw shapeError(op, inputs, `${what} must be float with four axes`);
  return x.shape as Image;
}

/** @throws Error unless each is a whole number from `min` */
export function checkWhole(op: string, inputs: readonly Node[], what: string, value: number | readonly number[], min: number): void {
  const values = typeof value === "number" ? [value] : value;
  if (values.some((n) => !Number.isInteger(n) || n < min)) throw shapeError(op, inputs, `the ${what} is ${values.join(", ")}; allowed: whole numbers from ${min}`);
}

function checked(op: string, inputs: readonly Node[], options: ConvolutionOptions): Convolution {
  const attributes = convolutionAttributes(options);
  checkWhole(op, inputs, "stride", attributes.stride, 1);
  checkWhole(op, inputs, "padding", attributes.padding, 0);
  checkWhole(op, inputs, "dilation", attributes.dilation ?? 1, 1);
  checkWhole(op, inputs, "number of groups", attributes.groups ?? 1, 1);
  return attributes;
}

/** Output size of a convolution. @throws Error where the kernel does not fit the padded image */
function convolved(op: string, inputs: readonly Node[], size: readonly number[], kernel: readonly number[], options: Convolution): Pair {
  const windows = windowsOf(options);
  const [height, width] = [0, 1].map((axis) => positions(size[axis]!, kernel[axis]!, windows, axis)) as [number, number];
  if (height < 1 || width < 1) throw shapeError(op, inputs, "the kernel is larger than the padded image");
  return [height, width];
}

function checkGroups(op: string, inputs: readonly Node[], { groups = 1 }: Convolution, ...counts: readonly number[]): void {
  const odd = counts.find((count) => count % groups !== 0);
  if (odd !== undefined) throw shapeError(op, inputs, `${odd} channels do not divide into ${groups} groups`);
}

/**
 * Cross-correlation of x `[batch, in, h, w]` with weight `[out, in / groups, kh, kw]`, as PyTorch's
 * conv2d.
 */
export function conv2d(x: Node, weight: Node, options: ConvolutionOptions = {}): Node {
  const inputs = [x, weight];
  const attributes = checked("conv2d", inputs, options);
  const { groups = 1 } = attributes;
  const [batch, channels, ...size] = image("conv2d", inputs, x, "the image");
  const [out, into, ...kernel] = image("conv2d", inputs, weight, "the weight");
  if (into * groups !== channels) {
    const inGroups = groups === 1 ? "" : ` in each of ${groups} groups`;
    throw shapeError("conv2d", inputs, `the weight is for ${into} channels${inGroups}, the image has ${channels}`);
  }
  checkGroups("conv2d", inputs, attributes, out);
  return makeNode("conv2d", inputs, attributes, [batch, out, ...convolved("conv2d", inputs, size, kernel, attributes)]);
}

/**
 * Gradient of conv2d with respect to the image.
 * @param g gradient of the result, `[batch, out, oh, ow]`
 * @param size height and width of the image
 */
export function conv2dInputGradient(g: Node, weight: Node, size: Pair, options: ConvolutionOptions = {}): Node {
  const op = "conv2dInputGradient";
  const inputs = [g, weight];
  const attributes = { ...checked(op, inputs, options), size };
  const [batch, out, ...places] = image(op, inputs, g, "the adjoint");
  const [filters, into, ...kernel] = image(op, inputs, weight, "the weight");
  if (filters !== out || !sameShape(convolved(op, inputs, size, kernel, attributes), places)) {
    throw shapeError(op, inputs, `does not match an image of ${size.join(" x ")}`);
  }
  checkGroups(op, inputs, attributes, out);
  return makeNode(op, inputs, attributes, [batch, into * (attributes.groups ?? 1), ...size]);
}

/**
 * Gradient of conv2d with respect to the weight.
 * @param g gradient of the result, `[batch, out, oh, ow]`
 * @param kernel height and width of the kernel
 */
export function conv2dWeightGradient(x: Node, g: Node, kernel: Pair, options: ConvolutionOptions = {}): Node {
  const op = "conv2dWeightGradient";
  const inputs = [x, g];
  const attributes = { ...checked(op, inputs, options), kernel };
  const [batch, channels, ...size] = image(op, inputs, x, "the image");
  const [batch2, out, ...places] = image(op, inputs, g, "the adjoint");
  if (batch !== batch2 || !sameShape(convolved(op, inputs, size, kernel, attributes), places)) {
    throw shapeError(op, inputs, `does not match a kernel of ${kernel.join(" x ")}`);
  }
  checkGroups(op, inputs, attributes, channels, out);
  return makeNode(op, inputs, attributes, [out, channels / (attributes.groups ?? 1), ...kernel]);
}

export interface TransposedOptions extends ConvolutionOptions {
  /** Rows and columns added at the bottom and right of the result; less than the stride. */
  readonly outputPadding?: number | Pair;
}

/**
 * Transposed convolution of x `[batch, in, h, w]` with weight `[in, out / groups, kh, kw]`, as
 * PyTorch's conv_transpose2d.
 */
export function convTranspose2d(x: Node, weight: Node, { outputPadding = 0, ...options }: TransposedOptions = {}): Node {
  const inputs = [x, weight];
  const { strides, pads, dilations } = windowsOf(checked("convTranspose2d", inputs, options));
  checkWhole("convTranspose2d", inputs, "output padding", outputPadding, 0);
  const more = asPair(outputPadding);
  const [, , ...places] = image("convTranspose2d", inputs, x, "the image");
  const [, , ...kernel] = image("convTranspose2d", inputs, weight, "the weight");
  const size = places.map((n, axis) => (n - 1) * strides[axis]! + dilations[axis]! * (kernel[axis]! - 1) + 1 + more[axis]! - pads[axis]! - pads[axis + 2]!);
  if (size.some((n) => n < 1)) throw shapeError("convTranspose2d", inputs, "the padding leaves nothing of the result");
  return conv2dInputGradient(x, weight, size as unknown as Pair, options);
}

export interface Convolution1d {
  readonly stride?: number;
  readonly padding?: number | readonly [before: number, after: number];
  readonly dilation?: number;
  readonly groups?: number;
}

/** An image of one row, convolved by kernels of one row. */
const asRow = ({ stride = 1, padding = 0, dilation = 1, groups = 1 }: Convolution1d): ConvolutionOptions => {
  const [before, after] = typeof padding === "number" ? [padding, padding] : padding;
  return { stride: [1, stride], padding: [0, before, 0, after] satisfies Sides, dilation: [1, dilation], groups };
};

const inRow = (op: string, inputs: readonly Node[], x: Node, what: string): Node => {
  if (x.shape.length !== 3) throw shapeError(op, inputs, `${what} must have three axes`);
  return reshape(x, [x.shape[0]!, x.shape[1]!, 1, x.shape[2]!]);
};

const outOfRow = ({ shape }: Node): number[] => [shape[0]!, shape[1]!, shape[3]!];

/** Cross-correlation of x `[batch, in, length]` with weight `[out, in / groups, kernel]`. */
export function conv1d(x: Node, weight: Node, options: Convolution1d = {}): Node {
  const inputs = [x, weight];
  const y = conv2d(inRow("conv1d", inputs, x, "the sequence"), inRow("conv1d", inputs, weight, "the weight"), asRow(options));
  return reshape(y, outOfRow(y));
}

/** Transposed convolution of x `[batch, in, length]` with weight `[in, out / groups, kernel]`. */
export function convTranspose1d(x: Node, weight: Node, { outputPadding = 0, ...options }: Convolution1d & { readonly outputPadding?: number } = {}): Node {
  const inputs = [x, weight];
  const [row, kernel] = [inRow("convTranspose1d", inputs, x, "the sequence"), inRow("convTranspose1d", inputs, weight, "the weight")];
  const y = convTranspose2d(row, kernel, { ...asRow(options), outputPadding: [0, outputPadding] });
  return reshape(y, outOfRow(y));
}

const two = (sizes: readonly number[]) => sizes as unknown as Pair;

export const convolution = {
  conv2d: {
    rebuild: (inputs, attributes) => conv2d(nth(inputs, 0), nth(inputs, 1), attributes),
    gradient: ({ inputs, attributes }, g) => {
      const [x, weight] = [nth(inputs, 0), nth(inputs, 1)];
      return [
        conv2dInputGradient(g, weight, two(x.shape.slice(2)), attributes),
        conv2dWeightGradient(x, g, two(weight.shape.slice(2)), attributes),
      ];
    },
    tangent: ({ inputs: [x, weight], attributes }, [tx, tw]) =>
      plus(along(tx, (t) => conv2d(t, weight!, attributes)), along(tw, (t) => conv2d(x!, t, attributes))),
  } satisfies Operation<"conv2d">,
  conv2dInputGradient: {
    rebuild: (inputs, attributes) => conv2dInputGradient(nth(inputs, 0), nth(inputs, 1), attributes.size, attributes),
    gradient: ({ inputs, attributes }, h) => {
      const [g, weight] = [nth(inputs, 0), nth(inputs, 1)];
      return [conv2d(h, weight, attributes), conv2dWeightGradient(h, g, two(weight.shape.slice(2)), attributes)];
    },
    tangent: ({ inputs: [g, weight], attributes }, [tg, tw]) => {
      const of = (a: Node, b: Node) => conv2dInputGradient(a, b, attributes.size, attributes);
      return plus(along(tg, (t) => of(t, weight!)), along(tw, (t) => of(g!, t)));
    },
  } satisfies Operation<"conv2dInputGradient">,
  conv2dWeightGradient: {
    rebuild: (inputs, attributes) => conv2dWeightGradient(nth(inputs, 0), nth(inputs, 1), attributes.kernel, attributes),
    gradient: ({ inputs, attributes }, h) => {
      const [x, g] = [nth(inputs, 0), nth(inputs, 1)];
      return [conv2dInputGradient(g, h, two(x.shape.slice(2)), attributes), conv2d(x, h, attributes)];
    },
    tangent: ({ inputs: [x, g], attributes }, [tx, tg]) => {
      const of = (a: Node, b: Node) => conv2dWeightGradient(a, b, attributes.kernel, attributes);
      return plus(along(tx, (t) => of(t, g!)), along(tg, (t) => of(x!, t)));
    },
  } satisfies Operation<"conv2dWeightGradient">,
};
