/**
 * Undoes what PyTorch's optimizer of graphs does to parameters. It merges arrays of equal values,
 * such as fresh LayerNorm weights, and folds transposes and gate orders into arrays without names.
 * The file still says which parameters each operation had, so most of them can be told apart again.
 */
import type { GraphInitializer, GraphNode } from "../../shared/models/graph.ts";
import type { ConvertedGraph } from "./convert.ts";
import type { FileNode, OnnxFile } from "./onnxFile.ts";
import { signatureOf } from "./roles.ts";
import type { GraphTensor } from "./tensors.ts";

const fxKey = "pkg.torch.onnx.fx_node";

/** Place of a parameter among an operation's: weight first, bias second. */
const places: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  LayerNormalization: { 1: 0, 2: 1 },
  GroupNormalization: { 1: 0, 2: 1 },
  InstanceNormalization: { 1: 0, 2: 1 },
  RMSNormalization: { 1: 0 },
  BatchNormalization: { 1: 0, 2: 1 },
  Conv: { 1: 0, 2: 1 },
  ConvTranspose: { 1: 0, 2: 1 },
  Gemm: { 1: 0, 2: 1 },
  MatMul: { 0: 0, 1: 0 },
  Gather: { 0: 0 },
};

/** PyTorch's operation that a node must come from to have its parameters: a Conv may also be a folded batch normalization. */
const origins: Readonly<Record<string, RegExp>> = { Conv: /conv/, ConvTranspose: /conv/, Gemm: /linear|addmm|mm/, Gather: /embedding|index|select/ };

/** Torch's gates by ONNX's order. */
const gateOrders: Readonly<Record<string, readonly number[]>> = { LSTM: [0, 3, 1, 2], GRU: [1, 0, 2], RNN: [0] };

const same = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((n, i) => n === b[i]);

function transposed({ dtype, shape: [rows, columns], data }: GraphTensor): GraphTensor {
  return { dtype, shape: [columns!, rows!], data: data.map((_, i) => data[(i % rows!) * columns! + Math.floor(i / rows!)]!) };
}

/** The graph with its parameters under their own names where the file tells them; `tensors` gets their values. */
export function restored(file: OnnxFile, graph: ConvertedGraph, tensors: Map<string, GraphTensor>): ConvertedGraph {
  const signature = signatureOf(file.graph.metadata);
  if (!signature) return file.producer === "pytorch" ? new Restorer(file, graph, tensors, new Map()).restoreByModule() : graph;
  if (signature.parameters.every((name) => tensors.has(name))) return graph;
  return new Restorer(file, graph, tensors, signature.byInput).restore();
}

class Restorer {
  readonly #graph: ConvertedGraph;
  readonly #tensors: Map<string, GraphTensor>;
  readonly #byInput: ReadonlyMap<string, string>;
  readonly #files: ReadonlyMap<string, FileNode>;
  readonly #parameters: ReadonlySet<string>;
  readonly #initializers: GraphInitializer[];
  readonly #nodes: GraphNode[] = [];
  /** Cells of a recurrent operation met so far, by the operation. */
  readonly #cells = new Map<string, number>();
  #made = 0;

  constructor(file: OnnxFile, graph: ConvertedGraph, tensors: Map<string, GraphTensor>, byInput: ReadonlyMap<string, string>) {
    this.#graph = graph;
    this.#tensors = tensors;
    this.#byInput = byInput;
    this.#files = new Map(file.graph.nodes.map((node) => [node.outputs[0] ?? "", node]));
    this.#parameters = new Set(byInput.values());
    this.#initializers = [...graph.initializers];
  }

