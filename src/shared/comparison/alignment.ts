/**
 * Aligns the levels of several towers, so that an added level is shown as added and does not shift
 * those
 * above it. Progressive alignment: each tower is aligned (Needleman and Wunsch 1970) to the levels
 * known
 * so far, starting with the baseline's, and adds its unmatched levels.
 */
import type { Level } from "../tower.ts";

/** Corresponding levels of several towers. */
export interface Slot {
  /**
   * `level 2` for a level of the baseline, or one added on top of all towers; otherwise `added
   * above level 0`.
   */
  readonly label: string;
  readonly added: boolean;
  /** Index of the level in each tower; null where it is missing. */
  readonly levels: readonly (number | null)[];
}

interface Growing {
  readonly level: Level;
  readonly added: boolean;
  readonly levels: (number | null)[];
}

/**
 * Cost of pairing two levels: an unmatched level costs 1; different optimizers cost more than
 * different settings, less than two unmatched levels.
 */
function costOf(a: Level, b: Level): number {
  if (a.optimizer !== b.optimizer) return 1.5;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const differing = Object.keys({ ...one, ...other }).filter((field) => JSON.stringify(one[field]) !== JSON.stringify(other[field])).length;
  return Math.min(0.8, 0.2 * differing);
}
const gap = 1;

/** Slot of each level of `tower`, or null; increasing. Level 0 always moves the weights. */
function counterparts(slots: readonly Growing[], tower: readonly Level[]): (number | null)[] {
  // cost[i][j]: remaining cost from slot i and level j on.
  const cost = Array.from({ length: slots.length + 1 }, () => Array<number>(tower.length + 1).fill(0));
  const match = (i: number, j: number) => costOf(slots[i]!.level, tower[j]!) + cost[i + 1]![j + 1]!;
  for (let i = slots.length; i >= 1; i--) {
    for (let j = tower.length; j >= 1; j--) {
      const alone = Math.min(i < slots.length ? gap + cost[i + 1]![j]! : Infinity, j < tower.length ? gap + cost[i]![j + 1]! : Infinity);
      cost[i]![j] = i === slots.length && j === tower.length ? 0 : Math.min(alone, i < slots.length && j < tower.length ? match(i, j) : Infinity);
    }
  }
  const found: (number | null)[] = [0];
  let [i, j] = [1, 1];
  while (j < tower.length) {
    // Among equal alignments, prefer the one with the highest gaps.
    if (i < slots.length && cost[i]![j] === match(i, j)) {
      found.push(i++);
      j++;
    } else if (i < slots.length && cost[i]![j] === gap + cost[i + 1]![j]!) i++;
    else {
      found.push(null);
      j++;
    }
  }
  return found;
}

/** Aligns a tower and adds its unmatched levels. */
function grow(slots: readonly Growing[], tower: readonly Level[], of: number, count: number): Growing[] {
  const grown = [...slots];
  let inserted = 0;
  let after = -1;
  counterparts(slots, tower).forEach((counterpart, index) => {
    if (counterpart !== null) {
      after = counterpart + inserted;
      grown[after]!.levels[of] = index;
      return;
    }
    const levels = Array<number | null>(count).fill(null);
    levels[of] = index;
    grown.splice(++after, 0, { level: tower[index]!, added: true, levels });
    inserted++;
  });
  return grown;
}

function labelOf(slots: readonly Growing[], at: number): string {
  const { added, levels } = slots[at]!;
  const below = slots.slice(0, at + 1).filter((slot) => !slot.added).length - 1;
  if (!added) return `level ${below}`;
  const onTop = !slots.slice(at).some((slot) => !slot.added);
  const indices = new Set(levels.filter((level) => level !== null));
  const [only] = indices;
  if (onTop && indices.size === 1) return `level ${only!} (added)`;
  const among = slots.slice(0, at).reverse().findIndex((slot) => !slot.added);
  return `level added above level ${below}${among > 0 ? `, no. ${among + 1}` : ""}`;
}

/** Slots from level 0 upward, with added levels in place. */
export function alignTowers(towers: readonly (readonly Level[])[], baseline = 0): Slot[] {
  // A study of a thousand runs has only a few dozen towers.
  const places = new Map<string, number>();
  const distinct: (readonly Level[])[] = [];
  const place = towers.map((tower) => {
    const key = JSON.stringify(tower);
    const known = places.get(key) ?? distinct.push(tower) - 1;
    places.set(key, known);
    return known;
  });
  const slots = alignDistinct(distinct, place[baseline] ?? 0);
  return slots.map(({ added, levels }, at) => ({ added, levels: place.map((of) => levels[of] ?? null), label: labelOf(slots, at) }));
}

function alignDistinct(towers: readonly (readonly Level[])[], baseline: number): Growing[] {
  // Taller towers first, so that lower ones find all their counterparts.
  const order = towers.map((_, of) => of).sort((a, b) => Number(b === baseline) - Number(a === baseline) || towers[b]!.length - towers[a]!.length);
  const [first, ...others] = order;
  if (first === undefined) return [];
  const base = towers[first]!.map((level, index): Growing => ({ level, added: false, levels: towers.map((_, of) => (of === first ? index : null)) }));
  return others.reduce((slots, of) => grow(slots, towers[of]!, of, towers.length), base);
}
