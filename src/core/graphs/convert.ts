/** Nodes of a file as data: constants become initializers, functions are written out, attributes typed. */
import { graphLimits, type GraphAttribute, type GraphInitializer, type GraphNode, type GraphValue } from "../../shared/models/graph.ts";
import { GraphError, nodeText } from "./errors.ts";
import { moduleOf } from "./modules.ts";
import type { FileAttribute, FileFunction, FileGraph, FileNode, FileValue, OnnxFile } from "./onnxFile.ts";
import { dtypeOf, type TensorReader } from "./tensorData.ts";
import type { GraphTensor } from "./tensors.ts";

export interface ConvertedGraph {
  readonly inputs: GraphValue[];
  readonly outputs: GraphValue[];
  readonly initializers: GraphInitializer[];
  readonly nodes: GraphNode[];
}

const types = ["", "float", "int", "text", "tensor", "graph", "floats", "ints", "texts"] as const;

/** Kind of an attribute that states no type: files of ONNX's first versions. */
function untyped(attribute: FileAttribute): (typeof types)[number] {
  if (attribute.t) return "tensor";
  if (attribute.g) return "graph";
  if (attribute.floats.length > 0) return "floats";
  if (attribute.ints.length > 0) return "ints";
  if (attribute.strings.length > 0) return "texts";
  return attribute.s !== "" ? "text" : attribute.f !== 0 ? "float" : "int";
}

export class Converter {
  readonly tensors = new Map<string, GraphTensor>();
  /** Initializers that came from Constant nodes and attributes. */
  readonly constants = new Set<string>();
  readonly #file: OnnxFile;
  readonly #reader: TensorReader;
  readonly #functions: ReadonlyMap<string, FileFunction>;
  #nodes = 0;
  #calls = 0;

  constructor(file: OnnxFile, reader: TensorReader) {
    this.#file = file;
    this.#reader = reader;
    this.#functions = new Map(file.functions.map((one) => [`${one.domain}:${one.name}:${one.overload}`, one]));
  }

  convert(): ConvertedGraph {
    return this.#graph(this.#file.graph, 0, (name) => name);
  }

