import type { GraphNode } from "../../shared/models/graph.ts";

/** What is wrong with an imported file, where, and what would work. */
export class GraphError extends Error {
  override readonly name = "GraphError";
}

/** Describes a node by its operator, name and module. */
export function nodeText({ operator, name, module, outputs }: GraphNode): string {
  const where = name !== "" ? ` "${name}"` : outputs[0] ? ` that makes "${outputs[0]}"` : "";
  return `${operator}${where}${module !== "" && !name.includes(module) ? ` in ${module}` : ""}`;
}

/** @param what what cannot be taken, such as `mode = "linear" is not supported; allowed: nearest` */
export function nodeError(node: GraphNode, what: string): GraphError {
  return new GraphError(`${nodeText(node)}: ${what}`);
}
