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
import { imageParts, imageSize } from "./formats/images.ts";
import { imageIn, openParquet, type ParquetKind } from "./formats/parquet.ts";
import { readTexts } from "./formats/texts.ts";
import { dataPartsIn, type DataPart } from "./dataParts.ts";
import { readArrays } from "./arrays.ts";
import { loadTextOf, loadWhole, type TextDataset } from "./index.ts";
import { readMeta } from "./own.ts";
import { alphabetOf } from "../../shared/alphabet.ts";
import { requireFile } from "./chunks.ts";
import { byteCounter, type OnProgress } from "./progress.ts";

/** Number of examples in a preview. */
const shown = 40;
/** Number of values sent of each example; the rest is cut off. */
const maxValues = 4_096;

/** @throws Error naming the file that is missing or damaged */
export async function previewDataset({ kind, task, classNames }: Pick<DatasetInfo, "kind" | "task" | "classNames">, position = 0): Promise<DatasetPreview> {
  if (task === "text") {
    const text = await loadTextOf(kind);
    return { balance: [], samples: [], range: null, featureNames: [], quantity: null, text: alphabetOf(text).textOf(text.train.subarray(0, 2_000)), sequence: sequenceOf(text, position) };
  }
  const dataset = await loadWhole(kind);
  return {
    balance: balanceOf(dataset, classNames),
    samples: samplesOf(dataset, classNames),
    range: featureRange(dataset),
    featureNames: ownKind.test(kind) ? (await readMeta(kind)).featureNames : [...(catalogEntry(kind)?.featureNames ?? [])],
    quantity: dataset.task === "regression" ? quantityOf(dataset) : null,
    text: null,
    sequence: null,
  };
}

/** Number of symbols of a text that are shown at once, and of its vocabulary. */
const [shownSymbols, maxVocabulary] = [400, 1_000];

/** @throws Error where the text is shorter */
function sequenceOf(text: TextDataset, position: number): NonNullable<DatasetPreview["sequence"]> {
  const { train } = text;
  if (position >= train.length) throw new Error(`position ${position} is beyond the training text, which has ${train.length} symbols; allowed: 0 to ${train.length - 1}`);
  const { symbols } = alphabetOf(text);
  const counts = new Array<number>(symbols.length).fill(0);
  for (const code of train) counts[code]!++;
  const end = Math.min(train.length, position + shownSymbols);
  const vocabulary = counts.map((count, code) => ({ name: symbols[code]!, code, count })).filter(({ count }) => count > 0);
  return {
    length: train.length,
    position,
    symbols: Array.from(train.subarray(position, end), (code) => symbols[code]!),
    next: end < train.length ? symbols[train[end]!]! : null,
    distinct: vocabulary.length,
    vocabulary: vocabulary.sort((a, b) => b.count - a.count || a.code - b.code).slice(0, maxVocabulary),
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
  if (found.isDirectory()) return previewFolder(path, onProgress);
  await requireFile(path);
  const ending = extname(path.toLowerCase().replace(/\.gz$/, ""));
  if ((tableEndings as readonly string[]).includes(ending)) return previewTable([{ path, split: "train" }], onProgress);
  if (arrayEndings.has(ending) || /ubyte$/.test(path.replace(/\.gz$/, "")) || ending === ".idx") {
    const arrays = Object.entries(await readArrays(path));
    return { form: "arrays", arrays: arrays.map(([name, { shape, data }]) => ({ name, shape: [...shape], type: Array.isArray(data) ? "strings" : data instanceof Uint8Array ? "bytes" : data instanceof Int32Array ? "whole numbers" : "numbers" })) };
  }
  if (textEndings.includes(ending)) return previewText([{ path, split: "train" }], null, onProgress);
  throw new Error(`${path}: the form of the data cannot be told from this name; allowed are .csv, .tsv, .jsonl, .json, .parquet, .txt, .npy and .npz, idx files, and folders of images or of such files`);
}

const textEndings = [".txt", ".md"];

/** A folder of Parquet files, of images, of other tables or of texts, whichever is found first. */
async function previewFolder(path: string, onProgress: OnProgress | undefined): Promise<ImportPreview> {
  const parquet = await dataPartsIn(path, [".parquet"]);
  if (parquet.length > 0) return previewTable(parquet, onProgress);
  let parts: Awaited<ReturnType<typeof imageParts>>;
  try {
    parts = await imageParts(path);
  } catch (error) {
    const tables = await dataPartsIn(path, [".csv", ".tsv", ".jsonl"]);
    if (tables.length > 0) return previewTable(tables, onProgress);
    const texts = await dataPartsIn(path, textEndings);
    if (texts.length > 0) return previewText(texts, null, onProgress);
    throw error;
  }
  const counts = new Map<string, number>();
  for (const { name, files } of parts.flatMap(({ classes }) => classes)) counts.set(name, (counts.get(name) ?? 0) + files.length);
  const images = parts.map(({ split, classes }) => ({ split, images: classes.reduce((sum, { files }) => sum + files.length, 0) }));
  return { form: "images", classes: [...counts].map(([name, count]) => ({ name, images: count })), parts: images, ...(await imageSize(parts[0]!.classes[0]!.files[0]!)) };
}

/** A table, or in Parquet files also encoded images, or one column of text. */
async function previewTable(parts: readonly DataPart[], onProgress: OnProgress | undefined): Promise<ImportPreview> {
  const [{ path }, ...others] = parts as [DataPart, ...DataPart[]];
  if (path.toLowerCase().endsWith(".parquet")) {
    const encoded = await previewImageTable(parts);
    if (encoded) return encoded;
  }
  const { columns, sample, ...preview } = await previewCsv(path, {}, byteCounter((await stat(path)).size, 2, onProgress));
  const [only] = columns;
  if (columns.length === 1 && only!.numbers === 0) return previewText(parts, only!.name, onProgress);
  return { form: "csv", ...preview, path, parts: [...others], columns: [...columns], sample: sample.map((row) => [...row]) };
}

/** Null where no column holds images. */
async function previewImageTable(parts: readonly DataPart[]): Promise<ImportPreview | null> {
  const path = parts[0]!.path;
  const file = await openParquet(path);
  try {
    const of = (kind: ParquetKind) => file.columns.filter((column) => column.kind === kind).map(({ name }) => name);
    const [images, labels] = [of("image"), of("cells")];
    if (images.length === 0) return null;
    if (labels.length === 0) throw new Error(`${path} has images (${images.join(", ")}) but no column with their classes`);
    for await (const row of file.rows([images[0]!])) {
      const data = imageIn(row[images[0]!]);
      if (!data) throw new Error(`${path}, row 1, column ${images[0]!}: there is no encoded image`);
      return { form: "imageTable", parts: [...parts], rows: file.count, images, labels, ...(await imageSize({ name: `${path}, row 1`, data })) };
    }
    throw new Error(`${path} has no rows`);
  } finally {
    await file.close();
  }
}

async function previewText(parts: readonly DataPart[], column: string | null, onProgress: OnProgress | undefined): Promise<ImportPreview> {
  const [{ path }, ...others] = parts as [DataPart, ...DataPart[]];
  const { codes, vocabulary } = await readTexts([path], { unit: "characters", ...(column === null ? {} : { column }) }, onProgress);
  return { form: "text", path, parts: [...others], column, characters: codes.length, vocabulary: vocabulary.length, beginning: Array.from(codes.subarray(0, 500), (code) => vocabulary[code]).join("") };
}
