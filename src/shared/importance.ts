/**
 * Which of the settings that vary matters for a result, as shares of the result's variance: an
 * analysis of variance of main effects and pairs. docs/comparing.md describes it.
 *
 * A share is the part of the sum of squares that lies between the groups of a setting (for a pair:
 * between the groups of both, beyond those of each), less what as many groups get by chance. On a
 * full grid the shares of all settings and pairs and the rest add up to one; elsewhere settings
 * that vary together share the credit.
 */

/** A setting that varies: its value for each run; undefined where a run has none. */
export interface Factor {
  readonly label: string;
  readonly values: readonly (number | string | undefined)[];
}

export interface FactorShare {
  readonly label: string;
  /** 0 to 1; null where nearly every run has a value of its own, so that chance cannot be told apart. */
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
  | { readonly ok: true; readonly runs: number; readonly factors: readonly FactorShare[]; readonly pairs: readonly PairShare[]; readonly rest: number }
  | { readonly ok: false; readonly reason: string };

/** Fewest runs that say anything. */
const fewestRuns = 6;
/** Numbers with fewer runs per value than this are gathered in bins. */
const runsPerValue = 2;
const mostBins = 8;
const runsPerBin = 5;

interface Grouping {
  readonly label: string;
  /** Group of each run. */
  readonly of: readonly number[];
  readonly count: number;
  readonly binned: boolean;
}

/** Numbers its values from 0 in the order in which they come first. */
function enumerate(values: readonly unknown[]): { of: number[]; count: number } {
  const seen = new Map<unknown, number>();
  const of = values.map((value) => {
    const known = seen.get(value) ?? seen.size;
    seen.set(value, known);
    return known;
  });
  return { of, count: seen.size };
}

function grouping({ label, values }: Factor): Grouping {
  const distinct = enumerate(values);
  const numeric = values.every((value) => typeof value === "number");
  if (!numeric || values.length >= runsPerValue * distinct.count) return { label, ...distinct, binned: false };
  const bins = Math.max(2, Math.min(mostBins, Math.floor(values.length / runsPerBin)));
  // By rank, equal values together.
  const sorted = [...values].sort((a, b) => a - b);
  const binned = enumerate(values.map((value) => Math.floor((bins * sorted.indexOf(value)) / sorted.length)));
  return { label, ...binned, binned: true };
}

/** Sum of squares between groups. `results` are centered. */
function squaresBetween({ of, count }: Pick<Grouping, "of" | "count">, results: readonly number[]): number {
  const groups = Array.from({ length: count }, () => ({ n: 0, sum: 0 }));
  for (const [i, value] of results.entries()) {
    const group = groups[of[i]!]!;
    group.n++;
    group.sum += value;
  }
  return groups.reduce((sum, group) => sum + group.sum ** 2 / group.n, 0);
}

/** Settings that divide the runs in the same way are one: nothing can tell them apart. */
function merged(groupings: readonly Grouping[]): Grouping[] {
  const distinct = new Map<string, Grouping>();
  for (const one of groupings) {
    const key = one.of.join();
    const same = distinct.get(key);
    distinct.set(key, same ? { ...same, label: `${same.label}, ${one.label}` } : one);
  }
  return [...distinct.values()];
}

/** Shares of the variance of `results`, one per run, most important first; or why there are none. */
export function importance(factors: readonly Factor[], results: readonly number[]): Importance {
  if (results.length < fewestRuns) return { ok: false, reason: `${results.length} runs have a result; ${fewestRuns} are the fewest that say anything` };
  if (results.every((value) => value === results[0])) return { ok: false, reason: "all results are the same" };
  const groupings = merged(factors.map(grouping).filter(({ count }) => count > 1));
  if (groupings.length === 0) return { ok: false, reason: "nothing but the seed varies" };

  const mean = results.reduce((sum, value) => sum + value, 0) / results.length;
  const centered = results.map((value) => value - mean);
  const all = centered.reduce((sum, value) => sum + value ** 2, 0);
  const within = (of: Pick<Grouping, "of" | "count">) => (results.length > of.count ? (all - squaresBetween(of, centered)) / (results.length - of.count) : null);
  // What chance alone does is best seen in runs that differ in the seed only; without any, within the groups at hand.
  const bySeeds = within(enumerate(results.map((_, run) => groupings.map(({ of }) => of[run]).join())));
  const share = (squares: number, degrees: number, chance: number) => Math.min(1, Math.max(0, (squares - degrees * chance) / all));

  const mains = groupings.map((of) => {
    const squares = squaresBetween(of, centered);
    const chance = bySeeds ?? within(of);
    return { of, squares, share: chance === null ? null : share(squares, of.count - 1, chance) };
  });
  const pairs = mains.flatMap((a, i) =>
    mains.slice(i + 1).flatMap((b): PairShare[] => {
      const joint = enumerate(a.of.of.map((group, run) => group * b.of.count + b.of.of[run]!));
      const chance = bySeeds ?? within(joint);
      if (chance === null || a.share === null || b.share === null) return [];
      const squares = squaresBetween(joint, centered) - a.squares - b.squares;
      return [{ labels: [a.of.label, b.of.label], share: share(squares, joint.count - a.of.count - b.of.count + 1, chance) }];
    }),
  );
  const explained = [...mains, ...pairs].reduce((sum, { share }) => sum + (share ?? 0), 0);
  return {
    ok: true,
    runs: results.length,
    factors: mains.map(({ of, share }) => ({ label: of.label, share, groups: of.count, binned: of.binned })).sort((a, b) => (b.share ?? -1) - (a.share ?? -1)),
    pairs: pairs.sort((a, b) => b.share - a.share),
    rest: Math.max(0, 1 - explained),
  };
}
