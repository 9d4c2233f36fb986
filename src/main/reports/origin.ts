/** Where an exported file comes from, in lines for its head. */
import { modelText } from "../../shared/models/text.ts";
import type { RunDetail } from "../../shared/run.ts";

export function originLines(run: RunDetail): string[] {
  const { experiment, environment } = run;
  const { model, dataset } = experiment;
  return [
    `${run.name}: ${run.stack}`,
    `run ${run.id}${environment ? `, Hypertower ${environment.hypertower}` : ""}, ${run.status} after ${run.steps} of ${run.totalSteps} steps`,
    `${dataset.kind}, ${dataset.trainExamples} training examples; ${modelText(model)}; batches of ${experiment.batchSize}${experiment.shuffle ? "" : ", not shuffled"}; seed ${experiment.seed}`,
    ...(run.testError === null ? [] : [`test error ${run.testError.toFixed(2)} %`]),
  ];
}
