/** A published dataset is one entry: everything else follows from it. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keptFiles } from "../../../src/core/datasets/files.ts";
import { listDatasets, loadTextOf, loadWhole } from "../../../src/core/datasets/index.ts";
import { previewDataset } from "../../../src/core/datasets/preview.ts";
import { readEntryText } from "../../../src/core/datasets/readers.ts";
import { catalog } from "../../../src/shared/catalog/index.ts";
import { validateExperiment } from "../../../src/shared/experiment.ts";

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "hypertower-catalog-"))));
afterEach(() => rm(folder, { recursive: true }));

it.each(catalog.map((entry) => [entry.id, entry] as const))("the entry of %s agrees with itself", (id, entry) => {
  expect(catalog.filter((other) => other.id === id)).toEqual([entry]);
  const files = keptFiles(entry).map(({ name }) => name);
  const { reader } = entry;
  const read = reader.format === "idx" ? [reader.train, reader.test].flatMap(({ images, labels }) => [images, labels]) : reader.format === "cifar" ? [...reader.train, ...reader.test] : [reader.file];
  expect([...read].sort()).toEqual([...files].sort());
  for (const { bytes, digest } of keptFiles(entry)) expect([bytes > 0, /^(sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})$/.test(digest)]).toEqual([true, true]);
  expect(reader.format === "text").toBe(entry.task === "text");
  expect(entry.task === "text" ? (entry.symbols ?? 0) : entry.classNames.length).toBeGreaterThan(1);
  if (entry.featureNames) expect([entry.featureNames.length]).toEqual(entry.exampleShape);
});

it.each(["digits", "iris", "mnist"])("%s loads with the shape, classes and counts of its entry", async (id) => {
  const entry = catalog.find((one) => one.id === id)!;
  const { train, test, classes, exampleShape } = await loadWhole(id, folder);
  expect([train.count, test.count, classes, exampleShape]).toEqual([entry.trainExamples, entry.testExamples, entry.classNames.length, entry.exampleShape]);
  expect(new Set(train.labels).size).toBe(classes);
});

it("every entry can be trained on, is listed as it says, and what is not here is named", async () => {
  const listed = await listDatasets(folder);
  expect(listed.map(({ kind }) => kind)).toEqual(catalog.map(({ id }) => id));
  for (const { kind, problem, removable, source, licence } of listed) {
    const entry = catalog.find(({ id }) => id === kind)!;
    expect(validateExperiment({ dataset: { kind } }).ok).toBe(true);
    expect([kind, source, licence, removable]).toEqual([kind, entry.source, entry.licence, entry.files.from === "archives"]);
    if (!removable) expect([kind, problem]).toEqual([kind, null]);
    else expect(problem).toBe(`${join(folder, kind, keptFiles(entry)[0]!.name)} is missing`);
  }
  await expect(loadWhole("cifar10", folder)).rejects.toThrow(/^CIFAR-10: .*data_batch_1\.bin is missing$/);
  await expect(loadTextOf("tiny-shakespeare", folder)).rejects.toThrow(/^Tiny Shakespeare: .*is missing$/);
  await expect(loadTextOf("iris", folder)).rejects.toThrow("iris is not a text");
  await expect(readEntryText(catalog[0]!)).rejects.toThrow("mnist is not a text");
});

it("features of a table are named by its entry", async () => {
  expect((await previewDataset({ kind: "iris", task: "classification", classNames: ["setosa", "versicolor", "virginica"] })).featureNames).toEqual(["sepal length", "sepal width", "petal length", "petal width"]);
});

it("no module but the registry and presets names a dataset", () => {
  const readers = ["src/core/datasets/readers.ts", "src/core/datasets/index.ts", "src/core/datasets/files.ts", "src/core/datasets/published.ts", "src/core/datasets/preview.ts", "src/shared/datasets.ts", "src/main/reports/library.ts"];
  // Iris comes as code, in a format of its own.
  const ids = catalog.map(({ id }) => `"${id}"`).filter((id) => id !== '"iris"');
  for (const path of readers) expect([path, ids.filter((id) => readFileSync(resolve(import.meta.dirname, "../../..", path), "utf8").includes(id))]).toEqual([path, []]);
});
