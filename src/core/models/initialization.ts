/** Initial values by the schemes of shared/models/initialization.ts. */
import type { Initialization } from "../../shared/models/initialization.ts";
import { sizeOf, type Shape } from "../program/node.ts";
import type { Random } from "./random.ts";

/** Source of random numbers. */
export type Source = Pick<Random, "uniform">;

/** `size` values uniform in [-bound, bound). */
export function uniform(random: Source, size: number, bound: number): Float64Array {
  return new Float64Array(size).map(() => (2 * random.uniform() - 1) * bound);
}

/** `size` values of the standard normal distribution (Box and Muller 1958). */
export function normal(random: Source, size: number, deviation: number): Float64Array {
  const values = new Float64Array(size);
  for (let i = 0; i < size; i += 2) {
    // 1 - u lies in (0, 1], so its logarithm is finite.
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    values[i] = radius * Math.cos(angle);
    if (i + 1 < size) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

/**
 * A random matrix `[rows, rest]` with orthonormal rows or columns, whichever are fewer: Q of a
 * normal matrix's QR decomposition with positive R (Saxe et al. 2014).
 */
export function orthogonal(random: Source, [rows = 1, ...rest]: Shape): Float64Array {
  const columns = sizeOf(rest);
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
  const vectors = Array.from({ length: count }, () => normal(random, length, 1));
  vectors.forEach((vector, i) => {
    // Gram-Schmidt; the second round removes the first one's rounding errors.
    for (let round = 0; round < 2; round++) {
      for (const earlier of vectors.slice(0, i)) {
        const along = earlier.reduce((sum, value, j) => sum + value * vector[j]!, 0);
        for (let j = 0; j < length; j++) vector[j]! -= along * earlier[j]!;
      }
      const norm = Math.hypot(...vector);
      for (let j = 0; j < length; j++) vector[j]! /= norm;
    }
  });
  const values = new Float64Array(rows * columns);
  vectors.forEach((vector, i) => vector.forEach((value, j) => (values[rows < columns ? i * columns + j : j * columns + i] = value)));
  return values;
}

/** Initial values of a parameter, row-major. */
export function draw(initialization: Initialization, shape: Shape, random: Source): Float64Array {
  const size = sizeOf(shape);
  switch (initialization.scheme) {
    case "uniform":
      return uniform(random, size, initialization.bound);
    case "normal":
      return normal(random, size, initialization.deviation);
    case "orthogonal":
      return orthogonal(random, shape);
    case "constant":
      return new Float64Array(size).fill(initialization.value);
  }
}
