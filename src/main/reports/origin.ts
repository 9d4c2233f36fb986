/** Header lines that say where an exported file comes from. */
import { modelText } from "../../shared/models/text.ts";
import { metricOf, metricText, resultOf } from "../../shared/metrics.ts";
import { trainedText } from "../../shared/trainedTime.ts";
import { startingText } from "../../shared/startingWeights.ts";
import type { RunDetail } from "../../shared/run.ts";

export function originLines(run: RunDetail): string[] {
  const { experiment, environment } = run;
  const { model, dataset } = experiment;
  const result = resultOf(run);
  return [
    `${run.name}: ${run.stack}`,
    `run ${run.id}${environment ? `, Hypertower ${environment.hypertower}` : ""}, ${run.status} after ${run.steps} of ${run.totalSteps} steps${run.trained === null ? "" : `, trained for ${trainedText(run.trained)}`}`,
    `${dataset.kind}, ${dataset.trainExamples} training examples; ${modelText(model)}; batches of ${experiment.batchSize}${experiment.shuffle ? "" : ", not shuffled"}; seed ${experiment.seed}`,
    ...(experiment.weights ? [startingText(experiment.weights)] : []),
    ...(result.value === null ? [] : [`${metricOf(result.name).label} ${metricText(result.name, result.value)}`]),
  ];
}
