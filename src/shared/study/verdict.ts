/** Verdict of a study in plain words, from its key figures. Says what is unknown as well as what is known. */
import { capital, listed, nounFor, plural } from "../text.ts";
import { formatHyperparameter } from "../tower.ts";
import type { StudyAxis } from "./axes.ts";
import { isPercent } from "../metrics.ts";
import { metricLabel, metricUnit, type StudyMetric } from "./metric.ts";
import type { Variant } from "./curves.ts";
import type { Change, Difference, HeightNumbers } from "./numbers.ts";
import type { Tolerance, Usable } from "./width.ts";

/**
 * - `nothing`: no run counts yet;
 * - `waiting`: too few results for a verdict;
 * - `diverged`: every ended run diverged or exploded;
 * - `unlearned`: nothing is better than guessing;
 * - `single`: one height, so nothing to compare;
 * - `few`: fewer than three axis values, too few for a range;
 * - `pairs`: each stack is compared with the one it names;
 * - `uncertain`: a single seed, so differences cannot be told from chance;
 * - `wider`, `narrower`, `same`: effect of the levels on the usable range.
 */
export type Finding = "nothing" | "waiting" | "uncertain" | "diverged" | "unlearned" | "single" | "few" | "pairs" | "wider" | "narrower" | "same";

export interface Verdict {
  readonly finding: Finding;
  /** One sentence. */
  readonly headline: string;
  /** Further sentences: other effects, and limits of the finding. */
  readonly remarks: readonly string[];
  /** Labels of the height or stack it is about, and of the one it is compared with. */
  readonly of: string | null;
  readonly against: string | null;
}

export interface Evidence {
  readonly metric: StudyMetric;
  readonly axis: StudyAxis | null;
  readonly chance: number | null;
  readonly tolerance: Tolerance;
  readonly heights: readonly HeightNumbers[];
  /** Remarks on selection with the test set and on exploded runs. */
  readonly choices: readonly string[];
}

type Counted = HeightNumbers & { readonly numbers: NonNullable<HeightNumbers["numbers"]> };

/** Min axis values for a range. */
const minValues = 3;
/** Widths that differ by less, in decades, count as the same. */
const sameWidth = 0.1;

const numbers = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
const inWords = (count: number) => numbers[count] ?? String(count);
/** At least two significant digits, without an exponent for large values. */
const rounded = (value: number) => String(Math.abs(value) >= 10 ? Number(value.toFixed(1)) : Number(value.toPrecision(2)));

const measured = (metric: StudyMetric, value: number) => `${isPercent(metric.name) ? value.toFixed(2) : Number(value.toPrecision(4))}${metricUnit(metric.name)}`;
const difference = (metric: StudyMetric, value: number) =>
  isPercent(metric.name) ? `${Math.abs(value).toFixed(2)} points` : String(Number(Math.abs(value).toPrecision(3)));

/** Label without its own "best": the sentences already say "the best". */
const bestLabel = (metric: StudyMetric) => metricLabel(metric.at === "best" ? { ...metric, at: "final" } : metric);

function widthWords(axis: StudyAxis, value: number, open: boolean, unit: boolean): string {
  const text = axis.scale === "log" ? value.toFixed(1) : rounded(value);
  const suffix = axis.scale === "log" && unit ? " decades" : "";
  return `${open ? "at least " : ""}${text}${suffix}`;
}
const isOpen = ({ openLow, openHigh }: Usable) => openLow || openHigh;

export function toleranceWords(tolerance: Tolerance, { name }: StudyMetric): string {
  switch (tolerance.kind) {
    case "absolute":
      return isPercent(name) ? `within ${rounded(tolerance.by)} percentage ${nounFor(tolerance.by, "point")} of the best` : `within ${rounded(tolerance.by)} of the best`;
    case "relative":
      return `within ${rounded(100 * tolerance.by)} % of the best`;
    case "below":
      return `at most ${rounded(tolerance.value)}${metricUnit(name)}`;
  }
}

const excludesZero = ({ corrected }: Difference) => corrected !== null && (corrected[0] > 0 || corrected[1] < 0);

/**
 * Whether a difference is large enough and significant: its interval, corrected for the choice of the
 * height, excludes 0. Without an interval (a single seed) no difference is clear.
 */
function isClear(change: Difference, smallest: number): boolean {
  return Math.abs(change.value) >= smallest && excludesZero(change);
}

function costWords(cost: Change["cost"]): string {
  if (!cost) return "";
  const percent = 100 * cost.value;
  if (Math.abs(percent) < 0.05 || !excludesZero(cost)) return " at no measurable cost in time";
  return ` at ${rounded(Math.abs(percent))} % ${percent > 0 ? "more" : "less"} time per step`;
}

