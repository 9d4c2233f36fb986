/** Reads an ONNX file: its network as data, and the values of its arrays. */
import { graphDescription, storedTypes, type GraphDescription, type GraphInitializer, type GraphNode, type GraphValue } from "../../shared/models/graph.ts";
import { Converter, type ConvertedGraph } from "./convert.ts";
import { GraphError, nodeText } from "./errors.ts";
import { meaningOf } from "./meaning.ts";
import { readOnnxFile, type OnnxFile } from "./onnxFile.ts";
import { graphOperators } from "./operators/index.ts";
import { filledInputs, type FilledInputs, type Fillings } from "./fill.ts";
import { probe } from "./probe.ts";
import { restored } from "./restore.ts";
import { rolesOf, signatureOf } from "./roles.ts";
import { TensorReader } from "./tensorData.ts";
import type { GraphTensor, GraphTensors } from "./tensors.ts";
import { statedTies, tiedGraph, type Ties } from "./ties.ts";

export interface ReadOptions {
  /** Folder of the file, for values in files beside it; null where there are none. */
  readonly folder: string | null;
  /** The output to train; the first by default. */
  readonly output?: string;
  /** Arrays that are one parameter, besides those that the file states. */
  readonly ties?: Ties;
  /** How to fill inputs beside the examples; those of well-known names are filled in anyway. */
  readonly fillings?: Fillings;
}

export interface ReadGraph {
  readonly description: GraphDescription;
  readonly tensors: GraphTensors;
  /** What a user should know before training. */
  readonly warnings: readonly string[];
}

/** @throws GraphError naming what cannot be taken, and what would work */
export function readGraph(bytes: Uint8Array, { folder, output, ties = {}, fillings = {} }: ReadOptions): ReadGraph {
  const file = readOnnxFile(bytes);
  const converter = new Converter(file, new TensorReader(folder));
  const { graph: whole, names: tied } = tiedGraph(restored(file, converter.convert(), converter.tensors), converter.tensors, { ...statedTies(file.metadata), ...ties });
  const initialized = new Set(whole.initializers.map(({ name }) => name));
  const inputs = whole.inputs.filter(({ name }) => !initialized.has(name));
  const trained = outputOf(whole, output);
  const own = needed(whole.nodes, trained.name);
  requireKnown(own);
  requireOrder(own, [...initialized, ...inputs.map(({ name }) => name)], trained.name);
  const { input, filled, nodes: before, initializers: constants } = inputOf(inputs, own, fillings, converter.tensors);
  const nodes = [...before, ...own];
  const { roles, warnings } = rolesOf({ nodes, initializers: whole.initializers, constants: converter.constants, tied, metadata: file.graph.metadata, producer: file.producer, tensors: converter.tensors, optimized: isOptimized(file) });
  const signature = signatureOf(file.graph.metadata);
  const used = new Set([...usedNames(nodes), trained.name]);
  const trainable = whole.initializers.flatMap((one): GraphInitializer[] => {
    const role = roles.get(one.name) ?? "constant";
    if (used.has(one.name)) return [{ ...one, role }];
    // Parameters that the output does not depend on stay with the weights, untrained.
    return role === "parameter" && (!signature || signature.parameters.includes(one.name)) ? [{ ...one, role: "buffer" }] : [];
  });
  const lost = Object.entries(tied).find(([, name]) => roles.get(name) !== "parameter");
  if (lost) throw new GraphError(`"${lost[0]}" cannot be tied to "${lost[1]}", which is not trained (${roles.get(lost[1]) ?? "unused"})`);
  const initializers = [...trainable, ...constants];
  const draft: GraphDescription = {
    format: 1,
    producer: { name: file.producer.slice(0, 256), version: file.producerVersion.slice(0, 256) },
    opset: file.opsets[""]!,
    inputs: [input],
    outputs: [trained],
    initializers,
    nodes,
    input: { name: input.name, batchAxis: batchAxisOf(input), batch: null },
    output: { name: trained.name, meaning: "logits" },
    ...(filled.length > 0 ? { filled: [...filled] } : {}),
    ...(Object.keys(tied).length > 0 ? { tied } : {}),
  };
  const { description: probedGraph, tensors, output: shape } = probe(draft, kept(draft, converter.tensors));
  const description: GraphDescription = { ...probedGraph, output: { ...draft.output, meaning: meaningOf(draft, shape) } };
  const parsed = graphDescription.safeParse(description);
  if (!parsed.success) throw new GraphError(`the file goes beyond what can be imported: ${parsed.error.issues[0]!.path.join(".")}: ${parsed.error.issues[0]!.message}`);
  return { description: parsed.data, tensors, warnings };
}

/** Whether PyTorch's optimizer of graphs ran: it turns constants of the graph into arrays of numbered names. */
function isOptimized({ graph }: OnnxFile): boolean {
  const signature = signatureOf(graph.metadata);
  if (!signature) return false;
  const own = new Set([...signature.parameters, ...signature.others]);
  return graph.initializers.some(({ name }) => !own.has(name)) || signature.parameters.some((name) => !graph.initializers.some((one) => one.name === name)) && !graph.nodes.some(({ operator }) => operator === "Constant");
}

