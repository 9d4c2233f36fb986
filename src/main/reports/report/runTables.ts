/** The tables of a run's report. */
import type { RunDetail } from "../../../shared/run.ts";
import { metricColumn } from "./columns.ts";
import type { RunSource } from "./source.ts";
import type { Table } from "./studyTables.ts";

export function runStepsTable(run: RunDetail, source: RunSource): Table {
  return {
    name: "steps.csv",
    description: "every logged step; nan where a value is not finite",
    columns: [
      { name: "run", unit: "", description: "id of the run" },
      { name: "step", unit: "updates", description: "weight updates made before the step" },
      ...run.metrics.map((metric) => metricColumn(metric, run.experiment.tower)),
    ],
    *rows() {
      for (const { step, values } of source.steps(run.id)) yield [run.id, step, ...values];
    },
  };
}

export function evaluationsTable({ id, evaluations }: RunDetail): Table {
  return {
    name: "evaluations.csv",
    description: "every evaluation; empty where a value is not finite",
    columns: [
      { name: "run", unit: "", description: "id of the run" },
      { name: "step", unit: "updates", description: "weight updates made before it" },
      { name: "epoch", unit: "epochs", description: "epochs completed" },
      { name: "trainLoss", unit: "nats", description: "mean loss over the epoch that ended, each batch at the weights it was seen with" },
      { name: "testLoss", unit: "nats", description: "mean loss of the test examples" },
      { name: "testError", unit: "%", description: "misclassified test examples" },
    ],
    rows: () => evaluations.map((one) => [id, one.step, one.epoch, one.trainLoss, one.testLoss, one.testError]),
  };
}
