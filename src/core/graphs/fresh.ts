/** Fresh weights by layer type, as PyTorch's modules draw them. */
import type { GraphDescription, GraphNode } from "../../shared/models/graph.ts";
import { normal, uniform, type Source } from "../models/initialization.ts";
import { sizeOf } from "../program/node.ts";

const moves = new Set(["Transpose", "Identity", "Slice", "Concat", "Unsqueeze", "Squeeze", "Reshape", "Split", "Cast", "CastLike"]);

interface Use {
  readonly node: GraphNode;
  readonly index: number;
  readonly transposed: boolean;
}

/** The first node that calculates with an array, looking through those that only move it. */
function useOf({ nodes }: GraphDescription, name: string, transposed = false): Use | null {
  for (const node of nodes) {
    const index = node.inputs.indexOf(name);
    if (index < 0) continue;
    if (!moves.has(node.operator)) return { node, index, transposed };
    const next = node.outputs[0] === undefined ? null : useOf({ nodes: nodes.slice(nodes.indexOf(node) + 1) } as GraphDescription, node.outputs[0], node.operator === "Transpose" ? !transposed : transposed);
    if (next) return next;
  }
  return null;
}

const norms = new Set(["BatchNormalization", "LayerNormalization", "GroupNormalization", "InstanceNormalization", "RMSNormalization"]);

/** @param values the file's, whose mean and deviation arrays keep that belong to no known layer */
export function freshValues(description: GraphDescription, name: string, values: Float64Array, random: Source): Float64Array {
  const { shape } = description.initializers.find((one) => one.name === name)!;
  const use = useOf(description, name);
  const bound = (fanIn: number) => uniform(random, values.length, 1 / Math.sqrt(Math.max(1, fanIn)));
  if (use) {
    const { operator, attributes } = use.node;
    if (norms.has(operator)) return new Float64Array(values.length).fill(use.index === 1 ? 1 : 0);
    if (["LSTM", "GRU", "RNN"].includes(operator)) return bound(attributes["hidden_size"]?.kind === "int" ? attributes["hidden_size"].value : (shape.at(-1) ?? 1));
    if (operator === "Gather" && use.index === 0 && shape.length === 2) return normal(random, values.length, 1);
    if (shape.length >= 2 && (operator === "Conv" || operator === "ConvTranspose")) return bound(sizeOf(shape.slice(1)));
    if (shape.length === 2 && operator === "MatMul") return bound(use.transposed === (use.index === 1) ? shape[1]! : shape[0]!);
    if (shape.length === 2 && operator === "Gemm") return bound(attributes["transB"]?.kind === "int" && attributes["transB"].value === 1 ? shape[1]! : shape[0]!);
    if (shape.length === 1 && ["Conv", "ConvTranspose", "Gemm", "Add"].includes(operator)) {
      const weight = description.initializers.find((one) => one.name === name.replace(/bias$/, "weight") && one.name !== name);
      if (weight) return weight.shape.length === 1 ? new Float64Array(values.length) : bound(sizeOf(weight.shape.slice(1)));
    }
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length));
  return normal(random, values.length, deviation).map((value) => value + mean);
}
