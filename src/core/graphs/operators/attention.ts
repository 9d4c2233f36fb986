/** ONNX's attention and rotary positions (opset 23). */
import type { Node } from "../../program/node.ts";
import { add, broadcast, concat, constant, constantArray, matmul, mul, reshape, select, slice, softmax, sub, tanh, transpose } from "../../program/operations/index.ts";
import type { Context } from "../context.ts";
import { computed, floatOf, nodeOf, type ArrayValue } from "../values.ts";
import { takeAlong } from "./indexing.ts";
import type { Operators } from "./operator.ts";

/** `[batch, steps, heads * width]` to `[batch, heads, steps, width]`. */
function headed(context: Context, x: Node, heads: number): Node {
  if (x.shape.length === 4) return x;
  const [batch, steps, width] = x.shape as [number, number, number];
  if (heads < 1 || width % heads !== 0) throw context.error(`${width} values do not divide into ${heads} heads`);
  return transpose(reshape(x, [batch, steps, heads, width / heads]), [0, 2, 1, 3]);
}

/** Grouped queries: every head of keys serves several heads of queries. */
function repeatedHeads(x: Node, heads: number): Node {
  const [batch, own, steps, width] = x.shape as [number, number, number, number];
  if (own === heads) return x;
  return reshape(broadcast(reshape(x, [batch, own, 1, steps, width]), [batch, own, heads / own, steps, width]), [batch, heads, steps, width]);
}

function attention(context: Context): readonly ArrayValue[] {
  const { attributes } = context;
  if (context.optional(4) || context.optional(5)) throw context.error("past keys and values are not supported; export without a cache");
  const flat = context.array(0).shape.length === 3;
  const q = headed(context, floatOf(context.array(0)), attributes.int("q_num_heads", 0));
  const heads = q.shape[1]!;
  const [k, v] = [1, 2].map((index) => repeatedHeads(headed(context, floatOf(context.array(index)), attributes.int("kv_num_heads", 0)), heads)) as [Node, Node];
  const [rows, columns, width] = [q.shape[2]!, k.shape[2]!, q.shape[3]!];
  let scores = matmul(q, k, { transposeB: true, scale: attributes.float("scale", 1 / Math.sqrt(width)) });
  const cap = attributes.float("softcap", 0);
  if (cap > 0) scores = mul(constant(cap), tanh(mul(constant(1 / cap), scores)));
  const mask = context.optional(3);
  if (mask) scores = mask.kind === "bool" ? select(nodeOf(mask), scores, constant(-Infinity)) : add(scores, floatOf(mask));
  if (attributes.int("is_causal", 0) === 1) {
    const allowed = Float64Array.from({ length: rows * columns }, (_, i) => Number(i % columns <= Math.floor(i / columns)));
    scores = select(constantArray(allowed, [rows, columns], "bool"), scores, constant(-Infinity));
  }
  const y = matmul(softmax(scores, 3), v);
  if (!flat) return [computed(y)];
  return [computed(reshape(transpose(y, [0, 2, 1, 3]), [y.shape[0]!, rows, heads * y.shape[3]!]))];
}

function rotary(context: Context): readonly ArrayValue[] {
  const { attributes } = context;
  const flat = context.array(0).shape.length === 3;
  const x = headed(context, floatOf(context.array(0)), attributes.int("num_heads", 0));
  const [batch, , steps, width] = x.shape as [number, number, number, number];
  const turned = attributes.int("rotary_embedding_dim", 0) || width;
  const positions = context.optional(3);
  const table = (index: number): Node => {
    const value = context.array(index);
    if (!positions) return floatOf(value);
    const at = context.known(3, "the positions");
    return reshape(floatOf(takeAlong(value, 0, [...at.data])), [...at.shape, value.shape.at(-1)!]);
  };
  const placed = (node: Node): Node => {
    const half = node.shape.at(-1)!;
    const rows = slice(node, node.shape.length - 2, 0, steps);
    return reshape(rows, node.shape.length === 3 ? [node.shape[0]!, 1, steps, half] : [1, 1, steps, half]);
  };
  const [cos, sin] = [placed(table(1)), placed(table(2))];
  const part = slice(x, 3, 0, turned);
  const interleaved = attributes.int("interleaved", 0) === 1;
  const [a, b] = interleaved ? [slice(part, 3, 0, turned, 2), slice(part, 3, 1, turned, 2)] : [slice(part, 3, 0, turned / 2), slice(part, 3, turned / 2, turned)];
  const [first, second] = [sub(mul(a, cos), mul(b, sin)), add(mul(a, sin), mul(b, cos))];
  const column = (node: Node) => reshape(node, [...node.shape, 1]);
  const whole = interleaved ? reshape(concat([column(first), column(second)], 4), part.shape) : concat([first, second], 3);
  const y = turned === width ? whole : concat([whole, slice(x, 3, turned, width)], 3);
  return [computed(flat ? reshape(transpose(y, [0, 2, 1, 3]), [batch, steps, x.shape[1]! * width]) : y)];
}

export const attentionOperators: Operators = { Attention: attention, RotaryEmbedding: rotary };
