/** An imported network as a model: the graph's nodes become nodes of the step program. */
import type { GraphDescription, GraphNode } from "../../shared/models/graph.ts";
import { rows, type Activations } from "../models/activations.ts";
import type { Buffer, Forward, Mask, Model, Parameter, Pass } from "../models/model.ts";
import type { Node } from "../program/node.ts";
import { cast, constant, input, mul, reshape, slice } from "../program/operations/index.ts";
import { buildGraph, constantsOf } from "./build.ts";
import { GraphError } from "./errors.ts";
import { cyclicRows, inPieces } from "./fixedBatch.ts";
import { fittedInput, fittedOutput } from "./fit.ts";
import { freshValues } from "./fresh.ts";
import { lastNode } from "./meaning.ts";
import { inputShape, tryShape, type Dropped } from "./probe.ts";
import type { GraphTensors } from "./tensors.ts";
import { floatOf, type Value } from "./values.ts";

export interface GraphModelOptions {
  /** Where training begins: the file's weights (the default), or fresh ones by layer type. */
  readonly start?: "file" | "fresh";
  /** The output as the file has it; by default probabilities become logits. */
  readonly raw?: boolean;
  /** Shape of one example of the data, where the file leaves sizes open. */
  readonly exampleShape?: readonly number[];
  /** Whether training drops values where the file does (the default). */
  readonly dropout?: boolean;
  /** Called for every node of the graph that a forward pass calculates, in order, with its outputs. */
  readonly onNode?: (node: GraphNode, outputs: readonly Value[]) => void;
}

export interface GraphModel extends Model {
  /** The file's values of the buffers, by name. */
  readonly bufferValues: Readonly<Record<string, Float64Array>>;
}

/**
 * The model of an imported network. Images may come as channels, height, width to a network that
 * takes channels last; the forward pass transposes them.
 * @throws GraphError naming node, operator and attribute of what cannot be taken
 */
export function graphModel(given: GraphDescription, tensors: GraphTensors, options: GraphModelOptions = {}): GraphModel {
  const description = options.raw ? given : withLogits(given);
  const { start = "file", dropout = true } = options;
  const constants = constantsOf(description, tensors);
  const of = (role: "parameter" | "statistics") => description.initializers.filter((one) => one.role === role);
  const valuesOf = (name: string) => Float64Array.from(tensors.get(name)?.data ?? missing(name));
  const parameters = of("parameter").map(({ name, shape }): Parameter => ({ name, shape, initialize: (random) => (start === "file" ? valuesOf(name) : freshValues(description, name, valuesOf(name), random)) }));
  const buffers = of("statistics").map(({ name, shape }): Buffer => ({ name, shape, initial: /var/i.test(name) ? 1 : 0, role: "statistics" }));
  const masks = dropout ? masksOf(description, constants, options.exampleShape) : new Map<string, MaskPlan>();

  /** @param size of the batch that x is a part of, from `start` on */
  function whole(x: Activations, pass: Pass, start: number, size: number): Forward {
    const named = new Map(parameters.map(({ name }, i) => [name, pass.parameters[i]!]));
    const statistics = new Map(buffers.map(({ name }) => [name, pass.buffers[name] ?? missing(name)]));
    const built = buildGraph(description, constants, fittedInput(description, rows(x)), {
      training: pass.training,
      parameters: named,
      statistics,
      onNode(node, outputs) {
        options.onNode?.(node, outputs);
        pass.onModule?.(node.module || node.name || (node.outputs[0] ?? node.operator), outputs.flatMap((value) => ("items" in value || value.known ? [] : [value.node])));
      },
      dropout: (node, value, p) => (pass.training ? dropped(masks.get(node.outputs[0] ?? node.name), value, p, { start, count: x.batch, whole: size }) : value),
    });
    return { output: fittedOutput(description, floatOf(built.output), x), buffers: built.statistics };
  }

  return {
    parameters,
    buffers,
    masks: [...masks.values()].map(({ name, shape, p }) => ({ name, shape, p })),
    bufferValues: Object.fromEntries(buffers.map(({ name }) => [name, start === "file" ? valuesOf(name) : new Float64Array(tensors.get(name)!.data.length).fill(/var/i.test(name) ? 1 : 0)])),
    batch: description.input.batch ?? undefined,
    forward(examples, pass) {
      const fixed = description.input.batch;
      return fixed === null ? whole(examples, pass, 0, examples.batch) : inPieces(examples, fixed, (part, start) => whole(part, pass, start, examples.batch));
    },
  };
}

function missing(name: string): never {
  throw new GraphError(`the weights file lacks "${name}"; it does not belong to this network`);
}

/** The network without its last softmax: the same probabilities as logits. */
function withLogits(description: GraphDescription): GraphDescription {
  const last = lastNode(description);
  if (description.output.meaning !== "probabilities" || last?.operator !== "Softmax") return description;
  const identity = (node: GraphNode): GraphNode => (node === last ? { ...node, operator: "Identity", attributes: {} } : node);
  return { ...description, nodes: description.nodes.map(identity) };
}

interface MaskPlan extends Mask {
  /** Whether every example has its own entries; otherwise those of the first are for all. */
  readonly byExample: boolean;
}

/** Names of the masks by the dropout's output, from two builds that differ in the batch. */
function masksOf(description: GraphDescription, constants: ReturnType<typeof constantsOf>, exampleShape: readonly number[] | undefined): Map<string, MaskPlan> {
  const drops = description.nodes.filter(({ operator }) => operator === "Dropout");
  if (drops.length === 0) return new Map();
  const fixed = description.input.batch;
  const sizes = fixed === null ? [2, 3] : [fixed];
  const trials = sizes.map((batch) => {
    const shape = inputShape(description, batch, 8);
    const { batchAxis } = description.input;
    const whole = exampleShape?.length === shape.length - 1 ? [...exampleShape.slice(0, batchAxis), batch, ...exampleShape.slice(batchAxis)] : shape;
    const { shape: stated } = description.inputs[0]!;
    return tryShape(description, constants, shape.map((size, axis) => (typeof stated[axis] === "string" ? whole[axis]! : size))).dropped;
  });
  const names = new Map<string, string>();
  const modules = new Map(drops.map((node) => [node.outputs[0] ?? node.name, node.module || node.name || "dropout"]));
  const plan = (first: Dropped, i: number): MaskPlan => {
    const other = trials[1]?.[i];
    const byExample = other ? other.size * sizes[0]! === first.size * sizes[1]! : first.size % sizes[0]! === 0;
    const base = modules.get(first.node) ?? first.node;
    let name = `${base}.mask`;
    for (let n = 2; names.has(name); n++) name = `${base}.mask${n}`;
    names.set(name, first.node);
    return { name, shape: [byExample ? first.size / sizes[0]! : first.size], p: first.p, byExample };
  };
  return new Map(trials[0]!.map((first, i) => [first.node, plan(first, i)]));
}

function dropped(mask: MaskPlan | undefined, x: Node, p: number, { start, count, whole }: { readonly start: number; readonly count: number; readonly whole: number }): Node {
  if (!mask || p === 0) return x;
  const all = input(mask.name, [whole, ...mask.shape], "uint8");
  const kept = cast(mask.byExample ? (count === whole ? all : cyclicRows(all, start, count)) : slice(all, 0, 0, 1), "float");
  return mul(x, mul(constant(1 / (1 - p)), reshape(kept, x.shape)));
}
