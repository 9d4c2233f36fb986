/** Scalar meaning of the elementwise operations, for folding constants and for hosts that run scalar work themselves. */
import type { OpName } from "./node.ts";

export const scalarFunctions = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  pow: (a: number, b: number) => a ** b,
  neg: (a: number) => -a,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  sigmoid: (a: number) => 1 / (1 + Math.exp(-a)),
  relu: (a: number) => (a > 0 ? a : a === a ? 0 : a),
} as const satisfies Partial<Record<OpName, (a: number, b: number) => number>>;

export type ScalarOp = keyof typeof scalarFunctions;

export function isScalarOp(op: OpName): op is ScalarOp {
  return op in scalarFunctions;
}
