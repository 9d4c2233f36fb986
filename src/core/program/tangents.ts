/**
 * Forward-mode differentiation: the derivative along one direction as nodes of the same program.
 * Of a gradient it is a Hessian-vector product, which shares the forward and backward pass.
 */
import { sameShape, shapeError, topologicalOrder, type Node } from "./node.ts";
import { nodeTangent } from "./operations/index.ts";

/**
 * Tangent of each root along a direction: how the root changes with its seeded nodes. Null where it is zero.
 *
 * Seeds may be inner nodes, as in gradients(): what a seeded node is made of does not count. Leaves
 * without a seed are constants.
 * @param seedOf a node's part of the direction, of its shape; null where it has none
 */
export function tangents(roots: readonly Node[], seedOf: (node: Node) => Node | null): (Node | null)[] {
  const found = new Map<Node, Node | null>();
  for (const node of topologicalOrder(roots)) {
    const seed = seedOf(node);
    if (seed && !sameShape(node.shape, seed.shape)) throw shapeError("tangents", [node, seed], "a seed needs the shape of its node");
    found.set(node, seed ?? nodeTangent(node, node.inputs.map((input) => found.get(input) ?? null)));
  }
  return roots.map((root) => found.get(root) ?? null);
}
