/** Runs that other programs recorded, imported to be compared with runs of this one. */
import { z } from "zod";

export const recordFormats = ["tensorboard", "trackio", "csv", "jsonl", "wandb"] as const;
export type RecordFormat = (typeof recordFormats)[number];

export const recordFormatNames: Record<RecordFormat, string> = {
  tensorboard: "TensorBoard",
  trackio: "trackio",
  csv: "CSV",
  jsonl: "JSON lines",
  wandb: "W&B",
};

/** Name of the series that holds the wall time of each step, in seconds since 1970. */
export const wallTimeSeries = "wallTime";

/** Limits of one imported run. */
export const maxImportedSeries = 2_000;
export const maxImportedPoints = 2_000_000;
export const maxConfigurationFields = 1_000;
export const maxFieldLength = 1_000;
export const maxSeriesName = 200;
/** Largest step that a run may record. */
export const maxImportedStep = 2 ** 40;

export const configurationValue = z.union([z.string().max(maxFieldLength), z.number(), z.boolean(), z.null()]);
export type ConfigurationValue = z.infer<typeof configurationValue>;

export const importedRun = z.object({
  format: z.enum(recordFormats),
  /** Absolute path of the file or folder that was read. */
  path: z.string().max(4_096),
  /** Identifies the run among those of the path; empty where there is one. */
  key: z.string().max(1_000),
  /** What is known of its configuration, in the order of the file. */
  configuration: z.array(z.tuple([z.string().max(maxSeriesName), configurationValue])).max(maxConfigurationFields),
  /** Names of its series, without the wall time. */
  series: z.array(z.string().min(1).max(maxSeriesName)).max(maxImportedSeries),
});
export type ImportedRun = z.infer<typeof importedRun>;

/** Series that stands for the run in lists: the first that is named like a loss. */
export function headlineSeries(series: readonly string[]): string | undefined {
  const named = (pattern: RegExp) => series.find((name) => pattern.test(name));
  return named(/^(train[/_.-]?)?loss$/i) ?? named(/train.*loss|loss.*train/i) ?? named(/loss/i);
}

/** Columns of a table that mean something else than a metric. */
export const tableColumns = z.strictObject({ step: z.string().max(maxSeriesName).optional(), time: z.string().max(maxSeriesName).optional(), epoch: z.string().max(maxSeriesName).optional() });
export type TableColumns = z.infer<typeof tableColumns>;

export const importRunsRequest = z.strictObject({
  paths: z.array(z.string().min(1).max(4_096)).min(1).max(100),
  /** Keeps reading what is appended until stopped. */
  watch: z.boolean().default(false),
  columns: tableColumns.default({}),
});
export type ImportRunsRequest = z.infer<typeof importRunsRequest>;

export const importRunsAnswer = z.object({
  runs: z.array(z.object({ id: z.string(), name: z.string(), format: z.enum(recordFormats), path: z.string(), points: z.number().int(), isNew: z.boolean() })),
  warnings: z.array(z.string()),
  /** Id of the watch; null without one. */
  watch: z.string().nullable(),
});
export type ImportRunsAnswer = z.infer<typeof importRunsAnswer>;

export const recordWatch = z.object({
  id: z.string(),
  paths: z.array(z.string()),
  runs: z.array(z.string()),
});
export type RecordWatch = z.infer<typeof recordWatch>;

/** Requests and events of the contract. */
export const importedRunRequests = {
  "importedRuns.import": { input: importRunsRequest, output: importRunsAnswer },
  "importedRuns.watches": { input: z.strictObject({}).default({}), output: z.array(recordWatch) },
  "importedRuns.stop": { input: z.strictObject({ watch: z.string() }), output: z.array(recordWatch) },
} as const;
export const importedRunEvents = {
  "importedRuns.changed": z.object({}),
} as const;

/** Why an action that needs an experiment is refused; null for a run trained here. @param action `rerun`, `exported as code` */
export function importedProblem({ id, name, imported }: { readonly id: string; readonly name: string; readonly imported?: ImportedRun | undefined }, action: string): string | null {
  return imported ? `Run ${name} (${id}) was imported from ${imported.path}; only runs trained here can be ${action}.` : null;
}
