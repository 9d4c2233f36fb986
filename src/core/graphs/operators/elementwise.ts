/** Arithmetic, comparisons, logic and activations. */
import type { GraphKind } from "../../../shared/models/graph.ts";
import type { Node } from "../../program/node.ts";
import {
  abs, add, and, cast, constant, cos, div, equal, erf, exp, floor, greater, log, maximum, minimum, mod, mul, neg, not, or, pow, relu, select, sigmoid, sin, sqrt, sub, tanh,
} from "../../program/operations/index.ts";
import type { Context } from "../context.ts";
import { computed, floatOf, known, mapKnown, nodeOf, type ArrayValue, type Known } from "../values.ts";
import type { Operator, Operators } from "./operator.ts";

type Numbers = (...values: number[]) => number;

const isKnown = (value: ArrayValue): value is Known => value.known;

const kindOfAll = (values: readonly ArrayValue[]): GraphKind => (values.some(({ kind }) => kind === "float") ? "float" : "int");

/** Integers are calculated as floats, which is exact below 2^24. */
function ofKind(kind: GraphKind, node: Node): ArrayValue {
  return computed(kind === "float" ? node : cast(node, kind === "int" ? "int32" : "bool"));
}

function arithmetic(onNumbers: Numbers, build: (a: Node, b: Node) => Node, onIntegers: Numbers = onNumbers): Operator {
  return (context) => [
    context.arrays().reduce((a, b) => {
      const kind = kindOfAll([a, b]);
      if (isKnown(a) && isKnown(b)) return mapKnown(kind, [a, b], kind === "float" ? onNumbers : onIntegers);
      const result = build(floatOf(a), floatOf(b));
      return ofKind(kind, kind === "int" && onIntegers !== onNumbers ? truncated(result) : result);
    }),
  ];
}

/** Rounds towards 0. */
const truncated = (x: Node) => select(greater(x, constant(0)), floor(x), neg(floor(neg(x))));

function comparison(onNumbers: (a: number, b: number) => boolean, build: (a: Node, b: Node) => Node): Operator {
  return (context) => {
    const [a, b] = [context.array(0), context.array(1)];
    if (isKnown(a) && isKnown(b)) return [mapKnown("bool", [a, b], (x, y) => Number(onNumbers(x!, y!)))];
    return [computed(build(floatOf(a), floatOf(b)))];
  };
}

function logic(onNumbers: Numbers, build: (a: Node, b: Node) => Node): Operator {
  return (context) => [
    context.arrays().reduce((a, b) => {
      if (isKnown(a) && isKnown(b)) return mapKnown("bool", [a, b], onNumbers);
      return computed(build(nodeOf(a), nodeOf(b)));
    }),
  ];
}

/** A function of one float. @param onNumbers where it can be part of constants */
function activation(build: (x: Node, context: Context) => Node, onNumbers?: (context: Context) => (x: number) => number): Operator {
  return (context) => {
    const x = context.array(0);
    if (isKnown(x) && onNumbers) return [mapKnown(x.kind, [x], onNumbers(context))];
    return [ofKind(x.kind === "int" ? "int" : "float", build(floatOf(x), context))];
  };
}

const number = (map: (x: number) => number) => () => map;

/** log(1 + exp(x)), also for large x. */
export const softplus = (x: Node) => add(relu(x), log(add(constant(1), exp(neg(abs(x))))));
/** exp(x) - 1 where x is below 0, else 0; finite for large x. */
const expMinusOne = (x: Node) => sub(exp(minimum(x, constant(0))), constant(1));
const times = (factor: number, x: Node) => (factor === 1 ? x : mul(constant(factor), x));
const clamp = (x: Node, low: number, high: number) => {
  const above = low === -Infinity ? x : select(greater(constant(low), x), constant(low), x);
  return high === Infinity ? above : select(greater(above, constant(high)), constant(high), above);
};
const half = (x: Node) => mul(constant(0.5), x);
/** Hendrycks and Gimpel 2016, exact or with their approximation by tanh. */
const gelu = (x: Node, byTanh: boolean) =>
  byTanh
    ? mul(half(x), add(constant(1), tanh(mul(constant(Math.sqrt(2 / Math.PI)), add(x, mul(constant(0.044715), mul(x, mul(x, x))))))))
    : mul(half(x), add(constant(1), erf(mul(constant(Math.SQRT1_2), x))));
const leaky = (x: Node, slope: Node) => select(greater(x, constant(0)), x, mul(slope, x));

function clip(context: Context): readonly ArrayValue[] {
  const x = context.array(0);
  const bound = (index: number, name: string, missing: number) => context.numbers(index, `its ${name}`)?.[0] ?? context.attributes.float(name, missing);
  const [low, high] = [bound(1, "min", -Infinity), bound(2, "max", Infinity)];
  if (isKnown(x)) return [mapKnown(x.kind, [x], (value) => Math.min(high, Math.max(low, value!)))];
  return [ofKind(x.kind, clamp(floatOf(x), low, high))];
}

