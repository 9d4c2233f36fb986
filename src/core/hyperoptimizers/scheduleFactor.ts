/** Factor of a schedule as nodes of the step's number: scalars without state, and no gradient passes through them. */
import { movingParts } from "../../shared/groups.ts";
import { factorAt, type Segment } from "../../shared/schedules/segments.ts";
import { inForceMetric } from "../../shared/tower.ts";
import type { Node } from "../program/node.ts";
import type { TowerLevel } from "./tower.ts";
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

/** A hyperparameter of level 0 that follows a schedule. */
export interface ScheduledHyperparameter {
  readonly group: string | null;
  readonly hyperparameter: string;
  /** Metric of its value in force: `L0.alpha.inForce`. */
  readonly name: string;
  /** At the first update. */
  readonly initial: number;
}

/** Those of a level. */
export function scheduledHyperparameters(bottom: TowerLevel): ScheduledHyperparameter[] {
  return movingParts(bottom).flatMap(({ group, settings: { initial, schedules } }) =>
    Object.entries(schedules).map(([hyperparameter, segments]) => ({
      group,
      hyperparameter,
      name: inForceMetric(hyperparameter, group),
      initial: initial[hyperparameter]! * factorAt(segments, 0),
    })),
  );
}

/**
 * Hyperparameters in force, by name: times the factor of their schedules.
 * @param step number of the update, from 0; a scalar
 */
export function inForce(schedules: TowerLevel["schedules"], step: Node, value: (name: string) => Node): (name: string) => Node {
  const known = new Map<string, Node>();
  return (name) => {
    const segments = schedules[name];
    if (!segments) return value(name);
    const product = known.get(name) ?? mul(value(name), scheduleFactor(segments, step));
    known.set(name, product);
    return product;
  };
}
