/** Labelled examples from .npy, .npz and idx files: which arrays are what, and what their values mean. */
import { basename, extname } from "node:path";
import { gunzipSync } from "node:zlib";
import { maxClasses, type Layout } from "../../shared/datasets.ts";
import { messageOf } from "../../shared/errors.ts";
import { requireFile, wholeFile } from "./chunks.ts";
import { classLabels, type Labels } from "./dataset.ts";
import { isText, readNumpyArrays, type AnyArray, type NumericArray } from "./formats/npy.ts";
import { largestUnpacked } from "./formats/packed.ts";
import { parseIdx } from "./idx.ts";
import { channelsFirst, guessedLayout } from "./layout.ts";

type Arrays = Readonly<Record<string, AnyArray>>;

/** Arrays of a .npy, .npz or idx file (gzipped or not) by name. @throws Error naming the file */
export async function readArrays(path: string): Promise<Arrays> {
  await requireFile(path);
  const name = basename(path).toLowerCase();
  if ([".npy", ".npz"].includes(extname(name))) return readNumpyArrays(path);
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

export interface ArrayPair {
  readonly features: ArrayChoice;
  readonly targets: ArrayChoice;
}

export interface ArrayImportOptions extends ArrayPair {
  readonly task: "classification" | "regression";
  /** Test examples of their own; without them, a share of the examples is drawn. */
  readonly test?: ArrayPair | undefined;
  /** Examples that are trained on besides the first ones. */
  readonly validation?: ArrayPair | undefined;
  /** Axes of images; recognized by their sizes by default. */
  readonly layout?: Layout | undefined;
}

/** Examples with their labels, as arrays. */
export interface LabelledArrays {
  readonly source: string;
  readonly count: number;
  /** The last so many examples are for testing; 0 where the test examples are yet to be drawn. */
  readonly testExamples: number;
  readonly exampleShape: readonly number[];
  /** `[count, ...exampleShape]`, row-major. */
  readonly features: Uint8Array | Float32Array;
  /** `[count]`: class indices, or values of a regression. */
  readonly labels: Labels;
  /** Target values by class index; empty for a regression. */
  readonly classNames: readonly string[];
}

/** One pair of arrays, as it was read. */
interface ReadPair {
  readonly features: ArrayChoice;
  readonly targets: ArrayChoice;
  readonly from: NumericArray;
  readonly to: AnyArray;
  readonly count: number;
}

function chosen(arrays: Arrays, { path, array }: ArrayChoice): AnyArray {
  const names = Object.keys(arrays);
  const name = array ?? (names.length === 1 ? names[0]! : "");
  const found = Object.hasOwn(arrays, name) ? arrays[name] : undefined;
  if (!found) throw new Error(`${path} has ${array ? `no array named ${array}` : `${names.length} arrays`}; choose one of: ${names.join(", ")}`);
  return found;
}

const nameOf = ({ path, array }: ArrayChoice) => (array === undefined ? path : `${path}: ${array}`);

async function readPair({ features, targets }: ArrayPair, read: (path: string) => Promise<Arrays>): Promise<ReadPair> {
  const from = chosen(await read(features.path), features);
  const to = chosen(await read(targets.path), targets);
  if (isText(from)) throw new Error(`${nameOf(features)} holds strings; features are numbers`);
  const [count = 0] = from.shape;
  if (count === 0) throw new Error(`${features.path}: the array is empty`);
  if (to.shape[0] !== count || to.data.length % count !== 0 || to.data.length === 0) throw new Error(`${targets.path} has ${to.shape.join(" x ")} values, but ${features.path} has ${count} examples`);
  requireFinite(features, from, count);
  if (!isText(to)) requireFinite(targets, to, count);
  return { features, targets, from, to: labelColumn(to, count, targets, features), count };
}

function requireFinite({ path }: ArrayChoice, { data }: NumericArray, count: number): void {
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new Error(`${path}: value ${bad} is ${data[bad]!}, in example ${Math.floor((bad * count) / data.length)} (both counted from 0)`);
}

/** Targets as one value an example: one-hot rows become the index of their 1. */
function labelColumn(to: AnyArray, count: number, targets: ArrayChoice, features: ArrayChoice): AnyArray {
  const width = to.data.length / count;
  if (width === 1) return { shape: [count], data: to.data } as AnyArray;
  const refuse = (why: string) => new Error(`${targets.path} has ${to.shape.join(" x ")} values, but ${features.path} has ${count} examples${why}`);
  if (isText(to) || to.shape.length !== 2) throw refuse("");
  const { data } = to;
  const indices = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const row = data.subarray(i * width, (i + 1) * width);
    indices[i] = row.indexOf(1);
    if (indices[i] === -1 || row.some((value, at) => value !== (at === indices[i] ? 1 : 0))) throw refuse(`; give one value an example, or one-hot rows (row ${i} is none)`);
  }
  return { shape: [count], data: indices };
}