function outputOf({ outputs }: ConvertedGraph, wanted: string | undefined): GraphValue {
  const found = wanted === undefined ? outputs[0] : outputs.find(({ name }) => name === wanted);
  if (found) return found;
  throw new GraphError(wanted === undefined ? "the network has no output" : `the network has no output "${wanted}"; allowed: ${outputs.map(({ name }) => name).join(", ")}`);
}

/** Names that a node reads, also inside its graphs. */
export function namesReadBy(node: GraphNode): string[] {
  const attributes = Object.values(node.attributes);
  const inner = attributes.flatMap((attribute) => (attribute.kind === "graph" ? [...attribute.value.nodes.flatMap(namesReadBy), ...attribute.value.outputs.map(({ name }) => name)] : []));
  const arrays = attributes.flatMap((attribute) => (attribute.kind === "text" ? [attribute.value] : []));
  return [...node.inputs, ...inner, ...arrays].filter((name) => name !== "");
}

const usedNames = (nodes: readonly GraphNode[]) => new Set(nodes.flatMap(namesReadBy));

/** The nodes that the output depends on, in the file's order. */
function needed(nodes: readonly GraphNode[], output: string): GraphNode[] {
  const makers = new Map<string, GraphNode>();
  for (const node of nodes) {
    for (const name of node.outputs) {
      if (name === "") continue;
      if (makers.has(name)) throw new GraphError(`"${name}" is made twice, by ${nodeText(makers.get(name)!)} and by ${nodeText(node)}; the file is damaged`);
      makers.set(name, node);
    }
  }
  const found = new Set<GraphNode>();
  const open = [output];
  while (open.length > 0) {
    const node = makers.get(open.pop()!);
    if (!node || found.has(node)) continue;
    found.add(node);
    open.push(...namesReadBy(node));
  }
  return nodes.filter((node) => found.has(node));
}

/** @throws GraphError naming the operators that cannot be taken */
function requireKnown(nodes: readonly GraphNode[]): void {
  const all = nodes.flatMap(withInner);
  const unknown = all.filter(({ operator, domain }) => domain !== "" || !Object.hasOwn(graphOperators, operator));
  if (unknown.length === 0) return;
  const shown = [...new Map(unknown.map((node) => [`${node.domain}:${node.operator}`, node])).values()].slice(0, 5);
  const named = shown.map((node) => `${nodeText(node)}${node.domain === "" ? "" : ` of the domain ${node.domain}`}`).join("; ");
  throw new GraphError(
    `${unknown.length === 1 ? "1 node has an operator" : `${unknown.length} nodes have operators`} that cannot be trained: ${named}. Write that part of the model with other operations and export again; those that work: ${Object.keys(graphOperators).sort().join(", ")}`,
  );
}

function withInner(node: GraphNode): GraphNode[] {
  return [node, ...Object.values(node.attributes).flatMap((attribute) => (attribute.kind === "graph" ? attribute.value.nodes.flatMap(withInner) : []))];
}

/** ONNX lists nodes behind those whose results they read; a cycle cannot be listed so. */
function requireOrder(nodes: readonly GraphNode[], known: readonly string[], output: string): void {
  const made = new Set(known);
  const later = new Set(nodes.flatMap(({ outputs }) => outputs));
  for (const node of nodes) {
    const missing = node.inputs.find((name) => name !== "" && !made.has(name));
    if (missing !== undefined) {
      throw new GraphError(`${nodeText(node)} reads "${missing}", ${later.has(missing) ? "which depends on it or is made later: the graph has a cycle or is not in order" : "which nothing makes"}; the file is damaged`);
    }
    for (const name of node.outputs) made.add(name);
  }
  if (!made.has(output)) throw new GraphError(`nothing makes the output "${output}"; the file is damaged`);
}

function inputOf(inputs: readonly GraphValue[], nodes: readonly GraphNode[], fillings: Fillings, tensors: Map<string, GraphTensor>): FilledInputs {
  const used = usedNames(nodes);
  const read = inputs.filter(({ name }) => used.has(name));
  if (read.length === 0) throw new GraphError("the output depends on no input; export the model's forward pass with an example input");
  const whole = filledInputs(read, fillings, tensors);
  if (whole.input.shape.length === 0) throw new GraphError(`the input "${whole.input.name}" has no axes or states no shape; export with an example input whose first axis is the batch`);
  return whole;
}

/** The axis of the examples: the only open one, one that is named so, or the first. */
function batchAxisOf({ shape }: GraphValue): number {
  const open = shape.flatMap((size, axis) => (typeof size === "string" ? [axis] : []));
  if (open.length === 1) return open[0]! <= 1 ? open[0]! : 0;
  const named = open.find((axis) => axis <= 1 && /^(n|b|bs|batch.*|.*batch_?size.*)$/i.test(String(shape[axis])));
  return named ?? 0;
}

/** The tensors of the initializers that are kept, also of inner graphs. */
function kept({ initializers, nodes }: GraphDescription, tensors: ReadonlyMap<string, GraphTensor>): GraphTensors {
  const inner = nodes.flatMap(withInner).flatMap(({ attributes }) => Object.values(attributes).flatMap((attribute) => (attribute.kind === "graph" ? attribute.value.initializers : [])));
  return new Map([...initializers, ...inner].map(({ name }) => [name, tensors.get(name)!]));
}

/** Whether an array holds floats. */
export const isFloat = ({ dtype }: Pick<GraphInitializer, "dtype">): boolean => storedTypes[dtype].kind === "float";
