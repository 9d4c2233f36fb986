/** The stacks of a study without axes as rows of a table. */
import { estimateText, numberColumns } from "@charts/numberTable.ts";
import { formatMetric } from "@charts/studyText.ts";
import { epochsOf, seedsOf, stackWords } from "@shared/study/stacks.ts";
import type { Sensitivity } from "@shared/study/sensitivity.ts";
import type { Study } from "@shared/study/study.ts";
import { remarks } from "./studyTable.ts";

export interface StackRow {
  readonly name: string;
  /** Place in the study, which gives it its color. */
  readonly index: number;
  readonly words: string;
  readonly epochs: number;
  /** Runs that count, of those there will be. */
  readonly n: number;
  readonly total: number;
  /** Mean of the metric; null while no run counts. */
  readonly mean: number | null;
  readonly meanText: string;
  readonly interval: string;
  readonly against: string;
  readonly gain: string;
  /** `2 of 3`; empty without a comparison. */
  readonly wins: string;
  readonly remarks: string;
}

export type StackOrder = "study" | "best";

/** A row for each stack of the study, also those without a run yet. */
export function stackRows(study: Study, { curves, heights, metric, ...rest }: Sensitivity, order: StackOrder): StackRow[] {
  const columns = numberColumns({ curves, heights, metric, ...rest });
  const gainColumn = columns.find(({ key }) => key === "gain");
  const short = (value: number) => formatMetric(metric, value).replace(" %", "");
  const rows = (study.stacks ?? []).map((stack, index): StackRow => {
    const place = heights.findIndex((one) => one.stack === stack.name);
    const of = heights[place];
    const [point] = curves[place]?.points ?? [];
    const best = of?.numbers?.best ?? null;
    const change = of?.numbers?.change ?? null;
    return {
      name: stack.name,
      index,
      words: stack.name.endsWith(stackWords(stack)) ? "" : stackWords(stack),
      epochs: epochsOf(study, stack),
      n: of?.n ?? 0,
      total: seedsOf(study, stack).length,
      mean: best?.value ?? null,
      meanText: best ? `${short(best.value)}${typeof point?.standardError === "number" ? ` ± ${short(point.standardError)}` : ""}` : "–",
      interval: best?.interval ? `${short(best.interval[0])} to ${short(best.interval[1])}` : "–",
      against: change?.from.label ?? "",
      gain: change && gainColumn ? estimateText({ ...gainColumn, unit: "" }, change.gain) : "",
      wins: change && change.pairs > 0 ? `${change.wins} of ${change.pairs}` : "",
      remarks: point ? remarks(point) : "",
    };
  });
  return order === "study" ? rows : rows.toSorted((a, b) => (a.mean ?? Infinity) - (b.mean ?? Infinity));
}
