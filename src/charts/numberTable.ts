/** The key figures of a study as table columns: name, unit and format. */
import { isPercent } from "../shared/metrics.ts";
import { metricLabel, metricUnit } from "../shared/study/metric.ts";
import { methodColumns } from "../shared/study/methodTable.ts";
import { decimals, overRange, percent, significant, type NumberColumn } from "../shared/study/numberColumn.ts";
import type { Sensitivity } from "../shared/study/sensitivity.ts";
import { toleranceWords } from "../shared/study/verdict.ts";
import { formatHyperparameter } from "../shared/tower.ts";
import { capital } from "../shared/text.ts";

export { estimateText, type NumberColumn } from "../shared/study/numberColumn.ts";

/** Every key figure that the study has a value for, in reading order. */
export function numberColumns(found: Sensitivity): NumberColumn[] {
  if (found.methods) return methodColumns(found);
  const { metric, axis, tolerance, chance, heights } = found;
  const isError = isPercent(metric.name);
  const unit = metricUnit(metric.name).trim();
  const points = isError ? "points" : "";
  const label = metricLabel(metric);
  const stacks = heights.some(({ stack }) => stack !== null);
  const measured = isError ? decimals(2) : significant(4);
  const columns: NumberColumn[] = [
    { key: "best", title: axis ? `Best ${label.replace(/^best /, "")}` : label, unit, definition: axis ? `The lowest mean ${label} over the seeds that any value of the axis has.` : `Mean ${label} over the seeds.`, log: false, of: ({ numbers }) => numbers?.best ?? null, format: measured },
    ...(axis
      ? ([
          { key: "bestAt", title: `Best ${axis.symbol}`, unit: "", definition: `Where on the axis (${axis.label}) that is.`, log: axis.scale === "log", of: ({ numbers }) => numbers?.bestAt ?? null, format: formatHyperparameter },
          {
            key: "sensitivity",
            title: "Sensitivity",
            unit: points,
            definition: `Mean of the ${label} over the values of the axis, minus the best of it${chance === null ? "" : "; values worse than guessing count as guessing"} (Wortsman et al. 2023). 0 means that any value is as good as the best.`,
            log: false,
            of: (height) => overRange(height)?.sensitivity ?? null,
            format: measured,
          },
          {
            key: "width",
            title: "Usable width",
            unit: axis.scale === "log" ? "decades" : "",
            definition: `Length of the range of ${axis.words} whose mean ${label} is ${toleranceWords(tolerance, metric)}${tolerance.kind === "below" ? "" : " of the same height"}, interpolated between the values of the axis.`,
            log: false,
            of: (height) => overRange(height)?.width ?? null,
            format: axis.scale === "log" ? decimals(1) : significant(3),
          },
        ] satisfies NumberColumn[])
      : []),
    { key: "divergedShare", title: "Diverged", unit: "%", definition: "Share of the runs whose loss or weights stopped being finite.", log: false, of: ({ numbers }) => numbers?.divergedShare ?? null, format: percent },
    { key: "explodedShare", title: "Exploded", unit: "%", definition: "Share of the runs that trained to their end, with a result that is not finite or far worse than guessing.", log: false, of: ({ exploded, numbers }) => (exploded > 0 || heights.some((height) => height.exploded > 0) ? (numbers?.explodedShare ?? null) : null), format: percent },
    { key: "timePerStep", title: "Time per step", unit: "ms", definition: "Median over all steps of the height's runs, each step at its run's mean.", log: false, of: ({ numbers }) => numbers?.timePerStep ?? null, format: significant(3) },
    { key: "gain", title: "Gain", unit: points, definition: stacks ? `By how much the mean ${label} is lower than that of the stack it is compared with.` : `By how much the best ${label} is lower than the lowest height's.`, log: false, of: ({ numbers }) => numbers?.change?.gain ?? null, format: measured },
    { key: "wins", title: "Wins", unit: "%", definition: `Share of the runs whose ${label} is lower than that of the run with the same seed of the stack it is compared with.`, log: false, of: ({ numbers }) => (stacks && numbers?.change && numbers.change.pairs > 0 ? { value: numbers.change.wins / numbers.change.pairs, interval: null } : null), format: percent },
    { key: "gainPerLevel", title: "Gain per level", unit: points, definition: "The same against the next lower height, divided by the levels between.", log: false, of: ({ numbers }) => numbers?.perLevel?.gain ?? null, format: measured },
    { key: "costPerLevel", title: "Cost per level", unit: "%", definition: "By how much a step takes longer than the next lower height's, divided by the levels between.", log: false, of: ({ numbers }) => numbers?.perLevel?.cost ?? null, format: percent },
  ];
  return columns.map((column) => ({ ...column, title: capital(column.title) })).filter(({ of }) => heights.some((height) => of(height) !== null));
}
