/** Figures of a study. */
import type { BandKind } from "../../../charts/sensitivityPanel.ts";
import { sensitivityChart } from "../../../charts/sensitivityChart.ts";
import { heatMapChart } from "../../../charts/heatMapChart.ts";
import { methodsPanel } from "../../../charts/methodsPanel.ts";
import { numbersChart } from "../../../charts/numbersChart.ts";
import { metricName, trajectoriesChart } from "../../../charts/trajectoriesChart.ts";
import { capital } from "../../../charts/studyText.ts";
import { listed } from "../../../shared/text.ts";
import { drawnPoints } from "../../../shared/series.ts";
import { hyperparameterMetric } from "../../../shared/tower.ts";
import { studyAxes, type StudyAxis } from "../../../shared/study/axes.ts";
import { studyCurves, studyGrids, variantsOf } from "../../../shared/study/curves.ts";
import { intervalWords } from "../../../shared/study/numbers.ts";
import { explosionWords, metricLabel, mainMetricsOf, type StudyMetric } from "../../../shared/study/metric.ts";
import { comparisonNote, type PaperFigure } from "../../../shared/study/paperFigures.ts";
import type { StudyTrajectories } from "../../../shared/study/result.ts";
import type { Sensitivity } from "../../../shared/study/sensitivity.ts";
import type { Figure } from "./figure.ts";
import { methodFigures } from "./methodFigures.ts";
import type { PointRun } from "./studyTables.ts";
import type { ReportOfStudy } from "./source.ts";

export interface StudyFigureOptions {
  readonly metric: StudyMetric;
  readonly band: BandKind;
  readonly yLog: boolean;
  readonly reference?: PaperFigure;
}

const bandWords: Record<BandKind, string> = { standardError: "the mean ± standard error", minMax: "the lowest to the highest run", none: "" };

/** Number of buckets of a learned series: two points each. */
const trajectoryBuckets = 96;

