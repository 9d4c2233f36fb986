/** Where an exported file comes from, in lines for its head. */
import type { RunDetail } from "../../shared/run.ts";

export function originLines(run: RunDetail): string[] {
  const { experiment, environment } = run;
  const { model, dataset } = experiment;
  const network = [...model.hidden.map(String), `${model.activation}/${model.outputActivation}`].join(" ");
  return [
    `${run.name}: ${run.stack}`,
    `run ${run.id}${environment ? `, Hypertower ${environment.hypertower}` : ""}, ${run.status} after ${run.steps} of ${run.totalSteps} steps`,
    `${dataset.kind}, ${dataset.trainExamples} training examples; ${model.kind} ${network}; batches of ${experiment.batchSize}; seed ${experiment.seed}`,
    ...(run.testError === null ? [] : [`test error ${run.testError.toFixed(2)} %`]),
  ];
}
