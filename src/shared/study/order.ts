/** In what order a study trains: coarse to fine over the whole range, so that an early picture is of all of it. */
import type { StudyCell } from "./expand.ts";
import type { Study } from "./study.ts";
import { isSampled } from "./values.ts";

/** Ranks of `count` places in a row: the ends, the middle, then the middles of what lies between; breadth first. */
export function bisectionLevels(count: number): number[] {
  const levels = Array.from({ length: count }, () => 0);
  let gaps: (readonly [number, number])[] = count > 2 ? [[0, count - 1]] : [];
  for (let level = 0; gaps.length > 0; level++) {
    const next: (readonly [number, number])[] = [];
    for (const [low, high] of gaps) {
      const middle = (low + high) >> 1;
      levels[middle] = level;
      if (middle - low > 1) next.push([low, middle]);
      if (high - middle > 1) next.push([middle, high]);
    }
    gaps = next;
  }
  return levels;
}

/** How fine a sample is that comes at a place of its list: samples fill their range evenly from the first on. */
const samplingLevel = (place: number) => Math.max(0, Math.floor(Math.log2(place + 1)) - 1);

/**
 * The rank of every cell, lower first: by how fine the grid is that its point belongs to plus the place of its
 * seed, so that a second seed of the coarse grid comes beside the first of a finer one. A point's heights stay
 * together, in the order of the cells.
 */
export function trainingRanks({ axes, seeds }: Pick<Study, "axes" | "seeds">, cells: readonly StudyCell[]): Map<string, number> {
  const fine = axes.map((axis, i) => {
    const values = [...new Set(cells.map((cell) => cell.values[i]!))];
    if (isSampled(axis.values)) return new Map(values.map((value, place) => [value, samplingLevel(place)]));
    const levels = bisectionLevels(values.length);
    return new Map(values.sort((a, b) => a - b).map((value, place) => [value, levels[place]!]));
  });
  const seedAt = new Map(seeds.map((seed, place) => [seed, place]));
  const pointAt = new Map<string, number>();
  const keyed = cells.map((cell, place) => {
    const point = cell.values.join();
    if (!pointAt.has(point)) pointAt.set(point, pointAt.size);
    const seed = seedAt.get(cell.seed) ?? seeds.length;
    const level = cell.values.reduce((finest, value, i) => Math.max(finest, fine[i]?.get(value) ?? 0), 0);
    return { key: cell.key, by: [level + seed, seed, pointAt.get(point)!, place] };
  });
  keyed.sort((a, b) => a.by.reduce((order, own, i) => order || own - b.by[i]!, 0));
  return new Map(keyed.map(({ key }, rank) => [key, rank]));
}
