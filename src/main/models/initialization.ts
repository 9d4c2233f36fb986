/** Initialization schemes, named as in PyTorch. */
import type { Random } from "./random.ts";

/** `size` values uniform in [-bound, bound). */
export function uniform(random: Pick<Random, "uniform">, size: number, bound: number): Float64Array {
  return new Float64Array(size).map(() => (2 * random.uniform() - 1) * bound);
}

/** Bound of Kaiming-uniform (He et al. 2015) for a leaky slope `a`: sqrt(6 / ((1 + a^2) fanIn)). */
export function kaimingUniformBound(fanIn: number, a: number): number {
  return Math.sqrt(6 / ((1 + a * a) * fanIn));
}
