/** A trained model as an ONNX graph for inference, written by the lowering of the ONNX engine. */
import { encodeModel, onnxType, type OnnxGraph, type OnnxNode, type OnnxTensor, type OnnxValue } from "../../engines/onnx/model.ts";
import { lower, onnxShape, onnxTypeOf } from "../../engines/onnx/lowering.ts";
import { GraphWriter } from "../../engines/onnx/lowering/writer.ts";
import { topologicalOrder, type Node, type NodeOf } from "../../program/node.ts";
import { constantArray, mul, reshape, state, sub, transpose } from "../../program/operations/index.ts";
import { simplify } from "../../program/simplify.ts";
import { substitute } from "../../program/substitute.ts";
import type { Model } from "../../models/model.ts";
import type { PredictiveTask } from "../../tasks/task.ts";
import type { NamedArray } from "../../weights/file.ts";
import { withDynamicBatch } from "./dynamicBatch.ts";

export interface FeatureScaling {
  /** Of every feature of an example. */
  readonly mean: Float64Array;
  /** 0 for a constant feature, which the run saw as 0. */
  readonly deviation: Float64Array;
}

export interface InferenceOptions {
  readonly model: Model;
  readonly task: PredictiveTask;
  readonly weights: readonly NamedArray[];
  /** Whether there are scores for every step of an example, as for the symbols of a text. */
  readonly perStep: boolean;
  /** Whether states that are carried along a text are inputs and outputs; otherwise every call starts afresh. */
  readonly states: boolean;
  /** How the run's features were scaled: the graph takes them as they were before. */
  readonly standardization: FeatureScaling | null;
  /** Texts that the file carries. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** An input or output, for people: `features float [batch, 784]`. */
export interface InferenceValue {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly (number | string)[];
}

export interface InferenceModel {
  /** The .onnx file. */
  readonly bytes: Uint8Array;
  readonly inputs: readonly InferenceValue[];
  readonly outputs: readonly InferenceValue[];
  /** The only batch size; null for any. */
  readonly fixedBatch: number | null;
}

/** Protocol buffers end here. */
const maxBytes = 2 ** 31 - 1;

/** Batch sizes of the graphs that are compared: large primes, which no other size is by chance. */
const compared = [1013, 1019, 1021] as const;

/**
 * The forward pass of evaluation. Inputs: `features`, or `symbols` of a text. Outputs: `logits` and `probabilities`, or
 * the `prediction` of a quantity.
 * @throws Error where the weights do not fit the model or the file would be too large
 */
export function inferenceModel(options: InferenceOptions): InferenceModel {
  const size = options.weights.reduce((bytes, { values }) => bytes + 4 * values.length, 0);
  if (size > maxBytes - 2 ** 24) throw new Error(`the weights take ${size} bytes, and an .onnx file holds less than 2 GiB; export them as safetensors`);
  const tensors = new Map(options.weights.map((array) => [array.name, tensorOf(array)]));
  const sized = (batch: number) => ({ batch, graph: graphFor(options, tensors, batch) });
  const [first, second, third] = compared;
  // A network of one batch size is divided or filled up for others, which no graph does for any size.
  const dynamic = options.model.batch === undefined ? withDynamicBatch(sized(first), sized(second)) : null;
  // A third size shows that nothing was linear by chance.
  const again = dynamic && withDynamicBatch(sized(first), sized(third));
  const isDynamic = again !== null && dynamic !== null && JSON.stringify(withoutData(dynamic)) === JSON.stringify(withoutData(again));
  const graph = isDynamic ? dynamic : sized(1).graph;
  const shown = ({ name, type, dims }: OnnxValue): InferenceValue => ({ name, type: type === "float" ? "float32" : type, dims });
  return {
    bytes: encodeModel(graph, { name: "inference", metadata: options.metadata }),
    inputs: graph.inputs.map(shown),
    outputs: graph.outputs.map(shown),
    fixedBatch: isDynamic ? null : 1,
  };
}

/** The graph without the bytes of large arrays. */
function withoutData({ initializers, ...graph }: OnnxGraph): unknown {
  return { ...graph, initializers: initializers.map(({ name, type, dims, data }) => [name, type, dims, data.length <= 512 ? [...data] : data.length]) };
}

function tensorOf({ name, shape, values }: NamedArray): OnnxTensor {
  const { buffer } = Float32Array.from(values);
  return { name, type: "float", dims: onnxShape(shape), data: new Uint8Array(buffer) };
}

/** What a forward pass computes. */
interface Pass {
  readonly outputs: Readonly<Record<string, Node>>;
  /** Whether the first output is logits. */
  readonly isClassification: boolean;
}

function graphFor(options: InferenceOptions, tensors: ReadonlyMap<string, OnnxTensor>, batch: number): OnnxGraph {
  const { outputs, isClassification } = passOf(options, batch);
  const names = Object.keys(outputs);
  const roots = simplify(substitute(Object.values(outputs), (node) => standardizedInput(node, options.standardization)));
  const order = topologicalOrder(roots);
  const write = new GraphWriter(null);
  const inputs: OnnxValue[] = [];
  for (const node of order.filter((one): one is NodeOf<"input"> => one.op === "input")) inputs.push(declareInput(node, write));
  for (const node of order.filter((one): one is NodeOf<"state"> => one.op === "state")) {
    const { name } = node.attributes;
    const tensor = tensors.get(name);
    if (tensor) {
      if (tensor.dims.join() !== onnxShape(node.shape).join()) throw new Error(`the weights do not match the model: ${name} is ${tensor.dims.join(" x ")} in the weights and ${node.shape.join(" x ")} in the model`);
    } else if (name.startsWith(carriedPrefix)) inputs.push({ name: name.slice(carriedPrefix.length), type: "float", dims: node.shape });
    else throw new Error(`the weights do not match the model: ${name} is missing in the weights`);
    write.setName(node, tensor ? name : name.slice(carriedPrefix.length));
  }
  lower(order, roots, write);

  const results = roots.map((node, i) => ({ name: names[i]!, value: write.nameOf(node), shape: node.shape }));
  if (isClassification) results.splice(1, 0, { name: "probabilities", value: write.emit("Softmax", [results[0]!.value], { axis: { int: -1 } }), shape: results[0]!.shape });
  return named({
    nodes: write.nodes,
    initializers: [...[...tensors.values()].filter(({ name }) => order.some((node) => node.op === "state" && node.attributes.name === name)), ...write.initializers],
    inputs,
    outputs: results.map(({ value, shape }) => ({ name: value, type: "float", dims: shape })),
  }, results.map(({ name }) => name));
}

/** The input `features` as the run saw it. */
function standardizedInput(node: Node, scaled: FeatureScaling | null): Node | null {
  if (!scaled || node.op !== "input" || node.attributes.name !== "features") return null;
  const perFeature = (values: Float64Array) => constantArray(values, node.shape.slice(1));
  return mul(sub(node, perFeature(scaled.mean)), perFeature(scaled.deviation.map((deviation) => (deviation > 0 ? 1 / deviation : 0))));
}

const carriedPrefix = "carried ";

function passOf({ model, task, states, perStep }: InferenceOptions, batch: number): Pass {
  const parameters = model.parameters.map(({ name, shape }) => state(name, shape));
  const scores = task.scores(parameters, batch);
  const carried = new Set(model.buffers.filter(({ role }) => role === "carried").map(({ name }) => name));
  const { updates = {} } = states && carried.size > 0 ? task.metrics(parameters, batch) : {};
  const next = Object.entries(updates).map(([variable, node]) => [`next.${bufferName(variable)}`, node] as const);
  const [output, ...nextStates] = substitute([scores, ...next.map(([, node]) => node)], (node) => carriedInput(node, carried, states));
  const isClassification = output!.op === "logSoftmax";
  const logits = isClassification ? output!.inputs[0]! : output!;
  return {
    isClassification,
    outputs: { [isClassification ? "logits" : "prediction"]: perStep ? byExample(logits, batch) : logits, ...Object.fromEntries(next.map(([name], i) => [name, nextStates[i]!])) },
  };
}

const bufferName = (variable: string) => variable.replace(/^evaluation\./, "");

/** Replaces the choice between a carried state and a fresh one. */
function carriedInput(node: Node, carried: ReadonlySet<string>, states: boolean): Node | null {
  const [, held, fresh] = node.inputs;
  if (node.op !== "select" || held?.op !== "state" || !carried.has(bufferName(held.attributes.name))) return null;
  return states ? state(`${carriedPrefix}${bufferName(held.attributes.name)}`, held.shape) : fresh!;
}

/** `[batch, steps, ...]` of scores that come step by step. */
function byExample(scores: Node, batch: number): Node {
  const [count, width] = scores.shape as [number, number];
  return transpose(reshape(scores, [count / batch, batch, width]), [1, 0, 2]);
}

/** Inputs have types that every client can make: float32 also for bytes, and int64 for symbols. */
function declareInput(node: NodeOf<"input">, write: GraphWriter): OnnxValue {
  const { name } = node.attributes;
  const type = node.dtype === "int32" ? "int64" : "float";
  const needed = onnxTypeOf[node.dtype];
  write.setName(node, needed === type || node.dtype === "uint8" ? name : write.emit("Cast", [name], { to: { int: onnxType[needed] } }));
  return { name, type, dims: onnxShape(node.shape) };
}

/** Gives outputs their names, and keeps those of the writer's own values apart from them. */
function named({ nodes, initializers, inputs, outputs }: OnnxGraph, names: readonly string[]): OnnxGraph {
  const reserved = new Set([...inputs.map(({ name }) => name), ...names, ...initializers.map(({ name }) => name)]);
  const produced = new Set(nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  const copies: OnnxNode[] = [];
  for (const [i, { name: value }] of outputs.entries()) {
    if (produced.has(value) && !renamed.has(value)) renamed.set(value, names[i]!);
    else copies.push({ type: "Identity", inputs: [value], outputs: [names[i]!], attributes: {} });
  }
  for (const value of produced) if (!renamed.has(value)) renamed.set(value, reserved.has(value) ? `value.${value}` : value);
  const nameOf = (value: string) => renamed.get(value) ?? value;
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const isUsed = (value: string) => used.has(value) || outputs.some(({ name }) => name === value);
  return {
    nodes: [
      ...nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(nameOf),
        // Optional last outputs, such as the indices of a pooling, are left out where nothing reads them.
        outputs: node.outputs.slice(0, 1 + node.outputs.findLastIndex((value, i) => i === 0 || isUsed(value))).map(nameOf),
      })),
      ...copies.map(({ inputs: [value], ...node }) => ({ ...node, inputs: [nameOf(value!)] })),
    ],
    initializers,
    inputs,
    outputs: outputs.map((value, i) => ({ ...value, name: names[i]! })),
  };
}
