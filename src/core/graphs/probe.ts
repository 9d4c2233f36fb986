/** Builds a graph once without values: which shapes it takes, and what it drops. */
import { storedTypes, type GraphDescription } from "../../shared/models/graph.ts";
import { sizeOf, type Shape } from "../program/node.ts";
import { input } from "../program/operations/index.ts";
import { buildGraph, constantsOf, type Constants } from "./build.ts";
import { GraphError } from "./errors.ts";
import { placeholders } from "./placeholders.ts";
import { rebatched } from "./rebatch.ts";
import type { GraphTensor, GraphTensors } from "./tensors.ts";

export interface Dropped {
  readonly node: string;
  readonly p: number;
  readonly size: number;
}

export interface Trial {
  readonly output: Shape;
  readonly dropped: readonly Dropped[];
}

/** Builds the graph for an input of a shape. @throws GraphError */
export function tryShape(description: GraphDescription, constants: Constants, shape: Shape): Trial {
  const { dtype } = description.inputs.find(({ name }) => name === description.input.name)!;
  const dropped: Dropped[] = [];
  const built = buildGraph(description, constants, input("x", shape, storedTypes[dtype].kind === "float" ? "float" : "int32"), {
    training: true,
    parameters: placeholders(description, "parameter"),
    statistics: placeholders(description, "statistics"),
    dropout(node, x, p) {
      if (p > 0) dropped.push({ node: node.outputs[0] ?? node.name, p, size: x.shape.reduce((product, n) => product * n, 1) });
      return x;
    },
  });
  return { output: built.output.shape, dropped };
}

/** Sizes that open axes are tried with: a small one suits tables of positions, larger ones suit images. */
const openSizes = [8, 32, 64, 224, 2, 1];

/** The input's shape for a batch; open axes have the size given. */
export function inputShape(description: GraphDescription, batch: number, open: number): number[] {
  const { batchAxis, name } = description.input;
  const { shape } = description.inputs.find((one) => one.name === name)!;
  return shape.map((size, axis) => (axis === batchAxis ? batch : typeof size === "string" ? open : size));
}

export interface Probed {
  /** The network, rebuilt for any batch size where the file is fixed to one and that can be undone. */
  readonly description: GraphDescription;
  readonly tensors: GraphTensors;
  /** Shape for a batch. */
  readonly output: Shape;
}

/** Finds out which batch sizes work. @throws GraphError where nothing works */
export function probe(description: GraphDescription, tensors: GraphTensors): Probed {
  const { batch, output, shape } = probed(description, tensors);
  const fixed = { description: { ...description, input: { ...description.input, batch } }, tensors, output };
  const { shape: stated } = description.inputs.find(({ name }) => name === description.input.name)!;
  if (typeof stated[description.input.batchAxis] === "string") return fixed;
  const rebuilt = rebatched(description, constantsOf(description, tensors), shape);
  if (!rebuilt) return fixed;
  const whole = new Map<string, GraphTensor>([...tensors, ...rebuilt.tensors]);
  const constants = constantsOf(rebuilt.description, whole);
  const own = shape[description.input.batchAxis]!;
  const isRight = [1, own, 2 * own + 3].every((size) => {
    const one = shape.map((n, axis) => (axis === description.input.batchAxis ? size : n));
    return scales(rebuilt.description, constants, one, output, own);
  });
  return isRight ? { description: rebuilt.description, tensors: whole, output } : fixed;
}

function probed(description: GraphDescription, tensors: GraphTensors): { batch: number | null; output: Shape; shape: Shape } {
  const constants = constantsOf(description, tensors);
  const { batchAxis, name } = description.input;
  const { shape } = description.inputs.find((one) => one.name === name)!;
  const stated = shape[batchAxis]!;
  const sizes = shape.some((size, axis) => typeof size === "string" && axis !== batchAxis) ? openSizes : [1];
  const first = typeof stated === "number" ? stated : 2;
  let failure: unknown;
  for (const open of sizes) {
    try {
      const own = inputShape(description, first, open);
      const { output } = tryShape(description, constants, own);
      if (typeof stated === "string") return { batch: null, output, shape: own };
      return { batch: scales(description, constants, inputShape(description, first + 1, open), output, first) ? null : stated, output, shape: own };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure instanceof Error ? failure : new GraphError("the network cannot be built");
}

/** Whether the network takes a batch of another size, and returns as much more or less. @param output for the batch of `first` examples */
function scales(description: GraphDescription, constants: Constants, shape: Shape, output: Shape, first: number): boolean {
  try {
    const other = tryShape(description, constants, shape).output;
    return sizeOf(other) * first === sizeOf(output) * shape[description.input.batchAxis]!;
  } catch {
    return false;
  }
}
