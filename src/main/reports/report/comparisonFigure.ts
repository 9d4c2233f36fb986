/** The curves of several runs in one picture. */
import { defaultSmoothing, lineOf, smoothingSteps, type ChartLine, type Point } from "../../../charts/chartLines.ts";
import { lineStyle } from "../../../charts/palette.ts";
import { runChart, type RunPlot } from "../../../charts/runChart.ts";
import { capital } from "../../../charts/studyText.ts";
import { stepsPerEpoch, taskOf } from "../../../shared/experiment.ts";
import { headlineSeries } from "../../../shared/importedRun.ts";
import { headlineOf, lossUnit, metricOf, metricValue, unitOf } from "../../../shared/metrics.ts";
import type { RunDetail } from "../../../shared/run.ts";
import { plural } from "../../../shared/text.ts";
import type { Figure } from "./figure.ts";
import type { RunSource } from "./source.ts";

const buckets = 400;
const smoothing = smoothingSteps(defaultSmoothing);

/** Names of runs in a legend, distinct. */
function titlesOf(runs: readonly RunDetail[]): string[] {
  const names = runs.map(({ name, stack }) => name || stack);
  return names.map((name, i) => (names.filter((other) => other === name).length > 1 ? `${name} (${runs[i]!.id.slice(-6)})` : name));
}

/** Loss over epochs and the headline metric of each task, a line for every run. */
export function comparisonFigure(runs: readonly RunDetail[], series: RunSource["series"]): Figure {
  const titles = titlesOf(runs);
  // Imported runs know steps only.
  const bySteps = runs.some(({ imported }) => imported);
  const trained = runs.filter(({ imported }) => !imported);
  const tasks = [...new Set(trained.map(({ experiment }) => taskOf(experiment)))];
  const lossPlot = (isDark: boolean): RunPlot => ({
    title: "Loss",
    subtitle: `smoothed over ${smoothing} steps`,
    yName: tasks.length === 1 ? `Loss of the batch (${lossUnit(tasks[0]!)})` : "Loss of the batch",
    xName: bySteps ? "Step" : "Epoch",
    yLog: true,
    lines: runs.map((run, i): ChartLine => {
      const perEpoch = bySteps ? 1 : stepsPerEpoch(run.experiment);
      const line = lineOf(titles[i]!, lineStyle(i, isDark), series(run.id, run.imported ? (headlineSeries(run.imported.series) ?? "") : "loss", buckets), smoothing, perEpoch);
      return run.status === "diverged" ? { ...line, divergedAt: [run.steps / perEpoch] } : line;
    }),
  });
  const metricPlots = (isDark: boolean): RunPlot[] =>
    tasks.map((task) => {
      const metric = headlineOf(task);
      const label = capital(metricOf(metric).label);
      const unit = unitOf(metric, task);
      return {
        title: label,
        yName: unit === "" ? label : `${label} (${unit})`,
        xName: "Epoch",
        yLog: false,
        lines: runs.flatMap((run, i): ChartLine[] => {
          if (run.imported || taskOf(run.experiment) !== task) return [];
          const points = run.evaluations.flatMap((one): Point[] => {
            const value = metricValue(metric, one);
            return value === null ? [] : [[one.epoch, value]];
          });
          return [{ name: titles[i]!, style: lineStyle(i, isDark), points, smoothed: null, total: points.length, nonFinite: 0, symbols: true }];
        }),
      };
    });
  return {
    name: "comparison",
    title: `Comparison of ${plural(runs.length, "run")}`,
    caption: "Loss of every step's batch, and the evaluations.",
    size: { width: 960, height: 420 + 24 * Math.ceil(runs.length / 3) },
    footer: [],
    option: (settings) => {
      const isDark = settings.theme === "dark";
      return runChart([lossPlot(isDark), ...metricPlots(isDark)], { ...settings, legend: titles.map((name) => ({ name })) });
    },
  };
}
