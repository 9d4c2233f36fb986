/** Verdict of a study in plain words, from its key figures. Says what is unknown as well as what is known. */
import { capital, listed, nounFor, plural } from "../text.ts";
import { formatHyperparameter } from "../tower.ts";
import type { StudyAxis } from "./axes.ts";
import { isPercent } from "../metrics.ts";
import type { StudyMetric } from "./metric.ts";
import { learnedBelow, type MethodResult } from "./methodResults.ts";
import { methodWords } from "./methodVerdict.ts";
import type { HeightNumbers } from "./numbers.ts";
import type { Tolerance } from "./width.ts";
import {
  averageWords,
  bestLabel,
  bestWords,
  certaintyWords,
  costWords,
  divergedWords,
  isClear,
  isOpen,
  lostWords,
  measured,
  minValues,
  opening,
  openWords,
  phraseFor,
  rangeWords,
  sameWidth,
  soFar,
  subjectOf,
  toleranceWords,
  widthWords,
  type Counted,
} from "./verdictWords.ts";

export { toleranceWords } from "./verdictWords.ts";

/**
 * - `nothing`: no run counts yet;
 * - `waiting`: too few results for a verdict;
 * - `diverged`: every ended run diverged or exploded;
 * - `unlearned`: nothing is better than guessing;
 * - `single`: one height, so nothing to compare;
 * - `few`: fewer than three axis values, too few for a range;
 * - `methods`: methods are ranked, as far as the seeds allow;
 * - `pairs`: each stack is compared with the one it names;
 * - `uncertain`: a single seed, so differences cannot be told from chance;
 * - `wider`, `narrower`, `same`: effect of the levels on the usable range.
 */
export type Finding = "nothing" | "waiting" | "uncertain" | "diverged" | "unlearned" | "single" | "few" | "methods" | "pairs" | "wider" | "narrower" | "same";

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
  /** Null except in a study of methods. */
  readonly methods: readonly MethodResult[] | null;
  /** Remarks on times that runs share, on selection with the test set and on exploded runs. */
  readonly choices: readonly string[];
}

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
  const { metric, axis, chance, tolerance, heights, methods, choices } = evidence;
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
  const isLearned = ({ numbers: { best } }: Counted) => chance === null || best.value < learnedBelow * chance;
  const learned = counted.filter(isLearned);
  if (learned.length === 0) return say("unlearned", `nothing got clearly better than guessing (${measured(metric, chance!)}).`, divergedWords(counted));
  if (methods && axis) {
    const { headline, remarks, first } = methodWords({ metric, axis, tolerance, isLearned, numbers: heights, methods });
    return say("methods", headline, [...remarks, ...divergedWords(counted), ...certaintyWords(counted)], first);
  }
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
