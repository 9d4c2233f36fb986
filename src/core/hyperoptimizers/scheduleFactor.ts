/** Factor of a schedule as nodes of the step's number: scalars without state, and no gradient passes through them. */
import type { Segment } from "../../shared/schedules/segments.ts";
import type { Node } from "../program/node.ts";
import { add, constant, greater, maximum, mul, pow, select, sub } from "../program/operations/index.ts";

/** Taylor series of sin, whose error is below 1e-17 from 0 to pi / 2: no engine needs a cosine of its own. */
function sine(x: Node): Node {
  const square = mul(x, x);
  const terms = 12;
  let sum = constant(1);
  // sin x = x (1 - x^2 / (2 3) (1 - x^2 / (4 5) (1 - ...))).
  for (let n = terms; n >= 1; n--) sum = sub(constant(1), mul(mul(square, constant(1 / (2 * n * (2 * n + 1)))), sum));
  return mul(x, sum);
}

/** Share of a segment's difference that remains, by the share of its steps that remain. */
function remaining(shape: Segment["shape"], share: Node): Node {
  if (shape === "cosine") {
    const half = sine(mul(constant(Math.PI / 2), share));
    return mul(half, half);
  }
  return shape.power === 1 ? share : pow(share, constant(shape.power));
}

function segmentFactor({ begin, end, from, to, shape }: Segment, step: Node): Node {
  if (from === to) return constant(to);
  const share = maximum(mul(sub(constant(end), step), constant(1 / (end - begin))), constant(0));
  return add(constant(to), mul(constant(from - to), remaining(shape, share)));
}

/**
 * @param segments in order; at least one
 * @param step number of the update, from 0; a scalar
 */
export function scheduleFactor(segments: readonly Segment[], step: Node): Node {
  const [last, ...earlier] = segments.map((segment) => ({ segment, factor: segmentFactor(segment, step) })).reverse();
  if (!last) return constant(1);
  return earlier.reduce((later, { segment, factor }) => select(greater(constant(segment.end), step), factor, later), last.factor);
}
