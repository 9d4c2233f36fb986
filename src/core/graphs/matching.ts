/** Which gradient of a batch belongs to which array of a file. */
import { sizeOf } from "../program/node.ts";
import type { BatchArray } from "./batchFile.ts";

export interface GradientMatch {
  /** The batch's name of the parameter. */
  readonly name: string;
  /** The file's. */
  readonly file: string;
  readonly ours: Float64Array;
  /** In the file's layout. */
  readonly given: Float64Array;
}

const same = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((n, axis) => n === b[axis]);

/** Orders of axes that exporters change: matrices, and kernels of Keras and JAX with the channels last. */
const permutations: readonly (readonly number[])[] = [[1, 0], [2, 1, 0], [3, 2, 0, 1], [2, 3, 0, 1]];

/** The entries with the axes in another order. */
function permuted({ shape, data }: BatchArray, permutation: readonly number[]): Float64Array {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const sizes = permutation.map((axis) => shape[axis]!);
  return data.map((_, i) => {
    let [rest, at] = [i, 0];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      at += (rest % sizes[axis]!) * strides[permutation[axis]!]!;
      rest = Math.floor(rest / sizes[axis]!);
    }
    return data[at]!;
  });
}

function distance(a: Float64Array, b: Float64Array): number {
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);
}

/** The gradient in the layouts that an array of a shape may have it in. */
function layouts(array: BatchArray, shape: readonly number[]): Float64Array[] {
  const straight = same(array.shape, shape) ? [array.data] : [];
  const moved = permutations.filter((one) => one.length === array.shape.length && same(one.map((axis) => array.shape[axis]!), shape)).map((one) => permuted(array, one));
  const flat = [...straight, ...moved];
  // Biases with axes of size 1, and kernels of attention with the heads apart.
  return flat.length === 0 && array.shape.length !== shape.length && array.data.length === sizeOf(shape) ? [array.data] : flat;
}

/**
 * By name; where exporters renamed arrays, by shape and closeness: tied arrays have the name of
 * their second use, and other exporters have names and layouts of their own.
 * @param tied the file's names of parameters by their other names
 * @returns unmatched arrays of the file too
 */
export function matchedNames(
  ours: ReadonlyMap<string, Float64Array>,
  shapes: ReadonlyMap<string, readonly number[]>,
  given: ReadonlyMap<string, BatchArray>,
  tied: Readonly<Record<string, string>> = {},
): { matches: GradientMatch[]; missing: string[]; unmatched: string[] } {
  const matches: GradientMatch[] = [];
  const open = new Map(given);
  const free = new Set(shapes.keys());
  for (const [name, array] of given) {
    const file = tied[name] ?? name;
    const own = ours.get(file);
    if (!own || !same(array.shape, shapes.get(file)!)) continue;
    matches.push({ name, file, ours: own, given: array.data });
    open.delete(name);
    free.delete(file);
  }
  const candidates = [...open].flatMap(([name, array]) =>
    [...free].flatMap((file) => layouts(array, shapes.get(file)!).map((data) => ({ name, file, ours: ours.get(file)!, given: data, distance: distance(ours.get(file)!, data) }))),
  );
  for (const { distance: _, ...match } of candidates.sort((a, b) => a.distance - b.distance)) {
    if (!open.has(match.name) || !free.has(match.file)) continue;
    matches.push(match);
    open.delete(match.name);
    free.delete(match.file);
  }
  const order = [...given.keys()];
  return { matches: matches.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)), missing: [...open.keys()], unmatched: [...free] };
}
