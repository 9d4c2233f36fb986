/** The layers of a transformer: position table, normalization, gated feed-forward, causal attention. */
import { attentionMask } from "../../../shared/models/transformerLayers.ts";
import type { Config } from "../../../shared/models/layers.ts";
import type { Node } from "../../program/node.ts";
import { add, mul, reshape, slice, transpose } from "../../program/operations/index.ts";
import { rows, steps, type Activations } from "../activations.ts";
import { attention, gelu, layerNorm, rmsNorm, silu, sinusoids } from "../functions.ts";
import { dropped } from "./dropout.ts";
import type { Apply } from "./layer.ts";

/** A vector for each step, `[steps, width]`, learned or of sines and cosines, added to the sequence. */
const positions: Apply<"positions"> = (x, { table }, scope) => {
  const [count, width] = x.shape as [number, number];
  const vectors = table === "learned" ? scope.parameter("weight") : sinusoids(count, width);
  const placed = add(reshape(steps(x), [count, x.batch, width]), reshape(vectors, [count, 1, width]));
  return { ...x, node: reshape(placed, [count * x.batch, width]), layout: "steps" };
};

/** In a layout whose last axis is the width. */
const byWidth = (x: Activations): Activations => (x.layout === "columns" ? { ...x, node: rows(x), layout: "rows" } : x);

const normalizedBy = (normalize: (node: Node, axes: readonly number[]) => Node, x: Activations): Activations => {
  const plain = byWidth(x);
  return { ...plain, node: normalize(plain.node, [plain.node.shape.length - 1]) };
};

const layerNormalization: Apply<"layerNorm"> = (x, { bias, epsilon }, scope) =>
  normalizedBy((node, axes) => layerNorm(node, { axes, epsilon, scale: scope.parameter("weight"), ...(bias ? { bias: scope.parameter("bias") } : {}) }), x);

const rmsNormalization: Apply<"rmsNorm"> = (x, { epsilon }, scope) => normalizedBy((node, axes) => rmsNorm(node, { axes, epsilon, scale: scope.parameter("weight") }), x);

/** silu(first half) * second half of every vector (Shazeer 2020). */
const swiglu: Apply<"swiglu"> = (x, _, __, { output }) => {
  const plain = byWidth(x);
  const axis = plain.node.shape.length - 1;
  const half = plain.node.shape[axis]! / 2;
  return { ...plain, node: mul(silu(slice(plain.node, axis, 0, half)), slice(plain.node, axis, half, 2 * half)), shape: output.shape };
};

function headNormalized(x: Node, headNorm: Config<"causalAttention">["headNorm"], scale: () => Node): Node {
  const options = { axes: [x.shape.length - 1], epsilon: 1e-5 };
  if (headNorm === "none") return x;
  return headNorm === "layer" ? layerNorm(x, { ...options, scale: scale() }) : rmsNorm(x, { ...options, scale: scale() });
}

/** Every step attends to itself and to earlier ones, in every head (Vaswani et al. 2017). */
const causalAttention: Apply<"causalAttention"> = (x, { heads, headNorm, dropout }, scope, { output }) => {
  const [count, width] = output.shape as [number, number];
  const all = steps(x);
  // Step by step, so that ONNX Runtime reads heads where they lie: [steps, batch, heads, each].
  const [q, k, v] = [0, 1, 2].map((part) => reshape(slice(all, 1, part * width, (part + 1) * width), [count, x.batch, heads, width / heads])) as [Node, Node, Node];
  const byHead = (node: Node) => transpose(node, [1, 2, 0, 3]);
  const queries = headNormalized(q, headNorm, () => scope.parameter("q_norm.weight"));
  const keys = headNormalized(k, headNorm, () => scope.parameter("k_norm.weight"));
  const mixed = attention(byHead(queries), byHead(keys), byHead(v), { causal: true, weights: (weights) => dropped(weights, dropout, attentionMask, scope) });
  return { node: reshape(transpose(mixed, [2, 0, 1, 3]), [count * x.batch, width]), batch: x.batch, shape: output.shape, layout: "steps" };
};

const gelus: Apply<"gelu"> = (x, { approximate }) => ({ ...x, node: gelu(x.node, approximate === "none" ? "exact" : "tanh") });

export const transformerLayers = { positions, layerNorm: layerNormalization, rmsNorm: rmsNormalization, gelu: gelus, swiglu, causalAttention };
