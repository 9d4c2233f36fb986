/** Usable range of an axis: where a curve stays below a threshold. */
import { positionOn, valueOn, type StudyAxis } from "./axes.ts";

/** Tolerance from the best: `absolute` in units of the metric, `relative` as a share of the best, or any value up to a fixed one. */
export type Tolerance =
  | { readonly kind: "absolute"; readonly by: number }
  | { readonly kind: "relative"; readonly by: number }
  | { readonly kind: "below"; readonly value: number };

/** Highest usable value for a given best; none at all if that has learned nothing, because it is not below `unlearned`. */
export function thresholdOf(tolerance: Tolerance, best: number, unlearned = Infinity): number {
  if (best >= unlearned) return -Infinity;
  switch (tolerance.kind) {
    case "absolute":
      return best + tolerance.by;
    case "relative":
      return best + tolerance.by * Math.abs(best);
    case "below":
      return tolerance.value;
  }
}

export interface Usable {
  /** Total length of the parts: in decades on a logarithmic axis, else in the axis' unit. */
  readonly width: number;
  /** Usable parts of the axis, as axis values, ascending. */
  readonly parts: readonly { readonly from: number; readonly to: number }[];
  /** Whether the curve is usable at the lowest or highest value: the true width may then be larger. */
  readonly openLow: boolean;
  readonly openHigh: boolean;
}

export interface Known {
  readonly x: number;
  readonly value: number;
}

/**
 * The range in which a curve is at or below a threshold. The curve is interpolated linearly on the
 * axis' scale (log10 x on a logarithmic axis) and not extrapolated, so a single point has no width.
 */
export function usableRange(curve: readonly Known[], threshold: number, scale: StudyAxis["scale"]): Usable {
  const parts: { from: number; to: number }[] = [];
  const add = (from: number, to: number) => {
    const last = parts.at(-1);
    if (last && last.to === from) last.to = to;
    else parts.push({ from, to });
  };
  const usable = (point: Known | undefined) => point !== undefined && point.value <= threshold;
  for (const [i, a] of curve.entries()) {
    const b = curve[i + 1];
    const [start, end] = [positionOn(scale, a.x), b ? positionOn(scale, b.x) : 0];
    if (usable(a)) add(start, start);
    if (!b || (!usable(a) && !usable(b))) continue;
    const crossing = () => start + ((threshold - a.value) / (b.value - a.value)) * (end - start);
    add(usable(a) ? start : crossing(), usable(b) ? end : crossing());
  }
  return {
    width: parts.reduce((sum, { from, to }) => sum + to - from, 0),
    parts: parts.map(({ from, to }) => ({ from: valueOn(scale, from), to: valueOn(scale, to) })),
    openLow: usable(curve[0]),
    openHigh: usable(curve.at(-1)),
  };
}
