/** Converts a procedure's inputs to ONNX Runtime's tensors. */
import { Tensor } from "./runtime.ts";
import type { DType } from "../../program/node.ts";
import type { InputValue } from "../engine.ts";

/** @throws Error when the values do not have the input's type; `what` names the input */
export function inputTensor(value: InputValue, dtype: DType, shape: readonly number[], what: string): Tensor {
  if (dtype === "uint8" && value instanceof Uint8Array) return new Tensor("uint8", value, shape);
  if (dtype === "int32" && value instanceof Int32Array) return new Tensor("int32", value, shape);
  if (dtype === "float" && value instanceof Float32Array) return new Tensor("float32", value, shape);
  if (dtype === "float" && value instanceof Float64Array) return new Tensor("float32", Float32Array.from(value), shape);
  throw new Error(`${what} must hold ${dtype} values, not a ${value.constructor.name}`);
}
