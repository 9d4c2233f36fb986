/** Imports a user's files as own datasets. */
import { maxNamedClasses } from "../../shared/datasets.ts";
import { useOf, type ValidationUse } from "../../shared/dataSplits.ts";
import { labelledArrays, type ArrayImportOptions } from "./arrays.ts";
import { defaultMinCount } from "../../shared/words.ts";
import { readCsv, type CsvOptions } from "./formats/csv.ts";
import { readTexts } from "./formats/texts.ts";
import { imagesOfFolder, imagesOfTable, type ImageImportOptions, type ImageTable, type LabelledImages } from "./imageImport.ts";
import type { TextUnit } from "../../shared/alphabet.ts";
import { dataFolder } from "../folders/folder.ts";
import { requireFile } from "./chunks.ts";
import type { DataPart } from "./dataParts.ts";
import { classLabels, textTestShare } from "./dataset.ts";
import type { OnProgress } from "./progress.ts";
import { ownId, writeOwn, type OwnData, type OwnMeta } from "./own.ts";

export interface ImportTarget {
  readonly title: string;
  readonly folder?: string;
}

type Description = Pick<OwnMeta, "task" | "source" | "count" | "exampleShape"> & Partial<Pick<OwnMeta, "classNames" | "featureNames" | "vocabulary" | "unit" | "testExamples">>;

/** Whether programs of before could not read it rightly. */
const isNewer = ({ testExamples, unit, classNames = [] }: Description, { features }: OwnData) => testExamples !== undefined || unit === "words" || features instanceof Uint16Array || classNames.length > maxNamedClasses;

/** The part of a description that says how many examples are for testing; none where they are drawn. */
const withTest = (testExamples: number) => (testExamples > 0 ? { testExamples } : {});

async function keep({ title, folder = dataFolder() }: ImportTarget, description: Description, data: OwnData): Promise<OwnMeta> {
  const meta: OwnMeta = {
    version: isNewer(description, data) ? 2 : 1,
    id: ownId(title),
    title,
    createdAt: Date.now(),
    classNames: [],
    featureNames: [],
    vocabulary: [],
    features: data.features instanceof Uint8Array ? "uint8" : data.features instanceof Uint16Array ? "uint16" : "float32",
    ...description,
  };
  await writeOwn(meta, data, folder);
  return meta;
}

/** @throws Error naming file, line and column; nothing is imported then */
export async function importCsv(path: string, options: CsvOptions, target: ImportTarget, onProgress?: OnProgress): Promise<OwnMeta & { dropped: number; filled: number }> {
  await requireFile(path);
  const { count, testExamples, features, targets, featureNames, classNames, dropped, filled } = await readCsv(path, options, onProgress);
  const labels = options.task === "classification" ? classLabels(targets, classNames.length) : targets;
  const source = [path, ...(options.parts ?? []).map((part) => part.path)].join(", ");
  const meta = await keep(target, { task: options.task, source, count, ...withTest(testExamples), exampleShape: [featureNames.length], classNames: [...classNames], featureNames: [...featureNames] }, { features, labels });
  return { ...meta, dropped, filled };
}

/** A tenth of a text is for testing, so it needs a few symbols. */
const minSymbols = 20;

/** How a text is read. */
export interface TextImportOptions {
  readonly unit?: TextUnit | undefined;
  /** For words: times that one must occur in the training text to be in the vocabulary. */
  readonly minCount?: number | undefined;
  /** Files of the parts besides the first one; without test files, the last tenth is for testing. */
  readonly parts?: readonly DataPart[] | undefined;
  /** Column of a table that holds the text. */
  readonly column?: string | undefined;
  readonly validation?: ValidationUse | undefined;
}

/** How many symbols of each part are trained on: a vocabulary must not know the words of the test text. */
function trainingCounts(counts: readonly number[], uses: readonly ("train" | "test")[]): number[] {
  if (uses.includes("test")) return counts.map((count, i) => (uses[i] === "test" ? 0 : count));
  const total = counts.reduce((sum, count) => sum + count, 0);
  let left = total - Math.floor(total * textTestShare);
  return counts.map((count) => {
    const own = Math.min(count, left);
    left -= own;
    return own;
  });
}

/** @throws Error naming the file, and for characters the line and the byte that is not UTF-8 */
export async function importText(path: string, { unit = "characters", minCount = defaultMinCount, parts = [], column, validation = "train", ...target }: ImportTarget & TextImportOptions, onProgress?: OnProgress): Promise<OwnMeta> {
  const hasTest = parts.some(({ split }) => split === "test");
  const used = [{ path, split: "train" as const }, ...parts].flatMap((part) => {
    const use = useOf(part.split, hasTest, validation);
    return use === "leave" ? [] : [{ path: part.path, use }];
  });
  for (const part of used) await requireFile(part.path);
  const uses = used.map(({ use }) => use);
  const counting = (each: readonly number[]) => trainingCounts(each, uses);
  const { vocabulary, codes, counts } = await readTexts(used.map((part) => part.path), { unit, column, words: { minCount, counting } }, onProgress);
  if (codes.length < minSymbols) throw new Error(`${path}: ${codes.length} ${unit}; at least ${minSymbols} are needed`);
  const testExamples = used.reduce((sum, { use }, i) => sum + (use === "test" ? counts[i]! : 0), 0);
  if (used.some(({ use }) => use === "test") && testExamples < 2) throw new Error(`${used.at(-1)!.path}: ${testExamples} ${unit}; a test text needs at least 2`);
  const description: Description = { task: "text", source: used.map((part) => part.path).join(", "), count: codes.length, ...withTest(testExamples), exampleShape: [], vocabulary: [...vocabulary], ...(unit === "characters" ? {} : { unit }) };
  return keep(target, description, { features: codes, labels: new Float32Array(0) });
}

/** @throws Error naming a file that cannot be decoded; nothing is imported then */
export async function importImages(folder: string, options: ImageImportOptions, target: ImportTarget, onProgress?: OnProgress): Promise<OwnMeta> {
  return keepImages(options.test === undefined ? folder : `${folder}, ${options.test}`, await imagesOfFolder(folder, options, onProgress), target);
}

/** @throws Error naming the file and the row that cannot be decoded; nothing is imported then */
export async function importImageTable(table: ImageTable, options: ImageImportOptions, target: ImportTarget, onProgress?: OnProgress): Promise<OwnMeta> {
  const source = table.parts.map(({ path }) => path).join(", ");
  return keepImages(source, await imagesOfTable(table.parts[0]!.path, table, options, onProgress), target);
}

function keepImages(source: string, { count, testExamples, exampleShape, classNames, features, labels }: LabelledImages, target: ImportTarget): Promise<OwnMeta> {
  return keep(target, { task: "classification", source, count, ...withTest(testExamples), exampleShape: [...exampleShape], classNames: [...classNames] }, { features, labels });
}

/** @throws Error naming the file and what does not fit; nothing is imported then */
export async function importArrays(options: ArrayImportOptions, target: ImportTarget): Promise<OwnMeta> {
  const { source, count, testExamples, exampleShape, classNames, features, labels } = await labelledArrays(options);
  return keep(target, { task: options.task, source, count, ...withTest(testExamples), exampleShape: [...exampleShape], classNames: [...classNames] }, { features, labels });
}
