/**
 * Hypergradients that look back further than one step. Z = d (weights, slots, gradients) / d (hyperparameter)
 * is kept as state and updated through the step's own derivative, as in real-time recurrent learning:
 *
 *   Z' = horizon * (d step / d state) Z + d step / d (hyperparameter)
 *
 * One tangents() call along Z gives all of it: the tangent of the loss is the hypergradient, and that
 * of the weights' gradients a Hessian-vector product. With horizon 1 it is the exact derivative along
 * the whole run (RTHO, Franceschi et al. 2017); between, older steps count less (MARTHE, Donini et al. 2020).
 */
import { topologicalOrder, type Node } from "../program/node.ts";
import type { StateVariable } from "../program/program.ts";
import { constant, filled, mul, state } from "../program/operations/index.ts";
import { tangents } from "../program/tangents.ts";
import type { LearnedHyperparameter } from "./tower.ts";

/** State variable of d (state variable) / d (stored hyperparameter). */
export const tangentName = (hyperparameter: string, variable: string) => `${hyperparameter}.tangent.${variable}`;

/** Buffers that the next loss depends on: hidden states, but not running statistics. */
export function followedBuffers(loss: Node, buffers: Readonly<Record<string, Node>> = {}): StateVariable[] {
  const read = new Set(topologicalOrder([loss]).flatMap((node) => (node.op === "state" ? [node.attributes.name] : [])));
  return Object.entries(buffers).flatMap(([name, { shape }]) => (read.has(name) ? [{ name, shape }] : []));
}

/**
 * @param moved the new value of the hyperparameter
 * @param loss at the weights that it moved
 * @param followed new values of all state through which it acts on later losses
 */
export function follow({ name, horizon }: Pick<LearnedHyperparameter, "name" | "horizon">, moved: Node, loss: Node, followed: readonly (readonly [variable: string, update: Node])[]) {
  const variables = new Set(followed.map(([variable]) => variable));
  const seedOf = (node: Node): Node | null => {
    if (node === moved) return constant(1);
    if (node.op !== "state" || !variables.has(node.attributes.name)) return null;
    return mul(constant(horizon), state(tangentName(name, node.attributes.name), node.shape));
  };
  const [hypergradient, ...others] = tangents([loss, ...followed.map(([, update]) => update)], seedOf);
  return {
    hypergradient: hypergradient ?? constant(0),
    updates: Object.fromEntries(followed.map(([variable, update], i) => [tangentName(name, variable), others[i] ?? filled(0, update.shape)])),
  };
}
