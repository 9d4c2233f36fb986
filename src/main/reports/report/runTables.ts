/** The tables of a run's report. */
import { taskOf } from "../../../shared/experiment.ts";
import { metricOf, metricsOf, metricValue, unitOf, type MetricName } from "../../../shared/metrics.ts";
import type { RunDetail } from "../../../shared/run.ts";
import { metricColumn, metricWords } from "./columns.ts";
import { CommonCells } from "./csv.ts";
import type { RunSource } from "./source.ts";
import type { Table } from "./studyTables.ts";

export function runStepsTable(run: RunDetail, source: RunSource): Table {
  return {
    name: "steps.csv",
    description: "every logged step; nan where a value is not finite",
    columns: [
      { name: "run", unit: "", description: "id of the run" },
      { name: "step", unit: "updates", description: "weight updates made before the step" },
      ...run.metrics.map((metric) => metricColumn(metric, taskOf(run.experiment), run.experiment.tower)),
    ],
    *rows() {
      const id = new CommonCells([run.id]);
      for (const { step, values } of source.steps(run.id)) yield [id, step, ...values];
    },
  };
}

export function evaluationsTable({ id, evaluations, experiment }: RunDetail): Table {
  const names: MetricName[] = metricsOf(taskOf(experiment)).filter((name) => metricOf(name).set !== "validation" || experiment.dataset.validation > 0);
  return {
    name: "evaluations.csv",
    description: "every evaluation; empty where a value is not finite",
    columns: [
      { name: "run", unit: "", description: "id of the run" },
      { name: "step", unit: "updates", description: "weight updates made before it" },
      { name: "epoch", unit: "epochs", description: "epochs completed" },
      ...names.map((name) => ({ name, unit: unitOf(name, taskOf(experiment)), description: metricWords(name) })),
    ],
    rows: () => evaluations.map((one) => [id, one.step, one.epoch, ...names.map((name) => metricValue(name, one))]),
  };
}

/** What a thinned run keeps of its steps. */
export function bucketsTable(run: RunDetail, source: RunSource): Table {
  return {
    name: "buckets.csv",
    description: "summaries of consecutive steps, one line for each metric and bucket; the values themselves were erased",
    columns: [
      { name: "run", unit: "", description: "id of the run" },
      { name: "metric", unit: "", description: "name of the metric" },
      { name: "step", unit: "updates", description: "first step of the bucket" },
      { name: "count", unit: "", description: "steps of the bucket" },
      { name: "nonFinite", unit: "", description: "values among them that are not finite" },
      { name: "mean", unit: "as the metric", description: "mean of the finite values" },
      { name: "min", unit: "as the metric", description: "lowest finite value" },
      { name: "minStep", unit: "updates", description: "its step" },
      { name: "max", unit: "as the metric", description: "highest finite value" },
      { name: "maxStep", unit: "updates", description: "its step" },
    ],
    *rows() {
      for (const metric of run.metrics) {
        const first = new CommonCells([run.id, metric]);
        for (const { start, count, nonFinite, sum, min, minStep, max, maxStep } of source.series(run.id, metric, Infinity).buckets) {
          yield [first, start, count, nonFinite, count === nonFinite ? null : sum / (count - nonFinite), min, minStep, max, maxStep];
        }
      }
    },
  };
}
