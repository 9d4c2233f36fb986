/** Parameters that a network uses under several names: exporters write one array for each. */
import type { GraphAttribute, GraphInitializer, GraphNode } from "../../shared/models/graph.ts";
import type { ConvertedGraph } from "./convert.ts";
import { GraphError } from "./errors.ts";
import type { GraphTensor, GraphTensors } from "./tensors.ts";

/** The parameter's name by each of its other names. */
export type Ties = Readonly<Record<string, string>>;

/** Metadata of a file that export_model.py writes: JSON of `Ties`. */
const tiedKey = "hypertower.tied";

/** @throws GraphError where the file's metadata are no names by names */
export function statedTies(metadata: Readonly<Record<string, string>>): Ties {
  const text = metadata[tiedKey];
  if (text === undefined) return {};
  const damaged = () => new GraphError(`the file's metadata ${tiedKey} must be a JSON object of names by names, such as {"lm_head.weight": "wte.weight"}; export again with export_model.py`);
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw damaged();
  }
  if (typeof read !== "object" || read === null || Array.isArray(read) || !Object.values(read).every((name) => typeof name === "string")) throw damaged();
  return read as Ties;
}

const same = (a: GraphTensor, b: GraphTensor) => a.shape.length === b.shape.length && a.shape.every((n, axis) => n === b.shape[axis]) && a.data.every((value, i) => Object.is(value, b.data[i]));

function sameTransposed({ shape, data }: GraphTensor, other: GraphTensor): boolean {
  const [rows, columns] = shape as [number, number];
  if (shape.length !== 2 || other.shape.length !== 2 || other.shape[0] !== columns || other.shape[1] !== rows) return false;
  return data.every((value, i) => Object.is(value, other.data[(i % columns) * rows + Math.floor(i / columns)]));
}

function withNames(node: GraphNode, names: ReadonlyMap<string, string>): GraphNode {
  const renamed = (list: readonly string[]) => list.map((name) => names.get(name) ?? name);
  const attribute = (one: GraphAttribute): GraphAttribute =>
    one.kind !== "graph" ? one : { kind: "graph", value: { ...one.value, nodes: one.value.nodes.map((inner) => withNames(inner, names)), outputs: one.value.outputs.map((value) => ({ ...value, name: names.get(value.name) ?? value.name })) } };
  return { ...node, inputs: renamed(node.inputs), attributes: Object.fromEntries(Object.entries(node.attributes).map(([name, one]) => [name, attribute(one)])) };
}

/** Arrays that exporters name have no place in a state dict. */
const isExporters = (name: string) => /^(val_\d+|onnx::.*|restored#.*)$/.test(name);

interface Tied {
  readonly graph: ConvertedGraph;
  /** Names that the graph's arrays have besides their own. */
  readonly names: Ties;
}

/**
 * The graph with one array for each group of tied ones. `tensors` loses those that become another.
 * @throws GraphError where an array is missing, or two that are tied differ
 */
export function tiedGraph(graph: ConvertedGraph, tensors: Map<string, GraphTensor>, ties: Ties): Tied {
  const names = new Map<string, string>();
  const others: [string, string][] = [];
  const transposes: GraphNode[] = [];
  for (const alias of Object.keys(ties)) {
    const name = ownName(alias, ties);
    const [own, other] = [tensors.get(name), tensors.get(alias)];
    const problem = (what: string) => new GraphError(`"${alias}" cannot be tied to "${name}": ${what}`);
    if (!own && !other) throw problem(`the file has neither of them; its arrays are ${someOf(graph.initializers.map((one) => one.name))}`);
    if (!own && other) {
      tensors.set(name, other);
      tensors.delete(alias);
      names.set(alias, name);
    } else if (own && other) {
      if (!own.dtype.startsWith("float") || !other.dtype.startsWith("float")) throw problem(`their values are of the types ${other.dtype} and ${own.dtype}; only floats are trained`);
      if (same(own, other)) names.set(alias, name);
      else if (sameTransposed(own, other)) {
        const output = `tied#${transposes.length + 1}`;
        transposes.push({ name: output, module: "", operator: "Transpose", domain: "", inputs: [name], outputs: [output], attributes: { perm: { kind: "ints", value: [1, 0] } } });
        names.set(alias, output);
      } else if (own.data.length === other.data.length) throw problem(`their values differ (shapes [${other.shape.join(", ")}] and [${own.shape.join(", ")}]); one parameter has one value`);
      else throw problem(`their shapes are [${other.shape.join(", ")}] and [${own.shape.join(", ")}]; one parameter has one shape`);
      tensors.delete(alias);
    }
    if (!isExporters(alias)) others.push([alias, name]);
  }
  if (Object.keys(ties).length === 0) return { graph, names: {} };
  const seen = new Set<string>();
  const initializers = graph.initializers.flatMap((one): GraphInitializer[] => {
    const renamed = { ...one, name: names.get(one.name) ?? one.name };
    if (!tensors.has(renamed.name) || seen.has(renamed.name)) return [];
    seen.add(renamed.name);
    return [renamed];
  });
  return { graph: { ...graph, initializers, nodes: [...transposes, ...graph.nodes.map((node) => withNames(node, names))] }, names: Object.fromEntries(others) };
}

const someOf = (names: readonly string[]) => `${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}`;

/** Follows names that are tied to names which are tied themselves. */
function ownName(alias: string, ties: Ties): string {
  const seen = new Set([alias]);
  let name = ties[alias]!;
  while (Object.hasOwn(ties, name)) {
    if (seen.has(name)) throw new GraphError(`"${alias}" is tied to itself (${[...seen].join(", ")}); name another array that it is one with`);
    seen.add(name);
    name = ties[name]!;
  }
  if (seen.has(name)) throw new GraphError(`"${alias}" is tied to itself; name another array that it is one with`);
  return name;
}

/** Pairs of parameters with equal values that are not all the same: most likely one parameter under two names. */
export function alikeParameters(initializers: readonly GraphInitializer[], tensors: GraphTensors): [string, string][] {
  const groups = new Map<string, { readonly name: string; readonly tensor: GraphTensor }[]>();
  const pairs: [string, string][] = [];
  for (const { name, role } of initializers) {
    const tensor = tensors.get(name);
    if (role !== "parameter" || !tensor || tensor.data.length < 2 || tensor.data.every((value) => value === tensor.data[0])) continue;
    // A transposed matrix has the same first and last entry.
    const key = `${tensor.data.length}:${tensor.data[0]}:${tensor.data.at(-1)}`;
    const group = groups.get(key) ?? [];
    const found = group.find((one) => same(one.tensor, tensor) || sameTransposed(one.tensor, tensor));
    if (found) pairs.push([found.name, name]);
    else groups.set(key, [...group, { name, tensor }]);
  }
  return pairs;
}
