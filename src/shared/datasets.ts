/** Datasets in experiments and requests; the published ones stand in catalog/. */
import { z } from "zod";
import { datasetTasks, type DatasetFacts } from "./catalog/entry.ts";
import { catalogEntry } from "./catalog/index.ts";

export { datasetTasks, type DatasetFacts, type DatasetTask } from "./catalog/entry.ts";

/** Kinds of a user's own data, as the import names them. */
export const ownKind = /^own\/[a-z0-9-]{1,60}$/;

const size = z.number().int().min(1);

/** What an experiment on a user's own data says of it, so that it can be checked, shared and kept where the data is not. */
export const ownFacts = z.strictObject({
  title: z.string().max(200),
  task: z.enum(datasetTasks),
  trainExamples: size,
  testExamples: size,
  exampleShape: z.array(size),
  classNames: z.array(z.string()).max(256),
  symbols: size.optional(),
});
export type OwnFacts = z.infer<typeof ownFacts>;

/** The dataset of an experiment: a published one by its name, a user's own with what is known of it. */
export interface DatasetChoice {
  readonly kind: string;
  readonly facts?: OwnFacts | undefined;
}

/** @throws Error where it is neither; a validated experiment never is */
export function dataFacts({ kind, facts }: DatasetChoice): DatasetFacts {
  const known = facts ?? catalogEntry(kind);
  if (!known) throw new Error(`nothing is known of the dataset ${kind}`);
  return known;
}

/** What an experiment says of a user's own data; undefined for the published, which are known by name. */
export function ownFactsOf(info: Omit<DatasetInfo, "bytesHere">): OwnFacts | undefined {
  if (!info.own) return undefined;
  const { title, task, trainExamples, testExamples, exampleShape, classNames, classes } = info;
  return { title, task, trainExamples, testExamples, exampleShape, classNames, ...(task === "text" ? { symbols: classes } : {}) };
}

export const datasetInfo = z.object({
  /** Its name in an experiment. */
  kind: z.string(),
  title: z.string(),
  task: z.enum(datasetTasks),
  /** Examples; characters of a text. */
  trainExamples: z.number().int(),
  testExamples: z.number().int(),
  exampleShape: z.array(z.number().int()),
  classNames: z.array(z.string()),
  /** Classes, characters of a text, or 1 for a regression. */
  classes: z.number().int(),
  /** Imported by the user. */
  own: z.boolean(),
  /** Where it comes from: a home page, or the files it was made from. */
  source: z.string(),
  licence: z.string().nullable(),
  /** Size of the download; null where it cannot be downloaded. */
  downloadBytes: z.number().int().nullable(),
  removable: z.boolean(),
  /** On the disk, in the data folder: a download that broke off included; 0 for what comes with the program. */
  bytesHere: z.number().int(),
  /** Why it cannot be used, in words; null when it is ready. */
  problem: z.string().nullable(),
});
export type DatasetInfo = z.infer<typeof datasetInfo>;

/** A look at a dataset: how its classes are balanced, and a few of its examples. */
export const datasetLook = z.object({
  /** Examples for training and for testing by class, in the order of `classNames`; empty for a regression. */
  balance: z.array(z.object({ name: z.string(), train: z.number().int(), test: z.number().int() })),
  /** Features of the first training examples, at most 4,096 values each, and what belongs to them. */
  samples: z.array(z.object({ label: z.string(), values: z.array(z.number()) })),
  /** Largest value a feature can take: 255 for pixels; null where features have no common range. */
  range: z.number().nullable(),
  /** Of a table, its columns, where they have names. */
  featureNames: z.array(z.string()),
  /** Of a regression: what the targets span, in their own unit. */
  quantity: z.object({ min: z.number(), max: z.number(), mean: z.number(), deviation: z.number() }).nullable(),
  /** How a text begins; null for other data. */
  text: z.string().nullable(),
});
export type DatasetLook = z.infer<typeof datasetLook>;

const path = z.string().trim().min(1, "a path is needed").max(4096);
const title = z.string().trim().min(1, "a title is needed").max(100, "at most 100 characters");
const task = z.enum(["classification", "regression"]);

/** What a column of a table is to a dataset. */
export const columnRoles = ["number", "category", "target", "ignore"] as const;
export type ColumnRole = (typeof columnRoles)[number];

