/** Every operation of a step program: its builder and its derivatives. */
import { makeNode, type Attributes, type DType, type Node, type OpName, type Shape } from "../node.ts";
import { conditions } from "./conditions.ts";
import { constants } from "./constants.ts";
import { convolution } from "./convolution.ts";
import { elementwise } from "./elementwise.ts";
import { indexing } from "./indexing.ts";
import { linear } from "./linear.ts";
import { broadcast, movement } from "./movement.ts";
import { pooling } from "./pooling.ts";
import type { Operation } from "./operation.ts";
import { reduction } from "./reduction.ts";

export * from "./conditions.ts";
export * from "./constants.ts";
export { conv1d, conv2d, conv2dInputGradient, conv2dWeightGradient, convTranspose1d, convTranspose2d } from "./convolution.ts";
export * from "./elementwise.ts";
export * from "./indexing.ts";
export * from "./linear.ts";
export * from "./movement.ts";
export * from "./pooling.ts";
export * from "./reduction.ts";

/** A value passed with every call. */
export function input(name: string, shape: Shape, dtype: DType = "float"): Node {
  return makeNode("input", [], { name }, shape, dtype);
}

/** A value the engine keeps between calls, by name. */
export function state(name: string, shape: Shape): Node {
  return makeNode("state", [], { name }, shape);
}

function source(): never {
  throw new Error("inputs and state have no inputs to replace");
}

export const operations: { readonly [N in OpName]: Operation<N> } = {
  input: { rebuild: source, gradient: null, tangent: null },
  state: { rebuild: source, gradient: null, tangent: null },
  ...conditions,
  ...constants,
  ...convolution,
  ...elementwise,
  ...indexing,
  ...linear,
  ...movement,
  ...pooling,
  ...reduction,
};

/** The same operation on other inputs; the node itself when they are unchanged. */
export function withInputs(node: Node, inputs: readonly Node[]): Node {
  if (inputs.every((input, i) => input === node.inputs[i])) return node;
  const operation = operations[node.op] as Operation<OpName>;
  return operation.rebuild(inputs, node.attributes as Attributes[OpName]);
}

/** Adjoints of a node's inputs; null where it is a source or piecewise constant. */
export function inputAdjoints(node: Node, adjoint: Node): readonly (Node | null)[] | null {
  const { gradient } = operations[node.op] as Operation<OpName>;
  return gradient && gradient(node, adjoint);
}

/**
 * Tangent of a node from its inputs' tangents, of the node's shape; null where it is zero.
 */
export function nodeTangent(node: Node, tangents: readonly (Node | null)[]): Node | null {
  const { tangent } = operations[node.op] as Operation<OpName>;
  const found = tangent && tangents.some((one) => one !== null) ? tangent(node, tangents) : null;
  return found && broadcast(found, node.shape);
}