  #graph(graph: FileGraph, depth: number, rename: (name: string) => string): ConvertedGraph {
    if (depth > graphLimits.depth) throw new GraphError(`graphs are nested more than ${graphLimits.depth} deep; at most ${graphLimits.depth} levels are allowed`);
    if (graph.sparse) throw new GraphError("the file has sparse initializers, which are not supported; export dense weights");
    const initializers: GraphInitializer[] = [];
    for (const tensor of graph.initializers) this.#add(initializers, rename(tensor.name), this.#reader.read(tensor, `the initializer "${tensor.name}"`), false);
    const nodes: GraphNode[] = [];
    for (const node of graph.nodes) this.#node(node, depth, rename, { initializers, nodes });
    const value = (one: FileValue): GraphValue => ({
      name: rename(one.name),
      dtype: one.type === 0 ? "float32" : dtypeOf(one.type, `"${one.name}"`),
      shape: (one.shape ?? []).map((n) => (typeof n === "number" && n < 0 ? "" : n)),
    });
    return { inputs: graph.inputs.map(value), outputs: graph.outputs.map(value), initializers, nodes };
  }

  #add(initializers: GraphInitializer[], name: string, tensor: GraphTensor, isConstant: boolean): void {
    if (this.tensors.has(name)) throw new GraphError(`the file has two arrays named "${name}"; names must differ`);
    this.tensors.set(name, tensor);
    if (isConstant) this.constants.add(name);
    initializers.push({ name, dtype: tensor.dtype, shape: [...tensor.shape], role: "constant" });
  }

  #node(node: FileNode, depth: number, rename: (name: string) => string, into: Pick<ConvertedGraph, "initializers" | "nodes">): void {
    if (++this.#nodes > graphLimits.nodes) throw new GraphError(`the file has more than ${graphLimits.nodes} nodes once its functions are written out; at most ${graphLimits.nodes} are allowed`);
    const renamed = { ...node, inputs: node.inputs.map((name) => name && rename(name)), outputs: node.outputs.map((name) => name && rename(name)) };
    const called = this.#functions.get(`${node.domain}:${node.operator}:${node.overload}`);
    if (called) {
      this.#call(called, renamed, depth, into);
      return;
    }
    const base: GraphNode = { name: node.name, module: moduleOf(node), operator: node.operator, domain: node.domain, inputs: renamed.inputs, outputs: renamed.outputs, attributes: {} };
    if (node.operator === "Constant" && node.domain === "") {
      this.#add(into.initializers, base.outputs[0] ?? "", this.#constant(node, base), true);
      return;
    }
    for (const attribute of node.attributes) base.attributes[attribute.name] = this.#attribute(attribute, base, depth, rename, into.initializers);
    into.nodes.push(base);
  }

  #constant(node: FileNode, base: GraphNode): GraphTensor {
    const [attribute] = node.attributes;
    const what = nodeText(base);
    if (!attribute) throw new GraphError(`${what} has no value; the file is damaged`);
    if (attribute.t) return this.#reader.read(attribute.t, what);
    const numbers = (dtype: "float32" | "int64", shape: number[], values: readonly number[]): GraphTensor => ({ dtype, shape, data: Float64Array.from(values) });
    switch (attribute.name) {
      case "value_float":
        return numbers("float32", [], [attribute.f]);
      case "value_int":
        return numbers("int64", [], [attribute.i]);
      case "value_floats":
        return numbers("float32", [attribute.floats.length], attribute.floats);
      case "value_ints":
        return numbers("int64", [attribute.ints.length], attribute.ints);
      default:
        throw new GraphError(`${what}: ${attribute.name} is not supported; allowed: value, value_float, value_int, value_floats, value_ints`);
    }
  }

  #attribute(attribute: FileAttribute, node: GraphNode, depth: number, rename: (name: string) => string, initializers: GraphInitializer[]): GraphAttribute {
    const kind = types[attribute.type] ?? (attribute.type === 0 ? untyped(attribute) : undefined);
    if (attribute.unsupported || kind === undefined) throw new GraphError(`${nodeText(node)}: the type of the attribute ${attribute.name} is not supported; allowed: numbers, text, arrays, graphs`);
    if ((kind === "tensor" && !attribute.t) || (kind === "graph" && !attribute.g)) throw new GraphError(`${nodeText(node)}: the attribute ${attribute.name} has no value; the file is damaged`);
    switch (kind === "" ? untyped(attribute) : kind) {
      case "float":
        return { kind: "float", value: attribute.f };
      case "text":
        return { kind: "text", value: attribute.s };
      case "floats":
        return { kind: "floats", value: attribute.floats };
      case "ints":
        return { kind: "ints", value: attribute.ints };
      case "texts":
        return { kind: "texts", value: attribute.strings };
      case "tensor": {
        const name = `${node.outputs[0] ?? node.name}:${attribute.name}`;
        this.#add(initializers, name, this.#reader.read(attribute.t!, `the attribute ${attribute.name} of ${nodeText(node)}`), true);
        return { kind: "text", value: name };
      }
      case "graph": {
        const own = new Set([...attribute.g!.initializers, ...attribute.g!.inputs].map(({ name }) => name).concat(attribute.g!.nodes.flatMap(({ outputs }) => outputs)));
        const prefix = `${node.outputs[0] ?? node.name}:${attribute.name}/`;
        // Names inside may repeat those of other inner graphs.
        return { kind: "graph", value: this.#graph(attribute.g!, depth + 1, (name) => (own.has(name) ? prefix + name : rename(name))) };
      }
      default:
        return { kind: "int", value: attribute.i };
    }
  }

  /** Writes a function's nodes out where it is called. */
  #call(called: FileFunction, node: FileNode, depth: number, into: Pick<ConvertedGraph, "initializers" | "nodes">): void {
    if (depth >= graphLimits.depth) throw new GraphError(`functions call each other more than ${graphLimits.depth} deep ("${called.name}"); at most ${graphLimits.depth} levels are allowed`);
    const prefix = `${node.name || called.name}#${++this.#calls}/`;
    const names = new Map<string, string>();
    called.inputs.forEach((name, i) => names.set(name, node.inputs[i] ?? ""));
    called.outputs.forEach((name, i) => names.set(name, node.outputs[i] ?? prefix + name));
    const rename = (name: string) => names.get(name) ?? prefix + name;
    const given = new Map([...called.attributes, ...node.attributes].map((attribute) => [attribute.name, attribute]));
    for (const inner of called.nodes) {
      const attributes = inner.attributes.flatMap((attribute) => {
        if (attribute.reference === "") return [attribute];
        const found = given.get(attribute.reference);
        return found ? [{ ...found, name: attribute.name }] : [];
      });
      const metadata = Object.keys(inner.metadata).length > 0 ? inner.metadata : node.metadata;
      this.#node({ ...inner, name: inner.name === "" ? "" : `${node.name}/${inner.name}`, attributes, metadata }, depth + 1, rename, into);
    }
  }
}
