import { topologicalOrder, type Node } from "./node.ts";
import { withInputs } from "./operations/index.ts";

/**
 * The same graph with some nodes replaced.
 * @param replacement of a node, of its shape and type; null where it stays
 */
export function substitute(roots: readonly Node[], replacement: (node: Node) => Node | null): Node[] {
  const done = new Map<Node, Node>();
  for (const node of topologicalOrder(roots)) {
    done.set(node, replacement(node) ?? withInputs(node, node.inputs.map((input) => done.get(input)!)));
  }
  return roots.map((root) => done.get(root)!);
}

/** State variables that a graph reads, apart from what only `cut` nodes are made of. */
export function stateRead(roots: readonly Node[], cut: ReadonlySet<Node> = new Set()): Map<string, Node> {
  const seen = new Set<Node>(cut);
  const stack = [...roots];
  const found = new Map<string, Node>();
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.op === "state") found.set(node.attributes.name, node);
    stack.push(...node.inputs);
  }
  return found;
}
