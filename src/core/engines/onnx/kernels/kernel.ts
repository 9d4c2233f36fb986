/**
 * One pass over arrays of equal size: any number of elementwise operations and dot products in a
 * single loop, four floats at a time. Separate operations would read and write every array once
 * more, and memory is the bottleneck.
 */
import { isScalar, sameShape, sizeOf, type Node, type NodeOf, type OpName } from "../../../program/node.ts";
import type { Arena } from "./arena.ts";
import { moduleOf, op, type ValueType } from "./wasm.ts";

type Code = readonly number[];

/** Code of each operation, inputs on the stack; a condition has all bits set or none. */
const instructions: { readonly [N in OpName]?: Code } = {
  add: op.add,
  sub: op.sub,
  mul: op.mul,
  div: op.div,
  minimum: op.min,
  maximum: op.max,
  neg: op.neg,
  sqrt: op.sqrt,
  greater: op.greater,
  equal: op.equal,
  relu: [...op.floats(0), ...op.max],
  cast: [...op.floats(1), ...op.and],
  stopGradient: [],
  broadcast: [],
};

/** Whether a kernel can compute the node, given array inputs in memory or from kernels. */
export function isKernelWork(node: Node): boolean {
  const arrays = node.inputs.filter((input) => !isScalar(input));
  if (node.op === "dot") return arrays.every(({ dtype }) => dtype === "float");
  if (isScalar(node) || !(node.op in instructions || node.op === "select")) return false;
  const conditions = node.op === "select" || (node.op === "cast" && node.dtype === "float") ? 1 : 0;
  // A kernel's scalars are floats.
  if (conditions > 0 && isScalar(node.inputs[0]!)) return false;
  return (
    (node.dtype === "float" || node.op === "greater" || node.op === "equal") &&
    arrays.every((input) => sameShape(input.shape, node.shape)) &&
    node.inputs.every(({ dtype }, i) => dtype === (i < conditions ? "bool" : "float"))
  );
}

export interface KernelSpec {
  /** Nodes to compute, inputs before users, dot products included. */
  readonly nodes: readonly Node[];
  /** Arrays read from memory. */
  readonly loads: readonly Node[];
  /** Arrays written to memory; a node may be stored twice, and a loaded node is copied. */
  readonly stores: readonly Node[];
}

/** Scalars passed to a kernel: all that it uses except constants. */
export function kernelScalars({ nodes }: KernelSpec): Node[] {
  const used = nodes.flatMap((node) => node.inputs.filter((input) => isScalar(input) && input.op !== "constant"));
  return [...new Set(used)];
}

export const kernelDots = ({ nodes }: KernelSpec) => nodes.filter((node): node is NodeOf<"dot"> => node.op === "dot");

/**
 * Takes the addresses of loads, of stores, then the scalars; returns the dot products in float64.
 * Arrays must start at multiples of 16 bytes and own the memory up to the next multiple.
 */
export type Kernel = (...args: readonly number[]) => readonly number[];

/** Length of a float32 partial sum, which is then added in float64. */
const summedAtOnce = 1024;
const floatBytes = 4;
const lanes = 4;
const vectorBytes = lanes * floatBytes;

export function compileKernel(spec: KernelSpec, arena: Arena): Kernel {
  const run = arena.instantiate(new Writer(spec).write());
  switch (kernelDots(spec).length) {
    case 0:
      return (...args) => {
        run(...args);
        return [];
      };
    case 1:
      return (...args) => [run(...args) as number];
    default:
      return (...args) => run(...args) as number[];
  }
}

class Writer {
  readonly #spec: KernelSpec;
  readonly #types: ValueType[] = [];
  readonly #values = new Map<Node, number>();
  readonly #code: number[] = [];

  constructor(spec: KernelSpec) {
    this.#spec = spec;
  }

