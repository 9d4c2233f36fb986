/**
 * Random small programs. fast-check draws a list of instructions; each becomes one operation
 * on earlier values. An instruction without a fitting operand is skipped, so any shorter
 * list is a program too, and failures shrink.
 */
import fc from "fast-check";
import type { InputValue } from "../../src/core/engines/engine.ts";
import { evaluate } from "../../src/core/engines/reference/kernels.ts";
import { gradients } from "../../src/core/program/gradients.ts";
import { sizeOf, topologicalOrder, type Node, type NodeOf, type OpName, type Shape } from "../../src/core/program/node.ts";
import * as ops from "../../src/core/program/operations/index.ts";
import { nodesOf, type ProcedureSpec } from "../../src/core/program/program.ts";
import { convolutionAttributes, positions, windowsOf, type ConvolutionOptions } from "../../src/core/program/windows.ts";
import { pseudoRandom } from "./finiteDifferences.ts";

export interface Instruction {
  readonly op: OpName;
  /** Chooses operands, shapes and axes; taken modulo the number of choices. */
  readonly picks: readonly number[];
}

export interface Recipe {
  readonly instructions: readonly Instruction[];
  /** Whether the derivatives of the results by the inputs are results as well. */
  readonly differentiated: boolean;
  readonly valuesSeed: number;
}

export interface RandomProgram {
  readonly spec: Required<ProcedureSpec>;
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly state: Readonly<Record<string, Float64Array>>;
}

const shapes: readonly Shape[] = [[], [3], [4], [2, 3], [3, 2], [2, 1], [1, 3], [3, 3], [2, 2, 3], [2, 3, 2], [2, 2, 4, 4], [3, 2, 2, 2]];

/** Multiples of 1/8: float32 holds them exactly, so that comparisons of inputs agree on every engine. */
const eighths = (size: number, seed: number) => pseudoRandom(size, seed).map((x) => Math.round(x * 8) / 8);

/** Larger values are scaled down, because rounding differences would grow without bound. */
const largest = 8;

class Builder {
  readonly inputs: Record<string, Float64Array> = {};
  readonly state: Record<string, Float64Array> = {};
  /** Operands for later instructions: floats first to last. */
  readonly floats: Node[] = [];
  readonly conditions: Node[] = [];
  readonly differentiated: boolean;
  readonly #values = new Map<Node, Float64Array>();
  readonly #seed: number;
  #picks: number[] = [];

  constructor(seed: number, differentiated: boolean) {
    this.#seed = seed;
    this.differentiated = differentiated;
  }

  apply({ op, picks }: Instruction): void {
    this.#picks = [...picks];
    let node = rules[op](this);
    if (!node) return;
    if (node.dtype === "bool") {
      this.conditions.push(node);
      return;
    }
    const size = this.valueOf(node).reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    if (size > largest) node = ops.mul(ops.constant(2 ** -Math.ceil(Math.log2(size / largest))), node);
    this.floats.push(node);
  }

