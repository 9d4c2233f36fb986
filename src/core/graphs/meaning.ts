import { storedTypes, type GraphDescription, type GraphNode, type OutputMeaning } from "../../shared/models/graph.ts";

const passesThrough = new Set(["Identity", "Cast", "CastLike", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose"]);

/** The node that makes the output, behind those that only move its values. */
export function lastNode({ nodes, output }: GraphDescription): GraphNode | null {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  let node = makers.get(output.name);
  while (node && passesThrough.has(node.operator)) node = makers.get(node.inputs[0] ?? "");
  return node ?? null;
}

/** A guess of what the output means. @param shape of the output, for a batch */
export function meaningOf(description: GraphDescription, shape: readonly number[]): OutputMeaning {
  const [input] = description.inputs;
  const isTokens = input !== undefined && storedTypes[input.dtype].kind === "int";
  if (isTokens && shape.length === 3) return "nextSymbols";
  const last = lastNode(description)?.operator;
  if (last === "LogSoftmax") return "logProbabilities";
  if (last === "Softmax") return "probabilities";
  return shape.slice(1).every((n) => n === 1) ? "quantity" : "logits";
}
