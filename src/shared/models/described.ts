/** A model as its parameters and the cost of its layers, whether it is built of layers or imported. */
import { describeModel, flatLayers, parametersOf } from "./architecture.ts";
import { layerTitle, keptValues } from "./layerCosts.ts";
import { factsOfNetwork, requireFit } from "./network.ts";
import type { ModelConfig } from "./schema.ts";
import { sizeOf, type DataShape, type Shape, type Signal } from "./shape.ts";

export interface DescribedParameter {
  /** Full name: `layer1.0.conv1.weight`. */
  readonly name: string;
  readonly shape: Shape;
}

export interface DescribedLayer {
  readonly name: string;
  /** Kind and settings: `conv2d 3 × 3, stride 2`. */
  readonly title: string;
  readonly output: Signal;
  readonly parameters: readonly DescribedParameter[];
  /** Floating-point operations of one example's forward pass, in matrix products and convolutions. */
  readonly flops: number;
}

export interface DescribedModel {
  readonly layers: readonly DescribedLayer[];
  /** In the model's order. */
  readonly parameters: readonly DescribedParameter[];
  /** Number of values that the backward pass of one example needs, estimated. */
  readonly kept: number;
}

/** @throws ModelError naming what does not fit the data */
export function describedModel(config: ModelConfig, data: DataShape): DescribedModel {
  if (config.kind === "graph") {
    requireFit(config, data);
    const { layers, kept } = factsOfNetwork(config);
    return { layers: layers.map((layer) => ({ ...layer, output: { kind: "values", shape: layer.output } })), parameters: layers.flatMap(({ parameters }) => parameters), kept };
  }
  const layers = describeModel(config, data);
  const flat = flatLayers(layers);
  return {
    layers: flat.map((layer) => ({
      name: layer.name,
      title: layerTitle(layer),
      output: layer.output,
      parameters: layer.parameters.map(({ name, shape }) => ({ name: `${layer.name}.${name}`, shape })),
      flops: layer.flops,
    })),
    parameters: parametersOf(layers),
    kept: flat.reduce((sum, layer) => sum + keptValues(layer), 0),
  };
}

export const weightCount = ({ parameters }: Pick<DescribedModel, "parameters">): number => parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
