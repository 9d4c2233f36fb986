/** Folders as torchvision and the Hugging Face hub lay them, encoded images in Parquet files, and texts in parts. */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { importCsv, importImages, importImageTable, importText } from "../../../src/core/datasets/import.ts";
import { loadTextOf, loadWhole } from "../../../src/core/datasets/index.ts";
import { previewImport } from "../../../src/core/datasets/preview.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hypertower-folders-"));
});
afterEach(() => rm(folder, { recursive: true }));

const sample = (name: string) => join(import.meta.dirname, "files", name);
const write = async (name: string, content: string | Uint8Array) => {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
  return join(folder, name);
};
const image = async (name: string, value: number) => write(name, await sharp({ create: { width: 2, height: 2, channels: 3, background: { r: value, g: value, b: value } } }).png().toBuffer());
const target = () => ({ title: "t", folder });

describe("a folder of images", () => {
  it("with train, val and test keeps its test images", async () => {
    for (const [part, count] of [["train", 3], ["val", 2], ["test", 1]] as const) for (const name of ["cat", "dog"]) for (let i = 0; i < count; i++) await image(`pets/${part}/${name}/${i}.png`, name === "cat" ? 10 : 200);
    const pets = join(folder, "pets");
    expect(await previewImport(pets)).toMatchObject({ form: "images", classes: [{ name: "cat", images: 6 }, { name: "dog", images: 6 }], parts: [{ split: "train", images: 6 }, { split: "validation", images: 4 }, { split: "test", images: 2 }] });
    const { id, testExamples, count } = await importImages(pets, { channels: 1 }, target());
    expect([count, testExamples]).toEqual([12, 2]);
    const { train, test } = await loadWhole(id, folder);
    expect([train.count, [...test.labels], [...test.features.subarray(0, 1)]]).toEqual([10, [0, 1], [10]]);
    expect(await importImages(pets, { channels: 1, validation: "leave" }, target())).toMatchObject({ count: 8, testExamples: 2 });
    await image("pets/test/emu/0.png", 1);
    await expect(importImages(pets, { channels: 1 }, target())).rejects.toThrow("no training image has the class emu, which test images have");
    await mkdir(join(pets, "unsup"));
    await expect(previewImport(pets)).rejects.toThrow("has the folder unsup beside train");
  });

  it("with train and val tests on val, and one of vehicles has a class named train", async () => {
    for (const name of ["a", "b"]) for (const part of ["train", "val"]) await image(`x/${part}/${name}/0.png`, 9);
    expect(await importImages(join(folder, "x"), {}, target())).toMatchObject({ count: 4, testExamples: 2 });
    for (const name of ["train", "bus"]) await image(`vehicles/${name}/0.png`, 9);
    expect(await importImages(join(folder, "vehicles"), {}, target())).toMatchObject({ classNames: ["bus", "train"], count: 2 });
    expect(await importImages(join(folder, "vehicles"), { test: join(folder, "vehicles") }, target())).toMatchObject({ count: 4, testExamples: 2 });
  });
});

describe("Parquet files of the Hugging Face hub", () => {
  const laid = async () => {
    await write("hub/README.md", "---\nlicense: mit\n---\n");
    await mkdir(join(folder, "hub/data"));
    for (const split of ["train", "test"]) await cp(sample(`images-${split}.parquet`), join(folder, `hub/data/${split}-00000-of-00001.parquet`));
    return join(folder, "hub");
  };

  it("are images, with their classes' names and test images", async () => {
    const preview = await previewImport(await laid());
    expect(preview).toMatchObject({ form: "imageTable", images: ["image"], labels: ["label"], rows: 8, width: 4, height: 3, parts: [{ split: "train" }, { split: "test" }] });
    if (preview.form !== "imageTable") throw new Error(preview.form);
    const { id, classNames } = await importImageTable({ parts: preview.parts, image: "image", label: "label" }, { channels: 1 }, target());
    expect(classNames).toEqual(["day", "night"]);
    const { train, test, exampleShape } = await loadWhole(id, folder);
    expect([train.count, test.count, exampleShape, [...test.labels]]).toEqual([8, 4, [1, 3, 4], [1, 0, 1, 0]]);
    expect([test.features[12], test.features[24]]).toEqual([20, 40]);
    await expect(importImageTable({ parts: preview.parts, image: "picture", label: "label" }, {}, target())).rejects.toThrow("has no column picture; its columns are: image, label");
  });

  it("with several datasets in one folder are refused by their names", async () => {
    for (const config of ["cola", "sst2"]) for (const split of ["train", "test"]) await write(`glue/${config}/${split}.parquet`, "");
    await expect(previewImport(join(folder, "glue"))).rejects.toThrow("holds several datasets, in the folders cola, sst2; give one of them");
  });

  it("with one column of text are a text", async () => {
    const preview = await previewImport(sample("text.parquet"));
    expect(preview).toMatchObject({ form: "text", column: "text", beginning: expect.stringContaining("Grüße, \nto be or not to be\n") as string });
    const { id, count } = await importText(sample("text.parquet"), { ...target(), column: "text" });
    expect(count).toBe(10 * (8 + 19));
    expect((await loadTextOf(id, folder)).vocabulary).toContain("ü");
    await expect(importText(sample("text.parquet"), { ...target(), column: "body" })).rejects.toThrow("text.parquet has no column body; its columns are: text");
  });
});

describe("parts by their names", () => {
  it("of tables in a folder", async () => {
    await write("t/train.csv", "x,y\n1,a\n2,b\n");
    const test = await write("t/test.csv", "x,y\n3,a\n");
    const preview = await previewImport(join(folder, "t"));
    if (preview.form !== "csv") throw new Error(preview.form);
    expect(preview.parts).toEqual([{ path: test, split: "test" }]);
    const table = await importCsv(preview.path, { ...preview, roles: ["number", "target"], task: "classification", missing: "refuse" }, target());
    expect([table.count, table.testExamples]).toEqual([3, 1]);
    await write("u/one.csv", "x,y\n1,a\n");
    await write("u/two.csv", "x,y\n1,a\n");
    await expect(previewImport(join(folder, "u"))).rejects.toThrow("has 2 files whose names do not say train or test: one.csv, two.csv");
  });

  it("of texts share their codes", async () => {
    const [train, test] = [await write("w/train.txt", "abcabcabcabcabcabcabc"), await write("w/test.txt", "\ufeffzcba")];
    expect(await previewImport(join(folder, "w"))).toMatchObject({ form: "text", parts: [{ path: test, split: "test" }] });
    for (const unit of ["characters", "bytes"] as const) {
      const { id } = await importText(train, { ...target(), unit, parts: [{ path: test, split: "test" }] });
      const read = await loadTextOf(id, folder);
      expect([read.train.length, read.test.length]).toEqual([21, unit === "bytes" ? 7 : 4]);
      if (unit === "characters") expect(Array.from(read.test, (code) => read.vocabulary[code]).join("")).toBe("zcba");
    }
    await expect(importText(train, { ...target(), parts: [{ path: await write("w/bad.txt", Buffer.from("ab\xe9", "latin1")), split: "test" }] })).rejects.toThrow("bad.txt, line 1: byte 2 (0xe9) is not UTF-8");
  });
});
