/** Training order of a study: coarse to fine over the whole range, for an early overview. */
import type { StudyCell } from "./expand.ts";
import type { Study } from "./study.ts";
import { isSampled } from "./values.ts";

/**
 * Breadth-first bisection ranks of `count` positions: the ends, the middle, then the middles
 * between.
 */
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

/** Level of a sample by its position: samples cover their range evenly from the start. */
const samplingLevel = (place: number) => Math.max(0, Math.floor(Math.log2(place + 1)) - 1);

/**
 * Rank of every cell, lower first: the level of its point's grid plus the index of its seed, so
 * that a second
 * seed of a coarse grid trains next to the first of a finer one. Heights of a point stay together.
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