/** Subject of a sentence about a change: `two more levels`, or the name of a stack. */
function subjectOf(top: Variant, { from, levels }: Change): string {
  const more = from.height === 0 ? "" : " more";
  return top.stack ?? `${inWords(levels)}${more} ${nounFor(levels, "level")}`;
}

const phraseFor = ({ height, stack }: Pick<Variant, "height" | "stack">) => (stack === null ? `at height ${height}` : `with ${stack}`);

/** Describes the change of the best value; null if it is not clear. */
function bestWords(metric: StudyMetric, base: Counted, top: Counted, { gain }: Change): { better: boolean; words: string } | null {
  const noticeable = isPercent(metric.name) ? 0.1 : 0.01 * Math.abs(base.numbers.best.value);
  if (!isClear(gain, noticeable)) return null;
  const better = gain.value > 0;
  const [before, after] = [measured(metric, base.numbers.best.value), measured(metric, top.numbers.best.value)];
  return { better, words: `the best ${bestLabel(metric)} is ${difference(metric, gain.value)} ${better ? "lower" : "higher"}${base.stack === null ? "" : ` than with ${base.stack}`}, ${after} against ${before}` };
}

/** Describes the change of the mean over all values; empty if it is not clear. Shows flat curves that miss the tolerance. */
function averageWords(metric: StudyMetric, base: Counted, top: Counted, { onAverage }: Change): string[] {
  if (base.known !== top.known || !isClear(onAverage, isPercent(metric.name) ? 0.1 : 0.01 * Math.abs(base.numbers.best.value))) return [];
  return [`on average over the values tried the ${bestLabel(metric)} is ${difference(metric, onAverage.value)} ${onAverage.value > 0 ? "lower" : "higher"}`];
}

function divergedWords(heights: readonly Counted[]): string[] {
  const parts = (["diverged", "exploded"] as const).flatMap((what) => {
    const some = heights.filter((height) => height[what] > 0);
    return some.length === 0 ? [] : [`${some.map((height) => `${height[what]} of ${plural(height.n, "run")} ${phraseFor(height)}`).join(", ")} ${what}`];
  });
  return parts.length === 0 ? [] : [`${capital(parts.join("; "))}; each counts as the worst.`];
}

function openWords({ words }: StudyAxis, heights: readonly Counted[]): string[] {
  const open = heights.filter(({ numbers: { usable } }) => isOpen(usable));
  if (open.length === 0) return [];
  return [`${capital(listed(open.map(phraseFor)))} the range reaches the end of the values tried: the ${words} may be usable beyond.`];
}

function certaintyWords(heights: readonly Counted[]): string[] {
  const [reason] = heights.flatMap(({ noInterval }) => noInterval ?? []);
  return reason === undefined ? [] : [`No confidence intervals: ${reason}.`];
}

function lostWords(heights: readonly HeightNumbers[]): string[] {
  const lost = heights.reduce((sum, height) => sum + height.lost, 0);
  const skipped = heights.reduce((sum, height) => sum + height.skipped, 0);
  return [
    ...(lost === 0 ? [] : [`${plural(lost, "run")} failed or ${nounFor(lost, "is", "are")} missing and ${nounFor(lost, "does", "do")} not count.`]),
    ...(skipped === 0 ? [] : [`${plural(skipped, "rerun")} had no learned values to start from and ${nounFor(skipped, "does", "do")} not count.`]),
  ];
}

/** Prefix and remark for a study with pending runs, which may change the verdict. */
function soFar(heights: readonly HeightNumbers[]): { prefix: string; remarks: string[] } {
  const pending = heights.reduce((sum, height) => sum + height.pending, 0);
  const runs = heights.reduce((sum, height) => sum + height.runs, 0);
  return pending === 0 ? { prefix: "", remarks: [] } : { prefix: "So far, ", remarks: [`Not finished: ${pending} of ${plural(runs, "run")} ${nounFor(pending, "is", "are")} still to come.`] };
}

const opening = (prefix: string, sentence: string) => (prefix === "" ? capital(sentence) : prefix + sentence);

const valueWords = (x: number) => formatHyperparameter(Number(x.toPrecision(2)));
const rangeWords = ({ parts }: Usable) => listed(parts.map(({ from, to }) => (from === to ? valueWords(from) : `${valueWords(from)} to ${valueWords(to)}`)));

