/** How kernels and windows go over an image: stride, padding and dilation by direction. */
import type { Convolution, Pair, Pooling, Sides } from "./node.ts";

/** Options of a convolution; a single number holds in every direction. */
export interface ConvolutionOptions {
  readonly stride?: number | Pair;
  /** Rows and columns of zeros around the image. */
  readonly padding?: number | Sides;
  /** Distance of neighboring entries of the kernel in the image. */
  readonly dilation?: number | Pair;
  /** Parts of the channels that are convolved separately, each with its share of the filters. */
  readonly groups?: number;
}

/** Options of a pooling; windows do not overlap by default. */
export interface PoolingOptions {
  readonly size: number | Pair;
  readonly stride?: number | Pair;
  /** Rows and columns around the image that count in no maximum. */
  readonly padding?: number | Sides;
  readonly dilation?: number | Pair;
}

export interface Windows {
  readonly strides: Pair;
  readonly pads: Sides;
  readonly dilations: Pair;
}

export const asPair = (value: number | Pair): Pair => (typeof value === "number" ? [value, value] : value);
const asSides = (value: number | Sides): Sides => (typeof value === "number" ? [value, value, value, value] : value);

/** A single number where all are equal. */
const joined = <T extends readonly number[]>(values: T): number | T => (values.every((value) => value === values[0]) ? values[0]! : values);

/** Attributes of a convolution: defaults are absent, and equal numbers are one. */
export function convolutionAttributes({ stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvolutionOptions): Convolution {
  const dilations = asPair(dilation);
  return {
    stride: joined(asPair(stride)),
    padding: joined(asSides(padding)),
    ...(dilations.every((n) => n === 1) ? {} : { dilation: dilations }),
    ...(groups === 1 ? {} : { groups }),
  };
}

/** Attributes of a pooling; `{ size }` alone where square windows do not overlap. */
export function poolingAttributes({ size, stride = size, padding = 0, dilation = 1 }: PoolingOptions): Pooling {
  const [sizes, strides, pads, dilations] = [asPair(size), asPair(stride), asSides(padding), asPair(dilation)];
  const apart = sizes.every((n, axis) => n === strides[axis]);
  return {
    size: joined(sizes),
    ...(apart ? {} : { stride: strides }),
    ...(pads.every((n) => n === 0) ? {} : { padding: pads }),
    ...(dilations.every((n) => n === 1) ? {} : { dilation: dilations }),
  };
}

export interface PlainConvolution {
  readonly stride: number;
  readonly padding: number;
}

/** Whether a convolution has one group, no dilation, and the same stride and padding everywhere. */
export function isPlain<T extends Convolution>(convolution: T): convolution is T & PlainConvolution {
  const { stride, padding, dilation, groups } = convolution;
  return typeof stride === "number" && typeof padding === "number" && dilation === undefined && groups === undefined;
}

/** Whether square windows lie side by side. */
export function isTiling<T extends Pooling>(pooling: T): pooling is T & { readonly size: number } {
  const { size, stride, padding, dilation } = pooling;
  return typeof size === "number" && stride === undefined && padding === undefined && dilation === undefined;
}

export const windowsOf = ({ stride, padding, dilation }: Convolution): Windows => ({
  strides: asPair(stride),
  pads: asSides(padding),
  dilations: dilation ?? [1, 1],
});

export const poolingWindows = ({ size, stride, padding, dilation }: Pooling): Windows => ({
  strides: stride ?? asPair(size),
  pads: padding ?? [0, 0, 0, 0],
  dilations: dilation ?? [1, 1],
});

/** Number of positions of a kernel of `kernel` entries along an axis (0 or 1) of `size`; below 1 where it does not fit. */
export function positions(size: number, kernel: number, { strides, pads, dilations }: Windows, axis: number): number {
  return Math.floor((size + pads[axis]! + pads[axis + 2]! - dilations[axis]! * (kernel - 1) - 1) / strides[axis]!) + 1;
}

/** Entry of the image under entry `i` of the kernel at a position; outside 0 .. size - 1 it is padding. */
export function entryUnder(position: number, i: number, { strides, pads, dilations }: Windows, axis: number): number {
  return position * strides[axis]! + i * dilations[axis]! - pads[axis]!;
}

/** entryUnder() for every position and kernel entry along an axis, position by position. */
export function entriesUnder(count: number, kernel: number, windows: Windows, axis: number): number[] {
  return Array.from({ length: count * kernel }, (_, n) => entryUnder(Math.floor(n / kernel), n % kernel, windows, axis));
}
