/** Which gradient of a batch belongs to which array of a file. */
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

function transposed({ shape: [rows, columns], data }: BatchArray): Float64Array {
  return data.map((_, i) => data[(i % rows!) * columns! + Math.floor(i / rows!)]!);
}

function distance(a: Float64Array, b: Float64Array): number {
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);
}

/** The gradient in the layout of an array of a shape: as it is, or as the transpose of a matrix. */
function layouts(array: BatchArray, shape: readonly number[]): Float64Array[] {
  const straight = same(array.shape, shape) ? [array.data] : [];
  const [rows, columns] = array.shape;
  return array.shape.length === 2 && same([columns!, rows!], shape) ? [...straight, transposed(array)] : straight;
}

/**
 * By name; where exporters renamed arrays, by shape and closeness: tied arrays have the name of
 * their second use, and optimizers transpose weights into arrays without names.
 * @returns unmatched arrays of the file too
 */
export function matchedNames(
  ours: ReadonlyMap<string, Float64Array>,
  shapes: ReadonlyMap<string, readonly number[]>,
  given: ReadonlyMap<string, BatchArray>,
): { matches: GradientMatch[]; missing: string[]; unmatched: string[] } {
  const matches: GradientMatch[] = [];
  const open = new Map(given);
  const free = new Set(shapes.keys());
  for (const [name, array] of given) {
    const own = ours.get(name);
    if (!own || !free.has(name) || !same(array.shape, shapes.get(name)!)) continue;
    matches.push({ name, file: name, ours: own, given: array.data });
    open.delete(name);
    free.delete(name);
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