function aboutOne({ metric, axis, tolerance }: Evidence, height: Counted): string {
  const { best, bestAt, usable, width } = height.numbers;
  const where = axis ? `, at ${axis.words} ${formatHyperparameter(bestAt.value)}` : "";
  const top = `${phraseFor(height)} the best ${bestLabel(metric)} is ${measured(metric, best.value)}${where}`;
  if (!axis || height.known < minValues) return `${top}.`;
  return `${top}; it stays ${toleranceWords(tolerance, metric)} over ${widthWords(axis, width.value, isOpen(usable), true)} of the ${axis.words}${usable.parts.length > 0 ? ` (${rangeWords(usable)})` : ""}.`;
}

/** Describes the results that a verdict still needs; null if there are enough. */
function waitingWords(heights: readonly HeightNumbers[]): string | null {
  const waiting = heights.filter((height) => height.waiting > 0);
  if (waiting.length === 0) return null;
  const where = waiting.map((height) => `${plural(height.waiting, "point")} ${phraseFor(height)}`);
  const shown = where.length > 4 ? [...where.slice(0, 3), `${where.length - 3} more towers`] : where;
  return `no verdict yet: too few runs have ended at ${listed(shown)} (two each are needed, or the only seed)`;
}

/** Headline and remarks for stacks that each name the one to compare with. */
function pairwiseWords(metric: StudyMetric, heights: readonly Counted[]): { headline: string; remarks: string[] } {
  const compared = heights.flatMap((stack) => (stack.numbers.change ? [{ stack, gain: stack.numbers.change.gain, known: stack.numbers.change.gain.corrected !== null }] : []));
  const best = heights.reduce((a, b) => (b.numbers.best.value < a.numbers.best.value ? b : a));
  const lowest = `The lowest mean ${bestLabel(metric)} is ${measured(metric, best.numbers.best.value)}, with ${best.label}.`;
  const certain = compared.filter(({ known }) => known);
  if (certain.length === 0) {
    const lower = compared.filter(({ gain }) => gain.value > 0).length;
    return { headline: `with a single seed no difference can be told from chance; in these runs ${lower} of ${plural(compared.length, "stack")} ${nounFor(lower, "has", "have")} a lower ${bestLabel(metric)} than the one each is compared with.`, remarks: [lowest] };
  }
  const smallest = (stack: Counted) => (isPercent(metric.name) ? 0.1 : 0.01 * Math.abs(stack.numbers.best.value));
  const clear = certain.filter(({ stack, gain }) => isClear(gain, smallest(stack)));
  const better = clear.filter(({ gain }) => gain.value > 0).length;
  const worse = clear.length - better;
  return {
    headline: `of ${plural(certain.length, "stack")}, each compared with the one it names, ${better} ${nounFor(better, "has", "have")} a clearly lower ${bestLabel(metric)}, ${worse} a clearly higher one; for ${certain.length - clear.length} there is no clear difference.`,
    remarks: [lowest, ...(certain.length > 1 ? [`The intervals behind this sentence allow for ${certain.length} comparisons.`] : [])],
  };
}

/** The height with the lowest mean over the range: the best choice without a known good start. */
const steadiest = (heights: readonly Counted[]) => heights.reduce((best, next) => (next.numbers.excess.value < best.numbers.excess.value ? next : best));

