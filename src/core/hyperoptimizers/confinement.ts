/** How far a hyperparameter may move: by how much in one step, and within which bounds. */
import type { HyperparameterSpec, Parameterisation } from "../../shared/optimizers.ts";
import type { Bounds, LevelOptions } from "../../shared/levelOptions.ts";
import type { Node } from "../program/node.ts";
import { add, constant, greater, maximum, minimum, mul, neg, select, sub } from "../program/operations/index.ts";
import { toStored } from "./stored.ts";

/** What is confined: one hyperparameter as it is stored. */
export interface Confined {
  readonly spec: HyperparameterSpec;
  readonly storedAs: Parameterisation;
}

/** Least size a share is taken of, so that what is 0 can leave it. */
const leastSize = 1e-8;

/**
 * Cuts a move to a share of the value's size: from x to at most x (1 + share), and to at least
 * x / (1 + share), so that as many steps up and down lead back. What has no size of its own (a
 * momentum, a coefficient, a logarithm) moves by at most `share` as stored.
 * Where it cuts, the result no longer depends on what moved it: its derivative is 0.
 */
export function limitedChange(moved: Node, held: Node, { spec: { scale }, storedAs }: Confined, share: number | null): Node {
  if (share === null) return moved;
  const within = (shrink: Node, grow: Node) => add(held, maximum(minimum(sub(moved, held), grow), neg(shrink)));
  if (storedAs === "log") return within(constant(Math.log1p(share)), constant(Math.log1p(share)));
  if (storedAs === "tanh" || scale === "linear") return within(constant(share), constant(share));
  // A square root grows by the root of the factor.
  const [factor, least] = storedAs === "squared" ? [Math.sqrt(1 + share), Math.sqrt(leastSize)] : [1 + share, leastSize];
  const size = maximum(maximum(held, neg(held)), constant(least));
  const [away, back] = [mul(constant(factor - 1), size), mul(constant(1 - 1 / factor), size)];
  const positive = greater(held, constant(0));
  return within(select(positive, back, away), select(positive, away, back));
}

/**
 * A stored value within bounds in effective form. Clamped: projected onto the nearer one, where
 * its derivative is 0. Reflected: as far inside as it went outside, where its derivative is -1;
 * what would come out on the other side is projected there.
 * The derivative of the loss with respect to the result is another matter, and is never cut:
 * a value at its bound has its hypergradient and leaves again when that turns.
 */
export function bounded(moved: Node, { spec, storedAs }: Confined, { bounds, atBounds }: Pick<LevelOptions, "bounds" | "atBounds">): Node {
  const within = bounds[spec.name];
  if (!within) return moved;
  const [min, max] = storedBounds(within, storedAs);
  const inside = atBounds === "reflect" ? reflected(moved, min, max) : moved;
  const atMost = max === null ? inside : minimum(inside, constant(max));
  return min === null ? atMost : maximum(atMost, constant(min));
}

function reflected(x: Node, min: number | null, max: number | null): Node {
  const fromMax = max === null ? x : select(greater(x, constant(max)), sub(constant(2 * max), x), x);
  return min === null ? fromMax : select(greater(constant(min), x), sub(constant(2 * min), x), fromMax);
}

/** A square has two roots: without a lower bound, the stored value may go through 0 to the other. */
function storedBounds([min, max]: Bounds, storedAs: Parameterisation): Bounds {
  const stored = (value: number | null) => (value === null ? null : toStored(value, storedAs));
  return storedAs === "squared" && min === null && max !== null ? [-toStored(max, storedAs), stored(max)] : [stored(min), stored(max)];
}
