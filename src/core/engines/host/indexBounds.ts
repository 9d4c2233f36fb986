/**
 * Inputs used as indices of table rows: a graphics device reads outside a table without an error.
 */
import { nodesOf, type Procedure } from "../../program/program.ts";
import type { InputValue } from "../engine.ts";

/** Size of the smallest table that each input indexes, by the input's name. */
export function indexBounds(procedure: Procedure): ReadonlyMap<string, number> {
  const bounds = new Map<string, number>();
  for (const node of nodesOf(procedure)) {
    if (node.op !== "gather" && node.op !== "scatterAdd") continue;
    const rows = node.op === "gather" ? node.inputs[0]!.shape[node.attributes.axis ?? 0]! : node.attributes.rows;
    let source = node.inputs[1]!;
    while (source.op === "reshape" || source.op === "cast") source = source.inputs[0]!;
    if (source.op === "input") bounds.set(source.attributes.name, Math.min(rows, bounds.get(source.attributes.name) ?? rows));
  }
  return bounds;
}

/** @throws Error naming the first index out of range */
export function checkIndices(procedure: string, name: string, rows: number, values: InputValue): void {
  const at = values.findIndex((value: number) => !(value >= 0 && value < rows));
  if (at >= 0) throw new Error(`${procedure}: input ${name} is ${values[at]!} at ${at}; allowed: whole numbers from 0 to ${rows - 1}`);
}