export function verdictOf(evidence: Evidence): Verdict {
  const { metric, axis, chance, tolerance, heights, choices } = evidence;
  const counted = heights.filter((height): height is Counted => height.numbers !== null);
  const { prefix, remarks: unfinished } = soFar(heights);
  const common = [...lostWords(heights), ...choices, ...unfinished];
  const say = (finding: Finding, headline: string, remarks: readonly string[], height: Counted | null = null, against: Counted | null = null): Verdict => ({
    finding,
    headline: opening(prefix, headline),
    remarks: [...remarks, ...common],
    of: height?.label ?? null,
    against: against?.label ?? null,
  });

  const [base] = counted;
  if (!base) return { finding: "nothing", headline: heights.some(({ pending }) => pending > 0) ? "No run has ended yet." : "No run counts.", remarks: common, of: null, against: null };
  const waiting = waitingWords(heights);
  if (waiting !== null) return { finding: "waiting", headline: `${capital(waiting)}.`, remarks: [...divergedWords(counted), ...common], of: null, against: null };
  if (counted.every(({ n, diverged, exploded }) => n === diverged + exploded)) {
    return say("diverged", `every run that ended ${counted.some(({ exploded }) => exploded > 0) ? "diverged or exploded" : "diverged"}.`, []);
  }
  const isLearned = ({ numbers: { best } }: Counted) => chance === null || best.value < 0.95 * chance;
  const learned = counted.filter(isLearned);
  if (learned.length === 0) return say("unlearned", `nothing got clearly better than guessing (${measured(metric, chance!)}).`, divergedWords(counted));
  if (counted.length === 1) {
    const remarks = [...divergedWords(counted), ...certaintyWords(counted)];
    return say(axis && base.known < minValues ? "few" : "single", aboutOne(evidence, base), remarks, base);
  }

  if (heights.some(({ against }) => against !== undefined) && counted.some(({ numbers: { change } }) => change)) {
    const { headline, remarks } = pairwiseWords(metric, counted);
    return say("pairs", headline, [...remarks, ...divergedWords(counted), ...certaintyWords(counted)]);
  }
  const correction = counted.length > 2 ? [`Chosen among ${counted.length - 1} ${base.stack === null ? "heights" : "stacks"}; the intervals behind this sentence allow for that.`] : [];
  const others = learned.filter((height) => height !== base);
  if (others.length === 0) return say("narrower", `${base.stack === null ? "the levels above" : "the others"} learned nothing: only ${base.label} got better than guessing.`, [...divergedWords(counted), ...certaintyWords(counted)], base);
  const top = steadiest(others);
  const change = top.numbers.change!;
  const pair = [base, top];
  const uncertain = pair.some(({ noInterval }) => noInterval !== null);
  const rest = [...divergedWords(pair), ...certaintyWords(pair), ...(uncertain ? [] : correction)];
  const levels = subjectOf(top, change);
  const does = (verb: string) => (change.levels === 1 || top.stack !== null ? `${verb}s` : verb);
  const best = bestWords(metric, base, top, change);
  if (!isLearned(base)) {
    return say("wider", `${phraseFor(base)} nothing is learned; ${aboutOne(evidence, top)}`, rest, top, base);
  }
  if (uncertain) {
    const best = pair.map((height) => `${measured(metric, height.numbers.best.value)} ${phraseFor(height)}`);
    const enough = axis && Math.min(base.known, top.known) >= minValues;
    const widths = enough ? pair.map((height) => `${widthWords(axis, height.numbers.width.value, isOpen(height.numbers.usable), true)} ${phraseFor(height)}`) : [];
    const seen = enough ? `the usable range of the ${axis.words} is ${listed(widths)}` : `the best ${bestLabel(metric)} is ${listed(best)}`;
    const besides = enough ? [`The best ${bestLabel(metric)} is ${listed(best)}.`, ...openWords(axis, pair)] : [];
    return say("uncertain", `with a single seed no difference can be told from chance; in these runs ${seen}.`, [...besides, ...rest], top, base);
  }
  if (!axis || Math.min(base.known, top.known) < minValues) {
    const reason = axis ? [`There are too few values of the ${axis.words} to speak of a usable range.`] : [];
    const some = top.stack !== null && counted.length > 2 ? `of ${counted.length} stacks, ` : "";
    const effect = best ? `${some}with ${levels} ${best.words}` : `${levels} ${does("make")} no clear difference to the best ${bestLabel(metric)}`;
    return say("few", `${effect}${costWords(change.cost)}.`, [...reason, ...rest], top, base);
  }

  const words = ({ numbers: { width, usable } }: Counted, unit: boolean) => widthWords(axis, width.value, isOpen(usable), unit);
  const meaning = `Usable means ${toleranceWords(tolerance, metric)}${tolerance.kind === "below" ? "" : ` of the same ${base.stack === null ? "height" : "stack"}`}.`;
  // Losses belong in the headline; other gains may follow as remarks.
  const price = best && !best.better ? [best.words] : [];
  const average = averageWords(metric, base, top, change);
  const but = (parts: readonly string[]) => (parts.length === 0 ? "" : `, but ${parts.join(", and ")}`);
  const sentences = (parts: readonly string[]) => parts.map((part) => `${capital(part)}.`);
  const gain = best?.better ? [best.words] : [];
  const limits = [meaning, ...openWords(axis, pair), ...rest];
  const { wider } = change;
  const noticeable = axis.scale === "log" ? sameWidth : 0.1 * Math.max(base.numbers.width.value, top.numbers.width.value, Number.MIN_VALUE);
  if (!isClear(wider, noticeable)) {
    const effect = `${levels} ${does("make")} no clear difference to the usable range of the ${axis.words} (${words(base, true)} ${phraseFor(base)}, ${words(top, true)} ${phraseFor(top)})`;
    return say("same", `${effect}${costWords(change.cost)}${but([...average, ...price])}.`, [...sentences(gain), ...limits], top, base);
  }
  const effect = `${levels} ${does(wider.value > 0 ? "widen" : "narrow")} the usable range of the ${axis.words} from ${words(base, false)}${base.stack === null ? "" : ` with ${base.stack}`} to ${words(top, true)}`;
  return say(wider.value > 0 ? "wider" : "narrower", `${effect}${costWords(change.cost)}${but(price)}.`, [...sentences([...gain, ...average]), ...limits], top, base);
}
