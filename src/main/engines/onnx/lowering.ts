/** What each operation becomes in ONNX. Scalars travel as arrays of shape [1]. */
import { isScalar, sizeOf, type DType, type Node, type NodeOf, type OpName, type Shape } from "../../program/node.ts";
import type { OnnxNode, OnnxTensor, OnnxType } from "./model.ts";
import { onnxType } from "./model.ts";
import { convolutionLowerings } from "./lowering/convolution.ts";
import { fusions, writeChannelSum } from "./lowering/fusion.ts";
import { indexingLowerings } from "./lowering/indexing.ts";
import { varianceLowering } from "./lowering/variance.ts";

export const onnxTypeOf: Record<DType, OnnxType> = { float: "float", int32: "int32", uint8: "uint8", bool: "bool" };

export const onnxShape = (shape: Shape): Shape => (shape.length === 0 ? [1] : shape);

/** Collects ONNX nodes and constants while a graph is lowered. */
export class GraphWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #names = new Map<Node, string>();
  readonly #constants = new Map<string, string>();
  readonly #emitted = new Map<string, readonly string[]>();
  /** Channels in a block where convolutions on blocks are to be used. */
  readonly block: number | null;
  #fresh = 0;

  constructor(block: number | null) {
    this.block = block;
  }

  /** Name of a node's value; it must have been lowered or named before. */
  nameOf(node: Node): string {
    if (node.op === "constant") return this.float(node.attributes.value);
    const name = this.#names.get(node);
    if (name === undefined) throw new Error(`${node.op} is used before it is computed`);
    return name;
  }

  setName(node: Node, name: string): void {
    this.#names.set(node, name);
  }

  /** Adds an ONNX node of one output and returns that output's name. */
  emit(type: string, inputs: readonly string[], attributes: OnnxNode["attributes"] = {}): string {
    const output = `v${this.#fresh++}`;
    this.nodes.push({ type, inputs, outputs: [output], attributes });
    return output;
  }

  /** emit() for an operator that is not ONNX's own. */
  emitFrom(domain: string, type: string, inputs: readonly string[], attributes: OnnxNode["attributes"]): string {
    const output = `v${this.#fresh++}`;
    this.nodes.push({ type, domain, inputs, outputs: [output], attributes });
    return output;
  }

  /** The outputs of an ONNX node of several; a second call with the same arguments answers the same ones. */
  emitOnce(type: string, inputs: readonly string[], outputs: number, attributes: OnnxNode["attributes"]): readonly string[] {
    const key = JSON.stringify([type, inputs, outputs, attributes]);
    let names = this.#emitted.get(key);
    if (!names) {
      this.#emitted.set(key, (names = Array.from({ length: outputs }, () => `v${this.#fresh++}`)));
      this.nodes.push({ type, inputs, outputs: names, attributes });
    }
    return names;
  }

  /** A constant float of shape [1]. */
  float(value: number): string {
    return this.#initializer("float", [1], Float32Array.of(value), `${Object.is(value, -0) ? "-0" : value}`);
  }

  /** A constant list of int64: axes, shapes, bounds. */
  integers(values: readonly number[]): string {
    return this.#initializer("int64", [values.length], BigInt64Array.from(values, BigInt), values.join("_"));
  }

  /** 0, 1, .. n - 1 as int32. */
  iota(n: number): string {
    return this.#initializer("int32", [n], Int32Array.from({ length: n }, (_, i) => i), `iota${n}`);
  }

  /** A constant float array of ones. */
  ones(shape: Shape): string {
    return this.#initializer("float", shape, new Float32Array(sizeOf(shape)).fill(1), `ones${shape.join("x")}`);
  }

  /** A constant float array of zeros. */
  zeros(shape: Shape): string {
    return this.#initializer("float", shape, new Float32Array(sizeOf(shape)), `zeros${shape.join("x")}`);
  }

  /** A constant float array, known by `key`. */
  array(key: string, shape: Shape, values: () => Float32Array): string {
    return this.#initializer("float", shape, values(), key);
  }

  #initializer(type: OnnxType, dims: readonly number[], values: Float32Array | BigInt64Array | Int32Array, key: string): string {
    const name = `${type}:${key}`;
    if (!this.#constants.has(name)) {
      this.#constants.set(name, name);
      this.initializers.push({ name, type, dims, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) });
    }
    return name;
  }
}

/** Writes what a node becomes and answers the name of its value. */
export type Lowering<N extends OpName> = (node: NodeOf<N>, inputs: readonly string[], write: GraphWriter) => string;

function direct<N extends OpName>(type: string): Lowering<N> {
  return (_, inputs, write) => write.emit(type, inputs);
}

function reduce(type: string): Lowering<"reduceSum"> & Lowering<"reduceMax"> {
  return (node: NodeOf<"reduceSum"> | NodeOf<"reduceMax">, [x]: readonly string[], write: GraphWriter) => {
    const { axes, keepAxes } = node.attributes;
    const reduced = write.emit(type, [x!, write.integers(axes)], { keepdims: { int: keepAxes || isScalar(node) ? 1 : 0 } });
    return isScalar(node) ? write.emit("Reshape", [reduced, write.integers([1])]) : reduced;
  };
}

