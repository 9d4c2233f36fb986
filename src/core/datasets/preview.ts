/** Previews of datasets, and of files before they are imported. */
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { ownKind, type DatasetInfo, type DatasetPreview, type ImportPreview } from "../../shared/datasets.ts";
import { catalogEntry } from "../../shared/catalog/index.ts";
import { messageOf } from "../../shared/errors.ts";
import { maxOf, minOf } from "../../shared/extent.ts";
import { featureRange, type Dataset } from "./dataset.ts";
import { previewCsv } from "./formats/csv.ts";
import { tableEndings } from "./formats/tableRows.ts";
import { imageClasses, imageSize } from "./formats/images.ts";
import { readText } from "./formats/text.ts";
import { readArrays } from "./arrays.ts";
import { loadTextOf, loadWhole } from "./index.ts";
import { readMeta } from "./own.ts";
import { alphabetOf } from "../../shared/alphabet.ts";
import { requireFile } from "./chunks.ts";
import { byteCounter, type OnProgress } from "./progress.ts";

/** Number of examples in a preview. */
const shown = 40;
/** Number of values sent of each example; the rest is cut off. */
const maxValues = 4_096;

/** @throws Error naming the file that is missing or damaged */
export async function previewDataset({ kind, task, classNames }: Pick<DatasetInfo, "kind" | "task" | "classNames">): Promise<DatasetPreview> {
  if (task === "text") {
    const text = await loadTextOf(kind);
    return { balance: [], samples: [], range: null, featureNames: [], quantity: null, text: alphabetOf(text).textOf(text.train.subarray(0, 2_000)) };
  }
  const dataset = await loadWhole(kind);
  return {
    balance: balanceOf(dataset, classNames),
    samples: samplesOf(dataset, classNames),
    range: featureRange(dataset),
    featureNames: ownKind.test(kind) ? (await readMeta(kind)).featureNames : [...(catalogEntry(kind)?.featureNames ?? [])],
    quantity: dataset.task === "regression" ? quantityOf(dataset) : null,
    text: null,
  };
}

/** Range of the targets of a regression, over training and test examples. */
function quantityOf({ train, test }: Dataset): NonNullable<DatasetPreview["quantity"]> {
  const values = [...train.labels, ...test.labels];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return { min: minOf(values), max: maxOf(values), mean, deviation };
}

function balanceOf({ task, classes, train, test }: Dataset, names: readonly string[]): DatasetPreview["balance"] {
  if (task === "regression") return [];
  const count = (labels: ArrayLike<number>) => {
    const counts = new Array<number>(classes).fill(0);
    for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
    return counts;
  };
  const [inTrain, inTest] = [count(train.labels), count(test.labels)];
  return inTrain.map((number, i) => ({ name: names[i] ?? String(i), train: number, test: inTest[i]! }));
}

function samplesOf({ task, train }: Dataset, names: readonly string[]): DatasetPreview["samples"] {
  const width = train.features.length / train.count;
  return Array.from({ length: Math.min(shown, train.count) }, (_, i) => ({
    label: task === "classification" ? (names[train.labels[i]!] ?? String(train.labels[i])) : String(train.labels[i]),
    values: [...train.features.subarray(i * width, i * width + Math.min(width, maxValues))],
  }));
}

const arrayEndings = new Set([".npy", ".npz"]);

/** Detects the form of a file (by its name) or folder. @throws Error naming the path, and what is wrong with it or which forms can be read */
export async function previewImport(path: string, onProgress?: OnProgress): Promise<ImportPreview> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Error(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  if (found.isDirectory()) {
    const classes = await imageClasses(path);
    return { form: "images", classes: classes.map(({ name, files }) => ({ name, images: files.length })), ...(await imageSize(classes[0]!.files[0]!)) };
  }
  await requireFile(path);
  const ending = extname(path.toLowerCase().replace(/\.gz$/, ""));
  if ((tableEndings as readonly string[]).includes(ending)) {
    const { columns, sample, ...preview } = await previewCsv(path, {}, byteCounter(found.size, 2, onProgress));
    return { form: "csv", ...preview, path, parts: [], columns: [...columns], sample: sample.map((row) => [...row]) };
  }
  if (arrayEndings.has(ending) || /ubyte$/.test(path.replace(/\.gz$/, "")) || ending === ".idx") {
    const arrays = Object.entries(await readArrays(path));
    return { form: "arrays", arrays: arrays.map(([name, { shape, data }]) => ({ name, shape: [...shape], type: Array.isArray(data) ? "strings" : data instanceof Uint8Array ? "bytes" : data instanceof Int32Array ? "whole numbers" : "numbers" })) };
  }
  if (ending === ".txt" || ending === ".md") {
    const { codes, vocabulary } = await readText(path, onProgress);
    return { form: "text", characters: codes.length, vocabulary: vocabulary.length, beginning: Array.from(codes.subarray(0, 500), (code) => vocabulary[code]).join("") };
  }
  throw new Error(`${path}: the form of the data cannot be told from this name; allowed are .csv, .tsv, .txt, .npy and .npz, idx files, and folders with a folder of images for each class`);
}