const castTypes: Readonly<Record<number, GraphKind>> = { 1: "float", 10: "float", 11: "float", 16: "float", 2: "int", 3: "int", 4: "int", 5: "int", 6: "int", 7: "int", 12: "int", 13: "int", 9: "bool" };

export function castTo(x: ArrayValue, kind: GraphKind): ArrayValue {
  if (x.kind === kind) return x;
  if (isKnown(x)) return mapKnown(kind, [x], (value) => (kind === "int" ? Math.trunc(value!) : kind === "bool" ? Number(value !== 0) : value!));
  if (kind === "bool") return computed(not(equal(floatOf(x), constant(0))));
  if (kind === "int") return computed(cast(x.kind === "float" ? truncated(x.node) : x.node, "int32"));
  return computed(floatOf(x));
}

function where(context: Context): readonly ArrayValue[] {
  const [condition, a, b] = [context.array(0), context.array(1), context.array(2)];
  const kind = a.kind === "bool" ? "bool" : kindOfAll([a, b]);
  if (isKnown(condition) && isKnown(a) && isKnown(b)) return [mapKnown(kind, [condition, a, b], (c, x, y) => (c ? x! : y!))];
  return [ofKind(kind, select(nodeOf(condition), floatOf(a), floatOf(b)))];
}

function prelu(context: Context): readonly ArrayValue[] {
  const [x, slope] = [floatOf(context.array(0)), floatOf(context.array(1))];
  return [computed(leaky(x, slope))];
}

function power(context: Context): readonly ArrayValue[] {
  const [a, b] = [context.array(0), context.array(1)];
  if (isKnown(a) && isKnown(b)) return [mapKnown(a.kind, [a, b], (x, y) => x! ** y!)];
  const exponent = isKnown(b) && b.data.length === 1 ? b.data[0]! : null;
  const base = floatOf(a);
  if (exponent === 2) return [ofKind(a.kind, mul(base, base))];
  if (exponent === 3) return [ofKind(a.kind, mul(base, mul(base, base)))];
  if (exponent === 1) return [a];
  if (exponent === 0.5) return [ofKind(a.kind, sqrt(base))];
  if (exponent === -1) return [ofKind(a.kind, div(constant(1), base))];
  if (exponent === -0.5) return [ofKind(a.kind, div(constant(1), sqrt(base)))];
  return [ofKind(a.kind, pow(base, floatOf(b)))];
}

const nearest = (x: number) => {
  const low = Math.floor(x);
  return x - low > 0.5 || (x - low === 0.5 && low % 2 !== 0) ? low + 1 : low;
};

function mean(context: Context): readonly ArrayValue[] {
  const values = context.arrays();
  return [computed(mul(constant(1 / values.length), values.map(floatOf).reduce(add)))];
}

const selu = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

