/**
 * A graph for any batch size, from graphs for two given sizes. Programs have static shapes, so the batch size appears in
 * constant shapes and bounds. What differs between the two graphs depends on it, and must do so linearly.
 */
import type { OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from "../../engines/onnx/model.ts";

/** The same graph for a batch size. */
export interface SizedGraph {
  readonly batch: number;
  readonly graph: OnnxGraph;
}

/** `factor * batch + rest`, for each entry of a vector. */
type Linear = readonly { readonly factor: number; readonly rest: number }[];

/** Prefix of the values that compute shapes. */
const prefix = "batch";

/** @returns null where the graphs differ in more than numbers that are linear in the batch size */
export function withDynamicBatch(first: SizedGraph, second: SizedGraph): OnnxGraph | null {
  const [a, b] = [first.graph, second.graph];
  const linear = linearBetween(first.batch, second.batch);
  if (a.nodes.length !== b.nodes.length) return null;
  const [constantsOfA, constantsOfB] = [byName(a.initializers), byName(b.initializers)];
  const shapes = new ShapeWriter(a.inputs[0]!.name);
  const nodes: OnnxNode[] = [];
  const used = new Set<string>();
  for (const [i, node] of a.nodes.entries()) {
    const other = b.nodes[i]!;
    if (!sameApart(node, other)) return null;
    const inputs: string[] = [];
    for (const [k, name] of node.inputs.entries()) {
      const [here, there] = [constantsOfA.get(name), constantsOfB.get(other.inputs[k]!)];
      if (!here || !there) {
        if (name !== other.inputs[k]) return null;
        inputs.push(name);
        continue;
      }
      if (sameTensor(here, there)) {
        used.add(name);
        inputs.push(name);
        continue;
      }
      const entries = integersOf(here) && integersOf(there) && linear(integersOf(here)!, integersOf(there)!);
      if (!entries) return null;
      inputs.push(shapes.vector(entries, node.type === "Reshape"));
    }
    nodes.push({ ...node, inputs });
  }
  const values = (of: readonly OnnxValue[], others: readonly OnnxValue[]) => of.map((value, i) => dynamicValue(value, others[i]!, linear));
  return {
    nodes: [...shapes.nodes, ...nodes],
    initializers: [...a.initializers.filter(({ name }) => used.has(name)), ...shapes.initializers],
    inputs: values(a.inputs, b.inputs),
    outputs: values(a.outputs, b.outputs),
  };
}

const byName = (tensors: readonly OnnxTensor[]) => new Map(tensors.map((tensor) => [tensor.name, tensor]));

/** Whether two nodes differ at most in their inputs. */
function sameApart(a: OnnxNode, b: OnnxNode): boolean {
  const bare = ({ type, domain, inputs, outputs, attributes }: OnnxNode) => JSON.stringify([type, domain, inputs.length, outputs, attributes]);
  return bare(a) === bare(b);
}

const sameTensor = (a: OnnxTensor, b: OnnxTensor) => a.type === b.type && a.dims.join() === b.dims.join() && (a.data === b.data || Buffer.compare(a.data, b.data) === 0);

/** The values of an int64 vector; null for any other tensor. */
function integersOf({ type, dims, data }: OnnxTensor): number[] | null {
  if (type !== "int64" || dims.length !== 1) return null;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: dims[0]! }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}

/** Finds what is linear between two batch sizes; null where something is not. */
function linearBetween(first: number, second: number) {
  return (a: readonly number[], b: readonly number[]): Linear | null => {
    if (a.length !== b.length) return null;
    const entries = a.map((value, i) => {
      const factor = (b[i]! - value) / (second - first);
      return { factor, rest: value - factor * first };
    });
    return entries.every(({ factor }) => Number.isInteger(factor)) ? entries : null;
  };
}

function dynamicValue(value: OnnxValue, other: OnnxValue, linear: ReturnType<typeof linearBetween>): OnnxValue {
  const numbers = (dims: OnnxValue["dims"]) => dims.map(Number);
  const entries = linear(numbers(value.dims), numbers(other.dims));
  if (!entries) throw new Error(`${value.name} has ${other.dims.length} axes for one batch size and ${value.dims.length} for another`);
  return { ...value, dims: entries.map(({ factor, rest }) => (factor === 0 ? rest : factor === 1 && rest === 0 ? "batch" : `${factor}*batch${rest === 0 ? "" : `+${rest}`}`)) };
}

/** Computes shapes from the batch size at run time. */
class ShapeWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #input: string;
  readonly #known = new Map<string, string>();

  constructor(input: string) {
    this.#input = input;
  }

  /** Name of a vector. @param isShape of a Reshape, which works out one entry itself */
  vector(entries: Linear, isShape: boolean): string {
    const dependent = entries.filter(({ factor }) => factor !== 0);
    const inferred = isShape && dependent.length === 1 && entries.every(({ factor, rest }) => factor !== 0 || rest > 0);
    if (inferred) return this.#constant(entries.map(({ factor, rest }) => (factor === 0 ? rest : -1)));
    const parts: string[] = [];
    for (let i = 0; i < entries.length; ) {
      const end = entries.findIndex(({ factor }, k) => k >= i && factor !== 0);
      const constants = entries.slice(i, end < 0 ? undefined : end);
      if (constants.length > 0) parts.push(this.#constant(constants.map(({ rest }) => rest)));
      if (end < 0) break;
      parts.push(this.#multiple(entries[end]!));
      i = end + 1;
    }
    return parts.length === 1 ? parts[0]! : this.#node("Concat", parts, { axis: { int: 0 } });
  }

  #multiple({ factor, rest }: Linear[number]): string {
    const batch = this.#node("Shape", [this.#input], { start: { int: 0 }, end: { int: 1 } });
    const product = factor === 1 ? batch : this.#node("Mul", [batch, this.#constant([factor])]);
    return rest === 0 ? product : this.#node("Add", [product, this.#constant([rest])]);
  }

  #node(type: string, inputs: readonly string[], attributes: OnnxNode["attributes"] = {}): string {
    return this.#once(JSON.stringify([type, inputs]), (name) => this.nodes.push({ type, inputs, outputs: [name], attributes }));
  }

  #constant(values: readonly number[]): string {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#once(JSON.stringify(values), (name) => this.initializers.push({ name, type: "int64", dims: [values.length], data }));
  }

  #once(key: string, add: (name: string) => void): string {
    let name = this.#known.get(key);
    if (name === undefined) {
      this.#known.set(key, (name = `${prefix}${this.#known.size}`));
      add(name);
    }
    return name;
  }
}
