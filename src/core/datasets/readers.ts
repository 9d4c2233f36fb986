/** Readers of published datasets, one for each format of the catalog. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { DatasetEntry, DatasetReader, IdxFiles } from "../../shared/catalog/entry.ts";
import type { GeneratorVersion } from "../../shared/random.ts";
import type { Dataset, Examples } from "./dataset.ts";
import { folderOf, keptPath, readKept } from "./files.ts";
import { dataFolder } from "../folders/folder.ts";
import { readCifar } from "./formats/cifar.ts";
import { readText, type EncodedText } from "./formats/text.ts";
import { parseIdx } from "./idx.ts";
import { divide, type Labelled } from "./split.ts";

/** How to split examples that have no published split. */
export interface Division {
  readonly seed: number;
  readonly version: GeneratorVersion;
}

interface Context {
  readonly entry: DatasetEntry;
  readonly pathOf: (file: string) => string;
  readonly division: Division;
}

type Read<Format> = (reader: Extract<DatasetReader, { format: Format }>, context: Context) => Promise<Pick<Dataset, "scale" | "train" | "test">>;

const readers: { readonly [Format in Exclude<DatasetReader["format"], "text">]: Read<Format> } = {
  idx: async ({ train, test }, { pathOf }) => ({ scale: 1 / 255, train: await readIdx(train, pathOf), test: await readIdx(test, pathOf) }),
  cifar: async ({ train, test }, { pathOf }) => ({ scale: 1 / 255, train: await readCifar(train.map(pathOf)), test: await readCifar(test.map(pathOf)) }),
  pixelRows: async ({ file, white }, { entry, pathOf, division }) => ({ scale: 1 / white, ...divided(await readPixelRows(pathOf(file), white, entry), entry, division) }),
  iris: async ({ file }, { entry, pathOf, division }) => ({ scale: 1, ...divided(await readNamedRows(pathOf(file), entry), entry, division) }),
};

const divided = (examples: Labelled, { testExamples }: DatasetEntry, { seed, version }: Division) => divide(examples, seed, version, testExamples);

async function readIdx({ images, labels }: IdxFiles, pathOf: Context["pathOf"]): Promise<Examples> {
  const [features, classes] = await Promise.all([images, labels].map(async (file) => parseIdx(await readKept(pathOf(file)), pathOf(file))));
  return { count: features!.shape[0]!, features: features!.data, labels: classes!.data };
}

async function readPixelRows(path: string, white: number, { exampleShape, classNames }: DatasetEntry): Promise<Labelled> {
  const pixels = exampleShape.reduce((product, n) => product * n, 1);
  const rows = gunzipSync(await readFile(path)).toString("utf8").trim().split("\n");
  const [features, labels] = [new Uint8Array(rows.length * pixels), new Uint8Array(rows.length)];
  rows.forEach((row, i) => {
    const values = row.split(",").map(Number);
    const label = values.pop();
    if (values.length !== pixels || !values.every((value) => value >= 0 && value <= white) || label === undefined || !(label < classNames.length)) {
      throw new Error(`${path}, line ${i + 1}: not ${pixels} pixels from 0 to ${white} and a class below ${classNames.length}`);
    }
    features.set(values, i * pixels);
    labels[i] = label;
  });
  return { count: rows.length, features, labels };
}

async function readNamedRows(path: string, { exampleShape, classNames }: DatasetEntry): Promise<Labelled> {
  const rows = (await readFile(path, "utf8")).trim().split("\n").map((row) => row.split(","));
  const width = exampleShape[0]!;
  const wrong = rows.findIndex((row) => row.length !== width + 1 || row.slice(0, width).some((value) => !Number.isFinite(Number(value))) || !classNames.includes(row[width]!));
  if (wrong >= 0) throw new Error(`${path}, line ${wrong + 1}: not ${width} numbers and a class (${classNames.join(", ")})`);
  return { count: rows.length, features: Float32Array.from(rows.flatMap((row) => row.slice(0, width).map(Number))), labels: Uint8Array.from(rows, (row) => classNames.indexOf(row[width]!)) };
}

/**
 * All labelled examples of a published dataset, whose files were checked before.
 * @throws Error naming a file that cannot be read, or a dataset that is a text
 */
export async function readExamples(entry: DatasetEntry, division: Division, data = dataFolder()): Promise<Dataset> {
  const { reader, task, exampleShape, classNames } = entry;
  if (reader.format === "text" || task === "text") throw new Error(`${entry.id} is a text; it has no labelled examples`);
  const folder = folderOf(entry, data);
  const read = readers[reader.format] as Read<DatasetReader["format"]>;
  return { task, exampleShape, classes: classNames.length, ...(await read(reader, { entry, division, pathOf: (file) => keptPath(folder, file) })) };
}

/** @throws Error naming a file that cannot be read, or a dataset that is not a text */
export async function readEntryText(entry: DatasetEntry, data = dataFolder()): Promise<EncodedText> {
  if (entry.reader.format !== "text") throw new Error(`${entry.id} is not a text`);
  return readText(join(folderOf(entry, data), entry.reader.file));
}
