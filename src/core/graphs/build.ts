/** Builds the nodes of a graph as nodes of the step program. */
import { storedTypes, type GraphDescription, type GraphNode } from "../../shared/models/graph.ts";
import { messageOf } from "../../shared/errors.ts";
import type { Node } from "../program/node.ts";
import { Context, type GraphPass } from "./context.ts";
import { GraphError, nodeError, nodeText } from "./errors.ts";
import { graphOperators } from "./operators/index.ts";
import { shortest } from "./shortest.ts";
import type { GraphTensor, GraphTensors } from "./tensors.ts";
import { computed, known, type ArrayValue, type Known, type Value } from "./values.ts";

/** Nodes of a program that a graph may become; more are an error, not a build that never ends. */
const maxBuilt = 1_000_000;

export interface BuildOptions {
  readonly training: boolean;
  readonly parameters: ReadonlyMap<string, Node>;
  readonly statistics: ReadonlyMap<string, Node>;
  readonly dropout: GraphPass["dropout"];
  /** Called for every node of the outer graph in order, with its outputs. */
  readonly onNode?: ((node: GraphNode, outputs: readonly Value[]) => void) | undefined;
}

export interface BuiltGraph {
  readonly output: ArrayValue;
  /** New running statistics by the initializers' names. */
  readonly statistics: Readonly<Record<string, Node>>;
}

export type Constants = ReadonlyMap<string, Known>;

/** Values that depend on nothing: all initializers but parameters and running statistics. */
export function constantsOf(description: GraphDescription, tensors: GraphTensors): Constants {
  const trained = new Set(description.initializers.filter(({ role }) => role === "parameter" || role === "statistics").map(({ name }) => name));
  const isDouble = description.initializers.some(({ role, dtype }) => role === "parameter" && dtype === "float64");
  return new Map([...tensors].filter(([name]) => !trained.has(name)).map(([name, tensor]) => [name, constantOf(tensor, isDouble)]));
}

function constantOf({ dtype, shape, data }: GraphTensor, isDouble: boolean): Known {
  const { kind } = storedTypes[dtype];
  const values = Float64Array.from(data);
  // Exporters write Python's numbers as float32 even into networks of float64.
  if (kind === "float" && dtype !== "float64" && isDouble && values.length === 1) values[0] = shortest(values[0]!);
  return known(kind, shape, values);
}

export function buildGraph(description: GraphDescription, constants: Constants, x: Node, options: BuildOptions): BuiltGraph {
  const { training, dropout } = options;
  const statistics: Record<string, Node> = {};
  const names = new Map([...options.statistics].map(([name, node]) => [node, name]));
  let built = 0;

  const pass: GraphPass = {
    opset: description.opset,
    producer: description.producer.name,
    training,
    dropout,
    setStatistics(old, value) {
      const name = names.get(old);
      if (name !== undefined) statistics[name] = value;
    },
    inner: () => [],
  };

  function run(nodes: readonly GraphNode[], values: Map<string, Value>): void {
    for (const node of nodes) {
      if (++built > maxBuilt) throw new GraphError(`the graph runs more than ${maxBuilt} nodes; at most ${maxBuilt} are allowed`);
      const operator = Object.hasOwn(graphOperators, node.operator) && node.domain === "" ? graphOperators[node.operator] : undefined;
      if (!operator) throw new GraphError(`${nodeText(node)} cannot be trained`);
      const inputs = node.inputs.map((name) => (name === "" ? null : valueOf(node, name, values)));
      const own: GraphPass = { ...pass, inner: (of, attribute, given) => inner(of, attribute, given, values) };
      let outputs: readonly Value[];
      try {
        outputs = operator(new Context(node, inputs, own, constants));
      } catch (error) {
        if (error instanceof GraphError && error.message.startsWith(node.operator)) throw error;
        throw nodeError(node, messageOf(error));
      }
      node.outputs.forEach((name, i) => {
        const value = outputs[i];
        if (name !== "" && value) values.set(name, value);
      });
      if (nodes === description.nodes) options.onNode?.(node, outputs);
    }
  }

  function valueOf(node: GraphNode, name: string, values: ReadonlyMap<string, Value>): Value {
    const value = values.get(name) ?? constants.get(name);
    if (!value) throw nodeError(node, `"${name}" is not available; it may be an output that only inference uses`);
    return value;
  }

  function inner(node: GraphNode, attribute: string, given: readonly Value[], outer: ReadonlyMap<string, Value>): Value[] {
    const graph = node.attributes[attribute];
    if (graph?.kind !== "graph") throw nodeError(node, `the attribute ${attribute} must be a graph`);
    const values = new Map(outer);
    graph.value.inputs.forEach(({ name }, i) => {
      const value = given[i];
      if (value) values.set(name, value);
    });
    run(graph.value.nodes, values);
    return graph.value.outputs.map(({ name }) => valueOf(node, name, values));
  }

  const values = new Map<string, Value>([[description.input.name, computed(x)]]);
  for (const [name, node] of [...options.parameters, ...options.statistics]) values.set(name, computed(node));
  run(description.nodes, values);
  const output = values.get(description.output.name) ?? constants.get(description.output.name);
  if (!output || "items" in output) throw new GraphError(`the output "${description.output.name}" must be an array`);
  return { output, statistics };
}
