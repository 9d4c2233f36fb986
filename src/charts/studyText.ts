/** Wording in charts of studies. */
import { capital } from "../shared/text.ts";
import { metricLabel, type StudyMetric } from "../shared/study/metric.ts";
import type { Variant } from "../shared/study/curves.ts";
import type { StudyAxis } from "../shared/study/axes.ts";
import type { Study } from "../shared/study/study.ts";
import { formatHyperparameter, levelLabel, type Level } from "../shared/tower.ts";
import type { DatasetChoice } from "../shared/datasets.ts";
import { taskOf } from "../shared/experiment.ts";
import { metricText, unitOf } from "../shared/metrics.ts";
import { perSymbol } from "../shared/texts.ts";

export { capital } from "../shared/text.ts";

/** Title of an axis: `Initial step size α`, `Initial momentum μ of level 1`. */
export function axisTitle({ words, symbol, level, title }: Pick<StudyAxis, "words" | "symbol" | "level" | "title">): string {
  if (title !== undefined) return title;
  const name = words.replace(/ of level \d+$/, "");
  return `Initial ${name} ${symbol}${level === 0 ? "" : ` of level ${level}`}`;
}

/** Title of an axis: `Test error (%)`, `Best test loss (nats)`. */
export function metricTitle(metric: StudyMetric, of: { readonly dataset: DatasetChoice }): string {
  const unit = unitOf(metric.name, taskOf(of));
  return `${capital(perSymbol(metricLabel(metric), of.dataset))}${unit === "" ? "" : ` (${unit})`}`;
}

export function formatMetric({ name }: Pick<StudyMetric, "name">, value: number | null): string {
  return metricText(name, value);
}

/** `α = 1e-3`, the label of an axis value in a tooltip. */
export function valueText({ symbol }: Pick<StudyAxis, "symbol">, value: number): string {
  return `${symbol} = ${formatHyperparameter(value)}`;
}

/** Index of a curve's color: a method has the same one in every chart, whichever of its knobs is drawn and whether or not others have begun. */
export function styleIndex({ methods }: Study, { stack }: Variant, index: number): number {
  const at = methods?.list.findIndex(({ name }) => name === stack) ?? -1;
  return at === -1 ? index : at;
}

/** Optimizers of a height, level 0 first; null where the study does not specify them. */
function optimizersAt({ base, heights }: Study, height: number): string[] | null {
  const [bottom] = base.tower;
  if (!bottom) return null;
  if (!heights) return height === base.tower.length - 1 ? base.tower.map((level, index) => levelLabel(level, index === height)) : null;
  const upper = (level: number): Level =>
    heights.upperAt[height] ?? heights.upper ?? (heights.rule.kind === "base" ? (base.tower[Math.min(level, base.tower.length - 1)] ?? bottom) : bottom);
  return Array.from({ length: height + 1 }, (_, level) => levelLabel(level === 0 ? bottom : upper(level), level === height));
}

/**
 * Legend names of a study's curves: `height 0 (SGD)`, `height 1`, ...; with the upper levels'
 * optimizers
 * where they differ from level 0's: `height 1 (Adam / SGD)`.
 */
export function curveNames(study: Study, curves: readonly Variant[]): string[] {
  return curves.map(({ height, stack, label }) => {
    const levels = stack === null ? optimizersAt(study, height) : null;
    if (!levels) return label;
    if (levels.every((level) => level === levels[0])) return height === 0 ? `${label} (${levels[0]!})` : label;
    return `${label} (${levels.length > 3 ? `${levels[0]!} / ${levels[1]!} …` : levels.join(" / ")})`;
  });
}
