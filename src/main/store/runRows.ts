/** Rows of the tables about runs, and what the rest of the program makes of them. */
import { z } from "zod";
import { experiment, type Experiment } from "../../shared/experiment.ts";
import {
  environment,
  hyperparameterValue,
  isActive,
  runStatus,
  evaluation,
  type Environment,
  type Evaluation,
  type RunSummary,
} from "../../shared/run.ts";
import type { ListedRun } from "../../shared/listedRun.ts";
import { resultOf } from "../../shared/metrics.ts";
import { finite } from "./finite.ts";
import { checkedSince, rowLayout } from "./rowLayout.ts";
import { trainedColumns, trainedOf, trainedParameters, withTrained, type TrainedColumns } from "./trainedRows.ts";

export const json = <T extends z.ZodType>(schema: T) =>
  z.string().transform((text, context): z.output<T> => {
    const result = schema.safeParse(JSON.parse(text));
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues) context.addIssue({ code: "custom", path, message });
    return z.NEVER;
  });

/** A row of `runs` as selected by `summaryColumns`, of any version of its JSON. */
const summaryRow = z
  .object({
    id: z.string(),
    name: z.string(),
    status: runStatus,
    reason: z.string().nullable(),
    stack: z.string(),
    experiment: json(experiment),
    device: z.string().nullable(),
    createdAt: z.number(),
    startedAt: z.number().nullable(),
    finishedAt: z.number().nullable(),
    ...trainedColumns.shape,
    deletedAt: z.number().nullable(),
    steps: z.number(),
    totalSteps: z.number(),
    epoch: z.number(),
    samplesPerSecond: z.number().nullable(),
    secondsLeft: z.number().nullable(),
    loss: z.number().nullable(),
    testError: z.number().nullable(),
    evaluation: json(evaluation).nullable(),
    hyperparameters: json(z.array(hyperparameterValue)),
    study: z.string().nullable(),
  })
  .transform(withTrained);

export const summaryColumns = `
  id, name, status, reason, stack, experiment, device, created_at AS createdAt, started_at AS startedAt,
  finished_at AS finishedAt, trained_ms AS trainedMs, trained_from AS trainedFrom, deleted_at AS deletedAt, steps, total_steps AS totalSteps, epoch,
  samples_per_second AS samplesPerSecond, seconds_left AS secondsLeft, loss, test_error AS testError, evaluation, hyperparameters, study, layout`;

/** A row whose JSON was checked when it was written. SQLite itself holds the columns to their types. */
interface CheckedRow extends Omit<RunSummary, "experiment" | "evaluation" | "hyperparameters" | "trained">, TrainedColumns {
  readonly experiment: string;
  readonly evaluation: string | null;
  readonly hyperparameters: string;
  readonly layout: number;
}

function isChecked(row: unknown): row is CheckedRow {
  const { layout } = row as CheckedRow;
  return layout >= checkedSince && layout <= rowLayout;
}

/** @throws ZodError when the row does not hold a run this program understands. */
export function toSummary(row: unknown): RunSummary {
  const summary = isChecked(row) ? fromChecked(row) : summaryRow.parse(row);
  return isActive(summary.status) ? summary : { ...summary, samplesPerSecond: null, secondsLeft: null };
}

/** By hand: the schemas take about a millisecond a row. */
function fromChecked(row: CheckedRow): RunSummary {
  const { id, name, status, reason, stack, device, createdAt, startedAt, finishedAt, deletedAt, steps, totalSteps, epoch } = row;
  const { samplesPerSecond, secondsLeft, loss, testError, study } = row;
  return {
    id,
    name,
    status,
    reason,
    stack,
    experiment: JSON.parse(row.experiment) as Experiment,
    device,
    createdAt,
    startedAt,
    finishedAt,
    trained: trainedOf(row),
    deletedAt,
    steps,
    totalSteps,
    epoch,
    samplesPerSecond,
    secondsLeft,
    loss,
    testError,
    evaluation: row.evaluation === null ? null : (JSON.parse(row.evaluation) as Evaluation),
    hyperparameters: JSON.parse(row.hyperparameters) as RunSummary["hyperparameters"],
    study,
  };
}

export const listedColumns = `
  id, name, status, reason, stack, created_at AS createdAt, started_at AS startedAt, finished_at AS finishedAt,
  trained_ms AS trainedMs, trained_from AS trainedFrom, deleted_at AS deletedAt, steps, total_steps AS totalSteps, loss, study, seed, engine, dataset, model, result_name AS resultName, result, layout`;

