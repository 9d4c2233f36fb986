/** Figures of the predictions of a run's best weights on the test examples. */
import { confusionChart, confusionSize } from "../../../charts/confusionChart.ts";
import { predictedChart, residualChart } from "../../../charts/residualCharts.ts";
import { formatCount, formatMeasure } from "../../../shared/format.ts";
import { choiceText } from "../../../shared/kept.ts";
import { metricText } from "../../../shared/metrics.ts";
import type { PredictionReport } from "../../../shared/predictions.ts";
import type { RunDetail } from "../../../shared/run.ts";
import type { Figure } from "./figure.ts";

export function predictionFigures(run: RunDetail, report: PredictionReport, footer: readonly string[]): Figure[] {
  const title = run.name || run.stack;
  const { step, epoch } = report.kept.evaluation;
  const weights = `the weights of the best evaluation (step ${formatCount(step)}, epoch ${Number(epoch.toFixed(2))}; ${choiceText(run.experiment)})`;
  switch (report.task) {
    case "classification":
      // Beyond 256 classes there is no matrix.
      if (report.confusion.length === 0) return [];
      return [
        {
          name: "confusion",
          title: `${title}: confusion of classes`,
          caption: `${formatCount(report.examples)} test examples by their class and by the one predicted with ${weights}; ${metricText("testError", report.error)} are misclassified. Shares are of a row.`,
          size: confusionSize(report.classNames.length),
          footer,
          option: (settings) => confusionChart(report, settings),
        },
      ];
    case "regression": {
      const drawn = report.points.length < report.examples ? ` ${formatCount(report.points.length)} of ${formatCount(report.examples)} test examples are drawn.` : "";
      const numbers = `RMSE ${formatMeasure(report.rmse)}, mean absolute error ${formatMeasure(report.mae)}, mean residual ${formatMeasure(report.bias)}, R² ${formatMeasure(report.r2)}`;
      return [
        {
          name: "predicted",
          title: `${title}: predicted against true`,
          caption: `Test examples with ${weights}; on the dashed line they are right. ${numbers}.${drawn}`,
          size: { width: 560, height: 480 },
          footer,
          option: (settings) => predictedChart(report, settings),
        },
        {
          name: "residuals",
          title: `${title}: residuals`,
          caption: `Predicted minus true, of ${formatCount(report.examples)} test examples.`,
          size: { width: 560, height: 380 },
          footer,
          option: (settings) => residualChart(report, settings),
        },
      ];
    }
    case "text":
      return [];
  }
}
