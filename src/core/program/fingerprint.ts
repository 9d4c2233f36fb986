/** Identifies a program by what it computes, not by when its nodes were made. */
import { distinctNumber } from "./distinctNumber.ts";
import { nodesOf, type Program } from "./program.ts";

/** Equal for programs of the same procedures over the same state. */
export function fingerprint({ state, procedures }: Program): string {
  const parts = Object.entries(procedures).map(([name, procedure]) => {
    const order = nodesOf(procedure);
    const places = new Map(order.map((node, i) => [node, i]));
    const nodes = order.map(({ op, inputs, attributes, shape, dtype }) => [op, inputs.map((input) => places.get(input)), attributes, shape, dtype]);
    const roots = [procedure.outputs, procedure.updates].map((named) => Object.entries(named).map(([key, node]) => [key, places.get(node)]));
    return [name, nodes, roots];
  });
  return JSON.stringify([state, parts], distinctNumber);
}
