/** Words that the verdicts of heights, stacks and methods share. */
import { capital, listed, nounFor, plural } from "../text.ts";
import { formatHyperparameter } from "../tower.ts";
import type { StudyAxis } from "./axes.ts";
import { isPercent } from "../metrics.ts";
import { metricLabel, metricUnit, type StudyMetric } from "./metric.ts";
import type { Variant } from "./curves.ts";
import type { Change, Difference, HeightNumbers } from "./numbers.ts";
import type { Tolerance, Usable } from "./width.ts";

export type Counted = HeightNumbers & { readonly numbers: NonNullable<HeightNumbers["numbers"]> };

/** Min axis values for a range. */
export const minValues = 3;
/** Widths that differ by less, in decades, count as the same. */
export const sameWidth = 0.1;

const numbers = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
const inWords = (count: number) => numbers[count] ?? String(count);
/** At least two significant digits, without an exponent for large values. */
export const rounded = (value: number) => String(Math.abs(value) >= 10 ? Number(value.toFixed(1)) : Number(value.toPrecision(2)));

export const measured = (metric: StudyMetric, value: number) => `${isPercent(metric.name) ? value.toFixed(2) : Number(value.toPrecision(4))}${metricUnit(metric.name)}`;
export const difference = (metric: StudyMetric, value: number) =>
  isPercent(metric.name) ? `${Math.abs(value).toFixed(2)} points` : String(Number(Math.abs(value).toPrecision(3)));

/** Label without its own "best": the sentences already say "the best". */
export const bestLabel = (metric: StudyMetric) => metricLabel(metric.at === "best" ? { ...metric, at: "final" } : metric);

export function widthWords(axis: StudyAxis, value: number, open: boolean, unit: boolean): string {
  const text = axis.scale === "log" ? value.toFixed(1) : rounded(value);
  const suffix = axis.scale === "log" && unit ? " decades" : "";
  return `${open ? "at least " : ""}${text}${suffix}`;
}
export const isOpen = ({ openLow, openHigh }: Usable) => openLow || openHigh;

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
export function isClear(change: Difference, smallest: number): boolean {
  return Math.abs(change.value) >= smallest && excludesZero(change);
}

export function costWords(cost: Change["cost"]): string {
  if (!cost) return "";
  const percent = 100 * cost.value;
  if (Math.abs(percent) < 0.05 || !excludesZero(cost)) return " at no measurable cost in time";
  return ` at ${rounded(Math.abs(percent))} % ${percent > 0 ? "more" : "less"} time per step`;
}

/** Subject of a sentence about a change: `two more levels`, or the name of a stack. */
export function subjectOf(top: Variant, { from, levels }: Change): string {
  const more = from.height === 0 ? "" : " more";
  return top.stack ?? `${inWords(levels)}${more} ${nounFor(levels, "level")}`;
}

export const phraseFor = ({ height, stack }: Pick<Variant, "height" | "stack">) => (stack === null ? `at height ${height}` : `with ${stack}`);

/** Describes the change of the best value; null if it is not clear. */
export function bestWords(metric: StudyMetric, base: Counted, top: Counted, { gain }: Change): { better: boolean; words: string } | null {
  const noticeable = isPercent(metric.name) ? 0.1 : 0.01 * Math.abs(base.numbers.best.value);
  if (!isClear(gain, noticeable)) return null;
  const better = gain.value > 0;
  const [before, after] = [measured(metric, base.numbers.best.value), measured(metric, top.numbers.best.value)];
  return { better, words: `the best ${bestLabel(metric)} is ${difference(metric, gain.value)} ${better ? "lower" : "higher"}${base.stack === null ? "" : ` than with ${base.stack}`}, ${after} against ${before}` };
}

/** Describes the change of the mean over all values; empty if it is not clear. Shows flat curves that miss the tolerance. */
export function averageWords(metric: StudyMetric, base: Counted, top: Counted, { onAverage }: Change): string[] {
  if (base.known !== top.known || !isClear(onAverage, isPercent(metric.name) ? 0.1 : 0.01 * Math.abs(base.numbers.best.value))) return [];
  return [`on average over the values tried the ${bestLabel(metric)} is ${difference(metric, onAverage.value)} ${onAverage.value > 0 ? "lower" : "higher"}`];
}

export function divergedWords(heights: readonly Counted[]): string[] {
  const parts = (["diverged", "exploded"] as const).flatMap((what) => {
    const some = heights.filter((height) => height[what] > 0);
    return some.length === 0 ? [] : [`${some.map((height) => `${height[what]} of ${plural(height.n, "run")} ${phraseFor(height)}`).join(", ")} ${what}`];
  });
  return parts.length === 0 ? [] : [`${capital(parts.join("; "))}; each counts as the worst.`];
}

export function openWords({ words }: StudyAxis, heights: readonly Counted[]): string[] {
  const open = heights.filter(({ numbers: { usable } }) => isOpen(usable));
  if (open.length === 0) return [];
  return [`${capital(listed(open.map(phraseFor)))} the range reaches the end of the values tried: the ${words} may be usable beyond.`];
}

export function certaintyWords(heights: readonly Counted[]): string[] {
  const [reason] = heights.flatMap(({ noInterval }) => noInterval ?? []);
  return reason === undefined ? [] : [`No confidence intervals: ${reason}.`];
}

export function lostWords(heights: readonly HeightNumbers[]): string[] {
  const lost = heights.reduce((sum, height) => sum + height.lost, 0);
  const skipped = heights.reduce((sum, height) => sum + height.skipped, 0);
  return [
    ...(lost === 0 ? [] : [`${plural(lost, "run")} failed or ${nounFor(lost, "is", "are")} missing and ${nounFor(lost, "does", "do")} not count.`]),
    ...(skipped === 0 ? [] : [`${plural(skipped, "rerun")} had no learned values to start from and ${nounFor(skipped, "does", "do")} not count.`]),
  ];
}

/** Prefix and remark for a study with pending runs, which may change the verdict. */
export function soFar(heights: readonly HeightNumbers[]): { prefix: string; remarks: string[] } {
  const pending = heights.reduce((sum, height) => sum + height.pending, 0);
  const runs = heights.reduce((sum, height) => sum + height.runs, 0);
  return pending === 0 ? { prefix: "", remarks: [] } : { prefix: "So far, ", remarks: [`Not finished: ${pending} of ${plural(runs, "run")} ${nounFor(pending, "is", "are")} still to come.`] };
}

export const opening = (prefix: string, sentence: string) => (prefix === "" ? capital(sentence) : prefix + sentence);

const valueWords = (x: number) => formatHyperparameter(Number(x.toPrecision(2)));
export const rangeWords = ({ parts }: Usable) => listed(parts.map(({ from, to }) => (from === to ? valueWords(from) : `${valueWords(from)} to ${valueWords(to)}`)));
