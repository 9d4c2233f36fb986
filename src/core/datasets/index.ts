/** Lists and loads datasets by kind: bundled, downloaded and a user's own. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { catalog, catalogEntry } from "../../shared/catalog/index.ts";
import type { DatasetEntry } from "../../shared/catalog/entry.ts";
import { maxNamedClasses, ownFactsOf, type DatasetChoice, type DatasetInfo, type OwnFacts } from "../../shared/datasets.ts";
import { messageOf } from "../../shared/errors.ts";
import { validationExamples, type Experiment } from "../../shared/experiment.ts";
import { latestGenerator, type GeneratorVersion } from "../../shared/random.ts";
import { textTestShare, type Codes, type Dataset, type Examples, type TextDataset } from "./dataset.ts";
import { entryProblem, folderOf } from "./files.ts";
import { dataFolder } from "../folders/folder.ts";
import { listOwn, readMeta, readOwn, type OwnMeta } from "./own.ts";
import { readEntryText, readExamples } from "./readers.ts";
import { divide, heldOut, parted, standardize, testCount, type Labelled, type Standardization } from "./split.ts";

export type { Dataset, Examples, TextDataset } from "./dataset.ts";

const isOwn = (kind: string) => kind.startsWith("own/");

/** Why a dataset cannot be used, naming the file; null when it is ready. */
export async function datasetProblem(kind: string, folder = dataFolder()): Promise<string | null> {
  if (isOwn(kind)) return readMeta(kind, folder).then(() => null, messageOf);
  const entry = catalogEntry(kind);
  return entry ? entryProblem(entry, folder) : `there is no dataset named ${kind}`;
}

/** Facts about every dataset, without loading any. */
export async function listDatasets(folder = dataFolder()): Promise<DatasetInfo[]> {
  const published = await Promise.all(catalog.map((entry) => publishedInfo(entry, folder)));
  const own = (await listOwn(folder)).map((found) => ("meta" in found ? ownInfo(found.meta) : brokenInfo(found.id, found.problem)));
  const ownHere = await Promise.all(own.map(async (info) => ({ ...info, bytesHere: await bytesIn(join(folder, info.kind)) })));
  return [...published, ...ownHere];
}

async function publishedInfo(entry: DatasetEntry, folder: string): Promise<DatasetInfo> {
  const { id, title, task, trainExamples, testExamples, exampleShape, classNames, symbols, source, licence, files } = entry;
  const archives = files.from === "archives" ? files.archives : [];
  return {
    kind: id,
    title,
    task,
    trainExamples,
    testExamples,
    exampleShape: [...exampleShape],
    classNames: [...classNames],
    classes: task === "text" ? (symbols ?? 0) : classNames.length,
    own: false,
    source,
    licence,
    downloadBytes: archives.length > 0 && archives.every(({ mirrors }) => mirrors.length > 0) ? archives.reduce((sum, { bytes }) => sum + bytes, 0) : null,
    removable: files.from === "archives",
    bytesHere: files.from === "archives" ? await bytesIn(folderOf(entry, folder)) : 0,
    problem: await entryProblem(entry, folder),
  };
}

/** Total size of a folder's files; 0 where the folder does not exist. */
async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name)).catch(() => null))?.size ?? 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function ownInfo(meta: OwnMeta): Omit<DatasetInfo, "bytesHere"> {
  const test = meta.testExamples ?? (meta.task === "text" ? Math.floor(meta.count * textTestShare) : testCount(meta.count));
  const { id, title, task, exampleShape, source } = meta;
  const classNames = meta.classNames.length <= maxNamedClasses ? meta.classNames : [];
  const classes = task === "classification" ? meta.classNames.length : task === "text" ? meta.vocabulary.length : 1;
  return { kind: id, title, task, exampleShape, classNames, classes, ...(meta.unit === "words" ? { unit: meta.unit } : {}), trainExamples: meta.count - test, testExamples: test, own: true, source, licence: null, downloadBytes: null, removable: true, problem: null };
}

const brokenInfo = (kind: string, problem: string): Omit<DatasetInfo, "bytesHere"> => ({
  kind, title: kind, task: "classification", exampleShape: [], classNames: [], classes: 0, trainExamples: 0, testExamples: 0, own: true, source: "", licence: null, downloadBytes: null, removable: true, problem,
});

/** Facts that an experiment on a user's own data records; undefined where this machine lacks the data. */
export async function factsHere(kind: string, folder = dataFolder()): Promise<OwnFacts | undefined> {
  return readMeta(kind, folder).then((meta) => ownFactsOf(ownInfo(meta)), () => undefined);
}

/** How a user's own data differs from the facts that an experiment records; null where they agree. */
export async function factsProblem({ kind, facts }: DatasetChoice, folder = dataFolder()): Promise<string | null> {
  if (!isOwn(kind)) return null;
  const here = ownFactsOf(ownInfo(await readMeta(kind, folder)));
  const differs = (["task", "trainExamples", "testExamples", "exampleShape", "classNames", "classes", "symbols", "unit"] as const).find((name) => JSON.stringify(here?.[name]) !== JSON.stringify(facts?.[name]));
  return differs ? `${kind} is not the data that the experiment was made for: ${differs} is ${JSON.stringify(here?.[differs])}, the experiment has ${JSON.stringify(facts?.[differs])}` : null;
}

