/** A user's own data: tables, texts, arrays and images, imported whole or refused by file and line. */
import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { previewCsv, readCsv, type CsvOptions } from "../../../src/core/datasets/formats/csv.ts";
import { readImage } from "../../../src/core/datasets/formats/images.ts";
import { parseNpy } from "../../../src/core/datasets/formats/npy.ts";
import { encodeText, readText } from "../../../src/core/datasets/formats/text.ts";
import { suggestedTask } from "../../../src/shared/datasets.ts";
import { importArrays, importCsv, importImages, importText } from "../../../src/core/datasets/import.ts";
import { listDatasets, loadTextOf, loadWhole } from "../../../src/core/datasets/index.ts";
import { previewDataset } from "../../../src/core/datasets/preview.ts";
import { removeOwn } from "../../../src/core/datasets/own.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hypertower-own-"));
});
afterEach(() => rm(folder, { recursive: true }));

const file = async (name: string, bytes: string | Uint8Array) => {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
};
const kept = () => readdir(join(folder, "own")).catch(() => []);
const target = (title: string) => ({ title, folder });

const flowers = ["length;colour;kind", "1.5;red;rose", "2;blue;iris", ";red;rose", "3,5;red;rose"];
const csv = { delimiter: ";", header: true, roles: ["number", "category", "target"], task: "classification", missing: "fill" } satisfies CsvOptions;