export const elementwiseOperators: Operators = {
  Add: arithmetic((a, b) => a! + b!, add),
  Sum: arithmetic((a, b) => a! + b!, add),
  Sub: arithmetic((a, b) => a! - b!, sub),
  Mul: arithmetic((a, b) => a! * b!, mul),
  Div: arithmetic((a, b) => a! / b!, div, (a, b) => Math.trunc(a! / b!)),
  Mod: (context) => {
    const [a, b] = [context.array(0), context.array(1)];
    const truncating = context.attributes.int("fmod", 0) === 1;
    if (isKnown(a) && isKnown(b)) return [mapKnown(kindOfAll([a, b]), [a, b], (x, y) => (truncating ? x! % y! : x! - y! * Math.floor(x! / y!)))];
    const [x, y] = [floatOf(a), floatOf(b)];
    return [ofKind(kindOfAll([a, b]), truncating ? mod(x, y) : sub(x, mul(y, floor(div(x, y)))))];
  },
  Max: arithmetic((a, b) => Math.max(a!, b!), maximum),
  Min: arithmetic((a, b) => Math.min(a!, b!), minimum),
  Mean: mean,
  Pow: power,
  Equal: (context) => {
    const [a, b] = [context.array(0), context.array(1)];
    if (isKnown(a) && isKnown(b)) return [mapKnown("bool", [a, b], (x, y) => Number(x === y))];
    return [computed(equal(floatOf(a), floatOf(b)))];
  },
  Greater: comparison((a, b) => a > b, greater),
  Less: comparison((a, b) => a < b, (a, b) => greater(b, a)),
  GreaterOrEqual: comparison((a, b) => a >= b, (a, b) => or(greater(a, b), equal(a, b))),
  LessOrEqual: comparison((a, b) => a <= b, (a, b) => or(greater(b, a), equal(a, b))),
  And: logic((a, b) => a! * b!, and),
  Or: logic((a, b) => Math.max(a!, b!), or),
  Xor: logic((a, b) => Number(a !== b), (a, b) => and(or(a, b), not(and(a, b)))),
  Not: (context) => {
    const x = context.array(0);
    return [isKnown(x) ? mapKnown("bool", [x], (value) => 1 - value!) : computed(not(nodeOf(x)))];
  },
  Where: where,
  Cast: (context) => {
    const to = castTypes[context.attributes.int("to")];
    if (!to) throw context.error(`to = ${context.attributes.int("to")} is not supported; allowed: types of numbers and bool`);
    return [castTo(context.array(0), to)];
  },
  CastLike: (context) => [castTo(context.array(0), context.array(1).kind)],
  Identity: (context) => [context.value(0)],
  IsNaN: (context) => {
    const x = context.array(0);
    if (isKnown(x)) return [mapKnown("bool", [x], (value) => Number(Number.isNaN(value)))];
    const node = floatOf(x);
    return [computed(not(or(greater(node, constant(0)), greater(constant(1), node))))];
  },
  IsInf: (context) => {
    const x = context.array(0);
    if (isKnown(x)) return [mapKnown("bool", [x], (value) => Number(value === Infinity || value === -Infinity))];
    return [computed(greater(abs(floatOf(x)), constant(Number.MAX_VALUE)))];
  },
  Neg: activation(neg, number((x) => -x)),
  Abs: activation(abs, number(Math.abs)),
  Exp: activation(exp, number(Math.exp)),
  Log: activation(log, number(Math.log)),
  Sqrt: activation(sqrt, number(Math.sqrt)),
  Reciprocal: activation((x) => div(constant(1), x), number((x) => 1 / x)),
  Floor: activation(floor, number(Math.floor)),
  Ceil: activation((x) => neg(floor(neg(x))), number(Math.ceil)),
  Round: activation((x) => floor(add(x, constant(0.5))), number(nearest)),
  Sign: activation((x) => sub(cast(greater(x, constant(0)), "float"), cast(greater(constant(0), x), "float")), number(Math.sign)),
  Sin: activation(sin, number(Math.sin)),
  Cos: activation(cos, number(Math.cos)),
  Tan: activation((x) => div(sin(x), cos(x)), number(Math.tan)),
  Sinh: activation((x) => mul(constant(0.5), sub(exp(x), exp(neg(x)))), number(Math.sinh)),
  Cosh: activation((x) => mul(constant(0.5), add(exp(x), exp(neg(x)))), number(Math.cosh)),
  Asinh: activation((x) => log(add(x, sqrt(add(mul(x, x), constant(1))))), number(Math.asinh)),
  Acosh: activation((x) => log(add(x, sqrt(sub(mul(x, x), constant(1))))), number(Math.acosh)),
  Atanh: activation((x) => mul(constant(0.5), log(div(add(constant(1), x), sub(constant(1), x)))), number(Math.atanh)),
  Erf: activation(erf),
  // Not in ONNX, but tf2onnx writes it for TensorFlow's exact GELU.
  Erfc: activation((x) => sub(constant(1), erf(x))),
  Tanh: activation(tanh, number(Math.tanh)),
  Sigmoid: activation(sigmoid, number((x) => 1 / (1 + Math.exp(-x)))),
  Relu: activation(relu, number((x) => Math.max(0, x))),
  LeakyRelu: activation((x, { attributes }) => leaky(x, constant(attributes.float("alpha", 0.01)))),
  PRelu: prelu,
  ThresholdedRelu: activation((x, { attributes }) => select(greater(x, constant(attributes.float("alpha", 1))), x, constant(0))),
  Elu: activation((x, { attributes }) => add(relu(x), times(attributes.float("alpha", 1), expMinusOne(x)))),
  Selu: activation((x, { attributes }) => times(attributes.float("gamma", selu.gamma), add(relu(x), times(attributes.float("alpha", selu.alpha), expMinusOne(x))))),
  Celu: activation((x, { attributes }) => {
    const alpha = attributes.float("alpha", 1);
    return add(relu(x), times(alpha, expMinusOne(times(1 / alpha, x))));
  }),
  Softplus: activation(softplus),
  Softsign: activation((x) => div(x, add(constant(1), abs(x)))),
  HardSigmoid: activation((x, { attributes }) => clamp(add(times(attributes.float("alpha", 0.2), x), constant(attributes.float("beta", 0.5))), 0, 1)),
  HardSwish: activation((x) => mul(x, clamp(add(times(1 / 6, x), constant(0.5)), 0, 1))),
  Mish: activation((x) => mul(x, tanh(softplus(x)))),
  Swish: activation((x, { attributes }) => mul(x, sigmoid(times(attributes.float("alpha", 1), x)))),
  Gelu: activation((x, { attributes }) => {
    attributes.only("approximate", "none", "tanh");
    return gelu(x, attributes.text("approximate", "none") === "tanh");
  }),
  Shrink: activation((x, { attributes }) => {
    const [bias, limit] = [attributes.float("bias", 0), attributes.float("lambd", 0.5)];
    return select(greater(x, constant(limit)), sub(x, constant(bias)), select(greater(constant(-limit), x), add(x, constant(bias)), constant(0)));
  }),
  Clip: clip,
  Dropout: (context) => {
    const x = context.array(0);
    const given = context.numbers(1, "its ratio")?.[0];
    const p = given ?? context.attributes.float("ratio", 0.5);
    if (x.known) return [x, known("bool", [], [1])];
    if (!(p >= 0 && p < 1)) throw context.error(`ratio = ${p} is out of range; allowed: from 0 to below 1`);
    return [computed(context.pass.dropout(context.node, floatOf(x), p))];
  },
};
