/** A study of methods as text: a table of its numbers with ranks, and the means at every factor. */
import { formatMeasure } from "../../../shared/format.ts";
import { isPercent } from "../../../shared/metrics.ts";
import { knobColumnKeys, knobText, methodColumns, methodRows, rankText, type MethodColumn } from "../../../shared/study/methodTable.ts";
import { estimateText } from "../../../shared/study/numberColumn.ts";
import { intervalWords } from "../../../shared/study/numbers.ts";
import type { StudyPoint } from "../../../shared/study/result.ts";
import { sensitivityOf, type Sensitivity } from "../../../shared/study/sensitivity.ts";
import type { Study } from "../../../shared/study/study.ts";
import { formatHyperparameter } from "../../../shared/tower.ts";
import { table } from "../format.ts";

export function methodsText(study: Study, points: readonly StudyPoint[]): string {
  const found = sensitivityOf(study, points);
  return [
    numbersTable(found),
    "",
    ranksTable(found),
    "",
    factorsTable(found),
    "",
    found.verdict.headline,
    ...found.verdict.remarks.map((remark) => `- ${remark}`),
    `In brackets: ${intervalWords(found.heights, found.bootstrap)}; ranks over the same resamples.`,
  ].join("\n");
}

const heading = ({ title, unit }: MethodColumn) => `${title.toUpperCase()}${unit === "" ? "" : ` (${unit})`}`;

/** A row for each method, its other knobs below it. */
function numbersTable(found: Sensitivity): string {
  const columns = methodColumns(found).filter(({ key }) => key !== "widthOfStudy" && key !== "excess");
  const rows = methodRows(found).map(({ method, knob, numbers, result }) => [
    result ? method : "",
    knobText(knob),
    ...columns.map(({ key, of, ...column }) => (result || knobColumnKeys.includes(key) ? estimateText({ ...column, unit: "" }, of(numbers)) : "")),
  ]);
  return table([["METHOD", "KNOB AS PUBLISHED", ...columns.map(heading)], ...rows]);
}

/** The rank of each method by each number, and the ranks that the seeds leave possible. */
function ranksTable(found: Sensitivity): string {
  const columns = methodColumns(found).flatMap(({ title, ranking }) => (ranking ? [{ title, ranking }] : []));
  return table([["RANK BY", ...columns.map(({ title }) => title.toUpperCase())], ...(found.methods ?? []).map(({ name, ranks }) => [name, ...columns.map(({ ranking }) => rankText(ranks?.[ranking]))])]);
}

/** Means at each factor: a row for each method and knob. */
function factorsTable({ curves, methods, metric }: Sensitivity): string {
  const written = (value: number) => (isPercent(metric.name) ? value.toFixed(2) : formatMeasure(value));
  const lines = (methods ?? []).flatMap(({ name, start, knobs }, i) => [{ name, knob: start, curve: curves[i]! }, ...knobs.map(({ knob, curve }) => ({ name: "", knob, curve }))]);
  const factors = [...new Set(lines.flatMap(({ curve }) => curve.points.map(({ x }) => x)))].sort((a, b) => a - b);
  const body = lines.map(({ name, knob, curve }) => [
    name,
    knobText(knob),
    ...factors.map((factor) => {
      const point = curve.points.find(({ x }) => x === factor);
      if (!point || point.mean === null) return point?.pending ? "pending" : "–";
      const worst = point.diverged + point.exploded;
      return `${written(point.mean)}${point.standardError === null ? "" : ` ± ${written(point.standardError)}`}${worst > 0 ? ` (${worst} of ${point.n} lost)` : ""}`;
    }),
  ]);
  return table([["METHOD", "KNOB AS PUBLISHED", ...factors.map((factor) => `x${formatHyperparameter(factor)}`)], ...body]);
}

/** The numbers of every method and knob as an object for `--json`; null for other studies. */
export function methodsObject(study: Study, points: readonly StudyPoint[]): object | null {
  if (!study.methods) return null;
  const found = sensitivityOf(study, points);
  const columns = methodColumns(found);
  const numbersOf = (numbers: (typeof found.heights)[number], keys?: readonly string[]) =>
    Object.fromEntries(columns.filter(({ key }) => !keys || keys.includes(key)).map(({ key, of }) => [key, of(numbers)]));
  return {
    metric: found.metric,
    ...(found.noTimes !== null && { noTimes: found.noTimes }),
    methods: (found.methods ?? []).map(({ name, start, ranks, knobs }, i) => ({
      name,
      start,
      numbers: numbersOf(found.heights[i]!),
      ranks,
      knobs: knobs.map(({ knob, numbers }) => ({ ...knob, numbers: numbersOf(numbers, knobColumnKeys) })),
    })),
    verdict: found.verdict,
  };
}
