/** Inputs beside the examples that follow from their shape, such as attention masks of ones, become nodes of the graph. */
import { storedTypes, type Filling, type GraphDType, type GraphInitializer, type GraphNode, type GraphValue } from "../../shared/models/graph.ts";
import { GraphError } from "./errors.ts";
import type { GraphTensor } from "./tensors.ts";

export type Fillings = Readonly<Record<string, Filling>>;

/** What inputs of these names hold in exports of HuggingFace's models and of others, when nothing is padded. */
const known: readonly (readonly [RegExp, Filling])[] = [
  [/^(encoder_|decoder_)?attention_?mask$|^input_?mask$/i, "ones"],
  [/^(token_?type|segment)_?ids?$/i, "zeros"],
  // PyTorch's masks of padding are true where a position is left out.
  [/^(src_|tgt_)?key_?padding_?mask$/i, "zeros"],
  [/^(position_?ids?|positions?|cache_position)$/i, "positions"],
];

const usual = (name: string): Filling | undefined => known.find(([pattern]) => pattern.test(name.split(/[./]/).at(-1)!))?.[1];

export interface FilledInputs {
  /** The input that takes the examples. */
  readonly input: GraphValue;
  readonly filled: readonly { readonly name: string; readonly with: Filling }[];
  readonly nodes: readonly GraphNode[];
  readonly initializers: readonly GraphInitializer[];
}

const shapeText = ({ name, dtype, shape }: GraphValue) => `${name} (${dtype} [${shape.map((size) => (size === "" ? "any" : size)).join(", ")}])`;

/**
 * @param inputs those that the output depends on
 * @param given how to fill inputs, by name
 * @param tensors gets the constants of the new nodes
 * @throws GraphError naming the inputs that follow from no other
 */
export function filledInputs(inputs: readonly GraphValue[], given: Fillings, tensors: Map<string, GraphTensor>): FilledInputs {
  const stray = Object.keys(given).find((name) => !inputs.some((input) => input.name === name));
  if (stray !== undefined) throw new GraphError(`there is no input "${stray}" to fill; the output depends on ${inputs.map(({ name }) => name).join(", ")}`);
  const byName = (input: GraphValue) => given[input.name] ?? (inputs.length > 1 ? usual(input.name) : undefined);
  const open = inputs.filter((input) => byName(input) === undefined);
  const [input, ...others] = open;
  if (!input) throw new GraphError(`none of the inputs ${inputs.map(({ name }) => name).join(", ")} takes the examples: all of them are filled in; leave out one of them`);
  if (others.length > 0) {
    throw new GraphError(
      `the network has ${open.length} inputs that the data must give: ${open.map(shapeText).join(", ")}; 1 is allowed. Masks of ones, zeros and positions are filled in: say which with --fill NAME=ones, zeros or positions. ` +
        `Of several measurements or images, export a module whose forward takes one array and splits it; of initial states and caches, one that makes them itself`,
    );
  }
  const nodes: GraphNode[] = [];
  const initializers: GraphInitializer[] = [];
  const constant = (name: string, dtype: GraphDType, shape: number[], values: readonly number[]) => {
    tensors.set(name, { dtype, shape, data: Float64Array.from(values) });
    initializers.push({ name, dtype, shape, role: "constant" });
    return name;
  };
  const node = (operator: string, from: string[], output: string, attributes: GraphNode["attributes"] = {}) => {
    nodes.push({ name: output, module: "", operator, domain: "", inputs: from, outputs: [output], attributes });
    return output;
  };
  const filled = inputs.flatMap((one) => {
    const how = byName(one);
    if (how === undefined) return [];
    if (one.shape.length === 0) throw new GraphError(`the input ${one.name} has no axes or states no shape, so it cannot be filled in; export the network with an example of it that has the shape of ${input.name}`);
    const prefix = `filled#${one.name}`;
    const sizes = node("Shape", [input.name], `${prefix}.shape`);
    const parts = one.shape.map((size, axis) =>
      typeof size === "number" && (size !== input.shape[axis] || one.shape.length !== input.shape.length) ? constant(`${prefix}.size${axis}`, "int64", [1], [size]) : node("Gather", [sizes, constant(`${prefix}.axis${axis}`, "int64", [1], [sourceAxis(one, axis, input)])], `${prefix}.open${axis}`),
    );
    const shape = node("Concat", parts, `${prefix}.sizes`, { axis: { kind: "int", value: 0 } });
    if (how === "positions") {
      const steps = node("Cast", [node("Range", [constant(`${prefix}.first`, "int64", [], [0]), parts.at(-1)!, constant(`${prefix}.step`, "int64", [], [1])], `${prefix}.range`)], `${prefix}.steps`, { to: { kind: "int", value: storedTypes[one.dtype].kind === "float" ? 1 : 7 } });
      node("Expand", [steps, shape], one.name);
    } else node("Expand", [constant(`${prefix}.value`, one.dtype, [], [how === "ones" ? 1 : 0]), shape], one.name);
    return [{ name: one.name, with: how }];
  });
  return { input, filled, nodes, initializers };
}

/** The axis of the examples that an open size of another input is the size of. */
function sourceAxis(one: GraphValue, axis: number, input: GraphValue): number {
  const size = one.shape[axis]!;
  const named = size === "" ? -1 : input.shape.indexOf(size);
  if (named >= 0) return named;
  if (one.shape.length === input.shape.length) return axis;
  throw new GraphError(`the input ${shapeText(one)} cannot be filled in: its size ${size === "" ? "of axis " + axis : size} is none of ${shapeText(input)}; export it with the shape of ${input.name}`);
}
