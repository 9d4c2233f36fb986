/** The table of a study of methods. */
import { knobName, orderedRows, valueIn } from "@charts/methodBars.ts";
import { minOf } from "@shared/extent.ts";
import type { Curve } from "@shared/study/curves.ts";
import type { Ranking } from "@shared/study/methodResults.ts";
import { methodColumns, type MethodColumn } from "@shared/study/methodTable.ts";
import type { Sensitivity } from "@shared/study/sensitivity.ts";
import type { Study } from "@shared/study/study.ts";
import { isOpen } from "@shared/study/verdictWords.ts";
import { countedParts } from "@shared/text.ts";
import { formatHyperparameter, notation } from "@shared/tower.ts";

export interface MethodTableRow {
  readonly id: string;
  readonly name: string;
  /** Place in the study, which gives it its color. */
  readonly index: number;
  readonly isKnob: boolean;
  /** Tower of the method; empty for a knob. */
  readonly words: string;
  /** `α = 0.001` */
  readonly published: string;
  readonly rank: string;
  readonly rankInterval: string;
  readonly cells: readonly { readonly key: string; readonly value: string; readonly interval: string }[];
  /** Best factor, with the best run there. */
  readonly best: { readonly factor: string; readonly run: string | null; readonly seed: number | null };
  readonly remarks: string;
}

/** Columns that are shown elsewhere in a row. */
const elsewhere = ["bestAt", "divergedShare", "explodedShare"];

export const shownColumns = (found: Sensitivity): MethodColumn[] => methodColumns(found).filter(({ key }) => !elsewhere.includes(key));

/** Statistics that can order the table, by name. */
export const rankingOptions = (found: Sensitivity): { value: Ranking; label: string }[] => methodColumns(found).flatMap(({ ranking, title }) => (ranking === null ? [] : [{ value: ranking, label: title }]));

/** Best run at the best point of a curve. */
function bestRunOf({ points }: Curve): { run: string | null; seed: number | null } {
  const known = points.filter(({ mean }) => mean !== null);
  const best = known.find(({ mean }) => mean === minOf(known.map((point) => point.mean!)));
  const measured = (best?.runs ?? []).filter(({ counted }) => counted !== null);
  const run = measured.find(({ counted }) => counted === minOf(measured.map((one) => one.counted!)));
  return { run: run?.point.run ?? null, seed: run?.point.seed ?? null };
}

/** A row for each method in an order, and below it one for each other knob. */
export function methodTable(study: Study, found: Sensitivity, order: readonly string[], by: Ranking): MethodTableRow[] {
  const columns = shownColumns(found);
  const names = (found.methods ?? []).map(({ name }) => name);
  return orderedRows(found, order).map((row): MethodTableRow => {
    const { method, knob, numbers, result } = row;
    const index = names.indexOf(method);
    const rank = result?.ranks?.[by] ?? null;
    const { diverged, exploded, pending, lost } = numbers;
    const curve = result ? found.curves[index] : found.methods?.[index]?.knobs.find((one) => one.knob.path === knob.path)?.curve;
    const definition = study.methods?.list.find(({ name }) => name === method);
    return {
      id: result ? String(index) : `${index}-${knob.path}`,
      name: result ? method : knobName(knob),
      index,
      isKnob: !result,
      words: definition && result ? notation(definition.tower) : "",
      published: `${knob.symbol} = ${formatHyperparameter(knob.published)}`,
      rank: rank ? String(rank.value) : "",
      rankInterval: rank?.interval && rank.interval[0] !== rank.interval[1] ? `${rank.interval[0]} to ${rank.interval[1]}` : "",
      cells: columns.map((column) => {
        const estimate = valueIn(column, row);
        const interval = estimate?.interval ?? null;
        return {
          key: column.key,
          value: estimate ? `${column.key === "width" && numbers.numbers && isOpen(numbers.numbers.usable) ? "≥ " : ""}${column.format(estimate.value)}` : result ? "–" : "",
          interval: interval ? `${column.format(interval[0])} to ${column.format(interval[1])}` : "",
        };
      }),
      best: { factor: numbers.numbers ? `× ${formatHyperparameter(Number(numbers.numbers.bestAt.value.toPrecision(3)))}` : "–", ...(curve ? bestRunOf(curve) : { run: null, seed: null }) },
      remarks: countedParts([[diverged, "diverged"], [exploded, "exploded"], [pending, "pending"], [lost, "failed"]]).join(", "),
    };
  });
}
