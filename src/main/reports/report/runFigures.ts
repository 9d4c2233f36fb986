/** Figures of a single run. */
import { defaultSmoothing, lineOf, smoothingSteps, type ChartLine } from "../../../charts/chartLines.ts";
import { variantStyle } from "../../../charts/theme.ts";
import { runChart, type RunPlot } from "../../../charts/runChart.ts";
import { capital, metricTitle } from "../../../charts/studyText.ts";
import { taskOf } from "../../../shared/experiment.ts";
import { headlineOf, lossUnit, metricOf, metricValue, type MetricName } from "../../../shared/metrics.ts";
import type { RunDetail } from "../../../shared/run.ts";
import { hyperparameterColumns, inForceColumns, levelLabel, type HyperparameterColumn, type InForceColumn } from "../../../shared/tower.ts";
import type { Figure } from "./figure.ts";
import type { RunSource } from "./source.ts";

const buckets = 400;
/** Time constant of the loss's moving average in steps: the window's default. */
const smoothing = smoothingSteps(defaultSmoothing);
/** Maximum number of plotted hyperparameters, lowest levels first. */
const maxPlots = 24;

export function runFigures(run: RunDetail, source: RunSource, footer: readonly string[]): Figure[] {
  const { tower } = run.experiment;
  const title = run.name || run.stack;
  const style = (level: number, theme: Parameters<typeof variantStyle>[3]) => variantStyle(level, tower.length, false, theme);
  const columns = hyperparameterColumns(tower).filter(({ hypergradient }) => run.metrics.includes(hypergradient));
  const shown = columns.slice(0, maxPlots);
  const inForce = inForceColumns(tower)
    .filter(({ metric }) => run.metrics.includes(metric))
    .slice(0, maxPlots);
  type Theme = Parameters<typeof variantStyle>[3];
  const plotOf = ({ metric, level, spec }: Pick<InForceColumn | HyperparameterColumn, "metric" | "level" | "spec">, name: string, yName: string, theme: Theme, yLog = spec.scale === "log"): RunPlot => ({
    title: `${name} of level ${level} (${levelLabel(tower[level]!, level === tower.length - 1)})`,
    yName,
    xName: "Step",
    yLog,
    lines: [lineOf(metric, style(level, theme), source.series(run.id, metric, buckets), 0)],
  });
  const plotsOf = (metric: "metric" | "hypergradient", theme: Theme): RunPlot[] =>
    metric === "hypergradient"
      ? shown.map((column) => plotOf({ ...column, metric: column.hypergradient }, `∂loss/∂${column.spec.symbol}`, `∂loss/∂${column.spec.symbol}`, theme, false))
      : [
          ...shown.map((column) => plotOf(column, column.spec.symbol, `${column.spec.label} ${column.spec.symbol}`, theme)),
          ...inForce.map((column) => plotOf(column, `${column.spec.symbol} in force`, `${column.spec.label} ${column.spec.symbol} in force`, theme)),
        ];
  const left = columns.length > maxPlots ? ` The first ${maxPlots} of ${columns.length} are drawn.` : "";
  const counts = { metric: shown.length + inForce.length, hypergradient: shown.length };
  const lossLine = (theme: Parameters<typeof style>[1]): ChartLine => {
    const line = lineOf("loss", style(0, theme), source.series(run.id, "loss", buckets), smoothing);
    return run.status === "diverged" ? { ...line, divergedAt: [run.steps] } : line;
  };
  const figure = (own: Omit<Figure, "footer">): Figure => ({ ...own, footer });
  return [
    figure({
      name: "training",
      title: `${title}: training`,
      caption: `Loss of every step's batch, with its moving average over ${smoothing} steps, and the evaluations.`,
      size: { width: 960, height: 380 },
      option: (settings) =>
        runChart(
          [
            { title: "Loss", subtitle: `smoothed over ${smoothing} steps`, yName: `Loss of the batch (${lossUnit(taskOf(run.experiment))})`, xName: "Step", yLog: true, lines: [lossLine(settings.theme)] },
            ...evaluationPlot(run, headlineOf(taskOf(run.experiment)), style(0, settings.theme)),
          ],
          settings,
        ),
    }),
    ...([
      ["hyperparameters", "metric", "hyperparameters", `Every learned or scheduled hyperparameter, as in force at each step.${left}`],
      ["hypergradients", "hypergradient", "hypergradients", `Derivative of each step's loss with respect to each hyperparameter, as stored.${left}`],
    ] as const)
      .filter(([, metric]) => counts[metric] > 0)
      .map(([name, metric, words, caption]) =>
        figure({
          name,
          title: `${title}: ${words}`,
          caption,
          size: { width: counts[metric] === 1 ? 560 : 960, height: 80 + 240 * Math.ceil(counts[metric] / 2) },
          option: (settings) => runChart(plotsOf(metric, settings.theme), settings),
        }),
      ),
  ];
}

function evaluationPlot({ evaluations, experiment }: Pick<RunDetail, "evaluations" | "experiment">, metric: MetricName, style: RunPlot["lines"][number]["style"]): RunPlot[] {
  const points = evaluations.flatMap((one): [number, number][] => {
    const value = metricValue(metric, one);
    return value === null ? [] : [[one.epoch, value]];
  });
  if (points.length === 0) return [];
  return [{ title: capital(metricOf(metric).label), yName: metricTitle({ name: metric, at: "final" }, experiment), xName: "Epoch", yLog: false, lines: [{ name: metric, style, points, smoothed: null, total: points.length, nonFinite: evaluations.length - points.length, symbols: true }] }];
}
