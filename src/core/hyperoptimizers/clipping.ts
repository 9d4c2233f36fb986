import { isScalar, type Node } from "../program/node.ts";
import { add, constant, div, dot, maximum, minimum, mul, sqrt } from "../program/operations/index.ts";

export interface Clipped {
  readonly gradient: Node;
  /** Size it is cut to; null: none. */
  readonly clipValue: number | null;
}

/** The gradients of one level, cut to a size each and scaled down to a norm together, in this order. */
export function clipped(gradients: readonly Clipped[], clipNorm: number | null): Node[] {
  const cut = gradients.map(({ gradient, clipValue }) =>
    clipValue === null ? gradient : maximum(minimum(gradient, constant(clipValue)), constant(-clipValue)),
  );
  if (clipNorm === null || cut.length === 0) return cut;
  const norm = sqrt(cut.map((g) => (isScalar(g) ? mul(g, g) : dot(g, g))).reduce((sum, square) => add(sum, square)));
  // A norm of 0 divides to infinity, and the smaller of the two is 1.
  const scale = minimum(constant(1), div(constant(clipNorm), norm));
  return cut.map((g) => mul(scale, g));
}