/** A row as selected by `listedColumns`. */
interface ListedRow extends Omit<ListedRun, "result" | "trained">, TrainedColumns {
  readonly resultName: ListedRun["result"]["name"];
  readonly result: number | null;
  readonly layout: number;
}

/** Undefined for a row of another layout: its columns do not hold all that a list shows. */
export function toListed(row: unknown): ListedRun | undefined {
  const { layout, resultName, result, trainedMs, trainedFrom, ...shown } = row as ListedRow;
  return layout === rowLayout ? { ...shown, trained: trainedOf({ trainedMs, trainedFrom }), result: { name: resultName, value: result } } : undefined;
}

export function toEnvironment(text: unknown): Environment | null {
  return json(environment).nullable().parse(text);
}

/** In words, for versions and devices that may compute other last digits: `onnxruntime-node 1.31.0 (was 1.30.0)`. */
export function environmentDifferences(before: Environment, now: Environment): string[] {
  const told = ({ hypertower, node, platform, cpu, libraries }: Environment) => ({ hypertower, node, platform, cpu, ...libraries });
  const [old, latest]: Record<string, string>[] = [told(before), told(now)] as const;
  return Object.keys({ ...old, ...latest })
    .filter((name) => old![name] !== latest![name])
    .map((name) => `${name} ${latest![name] ?? "none"} (was ${old![name] ?? "none"})`);
}

/** The columns that training changes. A name or a deletion may come from another process and is not among them. */
export function progressParameters(run: RunSummary) {
  const result = resultOf(run);
  return {
    resultName: result.name,
    result: finite(result.value),
    id: run.id,
    status: run.status,
    reason: run.reason,
    device: run.device,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    ...trainedParameters(run),
    steps: run.steps,
    totalSteps: run.totalSteps,
    epoch: run.epoch,
    samplesPerSecond: finite(run.samplesPerSecond),
    secondsLeft: finite(run.secondsLeft),
    loss: finite(run.loss),
    testError: finite(run.testError),
    evaluation: run.evaluation && JSON.stringify(run.evaluation),
    hyperparameters: JSON.stringify(run.hyperparameters),
  };
}

export const progressAssignments = `
  status = @status, reason = @reason, device = @device, started_at = @startedAt, finished_at = @finishedAt,
  trained_ms = @trainedMs, trained_from = @trainedFrom,
  steps = @steps, total_steps = @totalSteps, epoch = @epoch, samples_per_second = @samplesPerSecond,
  seconds_left = @secondsLeft, loss = @loss, test_error = @testError, evaluation = @evaluation, hyperparameters = @hyperparameters, result_name = @resultName, result = @result`;

/**
 * The columns that are fixed when a run is created, checked here so that no read need check them.
 * @throws ZodError when the experiment is not one of this version
 */
export function identityParameters(run: RunSummary) {
  const { seed, engine, dataset, model }: Experiment = run.experiment;
  return {
    name: run.name,
    stack: run.stack,
    seed,
    engine: engine.kind,
    dataset: dataset.kind,
    model: model.kind,
    experiment: JSON.stringify(experiment.parse(run.experiment)),
    createdAt: run.createdAt,
    study: run.study,
  };
}

/** Measures of an evaluation and the columns they are kept in. */
export const measureColumns = {
  trainLoss: "train_loss",
  testLoss: "test_loss",
  testError: "test_error",
  testRmse: "test_rmse",
  testMae: "test_mae",
  validationLoss: "validation_loss",
  validationError: "validation_error",
  validationRmse: "validation_rmse",
  validationMae: "validation_mae",
} as const satisfies Partial<Record<keyof Evaluation, string>>;
export type MeasureName = keyof typeof measureColumns;
export const measureNames = Object.keys(measureColumns) as MeasureName[];

/** As the store keeps it: a value that is not finite, or was not taken, is null. */
export function storedEvaluation(evaluation: Evaluation): Evaluation {
  return { ...evaluation, ...Object.fromEntries(measureNames.flatMap((name) => (evaluation[name] === undefined ? [] : [[name, finite(evaluation[name])]]))) };
}

/** A row as selected by `evaluationColumns`; measures that its task does not have are left out. */
export function toEvaluation(row: Evaluation): Evaluation {
  const always: readonly string[] = ["trainLoss", "testLoss", "testError"];
  return Object.fromEntries(Object.entries(row).filter(([name, value]) => value !== null || always.includes(name))) as Evaluation;
}

export const evaluationColumns = `step, epoch, ${measureNames.map((name) => `${measureColumns[name]} AS ${name}`).join(", ")}`;
export const eventColumns = `at, step, kind, message`;
