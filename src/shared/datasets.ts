/** Datasets in experiments and requests; the published ones stand in catalog/. */
import { z } from "zod";
import { textUnits } from "./alphabet.ts";
import { datasetTasks, type DatasetFacts } from "./catalog/entry.ts";
import { catalogEntry } from "./catalog/index.ts";
import { splitNames, validationUses } from "./dataSplits.ts";
import { maxMinCount } from "./words.ts";

export { datasetTasks, type DatasetFacts, type DatasetTask } from "./catalog/entry.ts";

/** Kinds of a user's own data, as the import names them. */
export const ownKind = /^own\/[a-z0-9-]{1,60}$/;

const size = z.number().int().min(1);

/**
 * Facts about a user's own data in an experiment, so that it can be validated, shared and stored
 * without the data.
 */
export const ownFacts = z.strictObject({
  title: z.string().max(200),
  task: z.enum(datasetTasks),
  trainExamples: size,
  testExamples: size,
  exampleShape: z.array(size),
  /** Empty where there are more than 256. */
  classNames: z.array(z.string()).max(256),
  /** Number of classes, where they are too many to be named. */
  classes: size.optional(),
  symbols: size.optional(),
  /** Where the symbols of a text are words; otherwise characters or bytes. */
  unit: z.literal("words").optional(),
});
export type OwnFacts = z.infer<typeof ownFacts>;

/** Dataset of an experiment: a published one by name, or a user's own with its facts. */
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

/** Number of classes, of symbols of a text, or 1 for a regression. */
export function outputsOf({ task, classNames, classes, symbols }: Pick<DatasetFacts, "task" | "classNames" | "classes" | "symbols">): number {
  return task === "regression" ? 1 : (symbols ?? classes ?? classNames.length);
}

/** Facts that an experiment stores about a user's own data; undefined for published datasets. */
export function ownFactsOf(info: Omit<DatasetInfo, "bytesHere">): OwnFacts | undefined {
  if (!info.own) return undefined;
  const { title, task, trainExamples, testExamples, exampleShape, classNames, classes, unit } = info;
  const counted = task === "text" ? { symbols: classes, ...(unit ? { unit } : {}) } : task === "classification" && classNames.length < classes ? { classes } : {};
  return { title, task, trainExamples, testExamples, exampleShape, classNames, ...counted };
}

export const datasetInfo = z.object({
  /** Name in an experiment. */
  kind: z.string(),
  title: z.string(),
  task: z.enum(datasetTasks),
  /** Number of examples, or of characters of a text. */
  trainExamples: z.number().int(),
  testExamples: z.number().int(),
  exampleShape: z.array(z.number().int()),
  classNames: z.array(z.string()),
  /** Number of classes, of characters of a text, or 1 for a regression. */
  classes: z.number().int(),
  /** Where the symbols of a text are words. */
  unit: z.literal("words").optional(),
  /** Imported by the user. */
  own: z.boolean(),
  /** Origin: a home page, or the files it was imported from. */
  source: z.string(),
  licence: z.string().nullable(),
  /** Size of the download; null where there is none. */
  downloadBytes: z.number().int().nullable(),
  removable: z.boolean(),
  /** Bytes in the data folder, including a partial download; 0 for bundled datasets. */
  bytesHere: z.number().int(),
  /** Why it cannot be used; null when it is ready. */
  problem: z.string().nullable(),
});
export type DatasetInfo = z.infer<typeof datasetInfo>;

/** A stretch of a text as its symbols, and how often each symbol occurs. */
export const textSequence = z.object({
  /** Number of training symbols. */
  length: z.number().int(),
  position: z.number().int(),
  /** Symbols from the position on. */
  symbols: z.array(z.string()),
  /** Symbol after them; null at the end. */
  next: z.string().nullable(),
  /** Number of different symbols. */
  distinct: z.number().int(),
  /** The most frequent symbols of the training text, at most 1,000. */
  vocabulary: z.array(z.object({ name: z.string(), code: z.number().int(), count: z.number().int() })),
});
export type TextSequence = z.infer<typeof textSequence>;

/** Preview of a dataset: class balance and a few examples. */
export const datasetPreview = z.object({
  /**
   * Number of training and test examples by class, in the order of `classNames`; empty for a
   * regression.
   */
  balance: z.array(z.object({ name: z.string(), train: z.number().int(), test: z.number().int() })),
  /** The first training examples, at most 4,096 values each, with labels. */
  samples: z.array(z.object({ label: z.string(), values: z.array(z.number()) })),
  /** Largest feature value: 255 for pixels; null where features have no common range. */
  range: z.number().nullable(),
  /** Column names of a table, if any. */
  featureNames: z.array(z.string()),
  /** Range of a regression's targets, in their unit. */
  quantity: z.object({ min: z.number(), max: z.number(), mean: z.number(), deviation: z.number() }).nullable(),
  /** Beginning of a text; null for other data. */
  text: z.string().nullable(),
  /** Symbols of a text; null for other data. */
  sequence: textSequence.nullable(),
});
export type DatasetPreview = z.infer<typeof datasetPreview>;

