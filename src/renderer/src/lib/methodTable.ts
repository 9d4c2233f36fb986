/** The table of a study of methods. */
import type { MethodNumbers } from "@charts/methodBars.ts";
import { startsOf } from "@charts/methodsPanel.ts";
import { minOf } from "@shared/extent.ts";
import type { Curve } from "@shared/study/curves.ts";
import type { Rank, Ranking } from "@shared/study/methodResults.ts";
import type { Sensitivity } from "@shared/study/sensitivity.ts";
import type { Study } from "@shared/study/study.ts";
import { countedParts } from "@shared/text.ts";
import { formatHyperparameter, notation } from "@shared/tower.ts";

export const rankingLabels: Readonly<Record<Ranking, string>> = {
  width: "Usable width",
  widthOfStudy: "Width within the best’s reach",
  excess: "Mean over the factors",
  atDefault: "Result at the default",
  best: "Best result",
  timePerStep: "Time per step",
};

export interface MethodTableRow {
  readonly id: string;
  readonly name: string;
  readonly method: number;
  readonly isKnob: boolean;
  /** Tower of the method. */
  readonly words: string;
  /** `α = 1e-3` */
  readonly published: string;
  readonly rank: string;
  readonly rankInterval: string;
  readonly cells: readonly { readonly key: string; readonly value: string; readonly interval: string }[];
  /** Factor of the best mean. */
  readonly bestAt: string;
  /** Best run there; null without one. */
  readonly bestRun: string | null;
  readonly bestRunTitle: string;
  readonly remarks: string;
}

const factorText = (factor: number) => `× ${formatHyperparameter(Number(factor.toPrecision(3)))}`;

/** Best run at the best point of a curve. */
function bestRunOf({ points }: Curve): { run: string; seed: number } | null {
  const known = points.filter(({ mean }) => mean !== null);
  const best = known.find(({ mean }) => mean === minOf(known.map((point) => point.mean!)));
  const measured = (best?.runs ?? []).filter(({ counted, point }) => counted !== null && point.run !== null);
  const run = measured.find(({ counted }) => counted === minOf(measured.map((one) => one.counted!)));
  return run ? { run: run.point.run!, seed: run.point.seed } : null;
}

const intervalText = (rank: Rank | null | undefined) => (rank?.interval && rank.interval[0] !== rank.interval[1] ? `${rank.interval[0]} to ${rank.interval[1]}` : "");

/** A row for each method in the order of its numbers, and below it one for each other knob. */
export function methodRows(study: Study, { methods, curves }: Sensitivity, { rows, columns }: MethodNumbers, by: Ranking): MethodTableRow[] {
  const starts = startsOf(study);
  let knob = -1;
  return rows.map((row, i): MethodTableRow => {
    const result = methods![row.method]!;
    knob = row.isKnob ? knob + 1 : -1;
    const own = row.isKnob ? result.knobs[knob]! : null;
    const published = own?.knob ?? starts.get(row.name);
    const rank = row.isKnob ? null : result.ranks?.[by];
    const { numbers, diverged, exploded, pending, lost } = row.numbers;
    const best = bestRunOf(own?.curve ?? curves[row.method]!);
    const definition = study.methods!.list.find(({ name }) => name === row.name);
    return {
      id: row.isKnob ? `${row.method}-${knob}` : String(row.method),
      name: row.name,
      method: row.method,
      isKnob: row.isKnob,
      words: definition && !row.isKnob ? notation(definition.tower) : "",
      published: published ? `${published.symbol} = ${formatHyperparameter(published.published)}` : "",
      rank: rank ? String(rank.value) : "",
      rankInterval: intervalText(rank),
      cells: columns.map(({ key, format, values, atLeast }) => {
        const estimate = values[i] ?? null;
        const interval = estimate?.interval ?? null;
        return {
          key,
          value: estimate ? `${atLeast?.[i] ? "≥ " : ""}${format(estimate.value)}` : row.isKnob ? "" : "–",
          interval: interval ? `${format(interval[0])} to ${format(interval[1])}` : "",
        };
      }),
      bestAt: numbers ? factorText(numbers.bestAt.value) : "–",
      bestRun: best?.run ?? null,
      bestRunTitle: best ? `Open the best run there, seed ${best.seed}` : "",
      remarks: countedParts([[diverged, "diverged"], [exploded, "exploded"], [pending, "pending"], [lost, "failed"]]).join(", "),
    };
  });
}