  restore(): ConvertedGraph {
    for (const node of this.#graph.nodes) {
      const operation = this.#files.get(node.outputs[0] ?? "")?.metadata[fxKey];
      const order = gateOrders[node.operator];
      if (operation === undefined) this.#nodes.push(node);
      else if (order) this.#nodes.push(this.#recurrent(node, operation, order));
      else if (origins[node.operator]?.test(operation.slice(0, operation.indexOf("(args"))) === false) this.#nodes.push(node);
      else this.#nodes.push(this.#withBias(node, operation));
    }
    return { ...this.#graph, initializers: this.#initializers, nodes: this.#nodes };
  }

  /** PyTorch's older exporter folds transposes and gate orders too, and says the modules only; PyTorch's layers have known names. */
  restoreByModule(): ConvertedGraph {
    for (const node of this.#graph.nodes) {
      const isFolded = node.inputs.some((name) => /^onnx::\w+_\d+$/.test(name) && this.#tensors.get(name)?.dtype.startsWith("float"));
      const order = gateOrders[node.operator];
      if (!isFolded || node.module === "") this.#nodes.push(node);
      else if (order) this.#nodes.push(this.#recurrent(node, node.module, order, cellNames(node, this.#cells.get(node.module) ?? 0)));
      else this.#nodes.push(node.operator === "MatMul" ? this.#folded(node) : node);
    }
    return { ...this.#graph, initializers: this.#initializers, nodes: this.#nodes };
  }

  /** A product whose weight was transposed: that of a linear layer, or of an attention's projections. */
  #folded(node: GraphNode): GraphNode {
    const [x, name] = node.inputs as [string, string];
    const tensor = this.#tensors.get(name);
    const target = `${node.module}.${this.#tensors.has(`${node.module}.in_proj_bias`) ? "in_proj_weight" : "weight"}`;
    if (tensor?.shape.length !== 2 || !name.startsWith("onnx::MatMul_") || this.#tensors.has(target) || !this.#take(target, transposed(tensor), true)) return node;
    return { ...node, inputs: [x, this.#add({ operator: "Transpose", inputs: [target], attributes: { perm: { kind: "ints", value: [1, 0] } } }, node)[0]!] };
  }

  /** The optimizer takes biases of zeros out of a layer. */
  #withBias(node: GraphNode, operation: string): GraphNode {
    const parameters = this.#parametersOf(operation);
    const inputs = node.inputs.map((name, i) => this.#input(node, i, name, parameters));
    const weight = this.#tensors.get(inputs[1] ?? "");
    const [, bias] = parameters;
    if (node.operator !== "Gemm" || node.inputs.length !== 2 || bias === undefined || parameters.length !== 2 || !weight) return { ...node, inputs };
    const size = weight.shape[node.attributes["transB"]?.kind === "int" && node.attributes["transB"].value === 1 ? 0 : 1]!;
    return this.#take(bias, { dtype: weight.dtype, shape: [size], data: weight.data.slice(0, size).fill(0) }, true) ? { ...node, inputs: [...inputs, bias] } : { ...node, inputs };
  }

  /** Names of the parameters among an operation's arguments, in order. */
  #parametersOf(operation: string): string[] {
    const args = operation.slice(operation.indexOf("(args = ("));
    return [...args.matchAll(/%([A-Za-z_]\w*)/g)].flatMap(([, name]) => this.#byInput.get(name!) ?? []);
  }

  /** Name of the array that a node's input should be. */
  #input(node: GraphNode, index: number, name: string, parameters: readonly string[]): string {
    const tensor = this.#tensors.get(name);
    if (!tensor || !tensor.dtype.startsWith("float") || parameters.includes(name) || parameters.length === 0) return name;
    const place = places[node.operator]?.[index] ?? (node.operator === "Add" ? parameters.length - 1 : 0);
    const target = parameters[place];
    if (target === undefined) return name;
    // Constants of an operation have no gradient in the original network.
    if (places[node.operator] === undefined && tensor.data.length === 1 && !this.#parameters.has(name)) return name;
    const isWeight = node.operator === "MatMul" && tensor.shape.length === 2;
    const straight = this.#take(target, tensor, !isWeight || this.#parameters.has(name));
    if (straight) return target;
    if (!isWeight || !this.#take(target, transposed(tensor), true)) return name;
    return this.#add({ operator: "Transpose", inputs: [target], attributes: { perm: { kind: "ints", value: [1, 0] } } }, node)[0]!;
  }

  /** Whether the parameter has these values; adds it where it is missing and `isNew` allows it. */
  #take(target: string, tensor: GraphTensor, isNew: boolean): boolean {
    const known = this.#tensors.get(target);
    if (known) return same(known.shape, tensor.shape) && known.data.every((value, i) => Object.is(value, tensor.data[i]));
    if (!isNew) return false;
    this.#tensors.set(target, { ...tensor, data: tensor.data.slice() });
    this.#initializers.push({ name: target, dtype: tensor.dtype, shape: [...tensor.shape], role: "parameter" });
    return true;
  }

  #add(part: Pick<GraphNode, "operator" | "inputs" | "attributes">, { module }: GraphNode, outputs = 1): string[] {
    const id = ++this.#made;
    const names = Array.from({ length: outputs }, (_, i) => `restored#${id}${outputs > 1 ? `.${i}` : ""}`);
    this.#nodes.push({ name: `restored#${id}`, module, domain: "", outputs: names, ...part });
    return names;
  }

  /** Weights of a cell from PyTorch's parameters, whose gates have another order. */
  #recurrent(node: GraphNode, operation: string, order: readonly number[], given?: readonly string[]): GraphNode {
    const cell = this.#cells.get(operation) ?? 0;
    this.#cells.set(operation, cell + 1);
    const [weights, recurrents, biases] = [1, 2, 3].map((i) => this.#tensors.get(node.inputs[i] ?? ""));
    if (!weights || !recurrents) return node;
    const directions = weights.shape[0]!;
    const each = biases ? 4 : 2;
    const names = given ?? this.#parametersOf(operation).slice(cell * directions * each, (cell + 1) * directions * each);
    if (names.length !== directions * each || names.some((name) => this.#tensors.has(name))) return node;
    const rows = weights.shape[1]!;
    const part = (tensor: GraphTensor, direction: number, from: number, count: number) => {
      const width = tensor.shape[2] ?? 1;
      const whole = tensor.data.length / directions;
      const data = tensor.data.slice(direction * whole + from * width, direction * whole + (from + count) * width);
      return { ...tensor, shape: tensor.shape.length === 3 ? [count, width] : [count], data };
    };
    const collected: string[][] = [[], [], []];
    for (let direction = 0; direction < directions; direction++) {
      const own = names.slice(direction * each, (direction + 1) * each);
      const tensors = [part(weights, direction, 0, rows), part(recurrents, direction, 0, rows), ...(biases ? [part(biases, direction, 0, rows), part(biases, direction, rows, rows)] : [])];
      const ordered = own.map((name, i) => {
        this.#take(name, reordered(tensors[i]!, order), true);
        const gates = order.length === 1 ? [name] : this.#add({ operator: "Split", inputs: [name], attributes: { axis: { kind: "int", value: 0 }, num_outputs: { kind: "int", value: order.length } } }, node, order.length);
        return this.#concat(order.map((gate) => gates[gate]!), node);
      });
      collected[0]!.push(ordered[0]!);
      collected[1]!.push(ordered[1]!);
      if (biases) collected[2]!.push(this.#concat(ordered.slice(2), node));
    }
    const axis = `restored#axis${++this.#made}`;
    this.#tensors.set(axis, { dtype: "int64", shape: [1], data: new Float64Array(1) });
    this.#initializers.push({ name: axis, dtype: "int64", shape: [1], role: "constant" });
    const stacked = collected.map((parts) => parts.length > 0 ? this.#concat(parts.map((name) => this.#add({ operator: "Unsqueeze", inputs: [name, axis], attributes: {} }, node)[0]!), node) : "");
    return { ...node, inputs: node.inputs.map((name, i) => (i >= 1 && i <= 3 ? stacked[i - 1]! : name)) };
  }

  #concat(parts: readonly string[], node: GraphNode): string {
    return parts.length === 1 ? parts[0]! : this.#add({ operator: "Concat", inputs: [...parts], attributes: { axis: { kind: "int", value: 0 } } }, node)[0]!;
  }
}

/** PyTorch's names of a recurrent layer's parameters, direction by direction. */
function cellNames({ module, inputs, attributes }: GraphNode, layer: number): string[] {
  const parts = ["weight_ih", "weight_hh", ...(inputs[3] ? ["bias_ih", "bias_hh"] : [])];
  const both = attributes["direction"]?.kind === "text" && attributes["direction"].value === "bidirectional";
  return ["", ...(both ? ["_reverse"] : [])].flatMap((direction) => parts.map((part) => `${module}.${part}_l${layer}${direction}`));
}

/** PyTorch's order of gates from ONNX's. */
function reordered(tensor: GraphTensor, order: readonly number[]): GraphTensor {
  const size = tensor.data.length / order.length;
  const data = tensor.data.slice();
  order.forEach((gate, i) => data.set(tensor.data.subarray(i * size, (i + 1) * size), gate * size));
  return { ...tensor, data };
}
