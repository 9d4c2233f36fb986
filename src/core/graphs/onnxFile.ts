/** The messages of onnx.proto that an imported file may hold, as they stand in the file. */
import { graphLimits } from "../../shared/models/graph.ts";
import { GraphError } from "./errors.ts";
import { fieldsOf, floats, integers, text, type Field } from "./wire.ts";

export interface FileTensor {
  name: string;
  type: number;
  dims: number[];
  raw: Uint8Array | null;
  /** Values of the typed fields (float_data, int32_data, int64_data, double_data, uint64_data). */
  values: number[];
  external: Record<string, string> | null;
}

export interface FileValue {
  name: string;
  type: number;
  /** Null where the file states no shape; an open size without a name is "". */
  shape: (number | string)[] | null;
}

export interface FileAttribute {
  name: string;
  /** AttributeProto.AttributeType; 0 where the file leaves it out. */
  type: number;
  f: number;
  i: number;
  s: string;
  t: FileTensor | null;
  g: FileGraph | null;
  floats: number[];
  ints: number[];
  strings: string[];
  /** Attribute of the function's caller that this one stands for. */
  reference: string;
  unsupported: boolean;
}

export interface FileNode {
  name: string;
  operator: string;
  domain: string;
  overload: string;
  inputs: string[];
  outputs: string[];
  attributes: FileAttribute[];
  metadata: Record<string, string>;
}

export interface FileGraph {
  name: string;
  nodes: FileNode[];
  initializers: FileTensor[];
  inputs: FileValue[];
  outputs: FileValue[];
  sparse: boolean;
  metadata: Record<string, string>;
}

export interface FileFunction {
  name: string;
  domain: string;
  overload: string;
  inputs: string[];
  outputs: string[];
  attributes: FileAttribute[];
  nodes: FileNode[];
}

export interface OnnxFile {
  producer: string;
  producerVersion: string;
  opsets: Record<string, number>;
  metadata: Record<string, string>;
  graph: FileGraph;
  functions: FileFunction[];
}

/** Nodes read so far, over all graphs and functions of a file. */
interface Budget {
  nodes: number;
}

const tooDeep = () => new GraphError(`graphs are nested more than ${graphLimits.depth} deep; at most ${graphLimits.depth} levels are allowed`);

function pair(field: Field): [string, string] {
  let [key, value] = ["", ""];
  for (const one of fieldsOf(field.bytes)) {
    if (one.number === 1) key = text(one);
    if (one.number === 2) value = text(one);
  }
  return [key, value];
}

function readTensor(bytes: Uint8Array): FileTensor {
  const tensor: FileTensor = { name: "", type: 0, dims: [], raw: null, values: [], external: null };
  const add = (values: readonly number[]) => {
    for (const value of values) tensor.values.push(value);
  };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) tensor.dims.push(...integers(field).slice(0, 1024));
    else if (field.number === 2) tensor.type = field.value;
    else if (field.number === 4) add(floats(field, 4));
    else if (field.number === 5 || field.number === 7 || field.number === 11) add(integers(field));
    else if (field.number === 8) tensor.name = text(field);
    else if (field.number === 9) tensor.raw = field.bytes;
    else if (field.number === 10) add(floats(field, 8));
    else if (field.number === 13) {
      const [key, value] = pair(field);
      tensor.external = { ...tensor.external, [key]: value };
    } else if (field.number === 14 && field.value === 1) tensor.external ??= {};
  }
  return tensor;
}

function readDimension(bytes: Uint8Array): number | string {
  let size: number | string = "";
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) size = field.value;
    if (field.number === 2) size = text(field);
  }
  return size;
}

function readValue(bytes: Uint8Array): FileValue {
  const value: FileValue = { name: "", type: 0, shape: null };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) value.name = text(field);
    if (field.number !== 2) continue;
    for (const kind of fieldsOf(field.bytes)) {
      if (kind.number !== 1) continue;
      for (const part of fieldsOf(kind.bytes)) {
        if (part.number === 1) value.type = part.value;
        if (part.number === 2) value.shape = [...fieldsOf(part.bytes)].filter(({ number }) => number === 1).map((size) => readDimension(size.bytes));
      }
    }
  }
  return value;
}

