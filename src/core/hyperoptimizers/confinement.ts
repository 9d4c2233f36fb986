/** Limits on a hyperparameter: the largest change per step, and its bounds. */
import type { HyperparameterSpec, Parameterisation } from "../../shared/optimizers.ts";
import type { Bounds, LevelOptions } from "../../shared/levelOptions.ts";
import type { Node } from "../program/node.ts";
import { add, constant, greater, maximum, minimum, mul, neg, select, sub } from "../program/operations/index.ts";
import { toStored } from "./stored.ts";

/** The limited hyperparameter, as stored. */
export interface Confined {
  readonly spec: HyperparameterSpec;
  readonly storedAs: Parameterisation;
}

/** Smallest size of which a share is taken, so that 0 is not a trap. */
const minSize = 1e-8;

/**
 * Limits a change to a share of the value: from x to at most x (1 + share) and at least
 * x / (1 + share), so that equal numbers of steps up and down cancel. A value without a scale of
 * its own (momentum, coefficient, logarithm) changes by at most `share` as stored.
 * A limited result is constant: its derivative is 0.
 */
export function limitedChange(moved: Node, held: Node, { spec: { scale }, storedAs }: Confined, share: number | null): Node {
  if (share === null) return moved;
  const within = (shrink: Node, grow: Node) => add(held, maximum(minimum(sub(moved, held), grow), neg(shrink)));
  if (storedAs === "log") return within(constant(Math.log1p(share)), constant(Math.log1p(share)));
  if (storedAs === "tanh" || scale === "linear") return within(constant(share), constant(share));
  // As stored, the factor is its root.
  const [factor, least] = storedAs === "squared" ? [Math.sqrt(1 + share), Math.sqrt(minSize)] : [1 + share, minSize];
  const size = maximum(maximum(held, neg(held)), constant(least));
  const [away, back] = [mul(constant(factor - 1), size), mul(constant(1 - 1 / factor), size)];
  const positive = greater(held, constant(0));
  return within(select(positive, back, away), select(positive, away, back));
}

/**
 * Keeps a stored value within bounds given in effective form. Clamped: projected onto the
 * nearer bound, derivative 0. Reflected: mirrored at the bound, derivative -1; a mirror image
 * beyond the other bound is projected onto it.
 * The derivative of the loss with respect to the result is never cut: a value at its bound has a
 * hypergradient and leaves the bound when its sign changes.
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

/** A square has two roots: without a lower bound the stored value may change sign. */
function storedBounds([min, max]: Bounds, storedAs: Parameterisation): Bounds {
  const stored = (value: number | null) => (value === null ? null : toStored(value, storedAs));
  return storedAs === "squared" && min === null && max !== null ? [-toStored(max, storedAs), stored(max)] : [stored(min), stored(max)];
}