const path = z.string().trim().min(1, "a path is needed").max(4096);
const title = z.string().trim().min(1, "a title is needed").max(100, "at most 100 characters");
const task = z.enum(["classification", "regression"]);

/** Role of a table's column; the values of a split column say which rows are for training and which for testing. */
export const columnRoles = ["number", "category", "target", "split", "ignore"] as const;
export type ColumnRole = (typeof columnRoles)[number];

/** Maximum number of values of a category; each becomes a feature. */
export const maxCategories = 256;

/** Maximum number of classes. */
export const maxClasses = 65_536;
/** Maximum number of classes that an experiment and a list of datasets name; beyond, they count them. */
export const maxNamedClasses = 256;

/** Characters between the whole and the fraction of a number. */
export const decimals = [".", ","] as const;

/** Files with more rows of a table, by what they are for. */
const tableParts = z.array(z.strictObject({ path, split: z.enum(splitNames) }));

/** Preview of a file or folder before the import. */
export const importPreview = z.discriminatedUnion("form", [
  z.object({
    form: z.literal("csv"),
    delimiter: z.string(),
    header: z.boolean(),
    decimal: z.enum(decimals),
    rows: z.number().int(),
    columns: z.array(
      z.object({
        name: z.string(),
        numbers: z.number().int(),
        texts: z.number().int(),
        /** Texts that look like numbers in a notation that is not read. */
        foreign: z.number().int(),
        missing: z.number().int(),
        distinct: z.number().int(),
        /** Where the column has dates. */
        dates: z.literal(true).optional(),
        suggested: z.enum(columnRoles),
      }),
    ),
    sample: z.array(z.array(z.string())),
    /** Files of the parts besides the first one, where a folder was previewed. */
    parts: tableParts,
    /** File of the training rows. */
    path: z.string(),
  }),
  z.object({
    form: z.literal("images"),
    /** Images of each class over all parts. */
    classes: z.array(z.object({ name: z.string(), images: z.number().int() })),
    /** Images of each part; one part where the folder says no test images. */
    parts: z.array(z.object({ split: z.enum(splitNames), images: z.number().int() })),
    width: z.number().int(),
    height: z.number().int(),
  }),
  /** Encoded images in the cells of Parquet files, as the Hugging Face hub keeps them. */
  z.object({
    form: z.literal("imageTable"),
    parts: tableParts,
    rows: z.number().int(),
    images: z.array(z.string()).min(1),
    labels: z.array(z.string()).min(1),
    width: z.number().int(),
    height: z.number().int(),
  }),
  z.object({ form: z.literal("arrays"), arrays: z.array(z.object({ name: z.string(), shape: z.array(z.number().int()), type: z.string() })) }),
  z.object({ form: z.literal("text"), path: z.string(), parts: tableParts, column: z.string().nullable(), characters: z.number().int(), vocabulary: z.number().int(), beginning: z.string() }),
]);
export type ImportPreview = z.infer<typeof importPreview>;

const arrayChoice = z.strictObject({ path, array: z.string().optional() });
const arrayPair = z.strictObject({ features: arrayChoice, targets: arrayChoice });

/** Order of an image's axes: channels, height, width, or height, width, channels. */
export const layouts = ["chw", "hwc"] as const;
export type Layout = (typeof layouts)[number];

/** How to import a user's files. */
export const importOrder = z.discriminatedUnion("form", [
  z.strictObject({
    form: z.literal("csv"),
    title,
    path,
    delimiter: z.string().min(1).max(3),
    header: z.boolean(),
    decimal: z.enum(decimals).optional(),
    roles: z.array(z.enum(columnRoles)).min(1),
    task,
    missing: z.enum(["refuse", "drop", "fill"]).default("refuse"),
    parts: tableParts.optional(),
    /** What becomes of validation rows beside test rows; trained on by default. */
    validation: z.enum(validationUses).optional(),
  }),
  z.strictObject({
    form: z.literal("images"),
    title,
    path,
    /** Folder with the test images. */
    test: path.optional(),
    width: z.number().int().min(1).max(1024).optional(),
    height: z.number().int().min(1).max(1024).optional(),
    channels: z.union([z.literal(1), z.literal(3)]).default(3),
    validation: z.enum(validationUses).optional(),
  }),
  z.strictObject({
    form: z.literal("imageTable"),
    title,
    parts: tableParts.min(1),
    /** Columns with the encoded images and with their classes. */
    image: z.string(),
    label: z.string(),
    width: z.number().int().min(1).max(1024).optional(),
    height: z.number().int().min(1).max(1024).optional(),
    channels: z.union([z.literal(1), z.literal(3)]).default(3),
    validation: z.enum(validationUses).optional(),
  }),
  z.strictObject({
    form: z.literal("arrays"),
    title,
    ...arrayPair.shape,
    /** Test examples of their own; without them, a share of the examples is drawn. */
    test: arrayPair.optional(),
    /** Examples that are trained on besides the others. */
    validation: arrayPair.optional(),
    layout: z.enum(layouts).optional(),
    task,
  }),
  z.strictObject({ form: z.literal("text"), title, path, unit: z.enum(textUnits).optional(), minCount: z.number().int().min(1).max(maxMinCount).optional(), parts: tableParts.optional(), column: z.string().optional(), validation: z.enum(validationUses).optional() }),
]);
export type ImportOrder = z.infer<typeof importOrder>;

