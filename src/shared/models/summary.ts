/** Summary of a model: shapes, parameters, and the cost of a training step. */
import type { Level } from "../tower.ts";
import { towerState, type LevelState } from "../towerState.ts";
import { describedModel, weightCount } from "./described.ts";
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

const bytes = 4;

/**
 * Layers, parameters, operations and memory of an experiment's model.
 * @throws ModelError naming what does not fit the data
 */
export function summarizeModel({ model, data, batchSize, tower = [] }: SummaryOptions): ModelSummary {
  const described = describedModel(model, data);
  const firstProduct = described.layers.findIndex(({ flops }) => flops > 0);
  const layers = described.layers.map(({ parameters, flops, ...layer }, i): LayerSummary => ({
    ...layer,
    parameters: weightCount({ parameters }),
    flops: (i === firstProduct ? 2 : 3) * flops * batchSize,
  }));
  const parameters = weightCount(described);
  const levels = towerState(tower, described.parameters.map(({ name, shape }) => ({ name, size: sizeOf(shape), axes: shape.length })));
  const moved = levels[0]?.moved ?? parameters;
  const slots = levels.reduce((sum, level) => sum + level.slots, 0);
  // Weights, gradients and slots, each with a buffer the next step writes to; the settled weights. Frozen weights are there once.
  const state = bytes * (2 * (2 * moved + slots) + 2 * moved + (parameters - moved));
  return {
    layers,
    parameters,
    levels,
    flops: layers.reduce((sum, layer) => sum + layer.flops, 0),
    memory: state + bytes * batchSize * (sizeOf(data.input.shape) + 2 * described.kept),
  };
}