/** Every figure that the study has data for, the headline first. */
export function studyFigures(of: ReportOfStudy, runs: readonly PointRun[], found: Sensitivity, footer: readonly string[], options: StudyFigureOptions): Figure[] {
  const { study, name } = of.study;
  const title = name || "Study";
  const axes = studyAxes(study);
  const { metric, band, yLog, reference } = options;
  const seeds = study.seeds.length;
  const spread = band === "none" || seeds === 1 ? "" : ` The band spans ${bandWords[band]} over ${seeds} seeds.`;
  const exploded = found.heights.some((height) => height.exploded > 0) ? ` ${explosionWords(study.base)}` : "";
  const variant = study.methods ? "method" : study.stacks ? "stack" : "tower height";
  const against = (axis: StudyAxis) => (study.methods ? "the starting value, as a factor of its published default" : `the initial ${axis.words}`);
  const figure = (own: Omit<Figure, "footer">): Figure => ({ ...own, footer });
  const figures: Figure[] = [];

  axes.forEach((axis, index) => {
    const curves = index === 0 ? found : studyCurves(study, of.study.points, { metric, axis: index });
    const others = axes.length > 1 ? " Each point averages over the other axes." : "";
    figures.push(
      figure({
        name: index === 0 ? "sensitivity" : `sensitivity-${axis.level}-${axis.hyperparameter}`,
        title: `${title}: ${metricLabel(metric)} against ${against(axis)}`,
        caption: `${capital(metricLabel(metric))} against ${against(axis)}, one line for each ${variant}.${spread} Dots are single runs; above the plot, crosses are runs that diverged and triangles runs that exploded; both count as the worst.${exploded}${others}${reference && index === 0 ? ` Dashed: ${reference.title}, read by eye off the paper's plot. ${comparisonNote(reference, study.base)}`.trimEnd() : ""}`,
        size: study.methods ? { width: 860, height: 560 } : { width: 760, height: 470 },
        option: (settings) => sensitivityChart([methodsPanel({ study, curves, ...(index === 0 && reference && { reference }) }, false)], { ...settings, band, yLog }),
      }),
    );
  });
  if (axes.length > 0) {
    const panels = mainMetricsOf(study.base).filter((other) => other !== metric.name).map((other) => ({ name: other, at: metric.at }));
    figures.push(
      figure({
        name: "metrics",
        title: `${title}: ${listed(panels.map(metricLabel))}`,
        caption: `The same for the ${listed(panels.map(metricLabel))}.`,
        size: { width: 960, height: 400 },
        option: (settings) => sensitivityChart(panels.map((one) => methodsPanel({ title: capital(metricLabel(one)), study, curves: studyCurves(study, of.study.points, { metric: one }) }, false)), { ...settings, band, dots: false }),
      }),
    );
  }
  if (axes.length > 1) {
    const grids = studyGrids(study, of.study.points, { metric });
    figures.push(
      figure({
        name: "heatmap",
        title: `${title}: ${metricLabel(metric)} over ${axes[0]!.words} and ${axes[1]!.words}`,
        caption: `Mean ${metricLabel(metric)} over the seeds, on a logarithmic color scale that all plots share. A cross marks a cell in which runs diverged, a triangle one in which they exploded.${exploded}`,
        size: { width: Math.min(1180, 190 + 260 * grids.grids.length), height: 340 * Math.ceil(grids.grids.length / 4) + 30 },
        option: (settings) => heatMapChart(study, grids, settings),
      }),
    );
  }
  if (study.methods) return [...figures, ...methodFigures(of, found, options, footer)];
  figures.push(
    figure({
      name: "numbers",
      title: `${title}: the numbers`,
      caption: `The numbers of each ${variant} with ${intervalWords(found.heights, found.bootstrap)}.`,
      size: { width: 1000, height: 130 + 38 * found.heights.length },
      option: (settings) => numbersChart(study, found, { ...settings, ...(axes.length === 0 && { numbers: ["best", "divergedShare", "explodedShare", "timePerStep"] }) }),
    }),
  );
  for (const metricOfRun of learnedMetrics(of, runs)) {
    let held: StudyTrajectories | undefined;
    const trajectories = () => (held ??= readTrajectories(of, runs, metricOfRun));
    const count = variantsOf(study, of.study.points).length;
    figures.push(
      figure({
        name: `trajectories-${metricOfRun}`,
        title: `${title}: ${metricName(study, metricOfRun).replace(/^./, (first) => first.toLowerCase())} while it is learned`,
        caption: `What each run made of it, step by step${axes[0] ? `, colored by the initial ${axes[0].words}` : ""}. A dot ends a run, a cross one that diverged.`,
        size: { width: Math.min(1180, 200 + 260 * count), height: 380 * Math.ceil(count / 4) },
        option: (settings) => trajectoriesChart(study, of.study.points, trajectories(), metricOfRun, { ...settings, perHeight: count > 1, colorBy: "start", yLog: axes[0]?.scale !== "linear" }),
      }),
    );
  }
  return figures;
}

/** Hyperparameters of the axes that some run learned: initial and final values differ. */
function learnedMetrics({ study: { study } }: ReportOfStudy, runs: readonly PointRun[]): string[] {
  const wanted = study.axes.length > 0 ? study.axes.map(({ level, hyperparameter }) => hyperparameterMetric(level, hyperparameter)) : ["L0.alpha"];
  const moved = (metric: string) => runs.some(({ point, run }) => run && point.hyperparameters.some((one) => one.metric === metric && one.value !== one.initial) && run.metrics.includes(metric));
  return [...new Set(wanted)].filter(moved);
}

function readTrajectories({ source }: ReportOfStudy, runs: readonly PointRun[], metric: string): StudyTrajectories {
  return runs.flatMap(({ point, run }) => {
    if (!run?.metrics.includes(metric)) return [];
    const points = drawnPoints(source.series(run.id, metric, trajectoryBuckets).buckets);
    return [{ key: point.key, run: run.id, steps: points.map(([step]) => step), values: points.map(([, value]) => value) }];
  });
}

