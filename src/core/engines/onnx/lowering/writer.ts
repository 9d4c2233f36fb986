/** Collects ONNX nodes and constants. */
import { distinctNumber } from "../../../program/distinctNumber.ts";
import { sizeOf, type Node, type NodeOf, type Shape } from "../../../program/node.ts";
import type { OnnxNode, OnnxTensor, OnnxType } from "../model.ts";

/** Domain of ONNX Runtime's operators on blocked images: see blockSize.ts. */
export const nchwc = "com.microsoft.nchwc";

/** Collects the ONNX nodes and constants of a graph being lowered. */
export class GraphWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #names = new Map<Node, string>();
  readonly #namesInBlocks = new Map<Node, string>();
  readonly #constants = new Map<string, string>();
  readonly #emitted = new Map<string, readonly string[]>();
  /** Channels per block; null where blocked convolutions are not used. */
  readonly block: number | null;
  /** Whether the graph runs on a device rather than the CPU. */
  readonly forDevice: boolean;
  /** Transposed left sides that several products share. */
  readonly sharedLefts = new Set<Node>();
  #fresh = 0;

  constructor(block: number | null, forDevice = false) {
    this.block = block;
    this.forDevice = forDevice;
  }

  /** Name of a node's value; the node must be lowered or named already. */
  nameOf(node: Node): string {
    if (node.op === "constant") return this.float(node.attributes.value);
    if (node.op === "constantArray") return this.#constantArray(node);
    let name = this.#names.get(node);
    if (name === undefined) {
      const inBlocks = this.#namesInBlocks.get(node);
      if (inBlocks === undefined) throw new Error(`${node.op} is used before it is computed`);
      this.#names.set(node, (name = this.emit("ReorderOutput", [inBlocks], { channels: { int: node.shape[1]! } }, nchwc)));
    }
    return name;
  }

  /** nameOf() for an image in channel blocks. */
  blockedNameOf(node: Node): string {
    let name = this.#namesInBlocks.get(node);
    if (name === undefined) this.#namesInBlocks.set(node, (name = this.emit("ReorderInput", [this.nameOf(node)], {}, nchwc)));
    return name;
  }

  /** Whether an image was computed in blocks or converted to them. */
  isBlocked(node: Node): boolean {
    return this.#namesInBlocks.has(node);
  }

  setBlockedName(node: Node, name: string): void {
    this.#namesInBlocks.set(node, name);
  }

  setName(node: Node, name: string): void {
    this.#names.set(node, name);
  }

  /** Adds an ONNX node of one output and returns that output's name. */
  emit(type: string, inputs: readonly string[], attributes: OnnxNode["attributes"] = {}, domain = ""): string {
    const output = `v${this.#fresh++}`;
    this.nodes.push({ type, domain, inputs, outputs: [output], attributes });
    return output;
  }

  /** Outputs of an ONNX node; a second call with the same arguments returns the same ones. */
  emitOnce(type: string, inputs: readonly string[], outputs: number, attributes: OnnxNode["attributes"], domain = ""): readonly string[] {
    const key = JSON.stringify([domain, type, inputs, outputs, attributes], distinctNumber);
    let names = this.#emitted.get(key);
    if (!names) {
      this.#emitted.set(key, (names = Array.from({ length: outputs }, () => `v${this.#fresh++}`)));
      this.nodes.push({ type, domain, inputs, outputs: names, attributes });
    }
    return names;
  }

  /** emitOnce() for one output. */
  once(type: string, inputs: readonly string[], attributes: OnnxNode["attributes"] = {}, domain = ""): string {
    return this.emitOnce(type, inputs, 1, attributes, domain)[0]!;
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

  /** A constant float array, cached under `key`. */
  array(key: string, shape: Shape, values: () => Float32Array): string {
    return this.#initializer("float", shape, values(), key);
  }

  #constantArray({ attributes: { values, dtype }, shape }: NodeOf<"constantArray">): string {
    const { entries, key } = values;
    const typed = dtype === "float" ? Float32Array.from(entries) : dtype === "int32" ? Int32Array.from(entries) : Uint8Array.from(entries);
    return this.#initializer(dtype, shape, typed, `${shape.join("x")} ${key}`);
  }

  /** Whether a value is a constant of the graph. */
  isConstant(name: string): boolean {
    return this.#constants.has(name);
  }

  #initializer(type: OnnxType, dims: readonly number[], values: Float32Array | BigInt64Array | Int32Array | Uint8Array, key: string): string {
    const name = `${type}:${key}`;
    if (!this.#constants.has(name)) {
      this.#constants.set(name, name);
      this.initializers.push({ name, type, dims, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) });
    }
    return name;
  }
}
