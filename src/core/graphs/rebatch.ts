/**
 * Rebuilds a network that was exported for one batch size. The graph is built for that size and for one example more,
 * side by side. Where only the second fails, or the batch's axis is lost, a constant of the node holds the batch size: it is replaced by the
 * size of the input's axis.
 */
import type { GraphDescription, GraphDType, GraphInitializer, GraphNode } from "../../shared/models/graph.ts";
import { sizeOf, type Node, type Shape } from "../program/node.ts";
import { input } from "../program/operations/index.ts";
import { storedTypes } from "../../shared/models/graph.ts";
import type { Constants } from "./build.ts";
import { Context, type GraphPass } from "./context.ts";
import { graphOperators } from "./operators/index.ts";
import { placeholders } from "./placeholders.ts";
import type { GraphTensor } from "./tensors.ts";
import { computed, knownInts, rearranged, stridesOf, takeKnown, type ArrayValue, type Known, type Value } from "./values.ts";

/** Another value of a node's input for another batch. */
interface Change {
  readonly index: number;
  /** For the larger batch. */
  readonly value: Known;
  /** At the file's batch size: a vector or number whose entry is a multiple of it, or an array whose slices along an axis are all the same. */
  readonly kind: { readonly entry: number; readonly of: Known } | { readonly axis: number; readonly of: Known };
}

export interface Rebatched {
  readonly description: GraphDescription;
  /** Values of the new constants. */
  readonly tensors: ReadonlyMap<string, GraphTensor>;
}

const arraysOf = (value: Value | null | undefined): readonly ArrayValue[] => (!value ? [] : "items" in value ? value.items : [value]);
const isSame = (a: Known, b: Known) => sizeOf(a.shape) === sizeOf(b.shape) && a.shape.length === b.shape.length && a.data.every((value, i) => Object.is(value, b.data[i]));

/** The network for any batch size; null where it cannot be told what depends on the batch. @param shape of the input, with the file's batch */
export function rebatched(description: GraphDescription, constants: Constants, shape: Shape): Rebatched | null {
  // What parameters and constants make alone may hold the batch too, which shows only where it meets the examples.
  for (const eager of [false, true]) {
    try {
      const found = new Rebatcher(description, constants, shape, eager).rebuild();
      if (found) return found;
    } catch {
      // The next way may work; none is an answer as well.
    }
  }
  return null;
}

class Rebatcher {
  readonly #description: GraphDescription;
  readonly #constants: Constants;
  readonly #batch: number;
  readonly #larger: number;
  readonly #pass: GraphPass;
  /** Values for the file's batch, and for one example more. */
  readonly #values: Map<string, Value>;
  readonly #wide: Map<string, Value>;
  readonly #nodes: GraphNode[] = [];
  readonly #tensors = new Map<string, GraphTensor>();
  readonly #initializers: GraphInitializer[] = [];
  readonly #eager: boolean;
  /** Entries in front of the batch within the axis that holds it, by value; 1 where it is not here. */
  readonly #inner = new Map<string, number>();
  #made = 0;

  constructor(description: GraphDescription, constants: Constants, shape: Shape, eager: boolean) {
    this.#eager = eager;
    const { batchAxis, name } = description.input;
    this.#description = description;
    this.#constants = constants;
    this.#batch = shape[batchAxis]!;
    this.#larger = this.#batch + 1;
    this.#pass = { opset: description.opset, producer: description.producer.name, training: true, dropout: (_, x) => x, setStatistics: () => undefined, inner: refuse };
    const isFloat = storedTypes[description.inputs.find((one) => one.name === name)!.dtype].kind === "float";
    const shared: [string, Value][] = [...placeholders(description, "parameter"), ...placeholders(description, "statistics")].map(([own, node]) => [own, computed(node)]);
    const given = (batch: number): Node => input("x", shape.map((size, axis) => (axis === batchAxis ? batch : size)), isFloat ? "float" : "int32");
    this.#values = new Map<string, Value>([...shared, [name, computed(given(this.#batch))]]);
    this.#wide = new Map<string, Value>([...shared, [name, computed(given(this.#larger))]]);
  }

