/**
 * The elementwise operations on scalars (a condition is 0 or 1): folds constants and runs scalar
 * work on the host.
 */
import { erf } from "./erf.ts";
import type { OpName } from "./node.ts";

export const scalarFunctions = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  pow: (a: number, b: number) => a ** b,
  mod: (a: number, b: number) => a % b,
  // NaN wins, as in IEEE 754 and every engine. Exactly two arguments: callers pass a third.
  maximum: (a: number, b: number) => Math.max(a, b),
  minimum: (a: number, b: number) => Math.min(a, b),
  greater: (a: number, b: number) => (a > b ? 1 : 0),
  equal: (a: number, b: number) => (a === b ? 1 : 0),
  and: (a: number, b: number) => a * b,
  or: (a: number, b: number) => Math.max(a, b),
  not: (a: number) => 1 - a,
  select: (condition: number, a: number, b: number) => (condition ? a : b),
  cast: (a: number) => a,
  neg: (a: number) => -a,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  sigmoid: (a: number) => 1 / (1 + Math.exp(-a)),
  relu: (a: number) => (a > 0 ? a : a === a ? 0 : a),
  erf,
  sin: Math.sin,
  cos: Math.cos,
  abs: Math.abs,
  floor: Math.floor,
} as const satisfies Partial<Record<OpName, (a: number, b: number, c: number) => number>>;

export type ScalarOp = keyof typeof scalarFunctions;

export function isScalarOp(op: OpName): op is ScalarOp {
  return op in scalarFunctions;
}
