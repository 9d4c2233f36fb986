/**
 * Convolutions of images `[batch, channels, height, width]`, and pooling.
 * A convolution is linear in the image and in the weight, and so is each of its two
 * gradients: the three operations are one another's gradient rules.
 */
import { makeNode, sameShape, shapeError, type Convolution, type Node, type Shape } from "../node.ts";
import { constant, filled } from "./constants.ts";
import { mul, plus } from "./elementwise.ts";
import { reshape, slice } from "./movement.ts";
import { along, nth, type Operation } from "./operation.ts";
import { reduceSum } from "./reduction.ts";

type Image = readonly [batch: number, channels: number, height: number, width: number];

function image(op: string, inputs: readonly Node[], x: Node, what: string): Image {
  if (x.dtype !== "float" || x.shape.length !== 4) throw shapeError(op, inputs, `${what} must be float with four axes`);
  return x.shape as Image;
}

/** Number of kernel positions along an axis of `size`; below 1 where the kernel does not fit. */
export function placesOf(size: number, kernel: number, { stride, padding }: Convolution): number {
  return Math.floor((size + 2 * padding - kernel) / stride) + 1;
}

function checkStep(op: string, inputs: readonly Node[], { stride, padding }: Convolution): void {
  if (!Number.isInteger(stride) || stride < 1) throw shapeError(op, inputs, `the stride is ${stride}; allowed: whole numbers from 1`);
  if (!Number.isInteger(padding) || padding < 0) throw shapeError(op, inputs, `the padding is ${padding}; allowed: whole numbers from 0`);
}

const step = ({ stride = 1, padding = 0 }: Partial<Convolution>): Convolution => ({ stride, padding });

/** Output size of a convolution. @throws Error where the kernel does not fit the padded image */
function convolved(op: string, inputs: readonly Node[], size: readonly number[], kernel: readonly number[], options: Convolution): [number, number] {
  const [height, width] = [placesOf(size[0]!, kernel[0]!, options), placesOf(size[1]!, kernel[1]!, options)];
  if (height < 1 || width < 1) throw shapeError(op, inputs, "the kernel is larger than the padded image");
  return [height, width];
}

/** Cross-correlation of x `[batch, in, h, w]` with weight `[out, in, kh, kw]`, as PyTorch's conv2d. */
export function conv2d(x: Node, weight: Node, options: Partial<Convolution> = {}): Node {
  const inputs = [x, weight];
  const attributes = step(options);
  checkStep("conv2d", inputs, attributes);
  const [batch, channels, ...size] = image("conv2d", inputs, x, "the image");
  const [out, into, ...kernel] = image("conv2d", inputs, weight, "the weight");
  if (into !== channels) throw shapeError("conv2d", inputs, `the weight is for ${into} channels, the image has ${channels}`);
  return makeNode("conv2d", inputs, attributes, [batch, out, ...convolved("conv2d", inputs, size, kernel, attributes)]);
}

/**
 * Gradient of conv2d with respect to the image.
 * @param g gradient of the result, `[batch, out, oh, ow]`
 * @param size height and width of the image
 */
export function conv2dInputGradient(g: Node, weight: Node, size: readonly [number, number], options: Partial<Convolution> = {}): Node {
  const op = "conv2dInputGradient";
  const inputs = [g, weight];
  const attributes = { ...step(options), size };
  checkStep(op, inputs, attributes);
  const [batch, out, ...places] = image(op, inputs, g, "the adjoint");
  const [filters, channels, ...kernel] = image(op, inputs, weight, "the weight");
  if (filters !== out || !sameShape(convolved(op, inputs, size, kernel, attributes), places)) {
    throw shapeError(op, inputs, `does not match an image of ${size.join(" x ")}`);
  }
  return makeNode(op, inputs, attributes, [batch, channels, ...size]);
}

/**
 * Gradient of conv2d with respect to the weight.
 * @param g gradient of the result, `[batch, out, oh, ow]`
 * @param kernel height and width of the kernel
 */
