/** Convolutions, pools and resizing, of one or two directions. */
import { sizeOf, type Node, type Pair, type Sides } from "../../program/node.ts";
import { add, avgPool2d, constant, constantArray, conv2d, conv2dInputGradient, div, matmul, maxPool2d, mul, pad, pow, reduceMax, reduceSum, reshape, slice, sqrt, transpose } from "../../program/operations/index.ts";
import type { Context } from "../context.ts";
import { computed, floatOf, type ArrayValue } from "../values.ts";
import { takeAlong } from "./indexing.ts";
import type { Operator, Operators } from "./operator.ts";

/** One direction becomes the second of two. */
function asImage(context: Context, x: Node): Node {
  const directions = x.shape.length - 2;
  if (directions !== 1 && directions !== 2) {
    throw context.error(`it has ${directions} directions (an array of the shape [${x.shape.join(", ")}]); allowed: 1 or 2`);
  }
  return directions === 2 ? x : reshape(x, [x.shape[0]!, x.shape[1]!, 1, x.shape[2]!]);
}

const back = (y: Node, like: Node): Node => (like.shape.length === 4 ? y : reshape(y, [y.shape[0]!, y.shape[1]!, y.shape[3]!]));

const pair = (given: readonly number[] | null, missing: number): Pair => (given === null ? [missing, missing] : given.length === 1 ? [missing, given[0]!] : [given[0]!, given[1]!]);

interface Windows {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Top, left, bottom, right. */
  readonly padding: Sides;
}

const reach = (kernel: Pair, dilation: Pair): Pair => [dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1];