const gemm: Lowering<"matmul"> = ({ attributes: { transposeA, transposeB, scale } }, inputs, write) =>
  write.emit("Gemm", inputs, {
    transA: { int: Number(transposeA) },
    transB: { int: Number(transposeB) },
    ...(scale === 1 ? {} : { alpha: { float: scale } }),
  });

/** Many products at once. ONNX Runtime takes the transpositions into the product. */
const batchedMatmul: Lowering<"matmul"> = ({ attributes: { transposeA, transposeB, scale }, inputs: [x, y] }, [a, b], write) => {
  const turned = (node: Node, value: string, transpose: boolean) =>
    transpose ? write.emit("Transpose", [value], { perm: { ints: node.shape.length === 2 ? [1, 0] : [0, 2, 1] } }) : value;
  const product = write.emit("MatMul", [turned(x!, a!, transposeA), turned(y!, b!, transposeB)]);
  return scale === 1 ? product : write.emit("Mul", [product, write.float(scale)]);
};

/** Operations with a value of their own; sources are named by the engine. */
type Lowered = Exclude<OpName, "input" | "state" | "constant">;

const lowerings: { readonly [N in Lowered]: Lowering<N> } = {
  add: direct("Add"),
  sub: direct("Sub"),
  mul: direct("Mul"),
  div: direct("Div"),
  pow: direct("Pow"),
  mod: (_, inputs, write) => write.emit("Mod", inputs, { fmod: { int: 1 } }),
  maximum: direct("Max"),
  minimum: direct("Min"),
  neg: direct("Neg"),
  exp: direct("Exp"),
  log: direct("Log"),
  sqrt: direct("Sqrt"),
  tanh: direct("Tanh"),
  sigmoid: direct("Sigmoid"),
  relu: direct("Relu"),
  greater: direct("Greater"),
  equal: direct("Equal"),
  select: direct("Where"),
  stopGradient: direct("Identity"),
  cast: (node, inputs, write) => write.emit("Cast", inputs, { to: { int: onnxType[onnxTypeOf[node.attributes.to]] } }),
  matmul: (node, inputs, write) => (node.shape.length === 2 ? gemm : batchedMatmul)(node, inputs, write),
  // As the product of a row and a column: one pass over both, nothing written.
  dot: (node, [a, b], write) => {
    const row = write.integers([1, sizeOf(node.inputs[0]!.shape)]);
    const product = write.emit("Gemm", [write.emit("Reshape", [a!, row]), write.emit("Reshape", [b!, row])], { transB: { int: 1 } });
    return write.emit("Reshape", [product, write.integers([1])]);
  },
  logSoftmax: (_, inputs, write) => write.emit("LogSoftmax", inputs, { axis: { int: 1 } }),
  reduceSum: (node, inputs, write) => {
    const { shape } = node.inputs[0]!;
    const { axes, keepAxes } = node.attributes;
    if (shape.length !== 2 || axes.length !== 1 || axes[0] !== 0) return reduce("ReduceSum")(node, inputs, write);
    // Sums over rows: a matrix product adds whole rows at a time, ReduceSum walks the columns.
    const sums = write.emit("Gemm", [write.ones([1, shape[0]!]), inputs[0]!]);
    return keepAxes ? sums : write.emit("Reshape", [sums, write.integers([shape[1]!])]);
  },
  reduceMax: reduce("ReduceMax"),
  variance: varianceLowering,
  argMax: (node, inputs, write) => {
    const index = write.emit("ArgMax", inputs, { axis: { int: node.inputs[0]!.shape.length - 1 }, keepdims: { int: 0 } });
    return write.emit("Cast", [index], { to: { int: onnxType.int32 } });
  },
  oneHot: (node, [indices], write) => {
    const column = write.emit("Reshape", [indices!, write.integers([...node.inputs[0]!.shape, 1])]);
    const hit = write.emit("Equal", [column, write.iota(node.attributes.classes)]);
    return write.emit("Cast", [hit], { to: { int: onnxType.float } });
  },
  broadcast: (node, [x], write) => write.emit("Expand", [x!, write.integers(onnxShape(node.shape))]),
  reshape: (node, [x], write) => write.emit("Reshape", [x!, write.integers(onnxShape(node.shape))]),
  transpose: (node, inputs, write) => write.emit("Transpose", inputs, { perm: { ints: node.attributes.permutation } }),
  slice: ({ attributes: { axis, start, end } }, [x], write) =>
    write.emit("Slice", [x!, write.integers([start]), write.integers([end]), write.integers([axis])]),
  concat: (node, inputs, write) => write.emit("Concat", inputs, { axis: { int: node.attributes.axis } }),
  ...indexingLowerings,
  ...convolutionLowerings,
};

/** Adds the ONNX nodes of an ordered list of nodes whose sources have names. */
export function lower(nodes: readonly Node[], write: GraphWriter): void {
  const { biased, channelSums, inside } = fusions(nodes);
  for (const node of nodes) {
    if (node.op === "input" || node.op === "state" || node.op === "constant" || inside.has(node)) continue;
    const channelSum = channelSums.get(node);
    if (channelSum) {
      write.setName(node, writeChannelSum(channelSum, write));
      continue;
    }
    const fused = biased.get(node);
    const lowered = fused ? fused.product : node;
    const names = [...lowered.inputs, ...(fused ? [fused.bias] : [])].map((input) => write.nameOf(input));
    write.setName(node, (lowerings[lowered.op as Lowered] as Lowering<OpName>)(lowered, names, write));
  }
}
