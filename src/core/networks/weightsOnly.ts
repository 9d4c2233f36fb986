/** Arrays of a weights file as a network's file without nodes, so that stores, archives and fleets carry them alike. */
import type { GraphDescription } from "../../shared/models/graph.ts";
import { maxRecordedLayers, type NetworkFacts } from "../../shared/models/network.ts";
import type { Shape } from "../program/node.ts";
import { NetworkError, type Network } from "./file.ts";

export interface StartingArray {
  readonly name: string;
  readonly shape: Shape;
  readonly values: Float64Array;
}

/** float32 where that is exact, else float64. */
export function weightsNetwork(arrays: readonly StartingArray[]): Network {
  const made = arrays.map(({ name, shape, values }) => {
    const single = Float32Array.from(values);
    const exact = values.every((value, i) => Object.is(value, single[i]));
    return { name, tensor: { dtype: exact ? ("float32" as const) : ("float64" as const), shape: [...shape], data: exact ? single : values } };
  });
  return {
    description: {
      format: 1,
      producer: { name: "", version: "" },
      opset: 0,
      inputs: [],
      outputs: [],
      initializers: made.map(({ name, tensor }) => ({ name, dtype: tensor.dtype, shape: tensor.shape, role: "parameter" as const })),
      nodes: [],
      input: { name: "", batchAxis: 0, batch: null },
      output: { name: "", meaning: "logits" },
    },
    tensors: new Map(made.map(({ name, tensor }) => [name, tensor])),
  };
}

export const holdsWeightsOnly = ({ inputs, nodes }: GraphDescription): boolean => inputs.length === 0 && nodes.length === 0;

/** Arrays of one entry in the facts. */
const listedTogether = 100;

/** @throws NetworkError where there are too many arrays */
export function weightsFacts(name: string, { initializers }: GraphDescription): NetworkFacts {
  const layers = Array.from({ length: Math.ceil(initializers.length / listedTogether) }, (_, i) => ({
    name: "",
    title: "weights",
    output: [],
    parameters: initializers.slice(i * listedTogether, (i + 1) * listedTogether).map((one) => ({ name: one.name, shape: one.shape })),
    flops: 0,
  }));
  if (layers.length > maxRecordedLayers) throw new NetworkError(`${initializers.length} arrays; at most ${maxRecordedLayers * listedTogether} are allowed`);
  return { weightsOnly: true, name, input: { kind: "values", shape: [] }, output: [], meaning: "logits", batch: null, layers, kept: 0 };
}
