import type { GraphDescription } from "../../shared/models/graph.ts";
import type { Node } from "../program/node.ts";
import { state } from "../program/operations/index.ts";

/** Nodes in place of the parameters or statistics. */
export function placeholders(description: GraphDescription, role: "parameter" | "statistics"): Map<string, Node> {
  return new Map(description.initializers.filter((one) => one.role === role).map(({ name, shape }) => [name, state(name, shape)]));
}
