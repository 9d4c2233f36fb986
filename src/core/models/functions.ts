/** Functions of networks, composed of a program's operations: gates, normalization, attention. */
import { shapeError, sizeOf, type Node } from "../program/node.ts";
import * as ops from "../program/operations/index.ts";

const one = ops.constant(1);
const half = ops.constant(0.5);

/** x times the normal distribution's cumulative function, exactly or by its approximation with tanh (Hendrycks and Gimpel 2016). */
export function gelu(x: Node, form: "exact" | "tanh" = "exact"): Node {
  if (form === "exact") return ops.mul(ops.mul(half, x), ops.add(one, ops.erf(ops.mul(ops.constant(Math.SQRT1_2), x))));
  const cubed = ops.mul(ops.mul(x, x), x);
  const inner = ops.mul(ops.constant(Math.sqrt(2 / Math.PI)), ops.add(x, ops.mul(ops.constant(0.044715), cubed)));
  return ops.mul(ops.mul(half, x), ops.add(one, ops.tanh(inner)));
}

/** x sigmoid(x), also called swish. */
export const silu = (x: Node): Node => ops.mul(x, ops.sigmoid(x));

export interface NormOptions {
  /** Normalized axes; the last one by default. Negative axes count from the end. */
  readonly axes?: readonly number[];
  /** Factor and summand after normalization; they broadcast to x. */
  readonly scale?: Node | undefined;
  readonly bias?: Node | undefined;
  /** Added to the variance or mean square; 1e-5 by default. */
  readonly epsilon?: number;
}

const defaultEpsilon = 1e-5;

function axesOf(op: string, x: Node, axes: readonly number[]): number[] {
  const rank = x.shape.length;
  const found = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  if (found.length === 0 || found.some((axis) => !Number.isInteger(axis) || axis < 0 || axis >= rank)) throw shapeError(op, [x], `has no axes [${axes.join(", ")}]`);
  return found;
}

function affine(x: Node, scale: Node | undefined, bias: Node | undefined): Node {
  const scaled = scale ? ops.mul(x, scale) : x;
  return bias ? ops.add(scaled, bias) : scaled;
}

/** Mean 0 and biased variance 1 over the axes (Ba et al. 2016). */
export function layerNorm(x: Node, { axes = [-1], scale, bias, epsilon = defaultEpsilon }: NormOptions = {}): Node {
  const over = axesOf("layerNorm", x, axes);
  // The variance of centered values: the gradient passes over the array half as often as that of variance().
  const centered = ops.sub(x, ops.mean(x, over));
  const deviation = ops.sqrt(ops.add(ops.mean(ops.mul(centered, centered), over), ops.constant(epsilon)));
  return affine(ops.mul(centered, ops.div(one, deviation)), scale, bias);
}

/** Mean square 1 over the axes (Zhang and Sennrich 2019). */
export function rmsNorm(x: Node, { axes = [-1], scale, bias, epsilon = defaultEpsilon }: NormOptions = {}): Node {
  const square = ops.mean(ops.mul(x, x), axesOf("rmsNorm", x, axes));
  return affine(ops.mul(x, ops.div(one, ops.sqrt(ops.add(square, ops.constant(epsilon))))), scale, bias);
}

export interface GroupNormOptions extends Omit<NormOptions, "axes"> {
  /** Groups of neighboring channels; they must divide the channels. */
  readonly groups: number;
}

/**
 * Normalizes each group of channels of an example (Wu and He 2018).
 * @param x `[batch, channels, ...]`
 * @param options scale and bias have one entry per channel
 */
export function groupNorm(x: Node, { groups, scale, bias, epsilon = defaultEpsilon }: GroupNormOptions): Node {
  const [batch, channels, ...places] = x.shape;
  if (batch === undefined || channels === undefined) throw shapeError("groupNorm", [x], "needs a batch and channels");
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) throw shapeError("groupNorm", [x], `has ${channels} channels, which ${groups} groups do not divide`);
  const normalized = layerNorm(ops.reshape(x, [batch, groups, (channels / groups) * sizeOf(places)]), { epsilon });
  const perChannel = (values: Node | undefined) => values && ops.reshape(values, [channels, ...places.map(() => 1)]);
  return affine(ops.reshape(normalized, x.shape), perChannel(scale), perChannel(bias));
}