  pick(choices: number): number {
    return (this.#picks.shift() ?? 0) % choices;
  }

  /** An earlier, fitting float; the latest for pick 0. */
  operand(fits: (node: Node) => boolean = () => true, among: readonly Node[] = this.floats): Node | null {
    const fitting = among.filter(fits);
    return fitting.length === 0 ? null : fitting[fitting.length - 1 - this.pick(fitting.length)]!;
  }

  /** Operand of an operation that jumps where values are equal: an input, which has the same bits on every engine. */
  exact(fits: (node: Node) => boolean = () => true): Node | null {
    return this.operand((node) => node.op === "input" && fits(node));
  }

  /** Operand of an operation with a kink: an input where derivatives are taken. */
  kinked(fits?: (node: Node) => boolean): Node | null {
    return this.differentiated ? this.exact(fits) : this.operand(fits);
  }

  leaf(kind: "input" | "state", shape: Shape): Node {
    const values = kind === "input" ? this.inputs : this.state;
    const count = Object.keys(values).length;
    values[`${kind}${count}`] = eighths(sizeOf(shape), this.#seed + 31 * count + (kind === "input" ? 0 : 7));
    return ops[kind](`${kind}${count}`, shape);
  }

  /** int32 indices 0 and 1 from a state, like classes. */
  indices(shape: Shape): Node {
    const name = `index${shape.join("x")}`;
    this.state[name] = Float64Array.from({ length: sizeOf(shape) }, (_, i) => ((this.#seed >> (i % 8)) + i) % 2);
    return ops.cast(ops.state(name, shape), "int32");
  }

  valueOf(result: Node): Float64Array {
    for (const node of topologicalOrder([result])) {
      if (this.#values.has(node)) continue;
      const given = node.op === "input" ? this.inputs[node.attributes.name] : node.op === "state" ? this.state[node.attributes.name] : undefined;
      this.#values.set(node, given ?? evaluate(node, node.inputs.map((input) => this.#values.get(input)!)));
    }
    return this.#values.get(result)!;
  }
}

type Rule = (b: Builder) => Node | null;

const broadcasts = (a: Node) => (b: Node) => {
  const rank = Math.min(a.shape.length, b.shape.length);
  for (let i = 1; i <= rank; i++) {
    const [n, m] = [a.shape.at(-i)!, b.shape.at(-i)!];
    if (n !== m && n !== 1 && m !== 1) return false;
  }
  return true;
};
const sameShape = (a: Node) => (b: Node) => a.shape.join() === b.shape.join();
const rank = (n: number) => (x: Node) => x.shape.length === n;
const atLeast = (n: number) => (x: Node) => x.shape.length >= n;

const unary = (build: (x: Node) => Node): Rule => (b) => {
  const x = b.operand();
  return x && build(x);
};

function binary(build: (x: Node, y: Node) => Node, from: "operand" | "kinked" | "exact" = "operand"): Rule {
  return (b) => {
    const x = b[from]();
    const y = x && b[from](broadcasts(x));
    return y && (b.pick(2) === 0 ? build(x, y) : build(y, x));
  };
}

function condition(build: (x: Node, y: Node) => Node): Rule {
  return (b) => {
    const x = b.operand(undefined, b.conditions);
    const y = x && b.operand(broadcasts(x), b.conditions);
    return y && build(x, y);
  };
}

/** At least 0.5. */
const positive = (x: Node) => ops.add(ops.mul(x, x), ops.constant(0.5));

/** Some axes of x, at least one. */
function someAxes(b: Builder, x: Node): number[] {
  const bits = 1 + b.pick(2 ** x.shape.length - 1);
  return x.shape.flatMap((_, axis) => (bits & (1 << axis) ? [axis] : []));
}

const constants = [0, 1, -1, 2, 0.5, -0.75, -0];

const convolutionOptions = (b: Builder): ConvolutionOptions => {
  const general = b.pick(10);
  const [stride, padding] = [1 + (general & 1), (general >> 1) & 1];
  return general < 8 ? { stride, padding } : { stride: [1, 2], padding: [1, 0, 0, general - 8], dilation: [general - 7, 1] };
};
const poolings = [{ size: 2 }, { size: [3, 2], stride: [2, 1], padding: 1 }] as const;
const kernelFor = (image: Node) => (w: Node) => rank(4)(w) && w.shape[1] === image.shape[1];
const convolved = (image: Node, weight: Node, options: ConvolutionOptions): Shape | null => {
  const windows = windowsOf(convolutionAttributes(options));
  const sizes = [0, 1].map((axis) => positions(image.shape[axis + 2]!, weight.shape[axis + 2]!, windows, axis));
  return sizes.every((n) => n > 0) ? [image.shape[0]!, weight.shape[0]!, ...sizes] : null;
};

/** One rule per operation; an operation without a rule does not compile. */
const rules: { readonly [N in OpName]: Rule } = {
  input: (b) => b.leaf("input", shapes[b.pick(shapes.length)]!),
  state: (b) => b.leaf("state", shapes[b.pick(shapes.length)]!),
  constant: (b) => ops.broadcast(ops.constant(constants[b.pick(constants.length)]!), shapes[b.pick(shapes.length)]!),
  constantArray: (b) => {
    const shape = shapes[b.pick(shapes.length)]!;
    return ops.constantArray(eighths(sizeOf(shape), b.pick(7)), shape);
  },
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary((x, y) => ops.div(x, positive(y))),
  pow: (b) => {
    const x = b.operand();
    if (!x) return null;
    const exponent = b.operand(broadcasts(x));
    return ops.pow(positive(ops.tanh(x)), b.pick(2) === 0 && exponent ? ops.tanh(exponent) : ops.constant([2, 0.5, -1, 3][b.pick(4)]!));
  },
  mod: (b) => {
    const x = b.exact();
    return x && ops.mod(x, ops.constant(0.75));
  },
  maximum: binary(ops.maximum, "kinked"),
  minimum: binary(ops.minimum, "kinked"),
  neg: unary(ops.neg),
  exp: unary((x) => ops.exp(ops.tanh(x))),
  log: unary((x) => ops.log(positive(x))),
  sqrt: unary((x) => ops.sqrt(positive(x))),
  tanh: unary(ops.tanh),
  sigmoid: unary(ops.sigmoid),
  relu: (b) => {
    const x = b.kinked();
    return x && ops.relu(x);
  },
  erf: unary(ops.erf),
  sin: unary(ops.sin),
  cos: unary(ops.cos),
  abs: (b) => {
    const x = b.kinked();
    return x && ops.abs(x);
  },
  floor: (b) => {
    const x = b.exact();
    return x && ops.floor(x);
  },
  greater: binary(ops.greater, "exact"),
  equal: binary(ops.equal, "exact"),
  select: (b) => {
    const condition = b.operand(undefined, b.conditions);
    const fits = b.pick(2) === 0 ? sameShape : broadcasts;
    const x = condition && b.operand(fits(condition));
    const y = x && b.operand((node) => fits(condition)(node) && fits(x)(node));
    return y && ops.select(condition, x, y);
  },
  and: condition(ops.and),
  or: condition(ops.or),
  not: (b) => {
    const x = b.operand(undefined, b.conditions);
    return x && ops.not(x);
  },
  cast: (b) => {
    const condition = b.operand(undefined, b.conditions);
    return condition && ops.cast(condition, "float");
  },
  stopGradient: unary(ops.stopGradient),
  matmul: (b) => {
    const a = b.operand(atLeast(2));
    if (!a) return null;
    const options = { transposeA: b.pick(2) === 1, transposeB: b.pick(2) === 1, scale: [1, 0.5, -2][b.pick(3)]! };
    const inner = a.shape.at(options.transposeA ? -2 : -1);
    const other = b.operand((x) => {
      const leading = (node: Node) => ops.input("", node.shape.slice(0, -2));
      return atLeast(2)(x) && broadcasts(leading(a))(leading(x)) && x.shape.at(options.transposeB ? -1 : -2) === inner;
    });
    return other && ops.matmul(a, other, options);
  },
  dot: (b) => {
    const x = b.operand(atLeast(1));
    const y = x && b.operand(sameShape(x));
    return y && ops.dot(x, y);
  },
  softmax: (b) => {
    const x = b.operand(atLeast(1));
    return x && ops.softmax(x, b.pick(x.shape.length));
  },
  logSoftmax: (b) => {
    const x = b.operand(atLeast(1));
    return x && ops.logSoftmax(x, b.pick(x.shape.length));
  },
  reduceSum: (b) => {
    const x = b.operand(atLeast(1));
    return x && ops.reduceSum(x, someAxes(b, x), b.pick(2) === 1);
  },
  reduceMax: (b) => {
    const x = b.kinked(atLeast(1));
    return x && ops.reduceMax(x, someAxes(b, x), b.pick(2) === 1);
  },
  variance: (b) => {
    const x = b.operand(atLeast(1));
    return x && ops.variance(x, someAxes(b, x));
  },
  argMax: (b) => {
    const x = b.exact(atLeast(1));
    return x && ops.oneHot(ops.argMax(x), x.shape.at(-1)!);
  },
  oneHot: (b) => ops.oneHot(b.indices([[3], [2], [2, 3]][b.pick(3)]!), 2 + b.pick(2)),
  broadcast: (b) => {
    const x = b.operand();
    const shape = x && shapes.filter((to) => to.length >= x.shape.length && x.shape.every((n, i) => n === 1 || n === to[to.length - x.shape.length + i]));
    return shape && shape.length > 0 ? ops.broadcast(x, shape[b.pick(shape.length)]!) : null;
  },
  reshape: (b) => {
    const x = b.operand();
    if (!x) return null;
    const size = sizeOf(x.shape);
    const fitting = [[size], [1, size], [size, 1], ...shapes.filter((shape) => sizeOf(shape) === size)];
    return ops.reshape(x, fitting[b.pick(fitting.length)]!);
  },
  transpose: (b) => {
    const x = b.operand(atLeast(2));
    if (!x) return null;
    const left = x.shape.map((_, axis) => axis);
    const permutation = x.shape.map(() => left.splice(b.pick(left.length), 1)[0]!);
    return ops.transpose(x, permutation);
  },
  slice: (b) => {
    const x = b.operand(atLeast(1));
    if (!x) return null;
    const axis = b.pick(x.shape.length);
    const start = b.pick(x.shape[axis]!);
    const end = start + 1 + b.pick(x.shape[axis]! - start);
    const step = [1, 1, 2, -1][b.pick(4)]!;
    return step > 0 ? ops.slice(x, axis, start, end, step) : ops.slice(x, axis, end - 1, start - 1, step);
  },
  concat: (b) => {
    const x = b.operand(atLeast(1));
    if (!x) return null;
    const axis = b.pick(x.shape.length);
    const y = b.operand((other) => rank(x.shape.length)(other) && other.shape.every((n, i) => i === axis || n === x.shape[i]));
    return y && ops.concat(b.pick(2) === 0 ? [x, y] : [ops.filled(0, x.shape), y], axis);
  },
  cumulativeSum: (b) => {
    const x = b.operand(atLeast(1));
    return x && ops.cumulativeSum(x, b.pick(x.shape.length), { exclusive: b.pick(2) === 1, reverse: b.pick(2) === 1 });
  },
  gather: (b) => {
    const table = b.operand((x) => atLeast(1)(x) && x.shape.length < 4 && Math.max(...x.shape) > 1);
    const axes = table && table.shape.flatMap((n, axis) => (n > 1 ? [axis] : []));
    return axes && ops.gather(table, b.indices([[3], [2], [2, 3]][b.pick(3)]!), axes[b.pick(axes.length)]!);
  },
  scatterAdd: (b) => {
    const x = b.operand(atLeast(2));
    if (!x) return null;
    const axis = b.pick(2);
    return ops.scatterAdd(x, b.indices(axis === 0 ? x.shape.slice(0, -1) : x.shape.slice(1, 2)), 2 + b.pick(2), axis);
  },
  conv2d: (b) => {
    const x = b.operand(rank(4));
    const w = x && b.operand(kernelFor(x));
    const options = convolutionOptions(b);
    return w && convolved(x, w, options) && ops.conv2d(x, w, options);
  },
  conv2dInputGradient: (b) => {
    const w = b.operand(rank(4));
    const options = convolutionOptions(b);
    const image = w && ops.input("", [2, w.shape[1]!, 4, 4]);
    const to = image && convolved(image, w, options);
    return to && ops.conv2dInputGradient(b.leaf("input", to), w, [4, 4], options);
  },
  conv2dWeightGradient: (b) => {
    const x = b.operand(rank(4));
    if (!x) return null;
    const groups = b.pick(2) === 0 ? 1 : x.shape[1]!;
    const options = { ...convolutionOptions(b), groups };
    const weight = ops.input("", [3 * groups, x.shape[1]! / groups, 2, 2]);
    const to = convolved(x, weight, options);
    return to && ops.conv2dWeightGradient(x, b.leaf("input", to), [2, 2], options);
  },
  maxPool2d: (b) => {
    const x = b.kinked((node) => rank(4)(node) && Math.min(...node.shape.slice(2)) >= 2);
    return x && ops.maxPool2d(x, poolings[b.pick(2)]!);
  },
  maxPool2dGradient: (b) => {
    const x = b.exact((node) => rank(4)(node) && Math.min(...node.shape.slice(2)) >= 2);
    const options = poolings[b.pick(2)]!;
    const g = x && b.leaf("state", ops.maxPool2d(x, options).shape);
    return g && ops.maxPool2dGradient(x, g, options);
  },
  atMaxima2d: (b) => {
    const x = b.exact((node) => rank(4)(node) && Math.min(...node.shape.slice(2)) >= 2);
    const y = x && b.operand(sameShape(x));
    return y && ops.atMaxima2d(x, y, poolings[b.pick(2)]!);
  },
};

/** Every program starts from these, so that most instructions find operands. */
const start: readonly Instruction[] = [3, 4, 8, 10, 0].flatMap((shape) => [
  { op: "input", picks: [shape] },
  { op: "state", picks: [shape] },
]);

const operations = (Object.keys(rules) as OpName[]).sort();

export const recipes: fc.Arbitrary<Recipe> = fc.record({
  instructions: fc.array(fc.record({ op: fc.constantFrom(...operations), picks: fc.array(fc.nat(59), { minLength: 6, maxLength: 6 }) }), { minLength: 1, maxLength: 14, size: "max" }),
  differentiated: fc.boolean(),
  valuesSeed: fc.integer({ min: 1, max: 1000 }),
});

export function programOf({ instructions, differentiated, valuesSeed }: Recipe): RandomProgram {
  const b = new Builder(valuesSeed, differentiated);
  for (const instruction of [...start, ...instructions]) b.apply(instruction);
  const built = b.floats.slice(2 * 5);
  const all = built.length > 0 ? built : b.floats;
  const used = new Set(topologicalOrder(all).flatMap(({ inputs }) => inputs));
  const results = all.filter((node) => !used.has(node));
  const total = results.map((node) => (node.shape.length === 0 ? node : ops.reduceSum(node))).reduce(ops.add);
  const updates: Record<string, Node> = Object.fromEntries(results.map((node, i) => [`result${i}`, node]));
  const leaves = topologicalOrder([total]).filter((node): node is NodeOf<"input" | "state"> => node.op === "input" || node.op === "state");
  if (differentiated) {
    const smooth = leaves.filter(({ attributes: { name } }) => !name.startsWith("index"));
    gradients(total, smooth).forEach((node, i) => (updates[`gradient.${smooth[i]!.attributes.name}`] = node));
  }
  // A state that is read and written in one step.
  for (const leaf of leaves) {
    const next = leaf.op === "state" && !leaf.attributes.name.startsWith("index") && results.find(sameShape(leaf));
    if (next) updates[leaf.attributes.name] = next;
  }
  const spec = { outputs: { total }, updates, transient: false };
  const read = new Set(nodesOf(spec).flatMap((node) => (node.op === "input" || node.op === "state" ? [node.attributes.name] : [])));
  const only = <T>(values: Readonly<Record<string, T>>) => Object.fromEntries(Object.entries(values).filter(([name]) => read.has(name)));
  return { spec, inputs: only(b.inputs), state: only(b.state) };
}

/** The program as text, one line per node. */
export function listing(spec: Pick<ProcedureSpec, "outputs"> & { readonly updates: Readonly<Record<string, Node>> }): string {
  const order = nodesOf(spec);
  const names = new Map(order.map((node, i) => [node, `v${i}`]));
  const special = (_: string, value: unknown) => (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)) ? `${Object.is(value, -0) ? "-0" : value}` : value);
  const line = (node: Node) => `${names.get(node)!} = ${node.op}(${node.inputs.map((input) => names.get(input)!).join(", ")}) ${JSON.stringify(node.attributes, special)} [${node.shape.join(", ")}]`;
  const roots = [...Object.entries(spec.outputs), ...Object.entries(spec.updates)].map(([name, node]) => `${name} <- ${names.get(node)!}`);
  return [...order.map(line), ...roots].join("\n");
}
