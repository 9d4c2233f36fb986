/** Figures and tables of a study of methods: its other knobs, and the usable range of each. */
import { methodBars } from "../../../charts/methodBars.ts";
import { methodsChart, methodsHeight } from "../../../charts/methodsChart.ts";
import { methodsPanel } from "../../../charts/methodsPanel.ts";
import { sensitivityChart } from "../../../charts/sensitivityChart.ts";
import { metricOf } from "../../../shared/metrics.ts";
import { metricLabel } from "../../../shared/study/metric.ts";
import { knobColumnKeys, knobText, methodColumns, methodRows, rankText } from "../../../shared/study/methodTable.ts";
import { knobCurves } from "../../../shared/study/methodResults.ts";
import { estimateText } from "../../../shared/study/numberColumn.ts";
import { intervalWords } from "../../../shared/study/numbers.ts";
import type { Sensitivity } from "../../../shared/study/sensitivity.ts";
import { toleranceWords } from "../../../shared/study/verdictWords.ts";
import { capital } from "../../../shared/text.ts";
import type { Row } from "./csv.ts";
import type { Figure } from "./figure.ts";
import { definitions } from "./sections.ts";
import { html, tableOf, type Html } from "./markup.ts";
import type { ReportOfStudy } from "./source.ts";
import type { StudyFigureOptions } from "./studyFigures.ts";
import type { Table } from "./studyTables.ts";

/** The starting values, the numbers of every method and knob, and the sweeps of the knobs that are no starting values. */
export function methodFigures({ study: { study, name } }: ReportOfStudy, found: Sensitivity, { metric, band, yLog }: StudyFigureOptions, footer: readonly string[]): Figure[] {
  const others = knobCurves(found);
  const bars = methodBars(found);
  const title = name || "Study";
  const width = 960;
  return [
    {
      name: "starting-values",
      title: `${title}: ${metricLabel(metric)} against the starting values`,
      caption: "The same against the starting values themselves. A ring marks each method's published default.",
      size: { width: 860, height: 560 },
      footer,
      option: (settings) => sensitivityChart([methodsPanel({ study, curves: found }, true)], { ...settings, band, yLog }),
    },
    {
      name: "methods",
      title: `${title}: methods by the usable range of the starting value`,
      caption: `Usable range${found.noTimes === null ? ", results and time" : " and results"} of every method, the widest range first, with ${intervalWords(found.heights, found.bootstrap)}. Usable means ${toleranceWords(found.tolerance, metric)}${found.tolerance.kind === "below" ? "" : " of the same sweep"}. Indented: the method's other knobs, each swept alone with everything else as published.`,
      size: { width, height: 90 + methodsHeight(bars, width) },
      footer,
      option: (settings) => methodsChart(bars, settings),
    },
    ...(others.curves.length === 0
      ? []
      : [
          {
            name: "knob-sweeps",
            title: `${title}: ${metricLabel(metric)} against the other knobs`,
            caption: `${capital(metricLabel(metric))} when a knob other than the starting value is multiplied by a factor and everything else stays as published.`,
            size: { width: 860, height: 500 },
            footer,
            option: (settings) => sensitivityChart([{ study, curves: others }], { ...settings, band, yLog }),
          } satisfies Figure,
        ]),
  ];
}

/** The numbers with ranks; each method's other knobs below it. */
export function methodNumbers(found: Sensitivity): Html {
  const columns = methodColumns(found);
  const rows = methodRows(found).map(({ method, knob, numbers, result }) => [
    result ? method : "",
    knobText(knob),
    ...columns.map(({ key, of, ranking, ...column }) => {
      const text = estimateText(column, of(numbers));
      if (!result) return knobColumnKeys.includes(key) ? text : "";
      return ranking && result.ranks?.[ranking] ? `${text}, rank ${rankText(result.ranks[ranking])}` : text;
    }),
  ]);
  const reasons = new Set(found.heights.flatMap(({ noInterval }) => noInterval ?? []));
  return html`${tableOf(["Method", "Knob as published", ...columns.map(({ title }) => title)], rows, "numbers")}
<p class="soft small">In brackets: ${intervalWords(found.heights, found.bootstrap)}.${reasons.size === 0 ? "" : ` Where there is none: ${[...reasons].join("; ")}.`}</p>
${definitions([...columns.map(({ title, definition }) => [title, definition] as const), ["Rank", "Position among the methods, 1 for the best, and in brackets the positions that the seeds leave possible: the methods are ranked anew in every bootstrap resample, with the spread of the intervals."]])}`;
}

/** One line for every method and knob, with all its numbers. */
export function methodsTable(found: Sensitivity): Table {
  const columns = methodColumns(found);
  const unit = metricOf(found.metric.name).counted;
  const unitOf = (key: string, own: string) => (["best", "atDefault", "excess"].includes(key) ? unit : key.endsWith("Share") ? "1" : own);
  return {
    name: "methods.csv",
    description: "one line for every method by its starting value, and for each of its other knobs, with intervals over the seeds and ranks",
    columns: [
      { name: "method", unit: "", description: "name of the method" },
      { name: "knob", unit: "", description: "hyperparameter that is swept" },
      { name: "kind", unit: "", description: "start for the starting value, knob for any other" },
      { name: "published", unit: "1", description: "published default, which the factors multiply" },
      ...columns.flatMap(({ key, unit: own, definition, ranking }) => [
        { name: key, unit: unitOf(key, own), description: definition },
        { name: `${key}.low`, unit: unitOf(key, own), description: "lower end of its interval" },
        { name: `${key}.high`, unit: unitOf(key, own), description: "upper end of its interval" },
        ...(ranking
          ? [
              { name: `${key}.rank`, unit: "", description: "position among the methods, 1 for the best" },
              { name: `${key}.rank.low`, unit: "", description: "best position that the seeds leave possible" },
              { name: `${key}.rank.high`, unit: "", description: "worst position that the seeds leave possible" },
            ]
          : []),
      ]),
      ...(found.noTimes === null ? [] : [{ name: "timePerStep.missing", unit: "", description: "why there is no time per step" }]),
    ],
    *rows() {
      for (const { method, knob, numbers, result } of methodRows(found)) {
        const cells = columns.flatMap(({ key, of, ranking }): Row => {
          const estimate = result || knobColumnKeys.includes(key) ? of(numbers) : null;
          const rank = ranking && result?.ranks?.[ranking];
          return [estimate?.value, estimate?.interval?.[0], estimate?.interval?.[1], ...(ranking ? [rank?.value, rank?.interval?.[0], rank?.interval?.[1]] : [])];
        });
        yield [method, knob.path, result ? "start" : "knob", knob.published, ...cells, ...(found.noTimes === null ? [] : [found.noTimes])];
      }
    },
  };
}
