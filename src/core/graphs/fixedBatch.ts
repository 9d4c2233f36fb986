/** Batches of any size for a network that takes one size only: filled up with their own examples, or divided. */
import type { Activations } from "../models/activations.ts";
import type { Forward } from "../models/model.ts";
import { rows } from "../models/activations.ts";
import type { Node } from "../program/node.ts";
import { concat, slice } from "../program/operations/index.ts";
import { GraphError } from "./errors.ts";

/** Copies of the network in one program; larger batches would make a program that takes minutes to build. */
const maxParts = 128;

/** The rows from `start` on, as many as `count`; behind the last, the first follow again. */
export function cyclicRows(x: Node, start: number, count: number): Node {
  const size = x.shape[0]!;
  const parts: Node[] = [];
  for (let at = start, open = count; open > 0; at = 0) {
    const taken = Math.min(open, size - at);
    parts.push(taken === size && at === 0 ? x : slice(x, 0, at, at + taken));
    open -= taken;
  }
  return parts.length === 1 ? parts[0]! : concat(parts, 0);
}

/**
 * Runs a forward pass of exactly `fixed` examples over a batch of any size. Rows that only fill a batch up have no part in the result.
 * @param forward takes the examples and the number of the first
 * @throws GraphError where the batch is too large
 */
export function inPieces(x: Activations, fixed: number, forward: (part: Activations, start: number) => Forward): Forward {
  const { batch } = x;
  if (batch === fixed) return forward(x, 0);
  if (batch > fixed * maxParts) throw new GraphError(`the network takes batches of exactly ${fixed} examples, and ${batch} are too many at once; at most ${fixed * maxParts} are allowed`);
  const whole = rows(x);
  const results: Forward[] = [];
  for (let start = 0; start < batch; start += fixed) results.push(forward({ node: cyclicRows(whole, start, fixed), batch: fixed, shape: whole.shape.slice(1), layout: "rows" }, start));
  const outputs = results.map(({ output }, i) => {
    const own = Math.min(fixed, batch - i * fixed);
    return own === fixed ? rows(output) : slice(rows(output), 0, 0, own);
  });
  const [first] = outputs as [Node];
  const node = outputs.length === 1 ? first : concat(outputs, 0);
  return { output: { node, batch, shape: node.shape.slice(1), layout: "rows" }, buffers: results.at(-1)!.buffers };
}
