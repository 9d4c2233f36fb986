/** What a layer costs beside its parameters, and its title in summaries. */
import { convolutionTitle, poolTitle } from "./convolutionLayers.ts";
import { gatesOf, type LayerDescription } from "./describe.ts";
import { sizeOf, type Signal } from "./shape.ts";

/** Kind and settings of a layer: `conv2d 3 × 3, stride 2`. */
export function layerTitle({ layer }: LayerDescription): string {
  switch (layer.kind) {
    case "conv1d":
    case "conv2d":
    case "convTranspose2d":
      return convolutionTitle(layer);
    case "maxPool":
    case "avgPool":
      return poolTitle(layer);
    case "lstm":
    case "gru":
      return [layer.kind, ...(layer.layers > 1 ? [`${layer.layers} layers`] : []), ...(layer.dropout > 0 ? [`dropout ${layer.dropout}`] : [])].join(", ");
    case "dropout":
      return `dropout ${layer.p}`;
    case "attention":
    case "causalAttention": {
      const { kind, heads, headNorm, dropout } = layer;
      return [
        `${kind}, ${heads} heads`,
        ...(layer.kind === "attention" && layer.causal ? ["causal"] : []),
        ...(headNorm === "none" ? [] : [`${headNorm} norm`]),
        ...(dropout > 0 ? [`dropout ${dropout}`] : []),
      ].join(", ");
    }
    case "linear":
      return layer.tied === undefined ? layer.kind : `linear, tied to ${layer.tied}`;
    case "groupNorm":
      return `groupNorm, ${layer.groups} groups`;
    default:
      return layer.kind;
  }
}

/** Layers whose output the backward pass does not need. */
const passing: readonly LayerDescription["layer"]["kind"][] = ["flatten", "identity", "batchNorm"];

/** Number of values that the backward pass of one example needs from a layer. */
export function keptValues({ layer, input, output }: LayerDescription): number {
  if (layer.kind === "attention" || layer.kind === "causalAttention") {
    // Scores and weights of every head, and the projected queries, keys, values and sums.
    const [steps, width] = output.shape as [number, number];
    return 2 * layer.heads * steps * steps + 4 * steps * width;
  }
  if (passing.includes(layer.kind) || input.kind === "tokens") return layer.kind === "lstm" || layer.kind === "gru" ? insideCells(layer, output) : 0;
  return layer.kind === "lstm" || layer.kind === "gru" ? insideCells(layer, output) : sizeOf(output.shape);
}

/** Gates before and after their activations, adjoints and states, for every step and layer. */
function insideCells({ kind, layers, hidden }: { kind: "lstm" | "gru"; layers: number; hidden: number }, output: Signal): number {
  return output.shape[0]! * layers * hidden * (3 * gatesOf[kind] + 3);
}
