/** Conversion between rows of runs and their types. */
import type { Database } from "better-sqlite3";
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
import { thinned } from "../../shared/thinning.ts";
import { firstSealedRunColumns, sealedRunColumns, taggedSealedRunColumns, thinnedSealedRunColumns } from "./checksums.ts";
import { finite } from "./finite.ts";
import { importedOf, knowsImported } from "./importedRows.ts";
import { checkedSince, rowLayout } from "./rowLayout.ts";
import { knowsTags, tagsOf } from "./tagRows.ts";
import { trainedColumns, trainedOf, trainedParameters, withTrained, type TrainedColumns } from "./trainedRows.ts";

export const json = <T extends z.ZodType>(schema: T) =>
  z.string().transform((text, context): z.output<T> => {
    const result = schema.safeParse(JSON.parse(text));
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues) context.addIssue({ code: "custom", path, message });
    return z.NEVER;
  });

const thinnedColumns = z.object({ thinnedAt: z.number().nullable().default(null), thinnedWidth: z.number().nullable().default(null) });
type ThinnedColumns = z.output<typeof thinnedColumns>;

/** @throws ZodError for a width that no run can have */
function thinnedOf({ thinnedAt, thinnedWidth }: Partial<ThinnedColumns>): Pick<RunSummary, "thinned"> {
  return (thinnedAt ?? null) === null ? {} : { thinned: thinned.parse({ at: thinnedAt, width: thinnedWidth }) };
}

function withThinned<T extends ThinnedColumns>({ thinnedAt, thinnedWidth, ...row }: T): Omit<T, keyof ThinnedColumns> & Pick<RunSummary, "thinned"> {
  return { ...row, ...thinnedOf({ thinnedAt, thinnedWidth }) };
}

/** A row of `runs` selected by `summaryColumns`, with JSON of any version. */
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
    ...thinnedColumns.shape,
    tags: z.string().nullable().default(null),
    imported: z.string().nullable().default(null),
  })
  .transform(({ tags, imported, ...row }) => ({ ...row, ...tagsOf(tags), ...importedOf(imported) }))
  .transform(withThinned)
  .transform(withTrained);

const columnsBeforeThinning = `
  id, name, status, reason, stack, experiment, device, created_at AS createdAt, started_at AS startedAt,
  finished_at AS finishedAt, trained_ms AS trainedMs, trained_from AS trainedFrom, deleted_at AS deletedAt, steps, total_steps AS totalSteps, epoch,
  samples_per_second AS samplesPerSecond, seconds_left AS secondsLeft, loss, test_error AS testError, evaluation, hyperparameters, study, layout`;
const columnsBeforeTags = `${columnsBeforeThinning}, thinned_at AS thinnedAt, thinned_width AS thinnedWidth`;
const columnsBeforeImports = `${columnsBeforeTags}, tags`;
export const summaryColumns = `${columnsBeforeImports}, imported`;

/** Whether a store of any layout can have thinned runs. */
const knowsThinned = (db: Database): boolean => db.prepare("SELECT 1 FROM pragma_table_info('runs') WHERE name = 'thinned_at'").get() !== undefined;

/** `summaryColumns` of a store that may have an earlier layout. */
export const summaryColumnsOf = (db: Database): string => (knowsImported(db) ? summaryColumns : knowsTags(db) ? columnsBeforeImports : knowsThinned(db) ? columnsBeforeTags : columnsBeforeThinning);

/** Columns under a run's checksum, in a store that may have an earlier layout. */
export const sealedRunColumnsOf = (db: Database): readonly string[] => (knowsImported(db) ? sealedRunColumns : knowsTags(db) ? taggedSealedRunColumns : knowsThinned(db) ? thinnedSealedRunColumns : firstSealedRunColumns);

/** A row whose JSON was validated when written. SQLite checks the types of the other columns. */
interface CheckedRow extends Omit<RunSummary, "experiment" | "evaluation" | "hyperparameters" | "trained" | "thinned" | "tags" | "imported">, TrainedColumns, ThinnedColumns {
  readonly experiment: string;
  readonly evaluation: string | null;
  readonly hyperparameters: string;
  readonly tags?: string | null;
  readonly imported?: string | null;
  readonly layout: number;
}

