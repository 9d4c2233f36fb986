/** What an experiment records of an imported network: shapes, parameters and cost, read off its forward pass. */
import type { GraphDescription, GraphNode } from "../../shared/models/graph.ts";
import { maxAlike, maxRecordedLayers, type NetworkFacts } from "../../shared/models/network.ts";
import type { NetworkNode } from "../../shared/networks.ts";
import { graphModel } from "../graphs/model.ts";
import { alikeParameters } from "../graphs/ties.ts";
import { batchOf, rows, tokensOf } from "../models/activations.ts";
import { sizeOf, topologicalOrder, type Node, type Shape } from "../program/node.ts";
import { input, state } from "../program/operations/index.ts";
import { NetworkError, type Network } from "./file.ts";
import { holdsWeightsOnly, weightsFacts } from "./weightsOnly.ts";

/** Examples of the pass that shapes are read off: a size that no axis is likely to have. */
const usualBatch = 2;
/** Steps of a sequence that the file leaves open. */
const usualSteps = 8;

/** Nodes that only rename or move values, which the backward pass does not keep. */
const moving: ReadonlySet<string> = new Set(["Reshape", "Flatten", "Transpose", "Identity", "Squeeze", "Unsqueeze", "Split", "Concat", "Slice", "Cast", "CastLike", "Expand", "Shape", "Constant", "Dropout"]);

interface Trace {
  readonly batch: number;
  readonly example: Shape;
  readonly tokens: { readonly steps: number | null } | null;
  readonly traced: readonly Traced[];
  readonly output: Node;
  /** Shapes of the parameters by name. */
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly owners: ReadonlyMap<GraphNode, readonly string[]>;
}

/** Builds the forward pass of a batch without values. @throws GraphError or NetworkError naming what the network has that cannot be trained */
function trace({ description, tensors }: Network): Trace {
  const { example, tokens } = exampleOf(description);
  const batch = description.input.batch ?? usualBatch;
  const traced: Traced[] = [];
  const seen = new Set<Node>();
  const model = graphModel(description, tensors, {
    onNode: (node, outputs) => {
      const nodes = outputs.flatMap((value) => ("items" in value ? value.items : [value])).flatMap((value) => (value.known ? [] : [value.node]));
      const made = topologicalOrder(nodes).filter((each) => !seen.has(each));
      made.forEach((each) => seen.add(each));
      traced.push({ node, output: nodes[0], flops: made.reduce((sum, each) => sum + flopsOf(each), 0) });
    },
  });
  const names = new Set(model.parameters.map((parameter) => parameter.name));
  if (names.size === 0) throw new NetworkError("the network has nothing to learn: none of its arrays is a parameter");
  const x = input("features", [batch, ...example], tokens ? "int32" : "float");
  const { output } = model.forward(tokens ? tokensOf(x) : batchOf(x), {
    parameters: model.parameters.map((parameter) => state(parameter.name, parameter.shape)),
    buffers: Object.fromEntries(model.buffers.map((buffer) => [buffer.name, state(buffer.name, buffer.role === "carried" ? [batch, ...buffer.shape] : buffer.shape)])),
    training: false,
  });
  const shapes = new Map(model.parameters.map((parameter) => [parameter.name, parameter.shape]));
  const owners = ownersOf(description, traced.map(({ node }) => node), names);
  return { batch, example, tokens, traced, output: rows(output), shapes, owners };
}

/** The nodes that the input reaches, in order, for the picture of a network. @throws GraphError or NetworkError */
export function drawnNodes(network: Network): NetworkNode[] {
  const { batch, traced, shapes, owners } = trace(network);
  const reached = new Set([network.description.input.name]);
  return traced.flatMap(({ node, output }) => {
    // What is calculated from parameters or constants alone belongs to the node that uses it.
    const inputs = node.inputs.filter((name) => reached.has(name));
    if (!output || inputs.length === 0) return [];
    node.outputs.forEach((name) => reached.add(name));
    const parameters = (owners.get(node) ?? []).map((name) => ({ name, shape: [...shapes.get(name)!] }));
    return [{ name: node.name, module: node.module, operator: node.operator, title: titleOf(node), inputs, outputs: node.outputs, shape: perExample(output.shape, batch), parameters }];
  });
}

/** @throws GraphError or NetworkError naming what the network has that cannot be trained */
export function factsOf(name: string, network: Network): NetworkFacts {
  const { description } = network;
  if (holdsWeightsOnly(description)) return weightsFacts(name, description);
  const { batch, example, tokens, traced, output, shapes, owners } = trace(network);
  const layers = traced.flatMap(({ node, output: made, flops }) => {
    const parameters = (owners.get(node) ?? []).map((parameter) => ({ name: parameter, shape: [...shapes.get(parameter)!] }));
    if (parameters.length === 0 && flops === 0) return [];
    return [{ name: node.module || node.name || node.operator, title: titleOf(node), output: made ? perExample(made.shape, batch) : [], parameters, flops: flops / batch }];
  });
  const owned = new Set(layers.flatMap(({ parameters }) => parameters.map((parameter) => parameter.name)));
  const left = [...shapes].filter(([parameter]) => !owned.has(parameter)).map(([parameter, shape]) => ({ name: parameter, shape: [...shape] }));
  if (left.length > 0) layers.push({ name: "others", title: "parameters", output: [], parameters: left, flops: 0 });
  if (layers.length > maxRecordedLayers) throw new NetworkError(`the network has ${layers.length} layers with parameters or products; at most ${maxRecordedLayers} are allowed`);
  const alike = alikeParameters(description.initializers, network.tensors).slice(0, maxAlike);
  const kept = traced.reduce((sum, { node, output: made }) => (made && !moving.has(node.operator) && made.dtype === "float" ? sum + sizeOf(made.shape) / batch : sum), 0);
  return {
    name,
    input: tokens ? { kind: "tokens", steps: tokens.steps, vocabulary: vocabularyOf(description) } : { kind: "values", shape: [...example] },
    output: [...perExample(output.shape, batch)],
    meaning: description.output.meaning,
    batch: description.input.batch,
    ...(description.input.rebuilt === undefined ? {} : { rebuilt: description.input.rebuilt }),
    ...(description.filled ? { filled: description.filled } : {}),
    ...(description.tied ? { tied: description.tied } : {}),
    ...(alike.length > 0 ? { alike } : {}),
    layers,
    kept: Math.round(kept),
  };
}