  write(): Uint8Array<ArrayBuffer> {
    const { nodes, loads, stores } = this.#spec;
    const dots = kernelDots(this.#spec);
    const scalars = kernelScalars(this.#spec);
    const addresses = { loads: loads.map(() => this.#local("i32")), stores: stores.map(() => this.#local("i32")) };
    const given = scalars.map((scalar) => [scalar, this.#local("f32")] as const);
    const parameters = [...this.#types];

    const [position, end] = [this.#local("i32"), this.#local("i32")];
    // Independent partial sums, as many as there are registers.
    const unrolled = dots.length > 4 ? 1 : dots.length > 2 ? 2 : 4;
    const sums = dots.map(() => Array.from({ length: unrolled }, () => this.#local("v128")));
    const totals = dots.map(() => this.#local("f64"));
    for (const [scalar, parameter] of given) this.#emit(op.get(parameter), op.splat, op.set(this.#value(scalar)));
    for (const { inputs } of nodes) {
      for (const input of inputs) {
        if (input.op === "constant" && !this.#values.has(input)) this.#emit(op.floats(input.attributes.value), op.set(this.#value(input)));
      }
    }

    /** Processes the vector at offset `vector`; only the first `counting` lanes enter sums. */
    const body = (vector: number, counting = lanes) => {
      const offset = vector * vectorBytes;
      const at = (address: number) => [...op.get(address), ...op.get(position), ...op.i32Add];
      loads.forEach((node, i) => this.#emit(at(addresses.loads[i]!), op.load(offset), op.set(this.#value(node))));
      for (const node of nodes) {
        const inputs = node.inputs.map((input) => op.get(this.#values.get(input)!));
        if (node.op === "dot") {
          const sum = sums[dots.indexOf(node)]![vector % unrolled]!;
          this.#emit(...inputs, op.mul, counting < lanes ? [...op.mask(counting), ...op.and] : [], op.get(sum), op.add, op.set(sum));
        } else if (node.op === "select") this.#emit(inputs[1]!, inputs[2]!, inputs[0]!, op.bitselect, op.set(this.#value(node)));
        else this.#emit(...inputs, instructions[node.op]!, op.set(this.#value(node)));
      }
      stores.forEach((node, i) => this.#emit(at(addresses.stores[i]!), op.get(this.#values.get(node)!), op.store(offset)));
    };
    const startSums = () => sums.flat().forEach((sum) => this.#emit(op.floats(0), op.set(sum)));
    const finishSums = () =>
      sums.forEach((parts, i) => {
        const [first, ...others] = parts;
        this.#emit(op.get(first!), ...others.map((other) => [...op.get(other), ...op.add]), op.set(first!));
        for (let lane = 0; lane < lanes; lane++) {
          this.#emit(op.get(totals[i]!), op.get(first!), op.lane(lane), op.f64Promote, op.f64Add, op.set(totals[i]!));
        }
      });

    const size = sizeOf((loads[0] ?? nodes[0]!).shape);
    const stride = unrolled * vectorBytes;
    const wholeStrides = stride * Math.floor((size * floatBytes) / stride);
    if (wholeStrides > 0) {
      const block = dots.length > 0 ? summedAtOnce * floatBytes : wholeStrides;
      this.#loop(() => {
        startSums();
        const blockEnd = [...op.get(position), ...op.i32Const(block), ...op.i32Add];
        this.#emit(blockEnd, op.i32Const(wholeStrides), blockEnd, op.i32Const(wholeStrides), op.i32Less, op.select, op.set(end));
        this.#loop(() => {
          for (let vector = 0; vector < unrolled; vector++) body(vector);
          this.#emit(op.get(position), op.i32Const(stride), op.i32Add, op.set(position));
          this.#emit(op.get(position), op.get(end), op.i32Less);
        });
        finishSums();
        this.#emit(op.get(position), op.i32Const(wholeStrides), op.i32Less);
      });
    }
    const left = size - wholeStrides / floatBytes;
    if (left > 0) {
      startSums();
      for (let vector = 0; vector * lanes < left; vector++) body(vector, Math.min(lanes, left - vector * lanes));
      finishSums();
    }
    for (const total of totals) this.#emit(op.get(total));
    return moduleOf({ parameters, results: totals.map(() => "f64"), locals: this.#types.slice(parameters.length), body: this.#code });
  }

  #local(type: ValueType): number {
    return this.#types.push(type) - 1;
  }

  /** Index of the local that holds a node's vector. */
  #value(node: Node): number {
    let local = this.#values.get(node);
    if (local === undefined) this.#values.set(node, (local = this.#local("v128")));
    return local;
  }

  #emit(...codes: readonly Code[]): void {
    for (const code of codes) this.#code.push(...code);
  }

  /** A loop around `body`, repeated while `body` leaves a nonzero number. */
  #loop(body: () => void): void {
    this.#emit(op.loop);
    body();
    this.#emit(op.again);
  }
}
