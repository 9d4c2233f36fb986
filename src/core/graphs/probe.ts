/** Builds a graph once without values: which shapes it takes, and what it drops. */
import { storedTypes, type GraphDescription } from "../../shared/models/graph.ts";
import type { Node, Shape } from "../program/node.ts";
import { input, state } from "../program/operations/index.ts";
import { buildGraph, constantsOf, type Constants } from "./build.ts";
import { GraphError } from "./errors.ts";
import type { GraphTensors } from "./tensors.ts";

/** Nodes in place of the parameters or statistics. */
export function placeholders(description: GraphDescription, role: "parameter" | "statistics"): Map<string, Node> {
  return new Map(description.initializers.filter((one) => one.role === role).map(({ name, shape }) => [name, state(name, shape)]));
}

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

/** Whether any batch size works, and the output's shape for a batch. @throws GraphError where nothing works */
export function probe(description: GraphDescription, tensors: GraphTensors): { batch: number | null; output: Shape } {
  const constants = constantsOf(description, tensors);
  const { batchAxis, name } = description.input;
  const { shape } = description.inputs.find((one) => one.name === name)!;
  const stated = shape[batchAxis]!;
  const sizes = shape.some((size, axis) => typeof size === "string" && axis !== batchAxis) ? openSizes : [1];
  const first = typeof stated === "number" ? stated : 2;
  let failure: unknown;
  for (const open of sizes) {
    try {
      const { output } = tryShape(description, constants, inputShape(description, first, open));
      if (typeof stated === "string") return { batch: null, output };
      return { batch: worksFor(description, constants, inputShape(description, first + 1, open), output) ? null : stated, output };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure instanceof Error ? failure : new GraphError("the network cannot be built");
}

/** Whether the network takes one example more, and returns results for one more. */
function worksFor(description: GraphDescription, constants: Constants, shape: Shape, output: Shape): boolean {
  try {
    const larger = tryShape(description, constants, shape).output;
    const size = (of: Shape) => of.reduce((product, n) => product * n, 1);
    const batch = shape[description.input.batchAxis]!;
    return size(larger) * (batch - 1) === size(output) * batch;
  } catch {
    return false;
  }
}
