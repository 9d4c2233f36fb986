/** A run of a case on our own engine in float32, logged as the store logs it, with what another framework needs to repeat it. */
import { loadEngine } from "../../src/core/engines/index.ts";
import { toEffective } from "../../src/core/hyperoptimizers/stored.ts";
import { scheduledLevel, towerLevel } from "../../src/core/training/prepare.ts";
import type { StoredStep } from "../../src/main/store/runReader.ts";
import { experiment } from "../../src/shared/experiment.ts";
import type { RunDetail } from "../../src/shared/run.ts";
import { inForceColumns } from "../../src/shared/tower.ts";
import { newRun } from "../../src/main/hosting/newRun.ts";
import { smallProblem } from "../support/problems.ts";
import type { ExportCase } from "./cases.ts";

export const problemSize = { features: 64, hidden: 32, batchSize: 32 } as const;

export interface EngineRun {
  readonly run: RunDetail;
  readonly steps: readonly StoredStep[];
  /** Training loss at each step, before its update; then the first batch's loss at the weights that are evaluated in the end. */
  readonly losses: readonly number[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
}

export async function engineRun({ name, tower }: ExportCase, count: number): Promise<EngineRun> {
  const parsed = experiment.parse({ name, tower });
  const { training, initialState, weights, batch, batchSize } = smallProblem(parsed.tower.map((of) => scheduledLevel(of, { stepsPerEpoch: count, totalSteps: count })), problemSize);
  const executable = await (await loadEngine["onnx-cpu"]()).compile(training.program, { threads: 1 });
  executable.restore(initialState);
  const { hyperparameters } = training;
  const inForce = inForceColumns(parsed.tower).map(({ metric }) => metric);
  const metrics = ["loss", ...hyperparameters.map(({ name: metric }) => metric), ...inForce];
  const valuesOf = (outputs: Readonly<Record<string, number>>) => [
    outputs["loss"] ?? NaN,
    ...hyperparameters.map(({ name: metric, storedAs }) => toEffective(outputs[metric]!, storedAs)),
    ...inForce.map((metric) => outputs[metric] ?? NaN),
  ];
  const steps: StoredStep[] = [];
  for (let step = 0; step < count; step++) steps.push({ step, values: valuesOf(await executable.run(`${step === 0 ? "begin" : "step"}@${batchSize}`, batch(step))) });
  const settled = valuesOf(await executable.run("settle"));
  const evaluated = (await executable.run(`evaluate@${batchSize}`, batch(0)))["loss"]! / batchSize;
  await executable.dispose();
  const base = newRun(parsed);
  const run: RunDetail = {
    ...base,
    status: "finished",
    steps: count,
    totalSteps: count,
    metrics,
    hyperparameters: base.hyperparameters.map((entry) => ({ ...entry, value: settled[metrics.indexOf(entry.metric)]! })),
    environment: null,
    evaluations: [],
    events: [],
  };
  return {
    run,
    steps,
    losses: [...steps.map(({ values }) => values[0]!), evaluated],
    weights: Object.fromEntries(Object.entries(weights).map(([key, value]) => [key, [...value]])),
  };
}

/** Features and labels of the first batches, as plain arrays. */
export function batches(count: number): { features: number[][]; labels: number[][] } {
  const { batch } = smallProblem([towerLevel(experiment.parse({ tower: [{ optimizer: "sgd" }] }).tower[0]!)], problemSize);
  const all = Array.from({ length: count }, (_, n) => batch(n));
  return { features: all.map(({ features }) => [...features]), labels: all.map(({ labels }) => [...labels]) };
}
