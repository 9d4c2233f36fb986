/** Multi-head attention on the steps of a sequence, and group normalization, with PyTorch's parameters. */
import { attentionMask } from "../../../shared/models/transformerLayers.ts";
import type { Config } from "../../../shared/models/layers.ts";
import type { Node } from "../../program/node.ts";
import { add, matmul, reshape, slice, transpose } from "../../program/operations/index.ts";
import { rows } from "../activations.ts";
import { attention, groupNorm, layerNorm, rmsNorm, rotary } from "../functions.ts";
import { dropped } from "./dropout.ts";
import type { Apply, Scope } from "./layer.ts";

type Attention = Config<"attention">;

const projected = (x: Node, weight: string, bias: string | null, scope: Scope): Node => {
  const product = matmul(x, scope.parameter(weight), { transposeB: true });
  return bias === null ? product : add(product, scope.parameter(bias));
};

/** Queries or keys as their head compares them. */
function compared(x: Node, of: "q_norm" | "k_norm", { headNorm, rotary: turns }: Attention, scope: Scope): Node {
  const normalize = headNorm === "layer" ? layerNorm : rmsNorm;
  const normalized = headNorm === "none" ? x : normalize(x, { scale: scope.parameter(`${of}.weight`) });
  return turns ? rotary(normalized) : normalized;
}

const multiHead: Apply<"attention"> = (x, config, scope) => {
  const [steps, width] = x.shape as [number, number];
  const each = width / config.heads;
  const joined = projected(reshape(rows(x), [x.batch * steps, width]), "in_proj_weight", config.bias ? "in_proj_bias" : null, scope);
  // One transpose of queries, keys and values: [3, batch, heads, steps, each].
  const parts = transpose(reshape(joined, [x.batch, steps, 3, config.heads, each]), [2, 0, 3, 1, 4]);
  const [q, k, v] = [0, 1, 2].map((i) => reshape(slice(parts, 0, i, i + 1), [x.batch, config.heads, steps, each])) as [Node, Node, Node];
  const mixed = attention(compared(q, "q_norm", config, scope), compared(k, "k_norm", config, scope), v, {
    causal: config.causal,
    weights: (weights) => dropped(weights, config.dropout, attentionMask, scope),
  });
  const together = reshape(transpose(mixed, [0, 2, 1, 3]), [x.batch * steps, width]);
  const result = projected(together, "out_proj.weight", config.bias ? "out_proj.bias" : null, scope);
  return { node: reshape(result, [x.batch, steps, width]), batch: x.batch, shape: x.shape, layout: "rows" };
};

const groupNormalization: Apply<"groupNorm"> = (x, { groups, epsilon }, scope) => ({
  ...x,
  node: groupNorm(rows(x), { groups, epsilon, scale: scope.parameter("weight"), bias: scope.parameter("bias") }),
  layout: "rows",
});

export const attentionLayers = { attention: multiHead, groupNorm: groupNormalization };
