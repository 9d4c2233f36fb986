/** Training order of a study: coarse to fine over the whole range, for an early overview. */
import type { StudyCell } from "./expand.ts";
import type { Study } from "./study.ts";
import { isSampled } from "./values.ts";

/**
 * Bisection level of each of `count` positions: 0 for the ends and the middle, 1 for the middles
 * between, and so on.
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

/** Level of a sample by its index: samples cover their range evenly from the start. */
const samplingLevel = (index: number) => Math.max(0, Math.floor(Math.log2(index + 1)) - 1);

/**
 * Training rank of every cell, by key; lower trains first. Cells are ordered by their point's level
 * plus their seed's index, so that the second seed of a coarse grid trains together with the first
 * seed of the next finer one. Heights of a point stay together.
 */
export function trainingRanks({ axes, seeds }: Pick<Study, "axes" | "seeds">, cells: readonly StudyCell[]): Map<string, number> {
  // The cells of methods have factors of their knobs in place of axis values, some more than others.
  const count = cells.reduce((most, { values }) => Math.max(most, values.length), axes.length);
  const fine = Array.from({ length: count }, (_, i) => {
    const values = [...new Set(cells.flatMap((cell) => cell.values[i] ?? []))];
    const axis = axes[i];
    if (axis && isSampled(axis.values)) return new Map(values.map((value, index) => [value, samplingLevel(index)]));
    const levels = bisectionLevels(values.length);
    return new Map(values.sort((a, b) => a - b).map((value, index) => [value, levels[index]!]));
  });
  const seedAt = new Map(seeds.map((seed, index) => [seed, index]));
  const pointAt = new Map<string, number>();
  const keyed = cells.map((cell, index) => {
    const point = cell.values.join();
    if (!pointAt.has(point)) pointAt.set(point, pointAt.size);
    const seed = seedAt.get(cell.seed) ?? seeds.length;
    const level = cell.values.reduce((finest, value, i) => Math.max(finest, fine[i]?.get(value) ?? 0), 0);
    return { key: cell.key, by: [level + seed, seed, pointAt.get(point)!, index] };
  });
  keyed.sort((a, b) => a.by.reduce((order, own, i) => order || own - b.by[i]!, 0));
  return new Map(keyed.map(({ key }, rank) => [key, rank]));
}
