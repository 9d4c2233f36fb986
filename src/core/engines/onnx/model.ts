/** Writes ONNX models: the part of onnx.proto (IR version 9) that step programs need. */
import protobuf from "protobufjs/light.js";

export const onnxType = { float: 1, uint8: 2, int32: 6, int64: 7, bool: 9 } as const;
export type OnnxType = keyof typeof onnxType;

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  /** Little-endian values. */
  readonly data: Uint8Array;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** Sizes; a name stands for a size that is known only at run time. */
  readonly dims: readonly (number | string)[];
}

export type OnnxAttribute = { readonly int: number } | { readonly float: number } | { readonly ints: readonly number[] } | { readonly text: string };

export interface OnnxNode {
  readonly type: string;
  /** Operator domain; ONNX's own by default. */
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

const field = (id: number, type: string) => ({ id, type });
const list = (id: number, type: string) => ({ id, type, rule: "repeated" });

const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: { irVersion: field(1, "int64"), producerName: field(2, "string"), graph: field(7, "GraphProto"), opsetImport: list(8, "OperatorSetIdProto"), metadataProps: list(14, "StringStringEntryProto") },
    },
    StringStringEntryProto: { fields: { key: field(1, "string"), value: field(2, "string") } },
    OperatorSetIdProto: { fields: { domain: field(1, "string"), version: field(2, "int64") } },
    GraphProto: {
      fields: {
        node: list(1, "NodeProto"),
        name: field(2, "string"),
        initializer: list(5, "TensorProto"),
        input: list(11, "ValueInfoProto"),
        output: list(12, "ValueInfoProto"),
      },
    },
    NodeProto: {
      fields: {
        input: list(1, "string"),
        output: list(2, "string"),
        name: field(3, "string"),
        opType: field(4, "string"),
        domain: field(7, "string"),
        attribute: list(5, "AttributeProto"),
      },
    },
    AttributeProto: { fields: { name: field(1, "string"), f: field(2, "float"), i: field(3, "int64"), s: field(4, "bytes"), ints: list(8, "int64"), type: field(20, "int32") } },
    TensorProto: {
      fields: { dims: list(1, "int64"), dataType: field(2, "int32"), name: field(8, "string"), rawData: field(9, "bytes") },
    },
    ValueInfoProto: { fields: { name: field(1, "string"), type: field(2, "TypeProto") } },
    TypeProto: { fields: { tensorType: field(1, "TensorTypeProto") } },
    TensorTypeProto: { fields: { elemType: field(1, "int32"), shape: field(2, "TensorShapeProto") } },
    TensorShapeProto: { fields: { dim: list(1, "DimensionProto") } },
    DimensionProto: { fields: { dimValue: field(1, "int64"), dimParam: field(2, "string") } },
  },
});

/** Version of ONNX's operators. */
export const opset = 18;
const irVersion = 9;
const attributeType = { float: 1, int: 2, text: 3, ints: 7 };

interface ModelInfo {
  /** Name of the graph. */
  readonly name?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The model as the bytes of an .onnx file. */
export function encodeModel(graph: OnnxGraph, { name = "step", metadata = {} }: ModelInfo = {}): Uint8Array {
  const valueInfo = ({ name: value, type, dims }: OnnxValue) => ({
    name: value,
    type: { tensorType: { elemType: onnxType[type], shape: { dim: dims.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size })) } } },
  });
  const attribute = ([name, value]: [string, OnnxAttribute]) => {
    if ("int" in value) return { name, i: value.int, type: attributeType.int };
    if ("float" in value) return { name, f: value.float, type: attributeType.float };
    if ("text" in value) return { name, s: Buffer.from(value.text), type: attributeType.text };
    return { name, ints: [...value.ints], type: attributeType.ints };
  };

  const domains = [...new Set(graph.nodes.flatMap(({ domain }) => (domain ? [domain] : [])))];
  const message = {
    irVersion,
    producerName: "hypertower",
    opsetImport: [{ domain: "", version: opset }, ...domains.map((domain) => ({ domain, version: 1 }))],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name,
      node: graph.nodes.map(({ type, domain, inputs, outputs, attributes }, i) => ({
        opType: type,
        ...(domain ? { domain } : {}),
        name: `${type}_${i}`,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(attribute),
      })),
      initializer: graph.initializers.map(({ name, type, dims, data }) => ({ name, dataType: onnxType[type], dims: [...dims], rawData: data })),
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
    },
  };
  const Model = root.lookupType("ModelProto");
  return Model.encode(Model.fromObject(message)).finish();
}
