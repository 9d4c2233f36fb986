/** Constants: scalars, filled arrays, and arrays of given entries. */
import { ArrayValues } from "../arrayValues.ts";
import { makeNode, sizeOf, type Node, type Shape } from "../node.ts";
import { greater } from "./conditions.ts";
import { cast } from "./elementwise.ts";
import { broadcast } from "./movement.ts";
import type { Operation } from "./operation.ts";

/** A scalar constant. */
export function constant(value: number): Node {
  return makeNode("constant", [], { value }, []);
}

/** An array of `shape` filled with `value`. */
export function filled(value: number, shape: Shape): Node {
  return broadcast(constant(value), shape);
}

export type ConstantType = "float" | "int32" | "bool";

/**
 * An array of given entries, row-major: masks, tables, indices. Copies `values`.
 * @param dtype int32 by default for an Int32Array, else float; a bool takes 0 and 1
 */
export function constantArray(values: Float64Array | Int32Array, shape: Shape, dtype: ConstantType = values instanceof Int32Array ? "int32" : "float"): Node {
  const fault = faultOf(values, shape, dtype);
  if (fault) throw new Error(`constantArray[${shape.join(", ")}]: ${fault}`);
  if (values.length > 0 && values.every((value) => Object.is(value, values[0]))) return broadcast(scalarOf(values[0]!, dtype), shape);
  return makeNode("constantArray", [], { values: new ArrayValues(values), dtype }, shape, dtype);
}

function faultOf(values: Float64Array | Int32Array, shape: Shape, dtype: ConstantType): string | null {
  if (values.length !== sizeOf(shape)) return `${values.length} values for ${sizeOf(shape)} entries`;
  const isAllowed = { float: () => true, int32: (value: number) => value === (value | 0), bool: (value: number) => value === 0 || value === 1 }[dtype];
  const at = values.findIndex((value) => !isAllowed(value));
  return at < 0 ? null : `entry ${at} is ${values[at]}; allowed: ${dtype === "bool" ? "0 and 1" : "whole numbers of 32 bits"}`;
}

function scalarOf(value: number, dtype: ConstantType): Node {
  if (dtype === "bool") return greater(constant(value), constant(0));
  return cast(constant(value), dtype);
}

function source(): never {
  throw new Error("constants have no inputs to replace");
}

export const constants = {
  constant: { rebuild: (_, { value }) => constant(value), gradient: null, tangent: null } satisfies Operation<"constant">,
  constantArray: { rebuild: source, gradient: null, tangent: null } satisfies Operation<"constantArray">,
};