async function requireFacts(dataset: DatasetChoice, folder: string): Promise<void> {
  const problem = await factsProblem(dataset, folder);
  if (problem) throw new Error(problem);
}

function first(examples: Examples, count: number): Examples {
  const kept = Math.min(count, examples.count);
  const [width, outputs] = [examples.features.length / examples.count, examples.labels.length / examples.count];
  return { count: kept, features: examples.features.subarray(0, kept * width), labels: examples.labels.subarray(0, kept * outputs) };
}

/** The settings of an experiment that select its examples. */
type DatasetRequest = Pick<Experiment["dataset"], "kind" | "facts" | "trainExamples" | "testExamples"> & Partial<Pick<Experiment["dataset"], "splitSeed" | "validation"> & Pick<Experiment, "generator">>;

/**
 * Loads the labelled dataset of an experiment, cut to the number of examples it asks for.
 * @throws Error naming the file that is missing or damaged, or a dataset that is a text
 */
export async function loadDataset(config: DatasetRequest, folder = dataFolder()): Promise<Dataset> {
  await requireFacts(config, folder);
  const { splitSeed = 0, validation = 0, generator = latestGenerator } = config;
  const whole = await loadAsStored(config.kind, folder, splitSeed, generator);
  // Generator 1 also took the examples it does not train on for the scale; old runs depend on that.
  const ofAll = generator === 1 ? standardized(whole.train, whole.test) : null;
  const [train, test] = [first(whole.train, config.trainExamples), first(whole.test, config.testExamples)];
  const rows = () => heldOut(train.count, validationExamples({ trainExamples: train.count, validation }), splitSeed, generator).training;
  const standardization = generator === 1 ? ofAll : standardized(train, test, rows());
  return { ...whole, train, test, standardization };
}

/**
 * Loads all examples of a labelled dataset.
 * @param splitSeed seed of the split, for data without a published one
 * @throws Error naming the file that is missing or damaged
 */
export async function loadWhole(kind: string, folder = dataFolder(), splitSeed = 0, version: GeneratorVersion = latestGenerator): Promise<Dataset> {
  const whole = await loadAsStored(kind, folder, splitSeed, version);
  return { ...whole, standardization: standardized(whole.train, whole.test) };
}

/** Standardizes float features; bytes are pixels, which have a fixed scale. */
function standardized(train: Examples, test: Examples, rows?: Uint32Array): Standardization | null {
  if (!(train.features instanceof Float32Array)) return null;
  return standardize(train as Labelled<Float32Array>, test as Labelled<Float32Array>, rows);
}

/** A labelled dataset, split but not standardized. */
async function loadAsStored(kind: string, folder: string, seed: number, version: GeneratorVersion): Promise<Dataset> {
  await requireReady(kind, folder);
  const entry = catalogEntry(kind);
  return entry ? readExamples(entry, { seed, version }, folder) : loadOwn(kind, folder, seed, version);
}

/** @throws Error that says why a dataset cannot be used */
async function requireReady(kind: string, folder: string): Promise<void> {
  const problem = await datasetProblem(kind, folder);
  if (problem) throw new Error(`${catalogEntry(kind)?.title ?? kind}: ${problem}`);
}

async function loadOwn(kind: string, folder: string, splitSeed: number, version: GeneratorVersion): Promise<Dataset> {
  const { meta, features, labels } = await readOwn(kind, folder);
  if (meta.task === "text") throw new Error(`${meta.title} is a text; it has no labelled examples`);
  const examples = { count: meta.count, features: features as Examples["features"], labels };
  const { train, test } = meta.testExamples === undefined ? divide(examples, splitSeed, version) : parted(examples, meta.testExamples);
  const bytes = features instanceof Uint8Array;
  return { task: meta.task, exampleShape: meta.exampleShape, classes: meta.task === "classification" ? meta.classNames.length : 1, scale: bytes ? 1 / 255 : 1, train, test };
}

/** Loads the text of an experiment. @throws Error naming the file that is missing or damaged, or a dataset that is not a text */
export async function loadText(config: Pick<Experiment["dataset"], "kind" | "facts">, folder = dataFolder()): Promise<TextDataset> {
  await requireFacts(config, folder);
  return loadTextOf(config.kind, folder);
}

/** Loads a text by its kind alone. @throws Error naming the file that is missing or damaged, or a dataset that is not a text */
export async function loadTextOf(kind: string, folder = dataFolder()): Promise<TextDataset> {
  await requireReady(kind, folder);
  const entry = catalogEntry(kind);
  const { vocabulary, codes, unit, testExamples } = entry ? { ...(await readEntryText(entry, folder)), unit: undefined, testExamples: undefined } : await ownText(kind, folder);
  const train = codes.length - (testExamples ?? Math.floor(codes.length * textTestShare));
  return { task: "text", vocabulary, unit, train: codes.subarray(0, train), test: codes.subarray(train) };
}

async function ownText(kind: string, folder: string) {
  const { meta, features } = await readOwn(kind, folder);
  if (meta.task !== "text") throw new Error(`${meta.title} is not a text`);
  return { vocabulary: meta.vocabulary, unit: meta.unit, codes: features as Codes, testExamples: meta.testExamples };
}
