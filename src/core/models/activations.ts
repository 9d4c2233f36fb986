/** Activations of a batch, in the axis order that suits the layer that made them. */
import { sizeOf, type Node, type Shape } from "../program/node.ts";
import { reshape, slice, transpose } from "../program/operations/index.ts";

export interface Activations {
  readonly node: Node;
  readonly batch: number;
  /** Shape of one example. */
  readonly shape: Shape;
  /**
   * - `rows`: `[batch, ...shape]`
   * - `steps`: `[steps * batch, width]`, sequences, step by step
   * - `columns`: `[steps * width, batch]`, sequences, each step transposed
   * - `tokens`: int32 `[steps, batch]`
   */
  readonly layout: "rows" | "steps" | "columns" | "tokens";
}

/** A batch of examples: `[batch, ...shape]`. */
export function batchOf(node: Node): Activations {
  const [batch, ...shape] = node.shape;
  return { node, batch: batch!, shape, layout: "rows" };
}

/** A batch of token sequences: int32 `[batch, steps]`. */
export function tokensOf(node: Node): Activations {
  const [batch, steps] = node.shape as [number, number];
  return { node: transpose(node), batch, shape: [steps], layout: "tokens" };
}

/** The node as `[batch, ...shape]`. */
export function rows({ node, batch, shape, layout }: Activations): Node {
  switch (layout) {
    case "rows":
      return node;
    case "steps":
      return transpose(reshape(node, [shape[0]!, batch, ...shape.slice(1)]), [1, 0, 2]);
    case "columns":
      return transpose(reshape(node, [...shape, batch]), [2, 0, 1]);
    case "tokens":
      return transpose(node);
  }
}

/** Sequences as `[steps * batch, width]`. */
export function steps(x: Activations): Node {
  if (x.layout === "steps") return x.node;
  const byStep = x.layout === "columns" ? transpose(reshape(x.node, [...x.shape, x.batch]), [0, 2, 1]) : transpose(rows(x), [1, 0, 2]);
  return reshape(byStep, [x.shape[0]! * x.batch, x.shape[1]!]);
}

/** Sequences as `[steps * width, batch]`. */
function columns(x: Activations): Node {
  if (x.layout === "columns") return x.node;
  const [count, width] = x.shape as [number, number];
  const byStep = x.layout === "steps" ? transpose(reshape(x.node, [count, x.batch, width]), [0, 2, 1]) : transpose(rows(x), [1, 2, 0]);
  return reshape(byStep, [count * width, x.batch]);
}

/** The steps of a sequence, `[width, batch]` each. */
export function eachStep(x: Activations): Node[] {
  const [count, width] = x.shape as [number, number];
  const all = columns(x);
  return Array.from({ length: count }, (_, step) => slice(all, 0, step * width, (step + 1) * width));
}

/** For embedded sequences: the table, and the tokens `[steps, batch]`; null otherwise. */
export function lookedUp({ node }: Activations): { readonly table: Node; readonly symbols: Node } | null {
  const [rowsOfSymbols] = node.inputs;
  if (node.op !== "reshape" || rowsOfSymbols?.op !== "gather") return null;
  const [table, symbols] = rowsOfSymbols.inputs as readonly [Node, Node];
  return { table, symbols };
}

/** The same examples, flattened to vectors. */
export function vectors(x: Activations): Activations {
  if (x.shape.length === 1) return x;
  const shape = [sizeOf(x.shape)];
  return { node: reshape(rows(x), [x.batch, ...shape]), batch: x.batch, shape, layout: "rows" };
}
