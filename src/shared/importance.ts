/**
 * Which of the settings that vary matters for a result, as shares of the result's variance: an
 * analysis of variance of main effects and pairs. docs/comparing.md describes it.
 *
 * A share is the part of the sum of squares that lies between the groups of a setting (for a pair:
 * between the groups of both, beyond those of each), less what as many groups get by chance. On a
 * full grid the shares of all settings and pairs and the rest add up to one. Elsewhere settings vary
 * together and shares overlap: those that add up to more than one are scaled down to one, and the
 * result says so.
 */
import { nounFor, plural } from "./text.ts";

/** A setting that varies: its value for each run; undefined where a run has none. */
export interface Factor {
  readonly label: string;
  readonly values: readonly (number | string | undefined)[];
}

export interface FactorShare {
  readonly label: string;
  /** 0 to 1; null where nearly every run has a different value, so that chance cannot be told apart. */
  readonly share: number | null;
  readonly groups: number;
  /** Whether numbers were gathered in bins of about equally many runs. */
  readonly binned: boolean;
}

export interface PairShare {
  readonly labels: readonly [string, string];
  /** What the two explain together beyond each alone. */
  readonly share: number;
}

export type Importance =
  | {
      readonly ok: true;
      readonly runs: number;
      readonly factors: readonly FactorShare[];
      readonly pairs: readonly PairShare[];
      /** With the shares of all settings and pairs it adds up to 1. */
      readonly rest: number;
      /** What chance is measured by: runs that differ in the seed only, or the spread within groups. */
      readonly chance: "seeds" | "groups";
      /** Sum of the shares before they were scaled down to 1; null where they did not exceed it. */
      readonly overlap: number | null;
    }
  | { readonly ok: false; readonly reason: string };

/** Minimum number of runs. */
const minRuns = 12;
/** Rounding alone does not count as overlap. */
const tolerance = 1e-9;
/** Numbers with fewer runs per value than this are gathered in bins. */
const runsPerValue = 2;
const maxBins = 8;
const runsPerBin = 5;

interface Grouping {
  readonly label: string;
  /** Group of each run. */
  readonly groupOf: readonly number[];
  readonly count: number;
  readonly binned: boolean;
}

/** Numbers distinct values from 0, in order of appearance. */
function enumerate(values: readonly unknown[]): { groupOf: number[]; count: number } {
  const seen = new Map<unknown, number>();
  const groupOf = values.map((value) => {
    const known = seen.get(value) ?? seen.size;
    seen.set(value, known);
    return known;
  });
  return { groupOf, count: seen.size };
}

function grouping({ label, values }: Factor): Grouping {
  const distinct = enumerate(values);
  const numeric = values.every((value) => typeof value === "number");
  if (!numeric || values.length >= runsPerValue * distinct.count) return { label, ...distinct, binned: false };
  const bins = Math.max(2, Math.min(maxBins, Math.floor(values.length / runsPerBin)));
  // By rank, equal values together.
  const sorted = [...values].sort((a, b) => a - b);
  const binned = enumerate(values.map((value) => Math.floor((bins * sorted.indexOf(value)) / sorted.length)));
  return { label, ...binned, binned: true };
}

/** Sum of squares between groups. `results` are centered. */
function squaresBetween({ groupOf, count }: Pick<Grouping, "groupOf" | "count">, results: readonly number[]): number {
  const groups = Array.from({ length: count }, () => ({ n: 0, sum: 0 }));
  for (const [i, value] of results.entries()) {
    const group = groups[groupOf[i]!]!;
    group.n++;
    group.sum += value;
  }
  return groups.reduce((sum, group) => sum + group.sum ** 2 / group.n, 0);
}

/** Settings that divide the runs in the same way are one: nothing can tell them apart. */
function merged(groupings: readonly Grouping[]): Grouping[] {
  const distinct = new Map<string, Grouping>();
  for (const candidate of groupings) {
    const key = candidate.groupOf.join();
    const same = distinct.get(key);
    distinct.set(key, same ? { ...same, label: `${same.label}, ${candidate.label}` } : candidate);
  }
  return [...distinct.values()];
}

/** Shares of the variance of `results`, one per run, most important first; or why there are none. */
export function importance(factors: readonly Factor[], results: readonly number[]): Importance {
  if (results.length < minRuns) return { ok: false, reason: `${plural(results.length, "run")} ${nounFor(results.length, "has", "have")} a result; at least ${minRuns} are needed` };
  if (results.every((value) => value === results[0])) return { ok: false, reason: "all results are the same" };
  const groupings = merged(factors.map(grouping).filter(({ count }) => count > 1));
  if (groupings.length === 0) return { ok: false, reason: "nothing but the seed varies" };

  const mean = results.reduce((sum, value) => sum + value, 0) / results.length;
  const centered = results.map((value) => value - mean);
  const all = centered.reduce((sum, value) => sum + value ** 2, 0);
  /** Variance within the groups; null where every run is a group of its own. */
  const within = (grouping: Pick<Grouping, "groupOf" | "count">) => (results.length > grouping.count ? (all - squaresBetween(grouping, centered)) / (results.length - grouping.count) : null);
  // Runs that differ in the seed only show best what chance does; without any, the groups at hand do.
  const bySeeds = within(enumerate(results.map((_, run) => groupings.map(({ groupOf }) => groupOf[run]).join())));
  const share = (squares: number, degrees: number, chance: number) => Math.min(1, Math.max(0, (squares - degrees * chance) / all));

  const mains = groupings.map((grouping) => {
    const squares = squaresBetween(grouping, centered);
    const chance = bySeeds ?? within(grouping);
    return { grouping, squares, share: chance === null ? null : share(squares, grouping.count - 1, chance) };
  });
  const pairs = mains.flatMap((a, i) =>
    mains.slice(i + 1).flatMap((b): PairShare[] => {
      const joint = enumerate(a.grouping.groupOf.map((group, run) => group * b.grouping.count + b.grouping.groupOf[run]!));
      const chance = bySeeds ?? within(joint);
      if (chance === null || a.share === null || b.share === null) return [];
      const squares = squaresBetween(joint, centered) - a.squares - b.squares;
      return [{ labels: [a.grouping.label, b.grouping.label], share: share(squares, joint.count - a.grouping.count - b.grouping.count + 1, chance) }];
    }),
  );
  const explained = [...mains, ...pairs].reduce((sum, { share }) => sum + (share ?? 0), 0);
  const overlap = explained > 1 + tolerance ? explained : null;
  const scaled = (share: number) => (overlap === null ? share : share / overlap);
  return {
    ok: true,
    runs: results.length,
    factors: mains.map(({ grouping, share }) => ({ label: grouping.label, share: share === null ? null : scaled(share), groups: grouping.count, binned: grouping.binned })).sort((a, b) => (b.share ?? -1) - (a.share ?? -1)),
    pairs: pairs.map((pair) => ({ ...pair, share: scaled(pair.share) })).sort((a, b) => b.share - a.share),
    rest: Math.max(0, 1 - explained),
    chance: bySeeds === null ? "groups" : "seeds",
    overlap,
  };
}