describe("a table", () => {
  it("tells delimiter, header and what columns hold", async () => {
    const path = await file("a.csv", flowers.slice(0, 4).join("\n"));
    const { delimiter, header, rows, columns } = await previewCsv(path);
    expect({ delimiter, header, rows }).toEqual({ delimiter: ";", header: true, rows: 3 });
    expect(columns).toEqual([
      { name: "length", numbers: 2, texts: 0, foreign: 0, missing: 1, distinct: 2, suggested: "number" },
      { name: "colour", numbers: 0, texts: 3, foreign: 0, missing: 0, distinct: 2, suggested: "category" },
      { name: "kind", numbers: 0, texts: 3, foreign: 0, missing: 0, distinct: 2, suggested: "target" },
    ]);
  });

  it("becomes numbers: categories one by one, gaps filled with the mean", async () => {
    const path = await file("a.csv", flowers.slice(0, 4).join("\n"));
    const table = await readCsv(path, csv);
    expect(table.featureNames).toEqual(["length", "colour=blue", "colour=red"]);
    expect(table.classNames).toEqual(["iris", "rose"]);
    expect([...table.features]).toEqual([1.5, 0, 1, 2, 1, 0, 1.75, 0, 1]);
    expect([...table.targets]).toEqual([1, 0, 1]);
    expect(table).toMatchObject({ count: 3, filled: 1, dropped: 0 });
    expect(await readCsv(path, { ...csv, missing: "drop" })).toMatchObject({ count: 2, dropped: 1 });
  });

  it.each([
    ["a ragged row", "a,b\n1,2\n1,2,3\n", {}, "line 3: 3 values, but the first row has 2"],
    ["a missing value", "a,b\n1,2\n,3\n", { missing: "refuse" }, "line 3, column a: the value is missing"],
    ["text in a column of numbers", "a,b\n1,2\nx,3\n", {}, 'line 3, column a: "x" is not a number'],
    ["a target that is no number", "a,b\n1,2\n1,y\n", { task: "regression" }, 'line 3, column b: "y" is not a number'],
    ["one class", "a,b\n1,2\n3,2\n", {}, "the target b has 1 different values"],
    ["two targets", "a,b\n1,2\n3,2\n", { roles: ["target", "target"] }, "2 columns are the target"],
    ["no feature", "a,b\n1,2\n3,4\n", { roles: ["ignore", "target"] }, "no column is a feature"],
    ["no rows", "a,b\n", {}, "has a header but no rows"],
    ["an unclosed quote", 'a,b\n1,2\n"3,4\n', {}, "Quote Not Closed"],
  ] as const)("refuses %s by line", async (_, text, options, message) => {
    const path = await file("bad.csv", text);
    const all = { delimiter: ",", header: true, roles: ["number", "target"], task: "classification", missing: "fill", ...options } as CsvOptions;
    await expect(importCsv(path, all, target("bad"))).rejects.toThrow(message);
    await expect(importCsv(path, all, target("bad"))).rejects.toThrow(path);
    expect(await kept()).toEqual([]);
  });

  it.each([
    ["Latin-1", Buffer.from("name,kind\nrose,a\ncaf\xe9,b\n", "latin1"), "line 3: byte 20 (0xe9) is not UTF-8"],
    ["a character cut off by the end", Buffer.from("name,kind\nrose,a\ncaf\xc3", "latin1"), "line 3: byte 20 (0xc3) is not UTF-8"],
    ["Latin-1 far behind", Buffer.concat([Buffer.from("é,1\n".repeat(40_000)), Buffer.from("\xe9,2\n", "latin1")]), "line 40001: byte 200000 (0xe9) is not UTF-8"],
  ])("in %s is refused by line and byte", async (_, bytes, message) => {
    await expect(previewCsv(await file("latin.csv", bytes))).rejects.toThrow(message);
  });

  it("is read as UTF-8, wherever a piece of the file ends, and as UTF-16", async () => {
    for (const shift of ["", "a", "aa"]) {
      const path = await file("utf8.csv", `${shift}\n${"é\n".repeat(70_000)}`);
      expect(await previewCsv(path)).toMatchObject({ rows: 70_000 + (shift === "" ? -1 : 0) });
    }
    expect(await previewCsv(await file("utf16.csv", Buffer.from("\ufeffa,b\n1,2\n", "utf16le")))).toMatchObject({ rows: 1, columns: [{ name: "a", numbers: 1 }, {}] });
  });

  it("with a slip in a column of numbers is no table of categories: the slip is named", async () => {
    const rows = Array.from({ length: 400 }, (_, i) => `${i === 250 ? "oops" : i},${i / 7},${i % 2 ? "odd" : "even"}`);
    const path = await file("slip.csv", ["n,x,parity", ...rows].join("\n"));
    const { columns } = await previewCsv(path);
    expect(columns.map(({ suggested }) => suggested)).toEqual(["number", "number", "target"]);
    const roles = columns.map(({ suggested }) => suggested);
    await expect(importCsv(path, { ...csv, delimiter: ",", roles }, target("slip"))).rejects.toThrow('line 252, column n: "oops" is not a number; correct it, make the column a category, or ignore the column');
    expect(suggestedTask(columns[0]!)).toBe("regression");
    expect(suggestedTask({ numbers: 400, texts: 1, distinct: 11 })).toBe("classification");
    expect(suggestedTask({ numbers: 10, texts: 390, distinct: 400 })).toBe("classification");
  });

  it("is kept, divided the same way every time, and standardized", async () => {
    const rows = Array.from({ length: 100 }, (_, i) => `${i},${i % 2 === 0 ? "even" : "odd"}`);
    const { id } = await importCsv(await file("n.csv", ["n,parity", ...rows].join("\n")), { ...csv, delimiter: ",", roles: ["number", "target"] }, target("Parity"));
    const { train, test, classes } = await loadWhole(id, folder);
    expect([train.count, test.count, classes]).toEqual([80, 20, 2]);
    expect(train).toEqual((await loadWhole(id, folder)).train);
    const mean = Array.from(train.features).reduce((sum, x) => sum + x, 0) / 80;
    expect(Math.abs(mean)).toBeLessThan(1e-6);
    const listed = (await listDatasets(folder)).find(({ kind }) => kind === id);
    expect(listed).toMatchObject({ title: "Parity", trainExamples: 80, testExamples: 20, classNames: ["even", "odd"], problem: null });
    // Floats, a byte for each class, and what describes them.
    expect(listed!.bytesHere).toBeGreaterThan(100 * 4 + 100);
    await removeOwn(id, folder);
    await expect(loadWhole(id, folder)).rejects.toThrow("there is no dataset");
  });

  it("of a text is previewed from any position, with its vocabulary, of more than 256 symbols too", async () => {
    vi.stubEnv("HYPERTOWER_DATA", folder);
    const wide = Array.from({ length: 300 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join("");
    const path = await file("wide.txt", `${wide}\n`.repeat(40) + "a".repeat(9_000));
    const { id } = await importText(path, target("wide"));
    const inspect = async (position?: number) => (await previewDataset({ kind: id, task: "text", classNames: [] }, position)).sequence!;
    const first = await inspect();
    expect(first).toMatchObject({ position: 0, distinct: 302 });
    expect(first.symbols.slice(298, 302)).toEqual([...wide.slice(298), "\n", "\u4e00"]);
    expect(first.next).toBe(wide[400 - 301]);
    expect(first.vocabulary[0]).toMatchObject({ name: "a", count: first.length - 301 * 40 });
    expect(first.vocabulary.reduce((sum, { count }) => sum + count, 0)).toBe(first.length);
    expect(await inspect(first.length - 2)).toMatchObject({ symbols: ["a", "a"], next: null });
    await expect(inspect(first.length)).rejects.toThrow(`position ${first.length} is beyond the training text, which has ${first.length} symbols`);
    vi.unstubAllEnvs();
  });

  it("is previewed with the names of its columns and the range of its quantity", async () => {
    vi.stubEnv("HYPERTOWER_DATA", folder);
    const path = await file("q.csv", ["size,town,price", ...Array.from({ length: 10 }, (_, i) => `${i},${i % 2 ? "A" : "B"},${100 + 10 * i}`)].join("\n"));
    const { id } = await importCsv(path, { ...csv, delimiter: ",", roles: ["number", "category", "target"], task: "regression" }, target("prices"));
    const preview = await previewDataset({ kind: id, task: "regression", classNames: [] });
    expect(preview).toMatchObject({ balance: [], featureNames: ["size", "town=A", "town=B"], quantity: { min: 100, max: 190, mean: 145 }, text: null });
    expect(preview.quantity!.deviation).toBeCloseTo(28.72, 2);
    expect((await previewDataset({ kind: "iris", task: "classification", classNames: ["a", "b", "c"] })).featureNames).toEqual(["sepal length", "sepal width", "petal length", "petal width"]);
    vi.unstubAllEnvs();
  });

  it("of a regression keeps its targets", async () => {
    const path = await file("r.csv", ["x,y", ...Array.from({ length: 10 }, (_, i) => `${i},${i * i}`)].join("\n"));
    const { id } = await importCsv(path, { ...csv, delimiter: ",", roles: ["number", "target"], task: "regression" }, target("squares"));
    const { train, test, task } = await loadWhole(id, folder);
    expect(task).toBe("regression");
    expect([...train.labels, ...test.labels].sort((a, b) => a - b)).toEqual([0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
  });
});

describe("a text", () => {
  it("is one code a character, whatever plane it is on, and line ends are one", () => {
    // Long enough that characters and line ends are cut in two where a piece ends.
    for (const start of [65_530, 65_531, 65_532, 65_533, 65_534, 65_535]) {
      const { vocabulary: of, codes: long } = encodeText(new TextEncoder().encode(`${"a".repeat(start)}\r\n🙂\rb\r`), "t");
      expect([of, [...long.subarray(start)]]).toEqual([["\n", "a", "b", "🙂"], [0, 3, 0, 2, 0]]);
    }
    const { vocabulary, codes } = encodeText(new TextEncoder().encode("\uFEFFba\r\n🙂a"), "t");
    expect(vocabulary).toEqual(["\n", "a", "b", "🙂"]);
    expect([...codes]).toEqual([2, 1, 0, 3, 1]);
  });

  it("is read from a file piece by piece, wherever characters are cut", async () => {
    for (const before of ["", "a", "ab", "abc"]) {
      const text = `${before}${"é–🙂\r\nЖ".repeat(12_000)}`;
      const { vocabulary, codes } = await readText(await file("long.txt", text));
      expect(vocabulary).toEqual(["\n", ...before, "é", "Ж", "–", "🙂"]);
      expect(Array.from(codes, (code) => vocabulary[code]).join("") === text.replaceAll("\r\n", "\n")).toBe(true);
    }
  });

  it("has a byte for each of up to 256 different characters, and two beyond", async () => {
    const symbols = (count: number) => String.fromCodePoint(...Array.from({ length: count }, (_, i) => 0x4e00 + i));
    const { vocabulary, codes } = encodeText(Buffer.from(symbols(256)), "t");
    expect([vocabulary.join(""), [...codes]]).toEqual([symbols(256), Array.from({ length: 256 }, (_, i) => i)]);
    const { id, features } = await importText(await file("cjk.txt", symbols(300).repeat(250)), target("t"));
    expect(features).toBe("uint16");
    const read = await loadTextOf(id, folder);
    expect([read.train.length, read.test.length]).toEqual([67_500, 7_500]);
    expect(Array.from(read.train.subarray(0, 300), (code) => read.vocabulary[code]).join("")).toBe(symbols(300));
    const tooMany = Array.from({ length: 66_000 }, (_, i) => String.fromCodePoint(0x20000 + i)).join("");
    await expect(importText(await file("all.txt", tooMany), target("t"))).rejects.toThrow("all.txt: more than 65536 different characters; read it as bytes instead");
    expect(() => encodeText(Buffer.from("ab\0"), "t")).toThrow("t: contains a NUL character at character 2");
  });

  it("in another encoding is refused by line and byte", async () => {
    const path = await file("latin1.txt", Uint8Array.from([...Buffer.from("é", "utf8"), 0x63, 0x61, 0x66, 0xe9, 0x20, 0x61]));
    await expect(importText(path, target("t"))).rejects.toThrow(`${path}, line 1: byte 5 (0xe9) is not UTF-8`);
    // About where a piece ends, with more behind it and without.
    for (const before of [65_533, 65_534, 65_535, 65_536]) {
      for (const behind of ["", " ab\n"]) {
        const bytes = Buffer.from(`${"b".repeat(before - 1)}\n\xe9${behind}`, "latin1");
        await expect(importText(await file("late.txt", bytes), target("t"))).rejects.toThrow(`late.txt, line 2: byte ${before} (0xe9) is not UTF-8`);
      }
    }
    await expect(importText(await file("empty.txt", ""), target("t"))).rejects.toThrow("the text is empty");
    expect(await kept()).toEqual([]);
  });

  it("is read byte by byte on request, whatever it holds", async () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i % 256);
    const { id, unit } = await importText(await file("any.bin", bytes), { ...target("bytes"), unit: "bytes" });
    expect(unit).toBe("bytes");
    const text = await loadTextOf(id, folder);
    expect([...text.train, ...text.test]).toEqual([...bytes]);
    expect([text.unit, text.vocabulary.length, text.vocabulary[65], text.vocabulary[255]]).toEqual(["bytes", 256, "A", "\\xff"]);
    await expect(importText(await file("few.bin", bytes.subarray(0, 19)), { ...target("few"), unit: "bytes" })).rejects.toThrow("few.bin: 19 bytes; at least 20 are needed");
  });

  it("is kept with its end held back", async () => {
    const { id } = await importText(await file("t.txt", "abcdefghij".repeat(10)), target("letters"));
    const { vocabulary, train, test } = await loadTextOf(id, folder);
    expect([vocabulary.length, train.length, test.length]).toEqual([10, 90, 10]);
    await expect(loadWhole(id, folder)).rejects.toThrow("is a text");
  });
});

/** A .npy file of version 1.0, little-endian. */
function npy(descr: string, shape: readonly number[], data: Uint8Array): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length === 1 ? "," : ""}), }`.padEnd(117) + "\n";
  return Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0, ...Buffer.from(header, "latin1"), ...data]);
}
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const longs = (...values: number[]) => new Uint8Array(BigInt64Array.from(values, BigInt).buffer);

describe("arrays", () => {
  it("are read as NumPy writes them", () => {
    expect(parseNpy(npy("<f4", [2, 2], floats(1, 2, 3, 4.5)), "f")).toEqual({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 4.5) });
    // A copy where floats may not stand, as behind another entry of a zip.
    const odd = Uint8Array.from([0, ...npy("<f4", [2], floats(1, 4.5))]).subarray(1);
    expect(parseNpy(odd, "f").data).toEqual(Float32Array.of(1, 4.5));
    expect(parseNpy(npy("|u1", [3], Uint8Array.of(1, 2, 3)), "f")).toEqual({ shape: [3], data: Uint8Array.of(1, 2, 3) });
    expect(parseNpy(npy("<i8", [3], longs(-1, 0, 7)), "f")).toEqual({ shape: [3], data: Int32Array.of(-1, 0, 7) });
  });

  it.each([
    ["another file", Uint8Array.of(1, 2, 3), "not a .npy file"],
    ["a cut file", npy("<f4", [3], floats(1, 2)), "an array of 3 has"],
    ["a type that is not read", npy("<c8", [1], floats(1, 2)), "type '<c8'"],
    ["a value beyond 32 bits", npy("<i8", [1], longs(2 ** 40)), "beyond 32 bits"],
  ])("refuse %s", (_, bytes, message) => {
    expect(() => parseNpy(bytes, "f")).toThrow(message);
  });

  it("of a .npz become a dataset", async () => {
    const path = await file("d.npz", zipSync({ "x.npy": npy("<f4", [4, 2], floats(1, 2, 3, 4, 5, 6, 7, 8)), "y.npy": npy("<i8", [4], longs(3, 5, 3, 5)) }));
    const { classNames, exampleShape } = await importArrays({ features: { path, array: "x" }, targets: { path, array: "y" }, task: "classification" }, target("d"));
    expect({ classNames, exampleShape }).toEqual({ classNames: ["3", "5"], exampleShape: [2] });
    await expect(importArrays({ features: { path }, targets: { path, array: "y" }, task: "classification" }, target("d"))).rejects.toThrow("choose one of: x, y");
  });

  it("that do not belong together are refused", async () => {
    const [x, y] = [await file("x.npy", npy("<f4", [3, 1], floats(1, 2, NaN))), await file("y.npy", npy("<i8", [2], longs(0, 1)))];
    await expect(importArrays({ features: { path: x }, targets: { path: y }, task: "classification" }, target("d"))).rejects.toThrow(`${x} has 3 examples`);
    const y3 = await file("y3.npy", npy("<i8", [3], longs(0, 1, 1)));
    await expect(importArrays({ features: { path: x }, targets: { path: y3 }, task: "classification" }, target("d"))).rejects.toThrow(`${x}: value 2 is NaN`);
    expect(await kept()).toEqual([]);
  });
});

describe.runIf(process.platform === "linux")("the preview of a table", () => {
  it("closes the file each time", async () => {
    const path = await file("wide.csv", `a,b\n${"1,2\n".repeat(100_000)}`);
    for (let i = 0; i < 3; i++) await previewCsv(path);
    const open = async () => {
      const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
      return (await Promise.all(links)).filter((link) => link === path).length;
    };
    await expect.poll(open).toBe(0);
  });
});

describe("a folder of images", () => {
  const picture = (width: number, height: number, r: number, g: number, b: number) => sharp({ create: { width, height, channels: 3, background: { r, g, b } } }).png().toBuffer();

  it("becomes planes of pixels, a class a folder", async () => {
    for (const [name, r] of [["cats", 10], ["dogs", 200]] as const) {
      await mkdir(join(folder, "images", name), { recursive: true });
      for (let i = 0; i < 5; i++) await file(`images/${name}/${i}.png`, await picture(4, 3, r, i, 7));
    }
    const { id, exampleShape, classNames } = await importImages(join(folder, "images"), {}, target("pets"));
    expect({ exampleShape, classNames }).toEqual({ exampleShape: [3, 3, 4], classNames: ["cats", "dogs"] });
    const { train } = await loadWhole(id, folder);
    for (let i = 0; i < train.count; i++) {
      expect(train.features[i * 36]).toBe(train.labels[i] === 0 ? 10 : 200);
      expect(train.features[i * 36 + 35]).toBe(7);
    }
    const gray = await importImages(join(folder, "images"), { width: 2, height: 2, channels: 1 }, target("gray"));
    expect(gray.exampleShape).toEqual([1, 2, 2]);
  });

  it("shows transparent pixels on white", async () => {
    const clear = await sharp({ create: { width: 2, height: 2, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } }).png().toBuffer();
    const path = await file("clear.png", clear);
    expect([...(await readImage(path, { width: 2, height: 2, channels: 1 }))]).toEqual([255, 255, 255, 255]);
    expect([...new Set(await readImage(path, { width: 2, height: 2, channels: 3 }))]).toEqual([255]);
  });

  it("with a file that cannot be decoded is refused by file, one without classes too", async () => {
    await mkdir(join(folder, "images", "a"), { recursive: true });
    await file("images/a/1.png", await picture(2, 2, 1, 2, 3));
    await expect(importImages(join(folder, "images"), {}, target("x"))).rejects.toThrow("only one folder with images (a)");
    await mkdir(join(folder, "images", "b"));
    const bad = await file("images/b/2.png", "no picture");
    await expect(importImages(join(folder, "images"), {}, target("x"))).rejects.toThrow(`${bad} cannot be decoded`);
    expect(await kept()).toEqual([]);
  });
});