function isChecked(row: unknown): row is CheckedRow {
  const { layout } = row as CheckedRow;
  return layout >= checkedSince && layout <= rowLayout;
}

/** @throws ZodError when the row holds no run that this version understands */
export function toSummary(row: unknown): RunSummary {
  const summary = isChecked(row) ? fromChecked(row) : summaryRow.parse(row);
  return isActive(summary.status) ? summary : { ...summary, samplesPerSecond: null, secondsLeft: null };
}

/** Without the schemas, which take about a millisecond per row. */
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
    ...thinnedOf(row),
    ...tagsOf(row.tags),
    ...importedOf(row.imported),
  };
}

export const listedColumns = `
  id, name, status, reason, stack, created_at AS createdAt, started_at AS startedAt, finished_at AS finishedAt,
  trained_ms AS trainedMs, trained_from AS trainedFrom, deleted_at AS deletedAt, steps, total_steps AS totalSteps, loss, study, seed, engine, dataset, model, result_name AS resultName, result, tags, imported ->> '$.format' AS importedFormat, layout`;

/** A row selected by `listedColumns`. */
interface ListedRow extends Omit<ListedRun, "result" | "trained" | "tags" | "imported">, TrainedColumns {
  readonly importedFormat: ListedRun["imported"] | null;
  readonly tags: string | null;
  readonly resultName: ListedRun["result"]["name"];
  readonly result: number | null;
  readonly layout: number;
}

/** Undefined for a row of another layout, whose columns do not hold everything that a list shows. */
export function toListed(row: unknown): ListedRun | undefined {
  const { layout, resultName, result, tags, importedFormat, trainedMs, trainedFrom, ...shown } = row as ListedRow;
  return layout === rowLayout ? { ...shown, trained: trainedOf({ trainedMs, trainedFrom }), result: { name: resultName, value: result }, ...tagsOf(tags), ...(importedFormat && { imported: importedFormat }) } : undefined;
}

export function toEnvironment(text: unknown): Environment | null {
  return json(environment).nullable().parse(text);
}

/** Versions and devices that differ and may change last digits: `onnxruntime-node 1.31.0 (was 1.30.0)`. */
export function environmentDifferences(before: Environment, now: Environment): string[] {
  const parts = ({ hypertower, node, platform, cpu, libraries }: Environment) => ({ hypertower, node, platform, cpu, ...libraries });
  const [old, latest]: Record<string, string>[] = [parts(before), parts(now)] as const;
  return Object.keys({ ...old, ...latest })
    .filter((name) => old![name] !== latest![name])
    .map((name) => `${name} ${latest![name] ?? "none"} (was ${old![name] ?? "none"})`);
}

/** Columns that training changes. The name and the deletion are not among them: another process may change those. */
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
 * Columns that never change after a run is created. Validates the experiment, so that reads need not.
 * @throws ZodError when the experiment is not valid in this version
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

/** Measures of an evaluation and their columns. */
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

/** An evaluation in its stored form: values that are not finite are null. */
export function storedEvaluation(evaluation: Evaluation): Evaluation {
  return { ...evaluation, ...Object.fromEntries(measureNames.flatMap((name) => (evaluation[name] === undefined ? [] : [[name, finite(evaluation[name])]]))) };
}

/** Converts a row selected by `evaluationColumns`; omits measures that its task does not have. */
export function toEvaluation(row: Evaluation): Evaluation {
  const always: readonly string[] = ["trainLoss", "testLoss", "testError"];
  return Object.fromEntries(Object.entries(row).filter(([name, value]) => value !== null || always.includes(name))) as Evaluation;
}

export const evaluationColumns = `step, epoch, ${measureNames.map((name) => `${measureColumns[name]} AS ${name}`).join(", ")}`;
export const eventColumns = `at, step, kind, message`;