/** Different values of a category at most; each becomes a feature. */
export const maxCategories = 256;

/** What a file or folder seems to be, before it is imported. */
export const importPreview = z.discriminatedUnion("form", [
  z.object({
    form: z.literal("csv"),
    delimiter: z.string(),
    header: z.boolean(),
    rows: z.number().int(),
    columns: z.array(
      z.object({
        name: z.string(),
        numbers: z.number().int(),
        texts: z.number().int(),
        missing: z.number().int(),
        distinct: z.number().int(),
        suggested: z.enum(columnRoles),
      }),
    ),
    sample: z.array(z.array(z.string())),
  }),
  z.object({ form: z.literal("images"), classes: z.array(z.object({ name: z.string(), images: z.number().int() })), width: z.number().int(), height: z.number().int() }),
  z.object({ form: z.literal("arrays"), arrays: z.array(z.object({ name: z.string(), shape: z.array(z.number().int()), type: z.string() })) }),
  z.object({ form: z.literal("text"), characters: z.number().int(), vocabulary: z.number().int(), beginning: z.string() }),
]);
export type ImportPreview = z.infer<typeof importPreview>;

const arrayChoice = z.strictObject({ path, array: z.string().optional() });

/** How to make a dataset of a user's files. */
export const importOrder = z.discriminatedUnion("form", [
  z.strictObject({
    form: z.literal("csv"),
    title,
    path,
    delimiter: z.string().min(1).max(3),
    header: z.boolean(),
    roles: z.array(z.enum(columnRoles)).min(1),
    task,
    missing: z.enum(["refuse", "drop", "fill"]).default("refuse"),
  }),
  z.strictObject({
    form: z.literal("images"),
    title,
    path,
    width: z.number().int().min(1).max(1024).optional(),
    height: z.number().int().min(1).max(1024).optional(),
    channels: z.union([z.literal(1), z.literal(3)]).default(3),
  }),
  z.strictObject({ form: z.literal("arrays"), title, features: arrayChoice, targets: arrayChoice, task }),
  z.strictObject({ form: z.literal("text"), title, path }),
]);
export type ImportOrder = z.infer<typeof importOrder>;

/** Whether a column holds numbers, single slips aside: those are named by line when it is imported, not taken for categories. */
export function isMostlyNumbers({ numbers, texts }: { readonly numbers: number; readonly texts: number }): boolean {
  return numbers > 0 && texts * 10 <= numbers;
}

/** What a table's target seems to be: a few values are classes, many numbers a quantity. */
export function suggestedTask(column: { readonly numbers: number; readonly texts: number; readonly distinct: number }): "classification" | "regression" {
  return !isMostlyNumbers(column) || column.distinct <= 20 ? "classification" : "regression";
}

export type DatasetState = "ready" | "missing" | "damaged";

export function datasetState({ problem }: Pick<DatasetInfo, "problem">): DatasetState {
  if (problem === null) return "ready";
  return problem.endsWith("is missing") ? "missing" : "damaged";
}

const one = z.strictObject({ kind: z.string().max(100) });

/** What a window asks of the datasets; part of the contract. */
export const datasetRequests = {
  "datasets.list": { input: z.strictObject({}).default({}), output: z.array(datasetInfo) },
  "datasets.look": { input: one, output: datasetLook },
  /** Begins a download or goes on with one; its progress comes as events. */
  "datasets.download": { input: one, output: datasetInfo },
  "datasets.stopDownload": { input: one, output: datasetInfo },
  /** Takes over a local copy of a published dataset through the same checks. */
  "datasets.import": { input: one.extend({ path }), output: datasetInfo },
  "datasets.remove": { input: one, output: z.array(datasetInfo) },
  /** What a file or folder of the machine that serves the window seems to be. */
  "datasets.preview": { input: z.strictObject({ path }), output: importPreview },
  "datasets.create": { input: z.strictObject({ order: importOrder }), output: datasetInfo },
} as const;

export const datasetEvents = {
  /** A download went on, ended or failed; or what is there changed. */
  "dataset.changed": z.object({
    kind: z.string(),
    obtaining: z.object({ bytes: z.number(), total: z.number() }).nullable(),
    /** Why the last download ended, in words; null while all is well. */
    problem: z.string().nullable(),
  }),
} as const;