interface Traced {
  readonly node: GraphNode;
  readonly output: Node | undefined;
  /** Of the whole batch. */
  readonly flops: number;
}

/** Shape of one example; for symbols their number, null where the file leaves it open. */
function exampleOf({ inputs, input: { name, batchAxis } }: GraphDescription): { readonly example: Shape; readonly tokens: { readonly steps: number | null } | null } {
  const value = inputs.find((each) => each.name === name);
  if (!value) throw new NetworkError(`the network has no input ${name}`);
  const sizes = value.shape.filter((_, axis) => axis !== batchAxis);
  const isTokens = value.dtype === "int32" || value.dtype === "int64";
  if (isTokens && sizes.length === 1) {
    const [steps] = sizes;
    return typeof steps === "number" ? { example: [steps], tokens: { steps } } : { example: [usualSteps], tokens: { steps: null } };
  }
  if (isTokens) throw new NetworkError(`the input ${name} takes whole numbers with ${value.shape.length} axes; symbols need two: batch and steps`);
  const example = sizes.map((size, axis) => {
    if (typeof size === "number") return size;
    throw new NetworkError(`the file leaves the size ${size} of the input ${name} open (axis ${axis + 1} of an example); export it with every size fixed but the batch's`);
  });
  return { example, tokens: null };
}

/** Rows of the table that the symbols are looked up in. */
function vocabularyOf({ nodes, initializers, input: { name } }: GraphDescription): number | null {
  const symbols = new Set([name]);
  for (const { operator, inputs, outputs } of nodes) {
    if (["Cast", "Identity", "Transpose", "Reshape"].includes(operator) && symbols.has(inputs[0]!)) symbols.add(outputs[0]!);
    if (operator !== "Gather" || !symbols.has(inputs[1]!)) continue;
    const table = initializers.find((each) => each.name === inputs[0]);
    if (table?.shape.length === 2) return table.shape[0]!;
  }
  return null;
}

/**
 * The parameters of each node: those that it is the first to combine with data. Nodes that rearrange parameters alone,
 * such as a transpose, pass them on.
 */
function ownersOf({ initializers }: GraphDescription, nodes: readonly GraphNode[], parameters: ReadonlySet<string>): Map<GraphNode, string[]> {
  const fixed = new Map<string, readonly string[]>(initializers.map(({ name }) => [name, parameters.has(name) ? [name] : []]));
  const owned = new Set<string>();
  const owners = new Map<GraphNode, string[]>();
  for (const node of nodes) {
    const inputs = node.inputs.filter((name) => name !== "");
    const passed = inputs.flatMap((name) => fixed.get(name) ?? []);
    if (inputs.every((name) => fixed.has(name))) {
      for (const name of node.outputs) fixed.set(name, passed);
      continue;
    }
    const own = [...new Set(passed)].filter((name) => !owned.has(name));
    own.forEach((name) => owned.add(name));
    if (own.length > 0) owners.set(node, own);
  }
  return owners;
}

/** Sizes without the batch's, wherever it is. */
function perExample(shape: Shape, batch: number): number[] {
  if (shape[0] === batch) return shape.slice(1);
  const axis = shape.indexOf(batch);
  return shape.filter((_, at) => at !== axis);
}

function flopsOf(node: Node): number {
  switch (node.op) {
    case "matmul":
      return 2 * sizeOf(node.shape) * node.inputs[0]!.shape.at(node.attributes.transposeA ? -2 : -1)!;
    case "conv2d":
      return 2 * sizeOf(node.shape) * sizeOf(node.inputs[1]!.shape.slice(1));
    case "conv2dInputGradient":
      return 2 * sizeOf(node.inputs[0]!.shape) * sizeOf(node.inputs[1]!.shape.slice(1));
    default:
      return 0;
  }
}

/** Operator and what is particular about it: `Conv 3 × 3, stride 2`. */
function titleOf({ operator, attributes }: GraphNode): string {
  const sizes = (name: string): readonly number[] => {
    const found = attributes[name];
    return found?.kind === "ints" ? found.value : [];
  };
  const number = (name: string) => {
    const found = attributes[name];
    return found?.kind === "int" ? found.value : undefined;
  };
  const strides = sizes("strides");
  const groups = number("group") ?? 1;
  return [
    [operator, sizes("kernel_shape").join(" × ")].filter((part) => part !== "").join(" "),
    ...(strides.some((stride) => stride > 1) ? [`stride ${new Set(strides).size === 1 ? strides[0] : strides.join(" × ")}`] : []),
    ...(groups > 1 ? [`${groups} groups`] : []),
    ...(number("hidden_size") === undefined ? [] : [`${number("hidden_size")} wide`]),
  ].join(", ");
}