function readAttribute(bytes: Uint8Array, depth: number, budget: Budget): FileAttribute {
  const read: FileAttribute = { name: "", type: 0, f: 0, i: 0, s: "", t: null, g: null, floats: [], ints: [], strings: [], reference: "", unsupported: false };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) read.name = text(field);
    else if (field.number === 2) read.f = floats(field, 4)[0] ?? 0;
    else if (field.number === 3) read.i = field.value;
    else if (field.number === 4) read.s = text(field);
    else if (field.number === 5) read.t = readTensor(field.bytes);
    else if (field.number === 6) read.g = readGraph(field.bytes, depth + 1, budget);
    else if (field.number === 7) for (const value of floats(field, 4)) read.floats.push(value);
    else if (field.number === 8) for (const value of integers(field)) read.ints.push(value);
    else if (field.number === 9) read.strings.push(text(field));
    else if (field.number === 20) read.type = field.value;
    else if (field.number === 21) read.reference = text(field);
    else if ([10, 11, 14, 15, 22, 23].includes(field.number)) read.unsupported = true;
  }
  return read;
}

function readNode(bytes: Uint8Array, depth: number, budget: Budget): FileNode {
  if (++budget.nodes > graphLimits.nodes) throw new GraphError(`the file has more than ${graphLimits.nodes} nodes; at most ${graphLimits.nodes} are allowed`);
  const node: FileNode = { name: "", operator: "", domain: "", overload: "", inputs: [], outputs: [], attributes: [], metadata: {} };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) node.inputs.push(text(field));
    else if (field.number === 2) node.outputs.push(text(field));
    else if (field.number === 3) node.name = text(field);
    else if (field.number === 4) node.operator = text(field);
    else if (field.number === 5) node.attributes.push(readAttribute(field.bytes, depth, budget));
    else if (field.number === 7) node.domain = text(field);
    else if (field.number === 8) node.overload = text(field);
    else if (field.number === 9) {
      const [key, value] = pair(field);
      node.metadata[key] = value;
    }
  }
  if (node.domain === "ai.onnx") node.domain = "";
  return node;
}

function readGraph(bytes: Uint8Array, depth: number, budget: Budget): FileGraph {
  if (depth > graphLimits.depth) throw tooDeep();
  const graph: FileGraph = { name: "", nodes: [], initializers: [], inputs: [], outputs: [], sparse: false, metadata: {} };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) graph.nodes.push(readNode(field.bytes, depth, budget));
    else if (field.number === 2) graph.name = text(field);
    else if (field.number === 5) graph.initializers.push(readTensor(field.bytes));
    else if (field.number === 11) graph.inputs.push(readValue(field.bytes));
    else if (field.number === 12) graph.outputs.push(readValue(field.bytes));
    else if (field.number === 15) graph.sparse = true;
    else if (field.number === 16) {
      const [key, value] = pair(field);
      graph.metadata[key] = value;
    }
  }
  if (graph.initializers.length > graphLimits.initializers) throw new GraphError(`the file has ${graph.initializers.length} initializers; at most ${graphLimits.initializers} are allowed`);
  return graph;
}

function readFunction(bytes: Uint8Array, budget: Budget): FileFunction {
  const made: FileFunction = { name: "", domain: "", overload: "", inputs: [], outputs: [], attributes: [], nodes: [] };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) made.name = text(field);
    else if (field.number === 4) made.inputs.push(text(field));
    else if (field.number === 5) made.outputs.push(text(field));
    else if (field.number === 7) made.nodes.push(readNode(field.bytes, 1, budget));
    else if (field.number === 10) made.domain = text(field);
    else if (field.number === 11) made.attributes.push(readAttribute(field.bytes, 1, budget));
    else if (field.number === 13) made.overload = text(field);
  }
  return made;
}

/** @throws GraphError where the bytes are not an ONNX model */
export function readOnnxFile(bytes: Uint8Array): OnnxFile {
  const file: Omit<OnnxFile, "graph"> & { graph: FileGraph | null } = { producer: "", producerVersion: "", opsets: {}, metadata: {}, graph: null, functions: [] };
  const budget: Budget = { nodes: 0 };
  for (const field of fieldsOf(bytes)) {
    if (field.number === 2) file.producer = text(field);
    else if (field.number === 3) file.producerVersion = text(field);
    else if (field.number === 7) file.graph = readGraph(field.bytes, 0, budget);
    else if (field.number === 8) {
      let [domain, version] = ["", 0];
      for (const part of fieldsOf(field.bytes)) {
        if (part.number === 1) domain = text(part);
        if (part.number === 2) version = part.value;
      }
      file.opsets[domain === "ai.onnx" ? "" : domain] = version;
    } else if (field.number === 14) {
      const [key, value] = pair(field);
      file.metadata[key] = value;
    } else if (field.number === 25) file.functions.push(readFunction(field.bytes, budget));
  }
  if (!file.graph || file.opsets[""] === undefined) throw new GraphError("this is no ONNX model: it has no graph or names no opset; give the .onnx file that the exporter wrote");
  return { ...file, graph: file.graph };
}