export function conv2dWeightGradient(x: Node, g: Node, kernel: readonly [number, number], options: Partial<Convolution> = {}): Node {
  const op = "conv2dWeightGradient";
  const inputs = [x, g];
  const attributes = { ...step(options), kernel };
  checkStep(op, inputs, attributes);
  const [batch, channels, ...size] = image(op, inputs, x, "the image");
  const [batch2, out, ...places] = image(op, inputs, g, "the adjoint");
  if (batch !== batch2 || !sameShape(convolved(op, inputs, size, kernel, attributes), places)) {
    throw shapeError(op, inputs, `does not match a kernel of ${kernel.join(" x ")}`);
  }
  return makeNode(op, inputs, attributes, [out, channels, ...kernel]);
}

/**
 * Shape after pooling with size x size windows that do not overlap; remaining rows and columns are
 * dropped.
 */
function pooledShape(op: string, inputs: readonly Node[], x: Node, size: number): Shape {
  const [batch, channels, height, width] = image(op, inputs, x, "the image");
  const places = [Math.floor(height / size), Math.floor(width / size)];
  if (!Number.isInteger(size) || size < 1 || places.some((n) => n < 1)) {
    throw shapeError(op, inputs, `windows of ${size} x ${size} do not fit`);
  }
  return [batch, channels, ...places];
}

/**
 * Maxima over size x size windows that do not overlap; among equals the first in row order gets the
 * gradient, as in PyTorch.
 */
export function maxPool2d(x: Node, size: number): Node {
  return makeNode("maxPool2d", [x], { size }, pooledShape("maxPool2d", [x], x, size));
}

/** Gradient of maxPool2d with respect to x: each entry of g at its window's maximum. */
export function maxPool2dGradient(x: Node, g: Node, size: number): Node {
  const inputs = [x, g];
  if (!sameShape(pooledShape("maxPool2dGradient", inputs, x, size), g.shape)) {
    throw shapeError("maxPool2dGradient", inputs, `does not match windows of ${size} x ${size}`);
  }
  return makeNode("maxPool2dGradient", inputs, { size }, x.shape);
}

/** Sums over size x size windows that do not overlap; remaining rows and columns are dropped. */
function sumPool2d(x: Node, size: number): Node {
  const [batch, channels, height, width] = pooledShape("avgPool2d", [x], x, size) as Image;
  const whole = slice(slice(x, 2, 0, height * size), 3, 0, width * size);
  return reduceSum(reshape(whole, [batch, channels, height, size, width, size]), [3, 5]);
}

/** Means over size x size windows that do not overlap; remaining rows and columns are dropped. */
export function avgPool2d(x: Node, size: number): Node {
  return mul(constant(1 / (size * size)), sumPool2d(x, size));
}

/** Entries of y at the maxima of x's windows, in the pooled shape. */
function atMaxima(x: Node, y: Node, pooled: Shape, size: number): Node {
  return sumPool2d(mul(y, maxPool2dGradient(x, filled(1, pooled), size)), size);
}

const two = (sizes: readonly number[]) => sizes as readonly [number, number];

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
  maxPool2d: {
    rebuild: (inputs, { size }) => maxPool2d(nth(inputs, 0), size),
    gradient: (node, g) => [maxPool2dGradient(nth(node.inputs, 0), g, node.attributes.size)],
    tangent: ({ inputs: [x], shape, attributes: { size } }, [t]) => along(t, (of) => atMaxima(x!, of, shape, size)),
  } satisfies Operation<"maxPool2d">,
  maxPool2dGradient: {
    rebuild: (inputs, { size }) => maxPool2dGradient(nth(inputs, 0), nth(inputs, 1), size),
    // Piecewise constant in x; g's gradient takes the entries at the maxima.
    gradient: (node, h) => {
      const [x, g] = [nth(node.inputs, 0), nth(node.inputs, 1)];
      return [null, atMaxima(x, h, g.shape, node.attributes.size)];
    },
    tangent: ({ inputs: [x], attributes: { size } }, [, t]) => along(t, (of) => maxPool2dGradient(x!, of, size)),
  } satisfies Operation<"maxPool2dGradient">,
};
