/** Multi-head attention and group normalization as data: shapes and parameters. */
import type { LayerFacts, ParameterDescription } from "./describe.ts";
import { weightInitialization, type Initialization } from "./initialization.ts";
import type { Config } from "./layers.ts";
import { ModelError, sequenceOf, wants } from "./modelError.ts";
import { shapeText, type Shape, type Signal } from "./shape.ts";
import { attentionMask } from "./transformerLayers.ts";

const constant = (name: string, shape: Shape, value: number): ParameterDescription => ({ name, shape, initialization: { scheme: "constant", value } });

/** PyTorch draws the projection of queries, keys and values by Glorot's rule, the output as a linear layer. */
function attention(config: Config<"attention">, input: Signal, { input: data }: { readonly input: Signal }): LayerFacts {
  const [steps, width] = sequenceOf("attention", input);
  const { heads, bias, causal, headNorm, rotary, dropout, initialization } = config;
  const each = width / heads;
  if (width % heads !== 0) throw new ModelError(`attention has ${heads} heads, which do not divide the width of ${shapeText(input)}`);
  if (rotary && each % 2 !== 0) throw new ModelError(`rotary positions turn pairs of values, and each head has ${each}: choose heads so that it is even`);
  if (data.kind === "tokens" && !causal) throw new ModelError("attention on a text must be causal: without it each step sees the symbol that it has to predict");
  const glorot: Initialization = { scheme: "uniform", bound: Math.sqrt(6 / (4 * width)) };
  const linear: Initialization = { scheme: "uniform", bound: 1 / Math.sqrt(width) };
  const weight = (name: string, shape: Shape, byDefault: Initialization) => ({ name, shape, initialization: weightInitialization(initialization, shape, byDefault) });
  return {
    output: input,
    parameters: [
      weight("in_proj_weight", [3 * width, width], glorot),
      ...(bias ? [constant("in_proj_bias", [3 * width], 0)] : []),
      ...(headNorm === "none" ? [] : [constant("q_norm.weight", [each], 1), constant("k_norm.weight", [each], 1)]),
      weight("out_proj.weight", [width, width], linear),
      ...(bias ? [constant("out_proj.bias", [width], 0)] : []),
    ],
    masks: dropout > 0 ? [{ name: attentionMask, shape: [heads, steps, steps], p: dropout }] : [],
    // Projections; scores, and the sums that they weight, with what a mask leaves out.
    flops: 8 * steps * width * width + 4 * steps * steps * width,
  };
}

function groupNorm({ groups }: Config<"groupNorm">, input: Signal): LayerFacts {
  if (input.kind === "tokens" || input.shape.length === 2) throw wants("groupNorm", "images or vectors", input);
  const channels = input.shape[0]!;
  if (channels % groups !== 0) throw new ModelError(`groupNorm has ${groups} groups, which do not divide the ${channels} channels of ${shapeText(input)}`);
  return { output: input, parameters: [constant("weight", [channels], 1), constant("bias", [channels], 0)] };
}

export const attentionDescribers = { attention, groupNorm };
