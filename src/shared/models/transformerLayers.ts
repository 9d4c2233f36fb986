/** The layers of a transformer as data: shapes and parameters. */
import type { LayerFacts, ParameterDescription } from "./describe.ts";
import { weightInitialization } from "./initialization.ts";
import type { Config } from "./layers.ts";
import { ModelError, sequenceOf, wants } from "./modelError.ts";
import { shapeText, values, type Shape, type Signal } from "./shape.ts";

const constant = (name: string, shape: Shape, value: number): ParameterDescription => ({ name, shape, initialization: { scheme: "constant", value } });

const normalized = ({ kind, bias }: { kind: string; bias: boolean }, input: Signal): LayerFacts => {
  if (input.kind === "tokens" || input.shape.length > 2) throw wants(kind, "vectors or sequences", input);
  const shape = [input.shape.at(-1)!];
  return { output: input, parameters: [constant("weight", shape, 1), ...(bias ? [constant("bias", shape, 0)] : [])] };
};

/** Name of the mask on the weights of an attention layer. */
export const attentionMask = "attn_dropout";

const causalAttention = ({ heads, headNorm, dropout }: Config<"causalAttention">, input: Signal): LayerFacts => {
  const [steps, width] = sequenceOf("causalAttention", input);
  if (width % (3 * heads) !== 0) {
    throw new ModelError(`causalAttention takes queries, keys and values of ${heads} equal heads side by side; it gets ${shapeText(input)}, and ${width} is no multiple of ${3 * heads}`);
  }
  const each = width / 3 / heads;
  return {
    output: values(steps, width / 3),
    parameters: headNorm === "none" ? [] : [constant("q_norm.weight", [each], 1), constant("k_norm.weight", [each], 1)],
    masks: dropout > 0 ? [{ name: attentionMask, shape: [heads, steps, steps], p: dropout }] : [],
    // Scores, and the sums of values that they weight; what the mask leaves out is computed too.
    flops: (4 * steps * steps * width) / 3,
  };
};

export const transformerDescribers = {
  positions: ({ table, initialization }: Config<"positions">, input: Signal): LayerFacts => {
    const shape = [...sequenceOf("positions", input)];
    if (table === "sinusoidal") return { output: input };
    return { output: input, parameters: [{ name: "weight", shape, initialization: weightInitialization(initialization, shape, { scheme: "normal", deviation: 1 }) }] };
  },
  layerNorm: (config: Config<"layerNorm">, input: Signal): LayerFacts => normalized(config, input),
  rmsNorm: (_: Config<"rmsNorm">, input: Signal): LayerFacts => normalized({ kind: "rmsNorm", bias: false }, input),
  gelu: (_: Config<"gelu">, input: Signal): LayerFacts => {
    if (input.kind === "tokens") throw wants("gelu", "numbers", input);
    return { output: input };
  },
  swiglu: (_: Config<"swiglu">, input: Signal): LayerFacts => {
    if (input.kind === "tokens" || input.shape.length > 2) throw wants("swiglu", "vectors or sequences", input);
    const width = input.shape.at(-1)!;
    if (width % 2 !== 0) throw new ModelError(`swiglu multiplies one half of its input by the other; it gets ${shapeText(input)}, and ${width} is odd`);
    return { output: values(...input.shape.slice(0, -1), width / 2) };
  },
  causalAttention,
};
