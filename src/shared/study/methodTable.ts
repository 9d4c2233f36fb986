/** The results of a study of methods as table columns and rows, for the command line, reports and the window. */
import { isPercent } from "../metrics.ts";
import { formatHyperparameter } from "../tower.ts";
import { metricLabel, metricUnit } from "./metric.ts";
import type { KnobResult, MethodResult, Rank, Ranking } from "./methodResults.ts";
import type { NamedKnob } from "./methods.ts";
import type { HeightNumbers } from "./numbers.ts";
import { decimals, overRange, percent, significant, type NumberColumn } from "./numberColumn.ts";
import type { Sensitivity } from "./sensitivity.ts";
import { toleranceWords } from "./verdictWords.ts";

export interface MethodColumn extends NumberColumn {
  /** Statistic by which its numbers are ranked; null for none. */
  readonly ranking: Ranking | null;
}

/** Key figures of methods that have a value, in reading order. */
export function methodColumns({ metric, tolerance, chance, heights }: Pick<Sensitivity, "metric" | "tolerance" | "chance" | "heights">): MethodColumn[] {
  const isError = isPercent(metric.name);
  const unit = metricUnit(metric.name).trim();
  const label = metricLabel(metric);
  const plain = label.replace(/^best /, "");
  const measured = isError ? decimals(2) : significant(4);
  const usable = toleranceWords(tolerance, metric);
  const columns: MethodColumn[] = [
    { key: "width", title: "Usable range", unit: "decades", definition: `Length of the range of starting values whose mean ${label} is ${usable}${tolerance.kind === "below" ? "" : " of the same method"}, interpolated between the factors; none for a method that learns nothing.`, log: false, of: (method) => overRange(method)?.width ?? null, format: decimals(1), ranking: "width" },
    ...(tolerance.kind === "below"
      ? []
      : [{ key: "widthOfStudy", title: "Near the lowest", unit: "decades", definition: `The same for values whose mean ${label} is ${usable} of any method.`, log: false, of: (method: HeightNumbers) => overRange(method)?.widthOfStudy ?? null, format: decimals(1), ranking: "widthOfStudy" } satisfies MethodColumn]),
    { key: "best", title: `Best ${plain}`, unit, definition: `The lowest mean ${label} over the seeds at any factor.`, log: false, of: ({ numbers }) => numbers?.best ?? null, format: measured, ranking: "best" },
    { key: "bestAt", title: "Best factor", unit: "", definition: "The factor of the published default where that is.", log: true, of: ({ numbers }) => numbers?.bestAt ?? null, format: formatHyperparameter, ranking: null },
    { key: "atDefault", title: "At the default", unit, definition: `Mean ${label} over the seeds at the published default, factor 1.`, log: false, of: ({ numbers }) => numbers?.atDefault ?? null, format: measured, ranking: "atDefault" },
    { key: "excess", title: "Average loss", unit: isError ? "points" : "", definition: `Mean of the ${label} over all factors, minus the lowest of any method${chance === null ? "" : "; values worse than guessing count as guessing"}.`, log: false, of: (method) => overRange(method)?.excess ?? null, format: measured, ranking: "excess" },
    { key: "divergedShare", title: "Diverged", unit: "%", definition: "Share of the runs whose loss or weights stopped being finite.", log: false, of: ({ numbers }) => (heights.some(({ diverged }) => diverged > 0) ? (numbers?.divergedShare ?? null) : null), format: percent, ranking: null },
    { key: "explodedShare", title: "Exploded", unit: "%", definition: "Share of the runs that trained to their end, with a result that is not finite or far worse than guessing.", log: false, of: ({ numbers }) => (heights.some(({ exploded }) => exploded > 0) ? (numbers?.explodedShare ?? null) : null), format: percent, ranking: null },
    { key: "timePerStep", title: "Time per step", unit: "ms", definition: "Median over all steps of the method's runs, each step at its run's mean.", log: false, of: ({ numbers }) => numbers?.timePerStep ?? null, format: significant(3), ranking: "timePerStep" },
  ];
  return columns.filter(({ of }) => heights.some((height) => of(height) !== null));
}

/** Columns that say something about a knob of one method. */
export const knobColumnKeys: readonly string[] = ["width", "best", "bestAt", "divergedShare"];

/** `1`, `2 (1 to 4)`; `–` without a rank. */
export function rankText(rank: Rank | null | undefined): string {
  if (!rank) return "–";
  const { value, interval } = rank;
  return interval === null || interval[0] === interval[1] ? String(value) : `${value} (${interval[0]} to ${interval[1]})`;
}

/** A row of the table: a method by its starting value, or one of its other knobs. */
export interface MethodRow {
  readonly method: string;
  readonly knob: NamedKnob;
  readonly numbers: HeightNumbers;
  /** Null for a knob other than the starting value. */
  readonly result: MethodResult | null;
}

/** Every method, each followed by its other knobs. */
export function methodRows({ heights, methods }: Pick<Sensitivity, "heights" | "methods">): MethodRow[] {
  const knobRow = (method: string) => ({ knob, numbers }: KnobResult): MethodRow => ({ method, knob, numbers, result: null });
  return (methods ?? []).flatMap((result, i): MethodRow[] => [{ method: result.name, knob: result.start, numbers: heights[i]!, result }, ...result.knobs.map(knobRow(result.name))]);
}

/** `step size 0.001`, `first distance 1e-6`: a knob and its published default. */
export const knobText = ({ words, published }: NamedKnob): string => `${words} ${formatHyperparameter(published)}`;