/** Files and folders that an import reads, the first one first. */
export function orderPaths(order: ImportOrder): string[] {
  if (order.form === "csv" || order.form === "text") return [order.path, ...(order.parts ?? []).map((part) => part.path)];
  if (order.form === "imageTable") return order.parts.map((part) => part.path);
  if (order.form === "images") return [order.path, ...(order.test === undefined ? [] : [order.test])];
  const pairs = [order, ...(order.validation ? [order.validation] : []), ...(order.test ? [order.test] : [])];
  return [...new Set(pairs.flatMap(({ features, targets }) => [features.path, targets.path]))];
}

/** Counts of a column's cells. */
interface CellCounts {
  readonly numbers: number;
  readonly texts: number;
  /** Texts that look like numbers in a notation that is not read. */
  readonly foreign?: number;
}

/** Whether a column is numeric except for a few cells, which the import reports by line. */
export function isMostlyNumbers({ numbers, texts, foreign = 0 }: CellCounts): boolean {
  return numbers + foreign > 0 && (texts - foreign) * 10 <= numbers + foreign;
}

/** A column with few distinct values has classes, one with many numbers a quantity. */
export function suggestedTask(column: CellCounts & { readonly distinct: number }): "classification" | "regression" {
  return !isMostlyNumbers(column) || column.distinct <= 20 ? "classification" : "regression";
}

export type DatasetState = "ready" | "missing" | "damaged";

export function datasetState({ problem }: Pick<DatasetInfo, "problem">): DatasetState {
  if (problem === null) return "ready";
  return problem.endsWith("is missing") ? "missing" : "damaged";
}

/** Chosen by whoever starts an import or a preview, to stop it and to tell its progress from others'. */
const job = z.string().min(1).max(100).optional();

const one = z.strictObject({ kind: z.string().max(100) });

/** Requests about datasets; part of the contract. */
export const datasetRequests = {
  "datasets.list": { input: z.strictObject({}).default({}), output: z.array(datasetInfo) },
  "datasets.inspect": { input: one.extend({ /** Where the symbols of a text begin. */ position: z.int("position must be a whole number").min(0, "position must be at least 0").optional() }), output: datasetPreview },
  /** Starts or resumes a download; progress comes as events. */
  "datasets.download": { input: one, output: datasetInfo },
  "datasets.stopDownload": { input: one, output: datasetInfo },
  /** Imports a local copy of a published dataset, with the same checks. */
  "datasets.import": { input: one.extend({ path }), output: datasetInfo },
  "datasets.remove": { input: one, output: z.array(datasetInfo) },
  /** Previews a file or folder of the host's machine. */
  /** Asks for a file or folder in the system's dialog; null when the person cancels. Only the desktop app has one. */
  "datasets.choose": { input: z.strictObject({ what: z.enum(["file", "folder"]) }), output: z.string().nullable() },
  "datasets.preview": { input: z.strictObject({ path, job }), output: importPreview },
  "datasets.create": { input: z.strictObject({ order: importOrder, job }), output: datasetInfo },
  /** Ends a preview or an import, which then fails; does nothing where it has ended. */
  "datasets.stopImport": { input: z.strictObject({ job: z.string().min(1).max(100) }), output: z.null() },
} as const;

export const datasetEvents = {
  /** A preview or an import that was started with a `job` reads its files. */
  "dataset.importing": z.object({ job: z.string(), done: z.number(), total: z.number(), unit: z.enum(["bytes", "images"]) }),
  /** A download progressed, ended or failed, or a dataset changed. */
  "dataset.changed": z.object({
    kind: z.string(),
    progress: z.object({ bytes: z.number(), total: z.number() }).nullable(),
    /** Why the last download failed; null otherwise. */
    problem: z.string().nullable(),
  }),
} as const;
