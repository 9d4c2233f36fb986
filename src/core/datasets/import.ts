/** Imports a user's files as own datasets. */
import { maxClasses, maxNamedClasses } from "../../shared/datasets.ts";
import { labelledArrays, type ArrayImportOptions } from "./arrays.ts";
import { readCsv, type CsvOptions } from "./formats/csv.ts";
import { imageClasses, imageSize, readImage } from "./formats/images.ts";
import { requireStorable } from "./formats/packed.ts";
import { readText } from "./formats/text.ts";
import { byteVocabulary, type TextUnit } from "../../shared/alphabet.ts";
import { dataFolder } from "../folders/folder.ts";
import { requireFile, wholeFile } from "./chunks.ts";
import { classLabels } from "./dataset.ts";
import type { OnProgress } from "./progress.ts";
import { ownId, writeOwn, type OwnData, type OwnMeta } from "./own.ts";

export interface ImportTarget {
  readonly title: string;
  readonly folder?: string;
}

type Description = Pick<OwnMeta, "task" | "source" | "count" | "exampleShape"> & Partial<Pick<OwnMeta, "classNames" | "featureNames" | "vocabulary" | "unit" | "testExamples">>;

/** Whether programs of before could not read it rightly. */
const isNewer = ({ testExamples, classNames = [] }: Description, { features }: OwnData) => testExamples !== undefined || features instanceof Uint16Array || classNames.length > maxNamedClasses;

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

/** @throws Error naming the file, and for characters the line and the byte that is not UTF-8 */
export async function importText(path: string, { unit = "characters", ...target }: ImportTarget & { readonly unit?: TextUnit | undefined }, onProgress?: OnProgress): Promise<OwnMeta> {
  await requireFile(path);
  const { vocabulary, codes } = unit === "bytes" ? { vocabulary: byteVocabulary, codes: new Uint8Array(await wholeFile(path)) } : await readText(path, onProgress);
  if (codes.length < minSymbols) throw new Error(`${path}: ${codes.length} ${unit}; at least ${minSymbols} are needed`);
  const description: Description = { task: "text", source: path, count: codes.length, exampleShape: [], vocabulary: [...vocabulary], ...(unit === "bytes" ? { unit } : {}) };
  return keep(target, description, { features: codes, labels: new Float32Array(0) });
}

export interface ImageImportOptions {
  /** Size to scale to; the first image's by default. */
  readonly width?: number;
  readonly height?: number;
  readonly channels?: 1 | 3;
}

/** @throws Error naming a file that cannot be decoded; nothing is imported then */
export async function importImages(folder: string, options: ImageImportOptions, target: ImportTarget, onProgress?: OnProgress): Promise<OwnMeta> {
  const classes = await imageClasses(folder);
  if (classes.length > maxClasses) throw new Error(`${folder}: ${classes.length} classes; at most ${maxClasses} are allowed`);
  const size = await imageSize(classes[0]!.files[0]!);
  const { width = size.width, height = size.height, channels = 3 } = options;
  if (width * height * channels > 2 ** 20) throw new Error(`${folder}: images of ${width} x ${height} x ${channels} values are too large to train on; choose a smaller size`);
  const files = classes.flatMap(({ files: own }, label) => own.map((file) => ({ file, label })));
  const pixels = width * height * channels;
  requireStorable(folder, files.length * pixels);
  const features = new Uint8Array(files.length * pixels);
  const labels = classLabels(files.map(({ label }) => label), classes.length);
  for (const [i, { file }] of files.entries()) {
    features.set(await readImage(file, { width, height, channels }), i * pixels);
    onProgress?.({ done: i + 1, total: files.length, unit: "images" });
  }
  return keep(target, { task: "classification", source: folder, count: files.length, exampleShape: [channels, height, width], classNames: classes.map(({ name }) => name) }, { features, labels });
}

/** @throws Error naming the file and what does not fit; nothing is imported then */
export async function importArrays(options: ArrayImportOptions, target: ImportTarget): Promise<OwnMeta> {
  const { source, count, testExamples, exampleShape, classNames, features, labels } = await labelledArrays(options);
  return keep(target, { task: options.task, source, count, ...withTest(testExamples), exampleShape: [...exampleShape], classNames: [...classNames] }, { features, labels });
}
