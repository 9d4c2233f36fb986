/** Arrays as NumPy, Keras and others save them: which are what, and what their values mean. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { labelledArrays, readArrays } from "../../../src/core/datasets/arrays.ts";
import { importArrays } from "../../../src/core/datasets/import.ts";
import { listDatasets, loadDataset, loadWhole } from "../../../src/core/datasets/index.ts";
import { guessedLayout } from "../../../src/core/datasets/layout.ts";
import { arrayRoles, splitInCell, splitNamed, useOf } from "../../../src/shared/dataSplits.ts";
import { mistakesOf } from "../../../src/main/services/predictionSummary.ts";
import { npy } from "../../support/npy.ts";

const at = (name: string) => join(import.meta.dirname, "files", name);
const inFile = (path: string, features: string, targets: string) => ({ features: { path, array: features }, targets: { path, array: targets } });

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hypertower-arrays-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("names", () => {
  it.each([
    ["x_train", "train"], ["X_test", "test"], ["xTrain", "train"], ["train_images", "train"], ["val_labels", "validation"], ["testX", "test"], ["train-00000-of-00002.parquet", "train"],
    ["validation", "validation"], ["dev.csv", "validation"], ["ytest", "test"], ["x", null], ["latest", null], ["train_test", null], ["contest", null], ["t10k-images-idx3-ubyte", "test"],
  ])("%s says %s", (name, split) => expect(splitNamed(name)).toBe(split));

  it("of cells of a split column are understood, and 1 is for testing", () => {
    expect(["train", "TEST", "val", "1", "0", "True", "maybe", ""].map(splitInCell)).toEqual(["train", "test", "validation", "test", "train", "test", null, null]);
    expect([useOf("validation", true, "train"), useOf("validation", true, "leave"), useOf("validation", false, "leave"), useOf("test", true, "train")]).toEqual(["train", "leave", "test", "test"]);
  });

  it("tell features from targets, and test from training examples", () => {
    const [large, small] = [[9, 4, 5], [9]];
    const of = (names: Record<string, readonly number[]>) => arrayRoles(Object.entries(names).map(([name, shape]) => ({ name, shape })));
    expect(of({ x_train: large, y_train: small, x_test: large, y_test: small })).toEqual({ train: { features: "x_train", targets: "y_train" }, test: { features: "x_test", targets: "y_test" }, validation: null, unused: [] });
    expect(of({ train_images: large, train_labels: small, val_images: large, val_labels: small })).toMatchObject({ test: { features: "val_images" }, validation: null });
    expect(of({ arr_0: large, arr_1: small })).toMatchObject({ train: { features: "arr_0", targets: "arr_1" }, test: null });
    expect(of({ y: large, data: small })).toMatchObject({ train: { features: "data", targets: "y" } });
    expect(of({ x: large, y: small, ids: small })).toMatchObject({ train: { features: "x", targets: "y" }, unused: ["ids"] });
    expect(of({ arr_0: large, arr_1: small, arr_2: large, arr_3: small })).toMatchObject({ train: null });
    expect(of({ trainX: large, trainY: small, testX: large, testY: small })).toMatchObject({ train: { features: "trainX" }, test: { targets: "testY" } });
  });

  it.each([
    [[28, 28, 1], "hwc"], [[32, 32, 3], "hwc"], [[3, 32, 32], "chw"], [[16, 16, 3], "hwc"], [[1, 28, 28], "chw"], [[4, 64, 48], "chw"], [[12, 16, 16], "chw"], [[16, 16, 12], "hwc"], [[3, 8, 3], null], [[5, 6, 7], null], [[3, 3, 3], null],
  ] as const)("of axes %j are %s", (shape, layout) => expect(guessedLayout(shape)).toBe(layout));
});

describe("Keras's arrays", () => {
  const path = at("keras.npz");
  const pairs = { ...inFile(path, "x_train", "y_train"), test: inFile(path, "x_test", "y_test"), task: "classification" as const };

  it("keep their test examples, and their channels come first", async () => {
    const { id, testExamples, version } = await importArrays(pairs, { title: "Keras", folder });
    expect([testExamples, version]).toEqual([3, 2]);
    const { train, test, exampleShape } = await loadWhole(id, folder);
    expect([train.count, test.count, exampleShape]).toEqual([9, 3, [3, 6, 5]]);
    expect([[...train.labels], [...test.labels]]).toEqual([[0, 1, 2, 0, 1, 2, 0, 1, 2], [0, 1, 2]]);
    // Pixel (0, 1) of the first image: its channels were 3, 4 and 5.
    expect([0, 1, 2].map((channel) => train.features[channel * 30 + 1])).toEqual([3, 4, 5]);
    expect(test.features[0]).toBe((9 * 90) % 256);
    expect((await listDatasets(folder)).find(({ kind }) => kind === id)).toMatchObject({ trainExamples: 9, testExamples: 3 });
    // The seed of the split divides nothing here.
    expect((await loadDataset({ kind: id, facts: await factsOf(id), trainExamples: 9, testExamples: 3, splitSeed: 7 }, folder)).test.labels).toEqual(test.labels);
  });

  it("with validation examples train on them", async () => {
    const med = at("medmnist.npz");
    const { testExamples, count, source } = await importArrays({ ...inFile(med, "train_images", "train_labels"), validation: inFile(med, "val_images", "val_labels"), test: inFile(med, "test_images", "test_labels"), task: "classification" }, { title: "Med", folder });
    expect([count, testExamples, source]).toEqual([12, 3, med]);
  });

  it("of images whose layout is not clear are asked for it", async () => {
    const options = { ...inFile(at("ambiguous.npz"), "x", "y"), task: "classification" as const };
    await expect(labelledArrays(options)).rejects.toThrow("ambiguous.npz: x: examples of 3 x 8 x 3 may have their channels first or last; say which: --layout chw");
    expect((await labelledArrays({ ...options, layout: "hwc" })).exampleShape).toEqual([3, 3, 8]);
    expect((await labelledArrays({ ...options, layout: "chw" })).exampleShape).toEqual([3, 8, 3]);
    await expect(labelledArrays({ ...inFile(at("onehot.npz"), "x", "y"), task: "classification", layout: "chw" })).rejects.toThrow("a layout is for images of three axes");
  });

  it("of another size or type than the training examples are refused", async () => {
    await writeFile(join(folder, "x.npy"), npy("|u1", [2, 8, 7, 3], new Array<number>(336).fill(0)));
    await writeFile(join(folder, "y.npy"), npy("|u1", [2], [0, 1]));
    const other = { features: { path: join(folder, "x.npy") }, targets: { path: join(folder, "y.npy") } };
    await expect(labelledArrays({ ...pairs, test: other })).rejects.toThrow("x.npy has examples of 3 x 8 x 7, but");
    await expect(labelledArrays({ ...pairs, test: inFile(at("onehot.npz"), "x", "y") })).rejects.toThrow(/has examples of 2, but .*keras.npz: x_train has examples of 3 x 6 x 5/);
  });
});

async function factsOf(kind: string) {
  const info = (await listDatasets(folder)).find((listed) => listed.kind === kind)!;
  const { title, task, trainExamples, testExamples, exampleShape, classNames } = info;
  return { title, task, trainExamples, testExamples, exampleShape, classNames };
}

describe("values", () => {
  it("of half precision, in Fortran order, with names as labels", async () => {
    const path = at("fortran.npz");
    const { x, y } = await readArrays(path);
    expect([x!.shape, [...x!.data]]).toEqual([[4, 2, 3], Array.from({ length: 24 }, (_, i) => i)]);
    expect(y!.data).toEqual(["cat", "dog", "cat", "emu"]);
    expect(await labelledArrays({ ...inFile(path, "x", "y"), task: "classification" })).toMatchObject({ classNames: ["cat", "dog", "emu"], labels: Uint8Array.of(0, 1, 0, 2) });
    expect([...(await readArrays(at("bytes.npz")))["x"]!.data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect((await readArrays(at("bytes.npz")))["y"]!.data).toEqual(["no", "yes", "no", "yes"]);
    await expect(labelledArrays({ ...inFile(path, "x", "y"), task: "regression" })).rejects.toThrow("fortran.npz: y holds strings, which are classes");
    await expect(labelledArrays({ ...inFile(path, "y", "x"), task: "classification" })).rejects.toThrow("holds strings; features are numbers");
  });

  it("that are one-hot rows are classes", async () => {
    const found = await labelledArrays({ ...inFile(at("onehot.npz"), "x", "y"), task: "classification" });
    expect([[...found.labels], found.classNames]).toEqual([[0, 1, 2, 2, 1, 0], ["0", "1", "2"]]);
    await expect(labelledArrays({ ...inFile(at("keras.npz"), "y_train", "x_train"), task: "classification" })).rejects.toThrow("has 9 x 6 x 5 x 3 values");
  });

  it("that are Python objects are refused with the way out", async () => {
    await expect(readArrays(at("objects.npz"))).rejects.toThrow("it holds Python objects: save the array with .astype(str) for names");
  });

  it("of 1,000 classes are stored, listed and loaded", async () => {
    const labels = Array.from({ length: 3_000 }, (_, i) => i % 1_000);
    await writeFile(join(folder, "x.npy"), npy("<f4", [3_000, 1], labels));
    await writeFile(join(folder, "y.npy"), npy("<i4", [3_000], labels));
    const { id } = await importArrays({ features: { path: join(folder, "x.npy") }, targets: { path: join(folder, "y.npy") }, task: "classification" }, { title: "Many", folder });
    const { train, classes } = await loadWhole(id, folder);
    expect([classes, train.labels.constructor]).toEqual([1_000, Int32Array]);
    expect((await listDatasets(folder)).find(({ kind }) => kind === id)).toMatchObject({ classes: 1_000, classNames: [] });
  });
});

it("mistakes among too many classes for a matrix are listed, the most frequent first", () => {
  const of = (actual: number, predicted: number) => ({ index: 0, actual, predicted, probability: 0.5 });
  expect(mistakesOf([of(300, 2), of(1, 1), of(300, 2), of(2, 300)], (index) => `#${index}`)).toEqual([{ actual: "#300", predicted: "#2", count: 2 }, { actual: "#2", predicted: "#300", count: 1 }]);
});
