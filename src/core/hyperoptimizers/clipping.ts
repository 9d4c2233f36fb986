import { isScalar, type Node } from "../program/node.ts";
import { add, constant, div, dot, maximum, minimum, mul, sqrt } from "../program/operations/index.ts";

export interface Clipped {
  readonly gradient: Node;
  /** Largest absolute value of an entry; null: no limit. */
  readonly clipValue: number | null;
}

/** Clips the gradients of a level by value, then scales them down together to a norm. */
export function clipped(gradients: readonly Clipped[], clipNorm: number | null): Node[] {
  const cut = gradients.map(({ gradient, clipValue }) =>
    clipValue === null ? gradient : maximum(minimum(gradient, constant(clipValue)), constant(-clipValue)),
  );
  if (clipNorm === null || cut.length === 0) return cut;
  const norm = sqrt(cut.map((g) => (isScalar(g) ? mul(g, g) : dot(g, g))).reduce((sum, square) => add(sum, square)));
  // A norm of 0 gives infinity, so the minimum is 1.
  const scale = minimum(constant(1), div(constant(clipNorm), norm));
  return cut.map((g) => mul(scale, g));
}
