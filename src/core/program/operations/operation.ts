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
  /**
   * Tangent of the node from its inputs' tangents (each of its input's shape, `null` for zero; at
   * least one is given); it broadcasts to the node's shape. `null` where the operation is a source
   * or piecewise constant.
   */
  readonly tangent: ((node: NodeOf<N>, tangents: readonly (Node | null)[]) => Node | null) | null;
}

type Tangent = Node | null | undefined;

/** Applies a linear function; zero stays zero. */
export function along(tangent: Tangent, linear: (tangent: Node) => Node): Node | null {
  return tangent ? linear(tangent) : null;
}

/** The nth input; the builder has checked that it exists. */
export function nth(inputs: readonly Node[], index: number): Node {
  const node = inputs[index];
  if (!node) throw new Error(`operation has no input ${index}`);
  return node;
}

/** Rebuilds an operation of one or two inputs and no attributes. */
export const rebuild1 = (build: (x: Node) => Node) => (inputs: readonly Node[]) => build(nth(inputs, 0));
export const rebuild2 = (build: (a: Node, b: Node) => Node) => (inputs: readonly Node[]) => build(nth(inputs, 0), nth(inputs, 1));
