/** Pooling of images `[batch, channels, height, width]`. */
import { makeNode, sameShape, shapeError, type Node, type Pair, type Pooling, type Shape } from "../node.ts";
import { asPair, entryUnder, isTiling, poolingAttributes, poolingWindows, positions, type PoolingOptions } from "../windows.ts";
import { checkWhole, conv2d, image, type Image } from "./convolution.ts";
import { constant, filled } from "./constants.ts";
import { div, mul } from "./elementwise.ts";
import { reshape, slice } from "./movement.ts";
import { along, nth, type Operation } from "./operation.ts";
import { reduceSum } from "./reduction.ts";

function checked(op: string, inputs: readonly Node[], options: PoolingOptions | number): Pooling {
  const attributes = poolingAttributes(typeof options === "number" ? { size: options } : options);
  checkWhole(op, inputs, "stride", attributes.stride ?? 1, 1);
  checkWhole(op, inputs, "padding", attributes.padding ?? 0, 0);
  checkWhole(op, inputs, "dilation", attributes.dilation ?? 1, 1);
  return attributes;
}

/**
 * Shape after pooling; rows and columns that no window reaches are dropped.
 * @throws Error where a window does not fit, or has no pixel of the image
 */
function pooledShape(op: string, inputs: readonly Node[], x: Node, pooling: Pooling): Shape {
  const [batch, channels, ...size] = image(op, inputs, x, "the image");
  const sizes = asPair(pooling.size);
  const windows = poolingWindows(pooling);
  const misfit = () => shapeError(op, inputs, `windows of ${sizes.join(" x ")} do not fit`);
  if (sizes.some((n) => !Number.isInteger(n) || n < 1)) throw misfit();
  const places = [0, 1].map((axis) => positions(size[axis]!, sizes[axis]!, windows, axis));
  if (places.some((n) => n < 1)) throw misfit();
  [0, 1].forEach((axis) => {
    const inside = (position: number) => Array.from({ length: sizes[axis]! }, (_, i) => entryUnder(position, i, windows, axis)).some((at) => at >= 0 && at < size[axis]!);
    if (!inside(0) || !inside(places[axis]! - 1)) throw shapeError(op, inputs, `the padding of ${windows.pads.join(", ")} leaves a window without a pixel`);
  });
  return [batch, channels, ...places];
}

/**
 * Maxima over windows; a number makes square windows side by side. Among equals the first in row
 * order gets the gradient, as in PyTorch.
 */
export function maxPool2d(x: Node, options: PoolingOptions | number): Node {
  const attributes = checked("maxPool2d", [x], options);
  return makeNode("maxPool2d", [x], attributes, pooledShape("maxPool2d", [x], x, attributes));
}

/** Gradient of maxPool2d with respect to x: every entry of g is added at its window's maximum. */
export function maxPool2dGradient(x: Node, g: Node, options: PoolingOptions | number): Node {
  const inputs = [x, g];
  const attributes = checked("maxPool2dGradient", inputs, options);
  if (!sameShape(pooledShape("maxPool2dGradient", inputs, x, attributes), g.shape)) {
    throw shapeError("maxPool2dGradient", inputs, `does not match windows of ${asPair(attributes.size).join(" x ")}`);
  }
  return makeNode("maxPool2dGradient", inputs, attributes, x.shape);
}

/** Entries of y at the maxima of x's windows: the adjoint of maxPool2dGradient. */
export function atMaxima2d(x: Node, y: Node, options: PoolingOptions | number): Node {
  const inputs = [x, y];
  const attributes = checked("atMaxima2d", inputs, options);
  if (!sameShape(x.shape, y.shape)) throw shapeError("atMaxima2d", inputs, "needs two images of the same shape");
  const shape = pooledShape("atMaxima2d", inputs, x, attributes);
  // Windows side by side have no maximum in common: sums over them are quicker.
  if (isTiling(attributes)) return sumOfTiles(mul(y, maxPool2dGradient(x, filled(1, shape), attributes)), asPair(attributes.size));
  return makeNode("atMaxima2d", inputs, attributes, shape);
}

/** Sums over windows side by side; remaining rows and columns are dropped. */
function sumOfTiles(x: Node, size: Pair): Node {
  const [batch, channels, height, width] = pooledShape("avgPool2d", [x], x, { size }) as Image;
  const whole = slice(slice(x, 2, 0, height * size[0]), 3, 0, width * size[1]);
  return reduceSum(reshape(whole, [batch, channels, height, size[0], width, size[1]]), [3, 5]);
}

export interface AveragePoolingOptions extends PoolingOptions {
  /** Whether a mean is over the padding, too, as zeros (the default), or over the image's pixels only. */
  readonly countPadding?: boolean;
}

/** Means over windows; a number makes square windows side by side. */
export function avgPool2d(x: Node, options: AveragePoolingOptions | number): Node {
  const attributes = checked("avgPool2d", [x], options);
  const size = asPair(attributes.size);
  const share = 1 / (size[0] * size[1]);
  if (attributes.stride === undefined && attributes.padding === undefined && attributes.dilation === undefined) return mul(constant(share), sumOfTiles(x, size));
  const [, channels, height, width] = image("avgPool2d", [x], x, "the image");
  pooledShape("avgPool2d", [x], x, attributes);
  const { strides, pads, dilations } = poolingWindows(attributes);
  const sums = (of: Node, groups: number, entry: number) => conv2d(of, filled(entry, [groups, 1, ...size]), { stride: strides, padding: pads, dilation: dilations, groups });
  const countPadding = typeof options === "number" || (options.countPadding ?? true);
  if (countPadding || attributes.padding === undefined) return sums(x, channels, share);
  return div(sums(x, channels, 1), sums(filled(1, [1, 1, height, width]), 1, 1));
}

/** Maximum of every channel, `[batch, channels, 1, 1]`. */
export function globalMaxPool(x: Node): Node {
  const [, , height, width] = image("globalMaxPool", [x], x, "the image");
  return maxPool2d(x, { size: [height, width] });
}

export const pooling = {
  maxPool2d: {
    rebuild: (inputs, attributes) => maxPool2d(nth(inputs, 0), attributes),
    gradient: (node, g) => [maxPool2dGradient(nth(node.inputs, 0), g, node.attributes)],
    tangent: ({ inputs: [x], attributes }, [t]) => along(t, (of) => atMaxima2d(x!, of, attributes)),
  } satisfies Operation<"maxPool2d">,
  maxPool2dGradient: {
    rebuild: (inputs, attributes) => maxPool2dGradient(nth(inputs, 0), nth(inputs, 1), attributes),
    // Piecewise constant in x; g's gradient takes the entries at the maxima.
    gradient: (node, h) => [null, atMaxima2d(nth(node.inputs, 0), h, node.attributes)],
    tangent: ({ inputs: [x], attributes }, [, t]) => along(t, (of) => maxPool2dGradient(x!, of, attributes)),
  } satisfies Operation<"maxPool2dGradient">,
  atMaxima2d: {
    rebuild: (inputs, attributes) => atMaxima2d(nth(inputs, 0), nth(inputs, 1), attributes),
    gradient: (node, g) => [null, maxPool2dGradient(nth(node.inputs, 0), g, node.attributes)],
    tangent: ({ inputs: [x], attributes }, [, t]) => along(t, (of) => atMaxima2d(x!, of, attributes)),
  } satisfies Operation<"atMaxima2d">,
};
