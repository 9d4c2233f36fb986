/** Summary of a model: shapes, parameters, and the cost of a training step. */
import type { Level } from "../tower.ts";
import { towerState, type LevelState } from "../towerState.ts";
import { describeModel, flatLayers } from "./architecture.ts";
import { convolutionTitle, poolTitle } from "./convolutionLayers.ts";
import { gatesOf, type LayerDescription } from "./describe.ts";
import type { ModelConfig } from "./schema.ts";
import { sizeOf, type DataShape, type Signal } from "./shape.ts";

export interface LayerSummary {
  readonly name: string;
  /** Kind and settings: `conv2d 3 × 3, stride 2`. */
  readonly title: string;
  readonly output: Signal;
  readonly parameters: number;
  /** Per training step, as in `flops` below. */
  readonly flops: number;
}

export interface ModelSummary {
  readonly layers: readonly LayerSummary[];
  readonly parameters: number;
  /**
   * Floating-point operations of a training step: forward, weight gradient and input gradient of
   * matrix
   * products and convolutions (the first layer has no input gradient). Elementwise work and the
   * update are not counted.
   */
  readonly flops: number;
  /** What each level of the tower moves and keeps; empty where no tower is given. */
  readonly levels: readonly LevelState[];
  /** Estimated bytes of training state and of activations saved for the backward pass. */
  readonly memory: number;
}

export interface SummaryOptions {
  readonly model: ModelConfig;
  readonly data: DataShape;
  readonly batchSize: number;
  /** Its slots take memory. By default one plain SGD, which has none. */
  readonly tower?: readonly Level[];
}

function titleOf({ layer }: LayerDescription): string {
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

const bytes = 4;

/** Layers whose output the backward pass does not need. */
const passing: readonly LayerDescription["layer"]["kind"][] = ["flatten", "identity", "batchNorm"];

/** Number of values that the backward pass of one example needs from a layer. */
function keptValues({ layer, input, output }: LayerDescription): number {
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

/**
 * Layers, parameters, operations and memory of an experiment's model.
 * @throws ModelError naming what does not fit the data
 */
export function summarizeModel({ model, data, batchSize, tower = [] }: SummaryOptions): ModelSummary {
  const flat = flatLayers(describeModel(model, data));
  const firstProduct = flat.findIndex(({ flops }) => flops > 0);
  const layers = flat.map((layer, i): LayerSummary => ({
    name: layer.name,
    title: titleOf(layer),
    output: layer.output,
    parameters: layer.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    flops: (i === firstProduct ? 2 : 3) * layer.flops * batchSize,
  }));
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  const levels = towerState(tower, flat.flatMap((layer) => layer.parameters.map(({ name, shape }) => ({ name, size: sizeOf(shape), axes: shape.length }))));
  const moved = levels[0]?.moved ?? parameters;
  const slots = levels.reduce((sum, level) => sum + level.slots, 0);
  // Weights, gradients and slots, each with a buffer the next step writes to; the settled weights. Frozen weights are there once.
  const state = bytes * (2 * (2 * moved + slots) + 2 * moved + (parameters - moved));
  const kept = flat.reduce((sum, layer) => sum + keptValues(layer), 0);
  return {
    layers,
    parameters,
    levels,
    flops: layers.reduce((sum, layer) => sum + layer.flops, 0),
    memory: state + bytes * batchSize * (sizeOf(data.input.shape) + 2 * kept),
  };
}
