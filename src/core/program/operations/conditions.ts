/** Comparisons, logic, and the choice between two values. Inputs broadcast as in NumPy. */
import { makeNode, none, sameShape, shapeError, type Node, type OpName } from "../node.ts";
import { constant, filled } from "./constants.ts";
import { broadcastShapes, requireFloat } from "./elementwise.ts";
import { broadcast } from "./movement.ts";
import { nth, rebuild1, rebuild2, type Operation } from "./operation.ts";
import { sumTo } from "./reduction.ts";

export function greater(a: Node, b: Node): Node {
  requireFloat("greater", [a, b]);
  return makeNode("greater", [a, b], none, broadcastShapes("greater", [a, b]), "bool");
}

export function equal(a: Node, b: Node): Node {
  if (a.dtype !== b.dtype) throw shapeError("equal", [a, b], "needs inputs of the same type");
  return makeNode("equal", [a, b], none, broadcastShapes("equal", [a, b]), "bool");
}

function requireBool(op: OpName, inputs: readonly Node[]): void {
  if (inputs.some(({ dtype }) => dtype !== "bool")) throw shapeError(op, inputs, "needs bool inputs");
}

function logical(op: "and" | "or") {
  return (a: Node, b: Node): Node => {
    requireBool(op, [a, b]);
    return makeNode(op, [a, b], none, broadcastShapes(op, [a, b]), "bool");
  };
}

/** Whether both conditions hold. */
export const and = logical("and");
/** Whether at least one of two conditions holds. */
export const or = logical("or");

/** Whether a condition does not hold. */
export function not(condition: Node): Node {
  requireBool("not", [condition]);
  return makeNode("not", [condition], none, condition.shape, "bool");
}

/**
 * a where `condition` (bool) holds, else b. The gradient of the value that is not chosen is exactly
 * 0, also where the chosen one is infinite.
 */
export function select(condition: Node, a: Node, b: Node): Node {
  const inputs = [condition, a, b];
  if (condition.dtype !== "bool") throw shapeError("select", inputs, "condition must be bool");
  requireFloat("select", [a, b]);
  return makeNode("select", inputs, none, broadcastShapes("select", inputs));
}

export const conditions = {
  greater: { rebuild: rebuild2(greater), gradient: null, tangent: null } satisfies Operation<"greater">,
  equal: { rebuild: rebuild2(equal), gradient: null, tangent: null } satisfies Operation<"equal">,
  and: { rebuild: rebuild2(and), gradient: null, tangent: null } satisfies Operation<"and">,
  or: { rebuild: rebuild2(or), gradient: null, tangent: null } satisfies Operation<"or">,
  not: { rebuild: rebuild1(not), gradient: null, tangent: null } satisfies Operation<"not">,
  select: {
    rebuild: (inputs) => select(nth(inputs, 0), nth(inputs, 1), nth(inputs, 2)),
    gradient: (node, g) => {
      const [condition, a, b] = node.inputs as readonly [Node, Node, Node];
      const zero = node.inputs.every(({ shape }) => sameShape(shape, node.shape)) ? filled(0, g.shape) : constant(0);
      const whole = (chosen: Node) => broadcast(chosen, g.shape);
      return [null, sumTo(whole(select(condition, g, zero)), a.shape), sumTo(whole(select(condition, zero, g)), b.shape)];
    },
    tangent: (node, [, a, b]) => {
      const condition = nth(node.inputs, 0);
      const zero = filled(0, node.shape);
      return select(condition, a ?? zero, b ?? zero);
    },
  } satisfies Operation<"select">,
};
