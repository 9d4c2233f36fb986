/** From a user's files to a dataset of their own. */
import { basename, extname } from "node:path";
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { parseIdx } from "./idx.ts";
import { readCsv, type CsvOptions } from "./formats/csv.ts";
import { imageClasses, imageSize, readImage } from "./formats/images.ts";
import { readNumpy, type NumericArray } from "./formats/npy.ts";
import { readText } from "./formats/text.ts";
import { dataFolder } from "./folder.ts";
import { ownId, writeOwn, type OwnData, type OwnMeta } from "./own.ts";

export interface ImportTarget {
  readonly title: string;
  readonly folder?: string;
}

type Described = Pick<OwnMeta, "task" | "source" | "count" | "exampleShape"> & Partial<Pick<OwnMeta, "classNames" | "featureNames" | "vocabulary">>;

async function keep({ title, folder = dataFolder() }: ImportTarget, of: Described, data: OwnData): Promise<OwnMeta> {
  const meta: OwnMeta = {
    version: 1,
    id: ownId(title),
    title,
    createdAt: Date.now(),
    classNames: [],
    featureNames: [],
    vocabulary: [],
    features: data.features instanceof Uint8Array ? "uint8" : "float32",
    ...of,
  };
  await writeOwn(meta, data, folder);
  return meta;
}

/** @throws Error naming file, line and column; nothing is kept then */
export async function importCsv(path: string, options: CsvOptions, target: ImportTarget): Promise<OwnMeta & { dropped: number; filled: number }> {
  const { count, features, targets, featureNames, classNames, dropped, filled } = await readCsv(path, options);
  const labels = options.task === "classification" ? Uint8Array.from(targets) : targets.slice();
  const meta = await keep(target, { task: options.task, source: path, count, exampleShape: [featureNames.length], classNames: [...classNames], featureNames: [...featureNames] }, { features: features.slice(), labels });
  return { ...meta, dropped, filled };
}

/** @throws Error naming the file and the byte */
export async function importText(path: string, target: ImportTarget): Promise<OwnMeta> {
  const { vocabulary, codes } = await readText(path);
  if (vocabulary.length > 256) throw new Error(`${path}: ${vocabulary.length} different characters; at most 256 can be learned`);
  return keep(target, { task: "text", source: path, count: codes.length, exampleShape: [], vocabulary: [...vocabulary] }, { features: Uint8Array.from(codes), labels: new Float32Array(0) });
}

export interface ImageImportOptions {
  /** Size to scale to; the first image's by default. */
  readonly width?: number;
  readonly height?: number;
  readonly channels?: 1 | 3;
  /** Called as images are read. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** @throws Error naming a file that does not decode; nothing is kept then */
export async function importImages(folder: string, options: ImageImportOptions, target: ImportTarget): Promise<OwnMeta> {
  const classes = await imageClasses(folder);
  if (classes.length > 256) throw new Error(`${folder}: ${classes.length} classes; at most 256 are allowed`);
  const size = await imageSize(classes[0]!.files[0]!);
  const { width = size.width, height = size.height, channels = 3, onProgress } = options;
  if (width * height * channels > 2 ** 20) throw new Error(`${folder}: images of ${width} x ${height} x ${channels} values are too large to train on; choose a smaller size`);
  const files = classes.flatMap(({ files: own }, label) => own.map((file) => ({ file, label })));
  const pixels = width * height * channels;
  const features = new Uint8Array(files.length * pixels);
  const labels = new Uint8Array(files.length);
  for (const [i, { file, label }] of files.entries()) {
    features.set(await readImage(file, { width, height, channels }), i * pixels);
    labels[i] = label;
    onProgress?.(i + 1, files.length);
  }
  return keep(target, { task: "classification", source: folder, count: files.length, exampleShape: [channels, height, width], classNames: classes.map(({ name }) => name) }, { features, labels });
}

/** The arrays of .npy, .npz and idx files (packed by gzip or not), by name. @throws Error naming the file */
export async function readArrays(path: string): Promise<Readonly<Record<string, NumericArray>>> {
  const name = basename(path).toLowerCase();
  if ([".npy", ".npz"].includes(extname(name))) return readNumpy(path);
  const bytes = await readFile(path);
  const { shape, data } = parseIdx(name.endsWith(".gz") ? gunzipSync(bytes) : bytes, path);
  return { array: { shape, data } };
}

export interface ArrayChoice {
  readonly path: string;
  /** Which array of a .npz; the only one where it is left out. */
  readonly array?: string;
}

async function chosen({ path, array }: ArrayChoice): Promise<{ array: NumericArray; source: string }> {
  const arrays = await readArrays(path);
  const names = Object.keys(arrays);
  const name = array ?? (names.length === 1 ? names[0]! : "");
  const found = arrays[name];
  if (!found) throw new Error(`${path} has ${array ? `no array named ${array}` : `${names.length} arrays`}; choose one of: ${names.join(", ")}`);
  return { array: found, source: path };
}

export interface ArrayImportOptions {
  readonly features: ArrayChoice;
  readonly targets: ArrayChoice;
  readonly task: "classification" | "regression";
}

/** `features` is `[count, ...example]`, `targets` `[count]` (or `[count, 1]`). @throws Error naming the file and what does not fit */
export async function importArrays({ features, targets, task }: ArrayImportOptions, target: ImportTarget): Promise<OwnMeta> {
  const [from, to] = await Promise.all([chosen(features), chosen(targets)]);
  const [count = 0, ...shape] = from.array.shape;
  const outputs = to.array.data.length / Math.max(count, 1);
  if (count === 0) throw new Error(`${from.source}: the array is empty`);
  if (outputs !== 1) throw new Error(`${to.source} has ${to.array.shape.join(" x ")} values, but ${from.source} has ${count} examples`);
  for (const [{ array, source }] of [[from], [to]] as const) {
    const bad = array.data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new Error(`${source}: value ${bad} is ${array.data[bad]!}`);
  }
  const values = from.array.data instanceof Uint8Array ? from.array.data : Float32Array.from(from.array.data);
  const exampleShape = shape.length === 0 ? [1] : shape.length === 2 && values instanceof Uint8Array ? [1, ...shape] : shape;
  const source = from.source === to.source ? from.source : `${from.source}, ${to.source}`;
  if (task === "regression") return keep(target, { task, source, count, exampleShape }, { features: values, labels: Float32Array.from(to.array.data) });
  const classes = [...new Set(to.array.data as Iterable<number>)].sort((a, b) => a - b);
  if (classes.length < 2 || classes.length > 256) throw new Error(`${to.source} has ${classes.length} different values; a classification needs 2 to 256`);
  const broken = classes.find((value) => !Number.isInteger(value));
  if (broken !== undefined) throw new Error(`${to.source} contains ${broken}; classes are whole numbers`);
  const labels = Uint8Array.from(to.array.data as ArrayLike<number>, (value) => classes.indexOf(value));
  return keep(target, { task, source, count, exampleShape, classNames: classes.map(String) }, { features: values, labels });
}