/** Attributes of windows over an image of height and width. */
function windowsOf(context: Context, size: Pair, kernel: Pair): Windows {
  const { attributes } = context;
  attributes.only("auto_pad", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER");
  const stride = pair(attributes.ints("strides"), 1);
  const dilation = pair(attributes.ints("dilations"), 1);
  const auto = attributes.text("auto_pad", "NOTSET");
  if (auto === "SAME_UPPER" || auto === "SAME_LOWER") {
    const wide = reach(kernel, dilation);
    const total = [0, 1].map((axis) => Math.max(0, (Math.ceil(size[axis]! / stride[axis]!) - 1) * stride[axis]! + wide[axis]! - size[axis]!));
    const first = total.map((n) => (auto === "SAME_UPPER" ? Math.floor(n / 2) : Math.ceil(n / 2)));
    return { kernel, stride, dilation, padding: [first[0]!, first[1]!, total[0]! - first[0]!, total[1]! - first[1]!] };
  }
  const pads = auto === "VALID" ? null : attributes.ints("pads");
  const padding: Sides = pads === null ? [0, 0, 0, 0] : pads.length === 2 ? [0, pads[0]!, 0, pads[1]!] : [pads[0]!, pads[1]!, pads[2]!, pads[3]!];
  return { kernel, stride, dilation, padding };
}

const sizeOfImage = (x: Node): Pair => [x.shape[2]!, x.shape[3]!];

function withBias(context: Context, y: Node, like: Node): readonly ArrayValue[] {
  const whole = back(y, like);
  const bias = context.optional(2);
  return [computed(bias ? add(whole, reshape(floatOf(bias), [bias.shape[0]!, ...whole.shape.slice(2).map(() => 1)])) : whole)];
}

function convolution(context: Context): readonly ArrayValue[] {
  const given = floatOf(context.array(0));
  const [x, weight] = [asImage(context, given), asImage(context, floatOf(context.array(1)))];
  const { stride, dilation, padding } = windowsOf(context, sizeOfImage(x), sizeOfImage(weight));
  return withBias(context, conv2d(x, weight, { stride, dilation, padding, groups: context.attributes.int("group", 1) }), given);
}

function transposedConvolution(context: Context): readonly ArrayValue[] {
  const { attributes } = context;
  const given = floatOf(context.array(0));
  const [x, weight] = [asImage(context, given), asImage(context, floatOf(context.array(1)))];
  const size = sizeOfImage(x);
  const kernel = sizeOfImage(weight);
  attributes.only("auto_pad", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER");
  const stride = pair(attributes.ints("strides"), 1);
  const dilation = pair(attributes.ints("dilations"), 1);
  const more = pair(attributes.ints("output_padding"), 0);
  const wide = reach(kernel, dilation);
  const whole = [0, 1].map((axis) => (size[axis]! - 1) * stride[axis]! + wide[axis]!);
  const auto = attributes.text("auto_pad", "NOTSET");
  const wanted = attributes.ints("output_shape") ?? (auto.startsWith("SAME") ? [0, 1].slice(-(given.shape.length - 2)).map((axis) => size[axis]! * stride[axis]!) : null);
  let padding = windowsPadding(context, auto);
  let out: Pair = [whole[0]! + more[0] - padding[0] - padding[2], whole[1]! + more[1] - padding[1] - padding[3]];
  if (wanted) {
    out = wanted.length === 1 ? [1, wanted[0]!] : [wanted.at(-2)!, wanted.at(-1)!];
    const total = [0, 1].map((axis) => Math.max(0, whole[axis]! + more[axis]! - out[axis]!));
    const first = total.map((n) => (auto === "SAME_UPPER" ? Math.floor(n / 2) : Math.ceil(n / 2)));
    padding = [first[0]!, first[1]!, total[0]! - first[0]!, total[1]! - first[1]!];
  }
  const options = { stride, dilation, padding, groups: attributes.int("group", 1) };
  // Rows and columns beyond what any kernel reaches are zeros.
  const reached: Pair = [0, 1].map((axis) => Math.min(out[axis]!, whole[axis]! - padding[axis]! - padding[axis + 2]! + stride[axis]! - 1)) as unknown as Pair;
  const y = conv2dInputGradient(x, weight, reached, options);
  const rest = [out[0] - reached[0], out[1] - reached[1]];
  return withBias(context, rest.some((n) => n > 0) ? pad(y, [0, 0, 0, 0], [0, 0, rest[0]!, rest[1]!]) : y, given);
}

function windowsPadding(context: Context, auto: string): Sides {
  const pads = auto === "NOTSET" ? context.attributes.ints("pads") : null;
  return pads === null ? [0, 0, 0, 0] : pads.length === 2 ? [0, pads[0]!, 0, pads[1]!] : [pads[0]!, pads[1]!, pads[2]!, pads[3]!];
}

/** Rows and columns that rounding up adds below and to the right. */
function ceiled(context: Context, size: Pair, { kernel, stride, dilation, padding }: Windows): Pair {
  if (context.attributes.int("ceil_mode", 0) === 0) return [0, 0];
  const wide = reach(kernel, dilation);
  return [0, 1].map((axis) => {
    const free = size[axis]! + padding[axis]! + padding[axis + 2]! - wide[axis]!;
    let places = Math.ceil(free / stride[axis]!) + 1;
    // A window that would start in the padding at the end is left out.
    if ((places - 1) * stride[axis]! >= size[axis]! + padding[axis]!) places--;
    return Math.max(0, (places - 1) * stride[axis]! - free);
  }) as unknown as Pair;
}

function pooled(build: (context: Context, x: Node, windows: Windows, more: Pair) => Node): Operator {
  return (context) => {
    const whole = floatOf(context.array(0));
    const { given, pool, restore } = planar(context, whole);
    const x = asImage(pool, given);
    const kernel = pair(pool.attributes.ints("kernel_shape"), 1);
    const windows = windowsOf(pool, sizeOfImage(x), kernel);
    return [computed(restore(back(build(pool, x, windows, ceiled(pool, sizeOfImage(x), windows)), given)))];
  };
}

interface Planar {
  readonly given: Node;
  readonly pool: Context;
  restore(y: Node): Node;
}

/** Pools of more directions, as JAX writes them over batch and channels too: those that do nothing join the channels. */
function planar(context: Context, x: Node): Planar {
  const directions = x.shape.length - 2;
  const kernel = context.attributes.ints("kernel_shape") ?? [];
  if (directions <= 2 || kernel.length !== directions) return { given: x, pool: context, restore: (y) => y };
  const strides = context.attributes.ints("strides") ?? kernel.map(() => 1);
  const pads = context.attributes.ints("pads") ?? kernel.flatMap(() => [0, 0]);
  const moves = kernel.flatMap((size, i) => (size === 1 && strides[i] === 1 && pads[i] === 0 && pads[i + directions] === 0 ? [] : [i]));
  if (moves.length > 2) throw context.error(`it has windows in ${moves.length} directions; allowed: 1 or 2`);
  const chosen = [...moves, ...kernel.map((_, i) => i).filter((i) => !moves.includes(i))].slice(0, 2).sort((a, b) => a - b);
  const rest = x.shape.map((_, axis) => axis).filter((axis) => !chosen.includes(axis - 2));
  const order = [...rest, ...chosen.map((i) => i + 2)];
  const moved = transpose(x, order);
  const [height, width] = moved.shape.slice(-2) as [number, number];
  const given = reshape(moved, [sizeOf(moved.shape) / (height * width), 1, height, width]);
  const attributes = { ...context.node.attributes };
  const pick = (name: string, values: readonly number[]) => (attributes[name] = { kind: "ints", value: [...values] });
  for (const name of ["kernel_shape", "strides", "dilations"]) {
    const values = context.attributes.ints(name);
    if (values) pick(name, chosen.map((i) => values[i]!));
  }
  if (context.attributes.has("pads")) pick("pads", [...chosen.map((i) => pads[i]!), ...chosen.map((i) => pads[i + directions]!)]);
  const restore = (y: Node) => transpose(reshape(y, [...moved.shape.slice(0, -2), ...y.shape.slice(-2)]), order.map((_, axis) => order.indexOf(axis)));
  return { given, pool: context.withAttributes(attributes), restore };
}

const extended = ([top, left, bottom, right]: Sides, more: Pair): Sides => [top, left, bottom + more[0], right + more[1]];

const maxima = pooled((_, x, { kernel, stride, dilation, padding }, more) => maxPool2d(x, { size: kernel, stride, dilation, padding: extended(padding, more) }));

const means = pooled((context, x, { kernel, stride, dilation, padding }, more) => {
  const countPadding = context.attributes.int("count_include_pad", 0) === 1;
  const options = { size: kernel, stride, dilation, padding: extended(padding, more) };
  if (!countPadding || more.every((n) => n === 0)) return avgPool2d(x, { ...options, countPadding });
  // The rows that rounding up adds do not count, those of the padding do.
  const wide = reach(kernel, dilation);
  const sums = mul(constant(kernel[0] * kernel[1]), avgPool2d(x, { ...options, countPadding: true }));
  const counts = [0, 1].map((axis) => {
    const end = x.shape[axis + 2]! + padding[axis]! + padding[axis + 2]!;
    return Array.from({ length: sums.shape[axis + 2]! }, (_, i) => {
      const start = i * stride[axis]!;
      return Array.from({ length: kernel[axis]! }, (_unused, k) => start + k * dilation[axis]!).filter((at) => at < Math.min(end, start + wide[axis]!)).length;
    });
  }) as [number[], number[]];
  const shares = Float64Array.from(counts[0].flatMap((rows) => counts[1].map((columns) => 1 / (rows * columns))));
  return mul(sums, constantArray(shares, [counts[0].length, counts[1].length], "float"));
});

/** Norms over windows. */
const norms = pooled((context, x, { kernel, stride, dilation, padding }, more) => {
  context.attributes.only("p", 2);
  const squares = avgPool2d(mul(x, x), { size: kernel, stride, dilation, padding: extended(padding, more), countPadding: true });
  return sqrt(mul(constant(kernel[0] * kernel[1]), squares));
});

function global(build: (x: Node, axes: readonly number[]) => Node): Operator {
  return (context) => {
    const x = floatOf(context.array(0));
    return [computed(build(x, x.shape.flatMap((_, axis) => (axis < 2 ? [] : [axis]))))];
  };
}

const meanOver = (x: Node, axes: readonly number[]) => mul(constant(1 / sizeOf(axes.map((axis) => x.shape[axis]!))), reduceSum(x, axes, true));

/** Where an output position lies in the input, by ONNX's names. */
function sourceOf(context: Context, mode: string, at: number, size: number, out: number, scale: number): number {
  switch (mode) {
    case "half_pixel":
      return (at + 0.5) / scale - 0.5;
    case "pytorch_half_pixel":
      return out > 1 ? (at + 0.5) / scale - 0.5 : 0;
    case "align_corners":
      return out > 1 ? (at * (size - 1)) / (out - 1) : 0;
    case "asymmetric":
      return at / scale;
    case "half_pixel_symmetric": {
      const adjusted = out / (scale * size);
      return (size / 2) * (1 - adjusted) + (at + 0.5) / scale - 0.5;
    }
    default:
      throw context.error(`coordinate_transformation_mode = "${mode}" is not supported; allowed: half_pixel, pytorch_half_pixel, align_corners, asymmetric, half_pixel_symmetric`);
  }
}

function nearestOf(context: Context, at: number): number {
  const mode = context.attributes.text("nearest_mode", "round_prefer_floor");
  context.attributes.only("nearest_mode", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil");
  if (mode === "floor") return Math.floor(at);
  if (mode === "ceil") return Math.ceil(at);
  return mode === "round_prefer_ceil" ? Math.floor(at + 0.5) : Math.ceil(at - 0.5);
}

/** Weights of the input's entries for a position: linear, or cubic with the coefficient a. */
function weightsAt(at: number, cubic: number | null): [number, number][] {
  const low = Math.floor(at);
  const t = at - low;
  if (cubic === null) return [[low, 1 - t], [low + 1, t]];
  const near = (d: number) => ((cubic + 2) * d - (cubic + 3)) * d * d + 1;
  const far = (d: number) => ((cubic * d - 5 * cubic) * d + 8 * cubic) * d - 4 * cubic;
  return [[low - 1, far(1 + t)], [low, near(t)], [low + 1, near(1 - t)], [low + 2, far(2 - t)]];
}

function resized(context: Context): readonly ArrayValue[] {
  const { attributes } = context;
  attributes.only("mode", "nearest", "linear", "cubic");
  attributes.only("antialias", 0);
  const old = context.node.operator === "Upsample" || context.pass.opset < 11;
  let x = context.array(0);
  const rank = x.shape.length;
  const axes = (attributes.ints("axes") ?? x.shape.map((_, axis) => axis)).map((axis) => context.axis(axis, rank));
  const scalesIn = context.node.inputs.length > (old ? 1 : 2) ? context.numbers(old ? 1 : 2, "the scales") : null;
  const scales = scalesIn?.length ? scalesIn : (attributes.floats("scales") ?? null);
  const sizes = context.numbers(3, "the sizes");
  const mode = attributes.text("mode", "nearest");
  const transform = old ? "asymmetric" : attributes.text("coordinate_transformation_mode", "half_pixel");
  axes.forEach((axis, i) => {
    const size = x.shape[axis]!;
    const out = sizes?.length ? sizes[i]! : Math.floor(size * (scales?.[i] ?? 1));
    const scale = scales?.[i] ?? out / size;
    if (out === size && scale === 1) return;
    const source = Array.from({ length: out }, (_, at) => sourceOf(context, transform, at, size, out, scale));
    const inside = (at: number) => Math.max(0, Math.min(size - 1, at));
    if (mode === "nearest") {
      x = takeAlong(x, axis, source.map((at) => inside(old ? Math.floor(at) : nearestOf(context, at))));
      return;
    }
    const matrix = new Float64Array(size * out);
    source.forEach((at, column) => {
      for (const [from, weight] of weightsAt(mode === "linear" ? inside(at) : at, mode === "linear" ? null : attributes.float("cubic_coeff_a", -0.75))) matrix[inside(from) * out + column]! += weight;
    });
    const order = x.shape.map((_, a) => a).filter((a) => a !== axis);
    const moved = transpose(floatOf(x), [...order, axis]);
    const rows = reshape(moved, [sizeOf(moved.shape) / size, size]);
    const product = reshape(matmul(rows, constantArray(matrix, [size, out], "float")), [...moved.shape.slice(0, -1), out]);
    const permutation = [...order, axis];
    x = computed(transpose(product, permutation.map((_, a) => permutation.indexOf(a))));
  });
  return [x];
}

/** Local response normalization (Krizhevsky et al. 2012). */
function localResponse(context: Context): readonly ArrayValue[] {
  const x = floatOf(context.array(0));
  const size = context.attributes.int("size");
  const channels = x.shape[1]!;
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const sides = (n: number) => x.shape.map((_, axis) => (axis === 1 ? n : 0));
  const squares = pad(mul(x, x), sides(before), sides(after));
  const sum = Array.from({ length: size }, (_, i) => slice(squares, 1, i, i + channels)).reduce(add);
  const { attributes } = context;
  const base = add(constant(attributes.float("bias", 1)), mul(constant(attributes.float("alpha", 1e-4) / size), sum));
  return [computed(div(x, pow(base, constant(attributes.float("beta", 0.75)))))];
}

export const imageOperators: Operators = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  MaxPool: maxima,
  AveragePool: means,
  LpPool: norms,
  GlobalAveragePool: global(meanOver),
  GlobalMaxPool: global((x, axes) => reduceMax(x, axes, true)),
  Resize: resized,
  Upsample: resized,
  LRN: localResponse,
};
