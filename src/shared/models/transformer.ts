/** The layers of a decoder-only transformer, with nanoGPT's names and initialization. */
import type { NamedLayer } from "./describe.ts";
import { ModelError } from "./modelError.ts";
import { layerOf } from "./layers.ts";
import type { ModelConfigOf } from "./schema.ts";

type Config = ModelConfigOf<"transformer">;

/** Width inside a feed-forward block: SwiGLU has a third matrix, so its are a third narrower (Shazeer 2020). */
export const feedForwardWidth = ({ width, activation }: Pick<Config, "width" | "activation">): number =>
  activation === "swiglu" ? Math.round((8 * width) / 3) : 4 * width;

export function transformerLayers(config: Config): NamedLayer[] {
  const { layers, heads, width, dropout, bias, norm, activation, tied, qkNorm } = config;
  const normalization = (name: string): NamedLayer => ({ name, layer: norm === "rms" ? layerOf({ kind: "rmsNorm" }) : layerOf({ kind: "layerNorm", bias }) });
  const dropped = (name: string): NamedLayer[] => (dropout > 0 ? [{ name, layer: layerOf({ kind: "dropout", p: dropout }) }] : []);
  const linear = (name: string, into: number, initialization: "gpt2" | "gpt2_residual"): NamedLayer => ({ name, layer: layerOf({ kind: "linear", width: into, bias, initialization }) });
  const inner = feedForwardWidth(config);
  if (width % heads !== 0) throw new ModelError(`model.heads is ${heads}, which does not divide model.width, ${width}: every head has width / heads values`, ["model", "heads"]);

  const attention: NamedLayer[] = [
    normalization("ln_1"),
    linear("attn.c_attn", 3 * width, "gpt2"),
    { name: "attn", layer: layerOf({ kind: "causalAttention", heads, headNorm: qkNorm ? norm : "none", dropout }) },
    linear("attn.c_proj", width, "gpt2_residual"),
    ...dropped("attn.resid_dropout"),
  ];
  const feedForward: NamedLayer[] = [
    normalization("ln_2"),
    linear("mlp.c_fc", activation === "swiglu" ? 2 * inner : inner, "gpt2"),
    { name: `mlp.${activation}`, layer: layerOf({ kind: activation }) },
    linear("mlp.c_proj", width, "gpt2_residual"),
    ...dropped("mlp.dropout"),
  ];
  const embedding = "transformer.wte";
  return [
    { name: embedding, layer: layerOf({ kind: "embedding", width, initialization: "gpt2" }) },
    { name: "transformer.wpe", layer: layerOf({ kind: "positions", initialization: "gpt2" }) },
    ...dropped("transformer.drop"),
    ...Array.from({ length: layers }, (_, i) =>
      [attention, feedForward].map((inside): NamedLayer => ({ name: `transformer.h.${i}`, layer: { kind: "residual", layers: inside } })),
    ).flat(),
    normalization("transformer.ln_f"),
    { name: "lm_head", layer: layerOf({ kind: "linear", bias: false, initialization: "gpt2", ...(tied ? { tied: embedding } : {}) }) },
  ];
}
