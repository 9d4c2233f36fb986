/** Imports a user's files as own datasets. */
import { basename, extname } from "node:path";
import { gunzipSync } from "node:zlib";
import { messageOf } from "../../shared/errors.ts";
import { parseIdx } from "./idx.ts";
import { readCsv, type CsvOptions } from "./formats/csv.ts";
import { imageClasses, imageSize, readImage } from "./formats/images.ts";
import { readNumpy, type NumericArray } from "./formats/npy.ts";
import { largestUnpacked, requireStorable } from "./formats/packed.ts";
import { readText } from "./formats/text.ts";
import { byteVocabulary, type TextUnit } from "../../shared/alphabet.ts";
import { dataFolder } from "../folders/folder.ts";
import { requireFile, wholeFile } from "./chunks.ts";
import type { OnProgress } from "./progress.ts";
import { ownId, writeOwn, type OwnData, type OwnMeta } from "./own.ts";

export interface ImportTarget {
  readonly title: string;
  readonly folder?: string;
}

type Description = Pick<OwnMeta, "task" | "source" | "count" | "exampleShape"> & Partial<Pick<OwnMeta, "classNames" | "featureNames" | "vocabulary" | "unit">>;

async function keep({ title, folder = dataFolder() }: ImportTarget, description: Description, data: OwnData): Promise<OwnMeta> {
  const meta: OwnMeta = {
    version: 1,
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
  const { count, features, targets, featureNames, classNames, dropped, filled } = await readCsv(path, options, onProgress);
  const labels = options.task === "classification" ? Uint8Array.from(targets) : targets;
  const meta = await keep(target, { task: options.task, source: path, count, exampleShape: [featureNames.length], classNames: [...classNames], featureNames: [...featureNames] }, { features, labels });
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
  if (classes.length > 256) throw new Error(`${folder}: ${classes.length} classes; at most 256 are allowed`);
  const size = await imageSize(classes[0]!.files[0]!);
  const { width = size.width, height = size.height, channels = 3 } = options;
  if (width * height * channels > 2 ** 20) throw new Error(`${folder}: images of ${width} x ${height} x ${channels} values are too large to train on; choose a smaller size`);
  const files = classes.flatMap(({ files: own }, label) => own.map((file) => ({ file, label })));
  const pixels = width * height * channels;
  requireStorable(folder, files.length * pixels);
  const features = new Uint8Array(files.length * pixels);
  const labels = new Uint8Array(files.length);
  for (const [i, { file, label }] of files.entries()) {
    features.set(await readImage(file, { width, height, channels }), i * pixels);
    labels[i] = label;
    onProgress?.({ done: i + 1, total: files.length, unit: "images" });
  }
  return keep(target, { task: "classification", source: folder, count: files.length, exampleShape: [channels, height, width], classNames: classes.map(({ name }) => name) }, { features, labels });
}

/** Arrays of a .npy, .npz or idx file (gzipped or not) by name. @throws Error naming the file */
export async function readArrays(path: string): Promise<Readonly<Record<string, NumericArray>>> {
  await requireFile(path);
  const name = basename(path).toLowerCase();
  if ([".npy", ".npz"].includes(extname(name))) return readNumpy(path);
  const bytes = await wholeFile(path);
  const { shape, data } = parseIdx(name.endsWith(".gz") ? gunzipped(bytes, path) : bytes, path);
  return { array: { shape, data } };
}

function gunzipped(bytes: Uint8Array, path: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: largestUnpacked(bytes.length) });
  } catch (error) {
    throw new Error(`${path} cannot be unpacked: ${messageOf(error)}`, { cause: error });
  }
}

export interface ArrayChoice {
  readonly path: string;
  /** Name of an array of a .npz; may be omitted where there is only one. */
  readonly array?: string;
}

function chosen(arrays: Readonly<Record<string, NumericArray>>, { path, array }: ArrayChoice): NumericArray {
  const names = Object.keys(arrays);
  const name = array ?? (names.length === 1 ? names[0]! : "");
  const found = Object.hasOwn(arrays, name) ? arrays[name] : undefined;
  if (!found) throw new Error(`${path} has ${array ? `no array named ${array}` : `${names.length} arrays`}; choose one of: ${names.join(", ")}`);
  return found;
}

export interface ArrayImportOptions {
  readonly features: ArrayChoice;
  readonly targets: ArrayChoice;
  readonly task: "classification" | "regression";
}

/** Examples with their labels, as arrays. */
export interface LabelledArrays {
  readonly source: string;
  readonly count: number;
  readonly exampleShape: readonly number[];
  /** `[count, ...exampleShape]`, row-major. */
  readonly features: Uint8Array | Float32Array;
  /** `[count]`: class indices, or values of a regression. */
  readonly labels: Uint8Array | Float32Array;
  /** Target values by class index; empty for a regression. */
  readonly classNames: readonly string[];
}

/** `features` is `[count, ...example]`, `targets` `[count]` (or `[count, 1]`). @throws Error naming the file and what does not fit */
export async function labelledArrays({ features, targets, task }: ArrayImportOptions): Promise<LabelledArrays> {
  const read = await readArrays(features.path);
  const from = chosen(read, features);
  const to = chosen(targets.path === features.path ? read : await readArrays(targets.path), targets);
  const [count = 0, ...shape] = from.shape;
  const outputs = to.data.length / Math.max(count, 1);
  if (count === 0) throw new Error(`${features.path}: the array is empty`);
  if (outputs !== 1) throw new Error(`${targets.path} has ${to.shape.join(" x ")} values, but ${features.path} has ${count} examples`);
  for (const [{ path }, { data }] of [[features, from], [targets, to]] as const) {
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new Error(`${path}: value ${bad} is ${data[bad]!}, in example ${Math.floor((bad * count) / data.length)} (both counted from 0)`);
  }
  const values = from.data instanceof Int32Array ? Float32Array.from(from.data) : from.data;
  const exampleShape = shape.length === 0 ? [1] : shape.length === 2 && values instanceof Uint8Array ? [1, ...shape] : shape;
  const source = features.path === targets.path ? features.path : `${features.path}, ${targets.path}`;
  const examples = { source, count, exampleShape, features: values };
  if (task === "regression") return { ...examples, labels: Float32Array.from(to.data), classNames: [] };
  const classes = [...new Set(to.data as Iterable<number>)].sort((a, b) => a - b);
  if (classes.length < 2 || classes.length > 256) throw new Error(`${targets.path} has ${classes.length} different values; a classification needs 2 to 256`);
  const broken = classes.find((value) => !Number.isInteger(value));
  if (broken !== undefined) throw new Error(`${targets.path} contains ${broken}; classes are whole numbers`);
  const labels = Uint8Array.from(to.data as ArrayLike<number>, (value) => classes.indexOf(value));
  return { ...examples, labels, classNames: classes.map(String) };
}

/** @throws Error naming the file and what does not fit; nothing is imported then */
export async function importArrays(options: ArrayImportOptions, target: ImportTarget): Promise<OwnMeta> {
  const { source, count, exampleShape, classNames, features, labels } = await labelledArrays(options);
  return keep(target, { task: options.task, source, count, exampleShape: [...exampleShape], classNames: [...classNames] }, { features, labels });
}