export interface AttentionOptions {
  /** Whether a step sees only itself and earlier ones. */
  readonly causal?: boolean;
  /**
   * Broadcasts to `[..., heads, steps, keys]`: a bool is true where a step sees a key, a float is
   * added to the scores.
   */
  readonly mask?: Node | undefined;
  /** Factor of the scores; 1 / sqrt(width) by default. */
  readonly scale?: number;
  /** Applied to the weights, for dropout. */
  readonly weights?: (weights: Node) => Node;
}

/**
 * Scaled dot-product attention (Vaswani et al. 2017). A step that sees no key gets 0.
 * @param q `[..., heads, steps, width]`
 * @param k `[..., heads, keys, width]`
 * @param v `[..., heads, keys, any width]`
 */
export function attention(q: Node, k: Node, v: Node, { causal = false, mask, scale, weights = (x) => x }: AttentionOptions = {}): Node {
  const width = q.shape.at(-1) ?? 1;
  const scores = ops.matmul(q, k, { transposeB: true, scale: scale ?? 1 / Math.sqrt(width) });
  const [steps, keys] = scores.shape.slice(-2) as [number, number];
  // Adding -Infinity needs no pass in the gradient: softmax gives 0 there.
  const ordered = causal ? ops.add(scores, causalMask(steps, keys)) : scores;
  if (!mask) return ops.matmul(weights(ops.softmax(ordered)), v);

  const masked = mask.dtype === "bool" ? ops.select(mask, ordered, ops.constant(-Infinity)) : ops.add(ordered, mask);
  const seesAny = ops.greater(ops.reduceMax(masked, [masked.shape.length - 1], true), ops.constant(-Infinity));
  const safe = ops.softmax(ops.select(seesAny, masked, ops.constant(0)));
  return ops.matmul(weights(ops.select(seesAny, safe, ops.constant(0))), v);
}

/** `[steps, keys]`: 0 where a step may see a key, -Infinity where the key is later. */
export function causalMask(steps: number, keys = steps): Node {
  return ops.constantArray(new Float64Array(steps * keys).map((_, i) => (i % keys > Math.floor(i / keys) ? -Infinity : 0)), [steps, keys]);
}

/**
 * Rotary positions (Su et al. 2021): turns each pair of entries i and i + width / 2 by the step's
 * angle, so that products of queries and keys depend on their distance only.
 * @param x `[..., steps, width]`, an even width
 */
export function rotary(x: Node, base = 10_000): Node {
  const [steps, width] = x.shape.slice(-2);
  if (steps === undefined || width === undefined || width % 2 !== 0) throw shapeError("rotary", [x], "needs steps and an even width");
  const angles = new Float64Array(steps * width).map((_, i) => Math.floor(i / width) * base ** (-(2 * (i % (width / 2))) / width));
  const table = (f: (angle: number) => number) => ops.constantArray(angles.map(f), [steps, width]);
  const axis = x.shape.length - 1;
  const [left, right] = [ops.slice(x, axis, 0, width / 2), ops.slice(x, axis, width / 2, width)];
  return ops.add(ops.mul(x, table(Math.cos)), ops.mul(ops.concat([ops.neg(right), left], axis), table(Math.sin)));
}

/** Sines and cosines of positions, `[steps, width]` (Vaswani et al. 2017): sine in even, cosine in odd columns. */
export function sinusoids(steps: number, width: number): Node {
  const entry = (step: number, column: number) => {
    const angle = step * 10_000 ** (-(2 * Math.floor(column / 2)) / width);
    return column % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  };
  return ops.constantArray(new Float64Array(steps * width).map((_, i) => entry(Math.floor(i / width), i % width)), [steps, width]);
}
