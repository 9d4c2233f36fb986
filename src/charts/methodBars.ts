/** Numbers of a study of methods as rows and columns, for its table and its picture. */
import { isPercent } from "../shared/metrics.ts";
import { metricLabel, metricUnit } from "../shared/study/metric.ts";
import type { Ranking } from "../shared/study/methodResults.ts";
import type { Estimate, HeightNumbers } from "../shared/study/numbers.ts";
import type { Sensitivity } from "../shared/study/sensitivity.ts";
import { toleranceWords } from "../shared/study/verdict.ts";
import { capital } from "../shared/text.ts";
import type { MethodBarColumn, MethodBarRow, MethodBars } from "./methodsChart.ts";

export interface MethodColumn extends MethodBarColumn {
  /** One sentence. */
  readonly definition: string;
}

/** A method or, below it, one of its knobs. */
export interface MethodNumbersRow extends MethodBarRow {
  readonly numbers: HeightNumbers;
}

export interface MethodNumbers extends MethodBars {
  readonly rows: readonly MethodNumbersRow[];
  readonly columns: readonly MethodColumn[];
}

const significant = (digits: number) => (value: number) => String(Number(value.toPrecision(digits)));

/** Indices of the methods, best first; those without a rank last. */
export function rankedMethods({ methods }: Pick<Sensitivity, "methods">, by: Ranking): number[] {
  const rank = (index: number) => methods?.[index]?.ranks?.[by]?.value ?? Infinity;
  return (methods ?? []).map((_, index) => index).sort((a, b) => rank(a) - rank(b) || a - b);
}

/** Rows and columns with a value; methods in a given order. */
export function methodNumbers(found: Sensitivity, order: readonly number[] = (found.methods ?? []).map((_, i) => i)): MethodNumbers {
  const { metric, tolerance, heights, methods } = found;
  const rows = order.flatMap((index): MethodNumbersRow[] => {
    const method = methods?.[index];
    const own = heights[index];
    if (!method || !own) return [];
    return [
      { name: method.name, method: index, isKnob: false, numbers: own },
      ...method.knobs.map(({ knob, numbers }): MethodNumbersRow => ({ name: knob.level === 0 ? knob.symbol : `${knob.symbol} of level ${knob.level}`, method: index, isKnob: true, numbers })),
    ];
  });
  const label = metricLabel(metric);
  const unit = metricUnit(metric.name).trim();
  const measured = isPercent(metric.name) ? (value: number) => value.toFixed(2) : significant(4);
  const column = (of: Omit<MethodColumn, "values" | "atLeast">, value: (row: MethodNumbersRow) => Estimate | null, more?: (row: MethodNumbersRow) => boolean): MethodColumn => ({
    ...of,
    values: rows.map(value),
    ...(more && { atLeast: rows.map(more) }),
  });
  // A single value is no range.
  const ranged = ({ numbers }: MethodNumbersRow) => (numbers.known > 1 ? numbers.numbers : null);
  const columns = [
    column(
      {
        key: "width",
        title: "Usable width",
        unit: "decades",
        definition: `Length of the range of factors whose mean ${label} is ${toleranceWords(tolerance, metric)}${tolerance.kind === "below" ? "" : " of the same method"}. ≥: the range goes on beyond the factors.`,
        mark: "bar",
        format: (value) => value.toFixed(1),
      },
      (row) => ranged(row)?.width ?? null,
      (row) => Boolean(ranged(row)?.usable.openLow || ranged(row)?.usable.openHigh),
    ),
    column({ key: "atDefault", title: `${capital(label)} at the default`, unit, definition: `Mean ${label} over the seeds at the published default.`, mark: "dot", format: measured }, ({ isKnob, numbers }) => (isKnob ? null : (numbers.numbers?.atDefault ?? null))),
    column({ key: "best", title: `Best ${label.replace(/^best /, "")}`, unit, definition: `The lowest mean ${label} over the seeds that any factor has.`, mark: "dot", format: measured }, ({ numbers }) => numbers.numbers?.best ?? null),
    column({ key: "timePerStep", title: "Time per step", unit: "ms", definition: "Median over all steps of the method's runs, each step at its run's mean.", mark: "bar", format: significant(3) }, ({ isKnob, numbers }) => (isKnob ? null : (numbers.numbers?.timePerStep ?? null))),
  ];
  return { methods: methods?.length ?? 0, rows, columns: columns.filter(({ values }) => values.some((value) => value !== null)) };
}
