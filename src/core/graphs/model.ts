/** An imported network as a model: the graph's nodes become nodes of the step program. */
import type { GraphDescription } from "../../shared/models/graph.ts";
import type { Model } from "../models/model.ts";
import type { GraphTensors } from "./tensors.ts";

export interface GraphModelOptions {
  /** Where training begins: the file's weights (the default), or fresh ones by layer type. */
  readonly start?: "file" | "fresh";
  /** The output as the file has it; by default probabilities become logits. */
  readonly raw?: boolean;
}

export interface GraphModel extends Model {
  /** The file's values of the buffers, by name. */
  readonly bufferValues: Readonly<Record<string, Float64Array>>;
}

/**
 * The model of an imported network. Images may come as channels, height, width to a network that
 * takes channels last; the forward pass transposes them.
 * @throws GraphError naming node, operator and attribute of what cannot be taken
 */
export function graphModel(_description: GraphDescription, _tensors: GraphTensors, _options: GraphModelOptions = {}): GraphModel {
  throw new Error("not built yet");
}
