import { cp, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadDataset } from "../../../src/core/datasets/index.ts";
import { parseIdx } from "../../../src/core/datasets/idx.ts";
import { entryProblem, folderOf } from "../../../src/core/datasets/files.ts";
import { readExamples } from "../../../src/core/datasets/readers.ts";
import { mnist } from "../../../src/shared/catalog/mnist.ts";

describe("parseIdx", () => {
  const header = (...bytes: number[]) => Uint8Array.from(bytes);

  it("reads shape and values", () => {
    const { shape, data } = parseIdx(header(0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9), "f");
    expect(shape).toEqual([1, 3]);
    expect([...data]).toEqual([7, 8, 9]);
  });

  it.each([
    ["another kind of file", header(1, 2, 3, 4), "f: not an idx file"],
    ["an empty file", header(), "f: not an idx file"],
    ["another type", header(0, 0, 13, 1, 0, 0, 0, 0), "f: idx type 0xd"],
    ["a cut header", header(0, 0, 8, 2, 0, 0), "f: truncated idx header"],
    ["missing values", header(0, 0, 8, 1, 0, 0, 0, 3, 1), "f: 9 bytes, but an idx array of 3 has 11"],
  ])("refuses %s by name", (_, bytes, message) => {
    expect(() => parseIdx(bytes, "f")).toThrow(message);
  });
});

describe("MNIST", () => {
  it("has the published examples", async () => {
    expect(await entryProblem(mnist)).toBeNull();
    const { train, test } = await readExamples(mnist, { seed: 0, version: 2 });
    expect([train.count, test.count]).toEqual([60_000, 10_000]);
    expect([...train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    // Mean pixel of the training set, a published figure: 0.1307.
    let sum = 0;
    for (const byte of train.features) sum += byte;
    expect(sum / train.features.length / 255).toBeCloseTo(0.1307, 4);
  });

  it("is cut to the first examples asked for", async () => {
    const { train, test } = await loadDataset({ kind: "mnist", trainExamples: 100, testExamples: 10 });
    expect([train.count, train.features.length, train.labels.length]).toEqual([100, 78_400, 100]);
    expect([test.count, test.features.length]).toEqual([10, 7_840]);
  });

  describe("damaged", () => {
    let folder = "";
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "hypertower-mnist-"));
      await cp(folderOf(mnist), folder, { recursive: true });
      process.env["HYPERTOWER_MNIST"] = folder;
    });
    afterEach(async () => {
      delete process.env["HYPERTOWER_MNIST"];
      await rm(folder, { recursive: true });
    });
    const load = () => loadDataset({ kind: "mnist", trainExamples: 10, testExamples: 10 });

    it("names a missing file", async () => {
      const path = join(folder, "t10k-labels-idx1-ubyte");
      await rm(path);
      expect(await entryProblem(mnist)).toBe(`${path} is missing; run npm ci again, or set HYPERTOWER_MNIST to a folder with its 4 files`);
      await expect(load()).rejects.toThrow(path);
    });

    it("reads a file packed by gzip, and finds damage in it", async () => {
      const path = join(folder, "t10k-images-idx3-ubyte");
      const packed = `${path}.gz`;
      await writeFile(packed, gzipSync(await readFile(path), { level: 1 }));
      await rm(path);
      expect(await entryProblem(mnist)).toBeNull();
      expect((await load()).test.count).toBe(10);
      await truncate(packed, 1_000_000);
      expect(await entryProblem(mnist)).toContain(`${packed} is damaged: it cannot be unpacked`);
      await writeFile(packed, gzipSync(new Uint8Array(7_840_016), { level: 1 }));
      expect(await entryProblem(mnist)).toContain(`${packed} is damaged: its checksum is`);
    });

    it("names a truncated file", async () => {
      const path = join(folder, "train-images-idx3-ubyte");
      await truncate(path, 1_000_000);
      expect(await entryProblem(mnist)).toContain(`${path} has 1000000 bytes instead of 47040016`);
    });

    it("finds a single changed byte", async () => {
      const path = join(folder, "train-labels-idx1-ubyte");
      const bytes = await readFile(path);
      bytes[100]! ^= 1;
      await writeFile(path, bytes);
      expect(await entryProblem(mnist)).toContain(`${path} is damaged`);
      await expect(load()).rejects.toThrow(`${path} is damaged`);
    });
  });
});
