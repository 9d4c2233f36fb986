/** Verdict of a study of methods: who may be first, by what, at what price. Never a bare winner. */
import { isPercent } from "../metrics.ts";
import { capital, listed, plural } from "../text.ts";
import type { StudyAxis } from "./axes.ts";
import type { StudyMetric } from "./metric.ts";
import type { MethodResult, Ranking } from "./methodResults.ts";
import type { HeightNumbers } from "./numbers.ts";
import { bestLabel, difference, isOpen, measured, rounded, toleranceWords, widthWords, type Counted } from "./verdictWords.ts";
import type { Tolerance } from "./width.ts";

interface MethodEvidence {
  readonly metric: StudyMetric;
  readonly axis: StudyAxis;
  readonly tolerance: Tolerance;
  readonly isLearned: (method: Counted) => boolean;
  /** In the order of `methods`. */
  readonly numbers: readonly HeightNumbers[];
  readonly methods: readonly MethodResult[];
}

/** A method with results. */
interface Ranked {
  readonly counted: Counted;
  readonly result: MethodResult;
}

/** Max number of methods that a sentence names. */
const maxNamed = 4;

/** The first by a ranking, and those that may be first as far as the seeds tell. */
function leaders(methods: readonly Ranked[], ranking: Ranking): { first: Ranked; rivals: Ranked[]; certain: boolean } | null {
  const ranked = methods.filter(({ result }) => result.ranks?.[ranking]).toSorted((a, b) => a.result.ranks![ranking]!.value - b.result.ranks![ranking]!.value);
  const [first, ...rest] = ranked;
  if (!first) return null;
  const interval = (method: Ranked) => method.result.ranks![ranking]!.interval;
  const shared = (method: Ranked) => method.result.ranks![ranking]!.value === first.result.ranks![ranking]!.value;
  return { first, certain: interval(first) !== null, rivals: rest.filter((method) => shared(method) || (interval(method)?.[0] ?? Infinity) <= 1) };
}

/** `A (5.2 decades), or as far as the seeds tell B (4.1) or C (4.0)` */
function leaderWords({ first, rivals, certain }: NonNullable<ReturnType<typeof leaders>>, of: (method: Ranked) => string): string {
  const named = (method: Ranked) => `${method.result.name} (${of(method)})`;
  const shown = rivals.length > maxNamed ? [...rivals.slice(0, maxNamed - 1).map(named), `${rivals.length - maxNamed + 1} others`] : rivals.map(named);
  if (shown.length === 0) return named(first);
  return `${named(first)}, ${certain ? "or as far as the seeds tell" : "or equally"} ${listed(shown, "or")}`;
}

export function methodWords({ metric, axis, tolerance, isLearned, numbers, methods }: MethodEvidence): { headline: string; remarks: string[]; first: Counted | null } {
  const all = methods.flatMap((result, i): Ranked[] => (numbers[i]!.numbers ? [{ counted: numbers[i] as Counted, result }] : []));
  const learned = all.filter(({ counted }) => isLearned(counted));
  const widthOf = ({ counted: { numbers: own } }: Ranked) => widthWords(axis, own.width.value, isOpen(own.usable), true);
  const widest = leaders(learned, "width");
  if (!widest) return { headline: "no method has results yet.", remarks: [], first: null };
  const { first, certain } = widest;
  const range = `the usable range of the ${axis.words} is widest with ${leaderWords(widest, widthOf)}`;
  const price = learned.length > 1 ? priceWords(metric, learned, first) : "";
  const headline = certain ? `${range}${price}.` : `with a single seed no ranking can be told from chance; in these runs ${range}${price}.`;
  return { headline, remarks: remarksOf({ metric, axis, tolerance, isLearned }, all, learned), first: first.counted };
}

/** What the widest range costs in the best result and in time. */
function priceWords(metric: StudyMetric, learned: readonly Ranked[], { counted: { numbers: own }, result }: Ranked): string {
  const lowest = learned.reduce((a, b) => (b.counted.numbers.best.value < a.counted.numbers.best.value ? b : a));
  const lost = own.best.value - lowest.counted.numbers.best.value;
  const level = measured(metric, own.best.value);
  const isLowest = level === measured(metric, lowest.counted.numbers.best.value);
  const best = `with ${result.name} the best ${bestLabel(metric)} is ${level}, ${isLowest ? "the lowest too" : `${difference(metric, lost)} above the lowest`}`;
  const timed = learned.flatMap((method) => (method.counted.numbers.timePerStep ? [{ name: method.result.name, time: method.counted.numbers.timePerStep.value }] : []));
  if (!own.timePerStep || timed.length === 0) return `; ${best}`;
  const fastest = timed.reduce((a, b) => (b.time < a.time ? b : a));
  const ratio = own.timePerStep.value / fastest.time;
  const time = fastest.name === result.name ? "the least time" : ratio < 1.05 ? `no longer than with ${fastest.name}` : `${rounded(ratio)} times as long as with ${fastest.name}`;
  return `; ${best}, and a step takes ${time}`;
}

function remarksOf({ metric, axis, tolerance, isLearned }: Pick<MethodEvidence, "metric" | "axis" | "tolerance" | "isLearned">, all: readonly Ranked[], learned: readonly Ranked[]): string[] {
  const value = (estimate: (method: Counted) => { readonly value: number } | null) => ({ counted }: Ranked) => measured(metric, estimate(counted)?.value ?? NaN);
  const lead = (ranking: Ranking, start: string, of: (method: Ranked) => string) => {
    const found = leaders(learned, ranking);
    return found ? [`${start} ${leaderWords(found, of)}.`] : [];
  };
  const idle = all.filter((method) => !learned.includes(method));
  const average = isPercent(metric.name) ? "mean over all factors, values worse than guessing as guessing" : "mean over all factors";
  const knobs = learned.flatMap(({ result }) => result.knobs.flatMap(({ knob, numbers }) => (numbers.numbers && numbers.known > 1 && isLearned(numbers as Counted) ? [`${knob.words} of ${result.name} over ${widthWords(axis, numbers.numbers.width.value, isOpen(numbers.numbers.usable), true)}`] : [])));
  const open = learned.filter(({ counted }) => isOpen(counted.numbers.usable)).map(({ result }) => result.name);
  return [
    ...lead("best", `The best ${bestLabel(metric)} is lowest with`, value(({ numbers }) => numbers.best)),
    ...lead("atDefault", "At the published defaults it is lowest with", value(({ numbers }) => numbers.atDefault)),
    ...lead("excess", `On average (${average}) it is nearest to the lowest with`, ({ counted }) => `${difference(metric, counted.numbers.excess.value)} above it`),
    ...(tolerance.kind === "below" ? [] : lead("widthOfStudy", `The range that is ${toleranceWords(tolerance, metric)} of any method is widest with`, ({ counted }) => widthWords(axis, counted.numbers.widthOfStudy.value, isOpen(counted.numbers.usableOfStudy), true))),
    ...(knobs.length === 0 ? [] : [`Other knobs, each alone and the rest as published, are usable: ${listed(knobs)}.`]),
    `Usable means ${toleranceWords(tolerance, metric)}${tolerance.kind === "below" ? "" : " of the same method"}.`,
    ...(open.length === 0 ? [] : [`${capital(listed(open.map((name) => `with ${name}`)))} the range reaches the end of the factors tried and may be wider.`]),
    ...(idle.length === 0 ? [] : [`${plural(idle.length, "method")} learned nothing better than guessing: ${listed(idle.map(({ result }) => result.name))}.`]),
    ...(learned.length > 1 ? ["Methods that the seeds cannot tell apart are named together."] : []),
  ];
}