  rebuild(): Rebatched | null {
    const { inputs, outputs, input: examples, initializers, output } = this.#description;
    for (const node of this.#description.nodes) this.#take(node);
    if (!this.#isScaled(this.#values.get(output.name), this.#wide.get(output.name))) return null;
    const open = (shape: GraphDescription["inputs"][number]["shape"]) => shape.map((size, axis) => (axis === examples.batchAxis && size === this.#batch ? "batch" : size));
    return {
      description: {
        ...this.#description,
        inputs: inputs.map((one) => (one.name === examples.name ? { ...one, shape: open(one.shape) } : one)),
        outputs: outputs.map((one) => ({ ...one, shape: open(one.shape) })),
        initializers: [...initializers, ...this.#initializers],
        nodes: this.#nodes,
        input: { ...examples, batch: null, ...(this.#made > 0 ? { rebuilt: this.#batch } : {}) },
      },
      tensors: this.#tensors,
    };
  }

  #take(node: GraphNode): void {
    if (Object.values(node.attributes).some(({ kind }) => kind === "graph")) refuse();
    const of = (values: ReadonlyMap<string, Value>) => node.inputs.map((name) => (name === "" ? null : (values.get(name) ?? this.#constants.get(name) ?? refuse())));
    const [given, wide] = [of(this.#values), of(this.#wide)];
    const outputs = this.#run(node, given);
    for (const changes of this.#ways(node, given, wide, outputs)) {
      const changed = wide.map((value, index) => changes.find((change) => change.index === index)?.value ?? value);
      let results: readonly Value[];
      try {
        results = this.#run(node, changed);
      } catch {
        continue;
      }
      const read = node.operator === "CastLike" ? given.slice(0, 1) : given;
      const depends = read.some((value, i) => arraysOf(value).some((one, k) => sizeOf(one.shape) !== sizeOf(arraysOf(changed[i])[k]?.shape ?? [])));
      if (depends && !this.#isScaled(outputs[0], results[0])) continue;
      const inputs = [...node.inputs];
      for (const change of changes) inputs[change.index] = this.#written(change);
      this.#nodes.push({ ...node, inputs });
      this.#follow(node, given, changed, outputs[0], results[0]);
      node.outputs.forEach((name, i) => {
        if (name === "" || !outputs[i] || !results[i]) return;
        this.#values.set(name, outputs[i]);
        this.#wide.set(name, results[i]);
      });
      return;
    }
    refuse();
  }

  /** Notes how much is in front of the batch within its axis of a node's output. */
  #follow(node: GraphNode, given: readonly (Value | null)[], wide: readonly (Value | null)[], output: Value | undefined, result: Value | undefined): void {
    const [out, larger] = [arraysOf(output)[0], arraysOf(result)[0]];
    const to = out && larger ? this.#axisOf(out.shape, larger.shape) : null;
    if (!out || to === null) return;
    const isReshape = node.operator === "Reshape" || node.operator === "Flatten";
    for (const [i, value] of given.entries()) {
      const [x, wider] = [arraysOf(value)[0], arraysOf(wide[i])[0]];
      const from = x && wider ? this.#axisOf(x.shape, wider.shape) : null;
      if (!x || from === null) continue;
      const inner = this.#inner.get(node.inputs[i]!) ?? 1;
      const own = isReshape ? (sizeOf(x.shape.slice(0, from)) * inner) / sizeOf(out.shape.slice(0, to)) : x.shape[from] === out.shape[to] ? inner : 1;
      if (own !== 1) for (const name of node.outputs) this.#inner.set(name, own);
      if (own !== 1 || isReshape) return;
    }
  }

  #run(node: GraphNode, inputs: readonly (Value | null)[]): readonly Value[] {
    const operator = graphOperators[node.operator];
    return operator ? operator(new Context(node, inputs, this.#pass, this.#constants)) : refuse();
  }

  /** Whether all arrays have one axis that grew with the batch, or are constants. */
  #isScaled(value: Value | undefined, wide: Value | undefined): boolean {
    const [before, after] = [arraysOf(value), arraysOf(wide)];
    return before.length === after.length && before.every((one, i) => (one.known && after[i]!.known) || this.#axisOf(one.shape, after[i]!.shape) !== null);
  }

  /** The one axis that grew with the batch. */
  #axisOf(shape: Shape, wide: Shape): number | null {
    const grown = shape.flatMap((size, axis) => (size === wide[axis] ? [] : [axis]));
    const [axis] = grown;
    return shape.length === wide.length && grown.length === 1 && shape[axis!]! * this.#larger === wide[axis!]! * this.#batch ? axis! : null;
  }

  /** Changes of a node's constants in the order in which they are tried. */
  #ways(node: GraphNode, given: readonly (Value | null)[], wide: readonly (Value | null)[], outputs: readonly Value[]): readonly (readonly Change[])[] {
    const baked = given.flatMap((value, index) => {
      const other = wide[index];
      return value && other && !("items" in value) && !("items" in other) && value.known && other.known && isSame(value, other) ? [{ index, value }] : [];
    });
    const sizes = baked.find(({ index }) => index === 1)?.value;
    const [x, wider] = [arraysOf(given[0])[0], arraysOf(wide[0])[0]];
    if (node.operator === "Reshape" && sizes && x && wider && sizeOf(x.shape) !== sizeOf(wider.shape)) return [this.#reshape(x.shape, wider.shape, arraysOf(outputs[0])[0]!.shape, this.#inner.get(node.inputs[0]!) ?? 1)];
    const entries = baked.flatMap(({ index, value }) => (value.kind === "int" && value.shape.length < 2 ? [...value.data].flatMap((n, entry) => (n > 0 && n % this.#batch === 0 ? [this.#entry(index, value, entry)] : [])) : []));
    const axes = baked.flatMap(({ index, value }) => this.#uniform(value).slice(0, 1).map((axis): Change => ({ index, value: this.#widened(value, axis), kind: { axis, of: value } })));
    const ways = [[], ...axes.map((change) => [change]), ...entries.map((change) => [change]), ...(axes.length > 1 ? [axes] : [])];
    const isOfParameters = !arraysOf(outputs[0]).every((one) => one.known) && given.every((value, i) => arraysOf(value).every((one, k) => sizeOf(one.shape) === sizeOf(arraysOf(wide[i])[k]!.shape)));
    if (this.#eager && isOfParameters && axes.length > 0) return [...axes.map((change) => [change]), ...ways];
    // A parameter for every example, such as a class token: the batch is in front.
    if (node.operator !== "Expand" || !x || x.known || !sizes || sizes.data[0] !== this.#batch || (x.shape.length === sizes.data.length && x.shape[0] !== 1)) return ways;
    return [[this.#entry(1, sizes, 0)], ...ways];
  }

  #entry(index: number, of: Known, entry: number): Change {
    return { index, value: { ...of, data: of.data.map((n, i) => (i === entry ? (n / this.#batch) * this.#larger : n)) }, kind: { entry, of } };
  }

  /** The sizes of a reshape: the batch is where as many entries are in front of it as before. */
  #reshape(shape: Shape, wide: Shape, output: Shape, inner: number): readonly Change[] {
    const axis = this.#axisOf(shape, wide) ?? refuse();
    const before = sizeOf(shape.slice(0, axis)) * inner;
    const covers = (at: number) => sizeOf(output.slice(0, at)) <= before && sizeOf(output.slice(0, at + 1)) > before && output[at]! % this.#batch === 0;
    const found = output.findIndex((_, at) => covers(at));
    if (found < 0) refuse();
    return [this.#entry(1, knownInts(output), found)];
  }

  /** Axes of the batch's size along which all slices are the same. */
  #uniform(value: Known): number[] {
    const strides = stridesOf(value.shape);
    return value.shape.flatMap((size, axis) => {
      if (size !== this.#batch || size === 1) return [];
      const stride = strides[axis]!;
      const isSameAlong = value.data.every((one, i) => Object.is(one, value.data[i - (Math.floor(i / stride) % size) * stride]));
      return isSameAlong ? [axis] : [];
    });
  }

  #widened(value: Known, axis: number): Known {
    const strides = stridesOf(value.shape);
    return rearranged(value, value.shape.map((size, a) => (a === axis ? this.#larger : size)), (index) => index.reduce((sum, i, a) => sum + (a === axis ? 0 : i * strides[a]!), 0));
  }

  /** Adds the nodes that make a changed value from the size of the input's axis. Returns its name. */
  #written({ kind }: Change): string {
    if ("entry" in kind) {
      const entries = [...kind.of.data];
      const size = this.#size(entries[kind.entry]! / this.#batch);
      if (kind.of.shape.length === 0) return this.#node("Squeeze", [size]);
      return this.#sizes(entries, kind.entry, size);
    }
    const slice = this.#constant(takeKnown(kind.of, kind.axis, [0]));
    return this.#node("Expand", [slice, this.#sizes(kind.of.shape, kind.axis, this.#size(1))]);
  }

  #sizes(entries: readonly number[], at: number, size: string): string {
    const [before, after] = [entries.slice(0, at), entries.slice(at + 1)];
    const parts = [...(before.length > 0 ? [this.#constant(knownInts(before))] : []), size, ...(after.length > 0 ? [this.#constant(knownInts(after))] : [])];
    return this.#node("Concat", parts, { axis: { kind: "int", value: 0 } });
  }

  /** A vector of one entry: a multiple of the batch size. */
  #size(factor: number): string {
    const { name, batchAxis } = this.#description.input;
    const size = this.#node("Gather", [this.#node("Shape", [name]), this.#constant(knownInts([batchAxis]))]);
    return factor === 1 ? size : this.#node("Mul", [size, this.#constant(knownInts([factor]))]);
  }

  #node(operator: string, inputs: string[], attributes: GraphNode["attributes"] = {}): string {
    const name = `batch#${++this.#made}`;
    this.#nodes.push({ name, module: "", operator, domain: "", inputs, outputs: [name], attributes });
    return name;
  }

  #constant({ kind, shape, data }: Known): string {
    const name = `batch#${++this.#made}`;
    const dtype: GraphDType = kind === "float" ? "float64" : kind === "int" ? "int64" : "bool";
    this.#tensors.set(name, { dtype, shape, data });
    this.#initializers.push({ name, dtype, shape: [...shape], role: "constant" });
    return name;
  }
}

function refuse(): never {
  throw new Error("the batch cannot be traced");
}