/** Values and example shape of features in the program's order of axes. */
function arranged({ from: { shape, data }, count, features }: ReadPair, layout: Layout | undefined): { shape: readonly number[]; values: Uint8Array | Float32Array } {
  const values = data instanceof Int32Array ? Float32Array.from(data) : data;
  const example = shape.slice(1);
  if (layout !== undefined && example.length !== 3) throw new Error(`${nameOf(features)}: a layout is for images of three axes; its examples have the shape ${example.join(" x ") || "of one number"}`);
  if (example.length === 0) return { shape: [1], values };
  if (example.length === 2 && values instanceof Uint8Array) return { shape: [1, ...example], values };
  if (example.length !== 3) return { shape: example, values };
  const known = layout ?? guessedLayout(example);
  if (known === null) throw new Error(`${nameOf(features)}: examples of ${example.join(" x ")} may have their channels first or last; say which: --layout chw (channels, height, width) or --layout hwc (height, width, channels)`);
  if (known === "chw") return { shape: example, values };
  const [height, width, channels] = example as [number, number, number];
  return { shape: [channels, height, width], values: channelsFirst(values, count, [height, width, channels]) };
}

function joined<A extends Labels>(parts: readonly A[], empty: (length: number) => A): A {
  if (parts.length === 1) return parts[0]!;
  const all = empty(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part as never, at);
    at += part.length;
  }
  return all;
}

/**
 * `features` is `[count, ...example]`, `targets` `[count]`, `[count, 1]` or one-hot rows.
 * @throws Error naming the file and what does not fit
 */
export async function labelledArrays({ features, targets, test, validation, task, layout }: ArrayImportOptions): Promise<LabelledArrays> {
  const files = new Map<string, Promise<Arrays>>();
  const read = (path: string) => {
    const known = files.get(path) ?? readArrays(path);
    files.set(path, known);
    return known;
  };
  const parts: ReadPair[] = [];
  for (const pair of [{ features, targets }, validation, test]) if (pair) parts.push(await readPair(pair, read));
  const seen = parts.map((part) => arranged(part, layout));
  const [{ shape: exampleShape }] = seen as [(typeof seen)[number]];
  const other = seen.findIndex(({ shape }) => shape.join() !== exampleShape.join());
  if (other > 0) throw new Error(`${nameOf(parts[other]!.features)} has examples of ${seen[other]!.shape.join(" x ")}, but ${nameOf(features)} has examples of ${exampleShape.join(" x ")}`);
  const bytes = seen.every(({ values }) => values instanceof Uint8Array);
  if (!bytes && seen.some(({ values }) => values instanceof Uint8Array)) throw new Error(`${seen.map(({ values }, i) => `${nameOf(parts[i]!.features)} holds ${values instanceof Uint8Array ? "bytes" : "other numbers"}`).join(", but ")}; save both in one type`);
  const values = bytes ? joined(seen.map((part) => part.values as Uint8Array), (n) => new Uint8Array(n)) : joined(seen.map((part) => part.values as Float32Array), (n) => new Float32Array(n));
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const source = [...new Set(parts.flatMap((part) => [part.features.path, part.targets.path]))].join(", ");
  const examples = { source, count, testExamples: test ? parts.at(-1)!.count : 0, exampleShape, features: values };
  if (task === "regression") {
    const text = parts.find(({ to }) => isText(to));
    if (text) throw new Error(`${nameOf(text.targets)} holds strings, which are classes; a regression needs numbers`);
    return { ...examples, labels: joined(parts.map(({ to }) => Float32Array.from(to.data as Float32Array)), (n) => new Float32Array(n)), classNames: [] };
  }
  return { ...examples, ...classesOf(parts) };
}

/** Class indices over all parts; the classes are sorted. */
function classesOf(parts: readonly ReadPair[]): Pick<LabelledArrays, "labels" | "classNames"> {
  const { path } = parts[0]!.targets;
  const kinds = new Set(parts.map(({ to }) => isText(to)));
  if (kinds.size > 1) throw new Error(`${parts.map(({ targets, to }) => `${nameOf(targets)} holds ${isText(to) ? "strings" : "numbers"}`).join(", but ")}`);
  const found = new Set<string | number>();
  for (const { to } of parts) for (const value of to.data) found.add(value);
  const classes = [...found].sort((a, b) => (typeof a === "number" && typeof b === "number" ? a - b : a < b ? -1 : 1));
  if (classes.length < 2 || classes.length > maxClasses) throw new Error(`${path} has ${classes.length} different values; a classification needs 2 to ${maxClasses}`);
  const broken = classes.find((value) => typeof value === "number" && !Number.isInteger(value));
  if (broken !== undefined) throw new Error(`${path} contains ${broken}; classes are whole numbers or names`);
  const indexOf = new Map(classes.map((value, index) => [value, index]));
  const labels = classLabels(parts.flatMap(({ to }) => Array.from(to.data as Iterable<string | number>, (value) => indexOf.get(value)!)), classes.length);
  return { labels, classNames: classes.map(String) };
}
