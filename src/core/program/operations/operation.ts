import type { Attributes, Node, NodeOf, OpName } from "../node.ts";

export interface Operation<N extends OpName> {
  /** Makes the node again on other inputs of the same shapes. */
  rebuild(inputs: readonly Node[], attributes: Attributes[N]): Node;
  /**
   * Adjoints of the inputs given the adjoint of the node (same shape as the node).
   * `null` for an input that has none; the whole rule is `null` where the
   * operation is a source or piecewise constant.
   */
  readonly gradient: ((node: NodeOf<N>, adjoint: Node) => readonly (Node | null)[]) | null;
}

/** The nth input, which the builder has checked to be there. */
export function nth(inputs: readonly Node[], index: number): Node {
  const node = inputs[index];
  if (!node) throw new Error(`operation has no input ${index}`);
  return node;
}
