/** Images as examples: from folders of files, and encoded in the cells of Parquet files. */
import { maxClasses } from "../../shared/datasets.ts";
import { useOf, type SplitName, type ValidationUse } from "../../shared/dataSplits.ts";
import { classLabels, type Labels } from "./dataset.ts";
import type { DataPart } from "./dataParts.ts";
import { imageClasses, imageParts, imageSize, readImage, type ImageSource } from "./formats/images.ts";
import { requireStorable } from "./formats/packed.ts";
import { cellOf, imageIn, openParquet } from "./formats/parquet.ts";
import type { OnProgress } from "./progress.ts";

export interface ImageImportOptions {
  /** Size to scale to; the first image's by default. */
  readonly width?: number;
  readonly height?: number;
  readonly channels?: 1 | 3;
  /** Folder with the test images, one folder for each class. */
  readonly test?: string;
  /** What becomes of validation images beside test images; trained on by default. */
  readonly validation?: ValidationUse;
}

export interface LabelledImages {
  readonly count: number;
  readonly testExamples: number;
  readonly exampleShape: readonly number[];
  readonly classNames: readonly string[];
  readonly features: Uint8Array;
  readonly labels: Labels;
}

interface LabelledImage {
  readonly source: ImageSource;
  readonly isTest: boolean;
  readonly label: string;
}

/** The parts that are used, each with whether its images are for testing. */
function usedParts<P extends { readonly split: SplitName }>(parts: readonly P[], validation: ValidationUse = "train"): (P & { readonly isTest: boolean })[] {
  const hasTest = parts.some(({ split }) => split === "test");
  return parts.flatMap((part) => {
    const use = useOf(part.split, hasTest, validation);
    return use === "leave" ? [] : [{ ...part, isTest: use === "test" }];
  });
}

/** Decodes images one by one; training images come first. @param listed where they are, and how many */
async function decoded(where: string, images: AsyncIterable<LabelledImage>, count: number, { channels = 3, ...given }: ImageImportOptions, onProgress?: OnProgress): Promise<LabelledImages> {
  let [features, width, height, next, testExamples] = [new Uint8Array(0), given.width ?? 0, given.height ?? 0, 0, 0];
  const names: string[] = [];
  const inTraining = new Set<string>();
  for await (const { isTest, label, source } of images) {
    if (next === 0) {
      if (given.width === undefined || given.height === undefined) {
        const size = await imageSize(source);
        [width, height] = [given.width ?? size.width, given.height ?? size.height];
      }
      if (width * height * channels > 2 ** 20) throw new Error(`${where}: images of ${width} x ${height} x ${channels} values are too large to train on; choose a smaller size`);
      requireStorable(where, count * width * height * channels);
      features = new Uint8Array(count * width * height * channels);
    }
    if (next === count) throw new Error(`${where} changed while it was read; read it again`);
    features.set(await readImage(source, { width, height, channels }), next++ * width * height * channels);
    names.push(label);
    if (isTest) testExamples++;
    else inTraining.add(label);
    onProgress?.({ done: next, total: count, unit: "images" });
  }
  if (next !== count) throw new Error(`${where} changed while it was read; read it again`);
  const classNames = [...inTraining].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (classNames.length < 2 || classNames.length > maxClasses) throw new Error(`${where}: ${classNames.length} classes; 2 to ${maxClasses} are allowed`);
  const indexOf = new Map(classNames.map((name, index) => [name, index]));
  const unknown = names.find((name) => !indexOf.has(name));
  if (unknown !== undefined) throw new Error(`${where}: no training image has the class ${unknown}, which test images have`);
  return { count, testExamples, exampleShape: [channels, height, width], classNames, features, labels: classLabels(names.map((name) => indexOf.get(name)!), classNames.length) };
}

/** @throws Error naming a file that cannot be decoded */
export async function imagesOfFolder(folder: string, options: ImageImportOptions, onProgress?: OnProgress): Promise<LabelledImages> {
  const found = await imageParts(folder);
  const parts = options.test === undefined ? found : [...found.filter(({ split }) => split !== "test"), { split: "test" as const, classes: await imageClasses(options.test, 1) }];
  const files = usedParts(parts, options.validation).flatMap(({ isTest, classes }) => classes.flatMap(({ name, files: own }) => own.map((path) => ({ source: path, label: name, isTest }))));
  const each = async function* () {
    yield* files;
  };
  return decoded(folder, each(), files.length, options, onProgress);
}

export interface ImageTable {
  readonly parts: readonly DataPart[];
  /** Columns with the encoded images and with their classes. */
  readonly image: string;
  readonly label: string;
}

/** @throws Error naming the file, and the row whose image cannot be decoded */
export async function imagesOfTable(where: string, { parts, image, label }: ImageTable, options: ImageImportOptions, onProgress?: OnProgress): Promise<LabelledImages> {
  const used = usedParts(parts, options.validation);
  let count = 0;
  for (const { path } of used) {
    const file = await openParquet(path);
    const lacking = [image, label].find((name) => !file.columns.some((column) => column.name === name));
    count += file.count;
    await file.close();
    if (lacking !== undefined) throw new Error(`${path} has no column ${lacking}; its columns are: ${file.columns.map(({ name }) => name).join(", ")}`);
  }
  return decoded(where, rowsOf(used, image, label), count, options, onProgress);
}

async function* rowsOf(parts: readonly (DataPart & { readonly isTest: boolean })[], image: string, label: string): AsyncGenerator<LabelledImage> {
  for (const { path, isTest } of parts) {
    const file = await openParquet(path);
    try {
      let row = 0;
      for await (const values of file.rows([image, label])) {
        const name = `${path}, row ${++row}`;
        const [data, said] = [imageIn(values[image]), cellOf(values[label])];
        if (!data) throw new Error(`${name}, column ${image}: there is no encoded image`);
        if (said === "") throw new Error(`${name}, column ${label}: the class is missing`);
        yield { source: { name, data }, label: said, isTest };
      }
    } finally {
      await file.close();
    }
  }
}
