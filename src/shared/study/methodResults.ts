/** Results of a study of methods: ranks with their uncertainty, and the usable range of every other knob. */
import { tQuantile } from "../statistics.ts";
import { percentileInterval, type BootstrapOptions, type Interval } from "./bootstrap.ts";
import { knobCurve, type Curve, type StudyCurves } from "./curves.ts";
import { knobsOf, namedKnob, type NamedKnob } from "./methods.ts";
import type { StudyMetric } from "./metric.ts";
import { heightNumbers, minSeedsForPercentiles, type Bootstrapped, type HeightNumbers } from "./numbers.ts";
import type { StudyPoint } from "./result.ts";
import type { Sensitivity } from "./sensitivity.ts";
import type { HeightStatistics, Setting } from "./statistics.ts";
import type { Study } from "./study.ts";

/** Statistics by which methods are ranked, and whether more is better. */
export const rankings = {
  width: "more",
  widthOfStudy: "more",
  excess: "less",
  best: "less",
  atDefault: "less",
  timePerStep: "less",
} as const satisfies Partial<Record<keyof HeightStatistics, "more" | "less">>;
export type Ranking = keyof typeof rankings;
export const rankingNames = Object.keys(rankings) as Ranking[];

/** Share of the value of guessing below which a best result counts as learned. */
export const learnedBelow = 0.95;

/** Position among the methods that have results, 1 for the best; equal methods share the better one. */
export interface Rank {
  readonly value: number;
  /** Null with a single seed. */
  readonly interval: Interval | null;
}

export type Ranks = Readonly<Record<Ranking, Rank | null>>;

/** A knob of a method other than its starting value, swept with everything else as published. */
export interface KnobResult {
  readonly knob: NamedKnob;
  /** Over factors of the published default. */
  readonly curve: Curve;
  readonly numbers: HeightNumbers;
}

export interface MethodResult {
  readonly name: string;
  readonly start: NamedKnob;
  /** Null while none of its runs counts. */
  readonly ranks: Ranks | null;
  /** Knobs that have runs, in the method's order. */
  readonly knobs: readonly KnobResult[];
}

interface MethodEvidence {
  readonly metric: StudyMetric;
  readonly setting: Setting;
  readonly bootstrap: BootstrapOptions;
  /** Of `curves`. */
  readonly resampled: readonly Bootstrapped[];
}

/** Results in the order of `curves`, which are those of the starting values (`studyCurves`). */
export function methodResults(study: Study, points: readonly StudyPoint[], curves: readonly Curve[], { metric, setting, bootstrap, resampled }: MethodEvidence): MethodResult[] {
  const ranks = ranksOf(curves, resampled, bootstrap);
  return curves.map((curve, i) => {
    const method = study.methods!.list.find(({ name }) => name === curve.stack)!;
    const [start, ...others] = knobsOf(method);
    return {
      name: method.name,
      start: namedKnob(method, start),
      ranks: ranks[i]!,
      knobs: others.flatMap((other, k): KnobResult[] => {
        const own = knobCurve(study, points, { metric, method: method.name, knob: k + 1 });
        return own ? [{ knob: namedKnob(method, other), curve: own, numbers: heightNumbers([own], setting, bootstrap)[0]! }] : [];
      }),
    };
  });
}

/** Curves of all knobs but the starting values, named after method and knob. */
export function knobCurves({ methods, ...found }: Pick<Sensitivity, "methods"> & StudyCurves): StudyCurves {
  const curves = (methods ?? []).flatMap(({ name, knobs }) => knobs.map(({ knob, curve }) => ({ ...curve, label: `${name}: ${knob.words}` })));
  return { ...found, axis: found.axis && { ...found.axis, title: "Knob as a factor of its published default" }, curves };
}

/** Degrees of freedom at which Student's t is the normal distribution to three digits. */
const nearlyNormal = 500;

/** Factor by which a resample's deviation grows so that its spread is that of the t interval, as for single numbers. */
function widening(seeds: number, confidence: number): number {
  if (seeds >= minSeedsForPercentiles) return 1;
  return Math.sqrt(seeds / (seeds - 1)) * (tQuantile(confidence, seeds - 1) / tQuantile(confidence, nearlyNormal));
}

/** Ranks of every curve: observed ones, and percentiles over bootstrap resamples in which all methods are ranked anew. */
function ranksOf(curves: readonly Curve[], all: readonly Bootstrapped[], options: BootstrapOptions): (Ranks | null)[] {
  const certain = all.every(({ noInterval }) => noInterval === null);
  const wider = all.map(({ seeds }) => (certain ? widening(seeds, options.confidence) : 1));
  const count = certain ? (all[0]?.resampled.length ?? 0) : 0;
  const widest = Math.max(0, ...all.flatMap(({ observed, resampled }) => [observed, ...resampled].map(({ width }) => width)));
  const rankedBy = (ranking: Ranking): (Rank | null)[] => {
    const sign = rankings[ranking] === "more" ? -1 : 1;
    const isWidth = ranking === "width" || ranking === "widthOfStudy";
    const limit = (value: number) => (isWidth ? Math.min(widest, Math.max(0, value)) : value);
    const observed = all.map((method) => method.observed[ranking]);
    const values = positions(observed.map((value) => sign * value));
    const drawn = Array.from({ length: count }, (_, i) =>
      positions(all.map(({ resampled }, method) => sign * limit(observed[method]! + wider[method]! * (resampled[i]![ranking] - observed[method]!)))),
    );
    return all.map((_, method) => {
      const value = values[method]!;
      if (!Number.isFinite(value)) return null;
      const known = drawn.map((row) => row[method]!).filter(Number.isFinite);
      return { value, interval: known.length === 0 ? null : wholeRanks(percentileInterval(known, options.confidence)) };
    });
  };
  const byRanking = Object.fromEntries(rankingNames.map((ranking) => [ranking, rankedBy(ranking)])) as Record<Ranking, (Rank | null)[]>;
  return curves.map((curve) => {
    const at = all.findIndex((method) => method.curve === curve);
    return at === -1 ? null : (Object.fromEntries(rankingNames.map((ranking) => [ranking, byRanking[ranking][at]!])) as Ranks);
  });
}

const wholeRanks = ([low, high]: Interval): Interval => [Math.floor(low), Math.ceil(high)];

/** Ranks of ascending values: 1 + the number of smaller ones; NaN for a value that is not finite. */
function positions(values: readonly number[]): number[] {
  return values.map((own) => (Number.isFinite(own) ? 1 + values.filter((other) => other < own - 1e-9).length : NaN));
}
