import type { Attributes, Node, NodeOf, OpName } from "../node.ts";

export interface Operation<N extends OpName> {
  /** Rebuilds the node on other inputs of the same shapes. */
  rebuild(inputs: readonly Node[], attributes: Attributes[N]): Node;
  /**
   * Adjoints of the inputs from the node's adjoint (same shape as the node).
   * `null` for an input without one; the whole rule is `null` where the operation
   * is a source or piecewise constant.
   */
  readonly gradient: ((node: NodeOf<N>, adjoint: Node) => readonly (Node | null)[]) | null;
}

/** The nth input; the builder has checked that it exists. */
export function nth(inputs: readonly Node[], index: number): Node {
  const node = inputs[index];
  if (!node) throw new Error(`operation has no input ${index}`);
  return node;
}
