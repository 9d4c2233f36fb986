/** Short text of a model. */
import type { ModelConfig } from "./schema.ts";

/** Maximum number of layers named; more are counted. */
const maxNamed = 8;

const drops = ({ dropout }: { readonly dropout: number }) => (dropout > 0 ? ` dropout ${dropout}` : "");

/** `mlp 128 tanh/tanh`, `resnet-20`, `charRnn lstm 2 x 128`. */
export function modelText(model: ModelConfig): string {
  switch (model.kind) {
    case "mlp":
      return `mlp ${model.hidden.join("-") || "no hidden layer"} ${model.activation}/${model.outputActivation}${drops(model)}`;
    case "linear":
      return "linear";
    case "cnn":
      return `cnn ${model.channels.join("-")}${model.hidden.length > 0 ? ` ${model.hidden.join("-")}` : ""} ${model.activation}${drops(model)}`;
    case "resnet":
      return `resnet-${model.depth}${model.width === 16 ? "" : ` width ${model.width}`}`;
    case "charRnn":
      return `charRnn ${model.cell} ${model.layers} x ${model.hidden}${drops(model)}`;
    case "transformer": {
      const options = [...(model.norm === "rms" ? ["rms"] : []), ...(model.activation === "swiglu" ? ["swiglu"] : []), ...(model.qkNorm ? ["qk-norm"] : []), ...(model.zLoss > 0 ? [`z-loss ${model.zLoss}`] : [])];
      return [`transformer ${model.layers} x ${model.width}, ${model.heads} heads, context ${model.context}`, ...options].join(", ") + drops(model);
    }
    case "graph":
      return `network ${model.facts?.name ?? model.network.slice(0, 12)}${model.start === "fresh" ? ", fresh weights" : ""}`;
    case "sequential":
      return model.layers.length > maxNamed ? `sequential, ${model.layers.length} layers` : `sequential ${model.layers.map(({ kind }) => kind).join("-")}`;
  }
}
