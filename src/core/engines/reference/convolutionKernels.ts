/** Convolutions and pooling in float64: the definitions, loop by loop. */
import { sizeOf, type Convolution, type NodeOf, type Pooling, type Shape } from "../../program/node.ts";
import { asPair, entryUnder, poolingWindows, windowsOf } from "../../program/windows.ts";
import type { Kernel } from "./kernel.ts";

/** A convolution's image, weight and result, whichever of them is being computed. */
interface Shapes {
  readonly image: Shape;
  readonly weight: Shape;
  readonly result: Shape;
}

/** Calls `visit` with the indices of every product in a convolution's sums. */
function products({ image, weight, result }: Shapes, convolution: Convolution, visit: (x: number, w: number, y: number) => void): void {
  const windows = windowsOf(convolution);
  const [batch, channels, height, width] = image as [number, number, number, number];
  const [out, into, kernelHeight, kernelWidth] = weight as [number, number, number, number];
  const filters = out / (convolution.groups ?? 1);
  const [, , rows, columns] = result as [number, number, number, number];
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < out; o++) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const y = ((n * out + o) * rows + row) * columns + column;
          const first = Math.floor(o / filters) * into;
          for (let c = 0; c < into; c++) {
            for (let i = 0; i < kernelHeight; i++) {
              const top = entryUnder(row, i, windows, 0);
              if (top < 0 || top >= height) continue;
              for (let j = 0; j < kernelWidth; j++) {
                const left = entryUnder(column, j, windows, 1);
                if (left < 0 || left >= width) continue;
                visit(((n * channels + first + c) * height + top) * width + left, ((o * into + c) * kernelHeight + i) * kernelWidth + j, y);
              }
            }
          }
        }
      }
    }
  }
}

/** Index of the maximum of every window, in window order; the first among equals. */
function maxima(x: Float64Array, shape: Shape, pooled: Shape, pooling: Pooling): Int32Array {
  const windows = poolingWindows(pooling);
  const [kernelHeight, kernelWidth] = asPair(pooling.size);
  const [height, width] = shape.slice(2) as [number, number];
  const [rows, columns] = pooled.slice(2) as [number, number];
  return new Int32Array(sizeOf(pooled)).map((_, place) => {
    const column = place % columns;
    const row = Math.floor(place / columns) % rows;
    const corner = Math.floor(place / (rows * columns)) * height * width;
    let best = -1;
    for (let i = 0; i < kernelHeight; i++) {
      const top = entryUnder(row, i, windows, 0);
      if (top < 0 || top >= height) continue;
      for (let j = 0; j < kernelWidth; j++) {
        const left = entryUnder(column, j, windows, 1);
        if (left < 0 || left >= width) continue;
        const at = corner + top * width + left;
        if (best < 0 || x[at]! > x[best]! || Number.isNaN(x[at]!)) best = at;
      }
    }
    return best;
  });
}

const shapeOf = (node: { readonly inputs: readonly { readonly shape: Shape }[] }, input: number) => node.inputs[input]!.shape;

export const convolutionKernels = {
  conv2d: ((node, [x, w]) => {
    const out = new Float64Array(sizeOf(node.shape));
    const shapes = { image: shapeOf(node, 0), weight: shapeOf(node, 1), result: node.shape };
    products(shapes, node.attributes, (i, j, k) => (out[k]! += x![i]! * w![j]!));
    return out;
  }) satisfies Kernel<"conv2d">,
  conv2dInputGradient: ((node, [g, w]) => {
    const out = new Float64Array(sizeOf(node.shape));
    const shapes = { image: node.shape, weight: shapeOf(node, 1), result: shapeOf(node, 0) };
    products(shapes, node.attributes, (i, j, k) => (out[i]! += g![k]! * w![j]!));
    return out;
  }) satisfies Kernel<"conv2dInputGradient">,
  conv2dWeightGradient: ((node, [x, g]) => {
    const out = new Float64Array(sizeOf(node.shape));
    const shapes = { image: shapeOf(node, 0), weight: node.shape, result: shapeOf(node, 1) };
    products(shapes, node.attributes, (i, j, k) => (out[j]! += x![i]! * g![k]!));
    return out;
  }) satisfies Kernel<"conv2dWeightGradient">,
  maxPool2d: ((node: NodeOf<"maxPool2d">, [x]: readonly Float64Array[]) =>
    Float64Array.from(maxima(x!, shapeOf(node, 0), node.shape, node.attributes), (place) => x![place]!)) satisfies Kernel<"maxPool2d">,
  maxPool2dGradient: ((node, [x, g]) => {
    const out = new Float64Array(sizeOf(node.shape));
    maxima(x!, node.shape, shapeOf(node, 1), node.attributes).forEach((place, i) => (out[place]! += g![i]!));
    return out;
  }) satisfies Kernel<"maxPool2dGradient">,
  atMaxima2d: ((node, [x, y]) => Float64Array.from(maxima(x!, shapeOf(node, 0), node.shape, node.attributes), (place) => y![place]!)) satisfies Kernel<"atMaxima2d">,
};
