/** Examples of a dataset in the form that a network takes, and its output in the tasks' form. */
import { storedTypes, type GraphDescription } from "../../shared/models/graph.ts";
import type { Activations } from "../models/activations.ts";
import { sizeOf, type Node } from "../program/node.ts";
import { cast, reshape, transpose } from "../program/operations/index.ts";
import { GraphError } from "./errors.ts";

const swapped = (x: Node): Node => transpose(x, [1, 0, ...x.shape.map((_, axis) => axis).slice(2)]);

const fits = (sizes: readonly (number | string)[], shape: readonly number[]) => sizes.length === shape.length && sizes.every((size, axis) => typeof size === "string" || size === shape[axis]);

/** @param x `[batch, ...example]`. @throws GraphError where the examples do not fit the network's input */
export function fittedInput(description: GraphDescription, x: Node): Node {
  const { batchAxis, name, batch } = description.input;
  const { shape, dtype } = description.inputs.find((one) => one.name === name)!;
  const sizes = shape.filter((_, axis) => axis !== batchAxis);
  const [examples, ...example] = x.shape as [number, ...number[]];
  if (batch !== null && batch !== examples) {
    throw new GraphError(`the network takes batches of ${batch} examples only, and a batch has ${examples}; set the batch size to ${batch}, or export with a dynamic batch axis`);
  }
  const typed = storedTypes[dtype].kind === "float" ? cast(x, "float") : cast(x, "int32");
  let fitted: Node;
  if (fits(sizes, example)) fitted = typed;
  else if (example.length === 3 && fits(sizes, [example[1]!, example[2]!, example[0]!])) fitted = transpose(typed, [0, 2, 3, 1]);
  else if (sizes.every((size) => typeof size === "number") && sizeOf(sizes as number[]) === sizeOf(example)) fitted = reshape(typed, [examples, ...(sizes as number[])]);
  else throw new GraphError(`an example has the shape [${example.join(", ")}], and the network takes [${sizes.map((size) => (size === "" ? "any" : size)).join(", ")}]; choose data of that shape, or export the network for this data`);
  return batchAxis === 1 ? swapped(fitted) : fitted;
}

/** The output as `[batch, ...]`, of one row for each position where it was flattened. */
export function fittedOutput(description: GraphDescription, y: Node, { batch, shape: example }: Activations): Activations {
  const stated = description.outputs.find(({ name }) => name === description.output.name)?.shape ?? [];
  const { batchAxis, name } = description.input;
  const symbol = description.inputs.find((one) => one.name === name)!.shape[batchAxis];
  const isSwapped = batchAxis === 1 && y.shape.length >= 2 && y.shape[1] === batch && (stated[1] === symbol || y.shape[0] !== batch);
  const first = isSwapped ? swapped(y) : y;
  const activations = (node: Node): Activations => ({ node, batch, shape: node.shape.slice(1), layout: "rows" });
  if (description.output.meaning === "nextSymbols") {
    const symbols = first.shape.at(-1)!;
    return activations(reshape(first, [batch, example[0] ?? 1, symbols]));
  }
  if (first.shape[0] !== batch) throw new GraphError(`the output "${description.output.name}" has the shape [${first.shape.join(", ")}] for a batch of ${batch}; its first axis must be the batch`);
  const size = sizeOf(first.shape) / batch;
  return activations(first.shape.at(-1) === size || first.shape.length < 2 ? reshape(first, [batch, size]) : first);
}
