/** Tables as they come: parts of their own, decimal commas, row numbers, JSON lines and Parquet. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { previewCsv, readCsv, type CsvOptions } from "../../../src/core/datasets/formats/csv.ts";
import { importCsv } from "../../../src/core/datasets/import.ts";
import { loadWhole } from "../../../src/core/datasets/index.ts";
import { suggestedTask } from "../../../src/shared/datasets.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hypertower-tables-"));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string) => join(import.meta.dirname, "files", name);
const file = async (name: string, lines: readonly string[]) => {
  const path = join(folder, name);
  await writeFile(path, lines.join("\n"));
  return path;
};

/** Reads a table as its preview suggests. */
async function suggested(path: string, given: Partial<CsvOptions> = {}) {
  const preview = await previewCsv(path);
  const options = { ...preview, roles: preview.columns.map(({ suggested: role }) => role), task: "classification" as const, missing: "fill" as const, ...given };
  return { preview, table: await readCsv(path, options) };
}

describe("numbers", () => {
  it("with decimal commas are read", async () => {
    const { preview, table } = await suggested(await file("de.csv", ["a;b;kind", "1,5;1.234,5;x", "-2,25;10;y", "3;0,5;x"]));
    expect([preview.decimal, preview.columns.map(({ suggested: role }) => role)]).toEqual([",", ["number", "number", "target"]]);
    expect([...table.features]).toEqual([1.5, 1234.5, -2.25, 10, 3, 0.5]);
  });

  it("takes the last column without dates for the target", async () => {
    const preview = await previewCsv(await file("dates.csv", ["size,kind,sold,when", "1,a,2024-03-01,01.02.2024 10:30", "2,b,2024-03-02T10:00:00Z,2/3/24", "3,a,,2024/1/9"]));
    expect(preview.columns.map(({ suggested: role }) => role)).toEqual(["number", "target", "ignore", "ignore"]);
    expect(preview.columns.map(({ dates }) => dates)).toEqual([undefined, undefined, true, true]);
    // With nothing else, they are.
    expect((await previewCsv(await file("only.csv", ["when", "2024-03-01", "2024-03-02"]))).columns[0]!.suggested).toBe("target");
  });

  it("in quotes between commas are decimal unless they are groups of three digits", async () => {
    expect((await previewCsv(await file("q.csv", ["a,b", '"1,5",x', '"2,25",y']))).decimal).toBe(",");
    expect((await previewCsv(await file("t.csv", ["a,b", '"1,500",x', '"2,250",y']))).decimal).toBe(".");
  });

  it.each([["$1,200", "a,b"], ["12 %", "a,b"], ["1 234", "a;b"], ["1,234", "a;b"]])("in the notation %s are refused by name, never left out", async (cell, header) => {
    const delimiter = header[1]!;
    const path = await file("odd.csv", [header, ...Array.from({ length: 400 }, (_, i) => `"${i % 2 ? `${i}.5` : cell}"${delimiter}${i % 3}`)]);
    await expect(suggested(path)).rejects.toThrow(`odd.csv, line 2, column a: ${JSON.stringify(cell)} is not a number; correct it`);
  });

  it("of a target with decimal commas are a quantity", async () => {
    const path = await file("price.csv", ["size;price", ...Array.from({ length: 30 }, (_, i) => `${i};${i},5`)]);
    const { preview, table } = await suggested(path, { task: "regression" });
    expect(suggestedTask(preview.columns[1]!)).toBe("regression");
    expect([...table.targets].slice(0, 3)).toEqual([0.5, 1.5, 2.5]);
  });
});

describe("the first row", () => {
  it.each([
    ["pandas' row numbers", [",0,1,2", "0,5.1,3.5,a", "1,4.9,3,b"], true, ["ignore", "number", "number", "target"]],
    ["row numbers read and written again", ["Unnamed: 0,x,y", "0,5.1,a", "1,4.9,b"], true, ["ignore", "number", "target"]],
    ["R's row names", ['"","x","y"', '"1",5.1,"a"', '"2",4.9,"b"'], true, ["ignore", "number", "target"]],
    ["numbered columns", ["0,1,2,3", "5.1,3.5,1.4,a", "4.9,3,1.4,b"], true, ["number", "number", "number", "target"]],
    ["numbered columns and a named target", ["0,1,2,target", "5.1,3.5,1.4,0", "4.9,3,1.4,1"], true, ["number", "number", "number", "target"]],
    ["years over numbers", ["age,2019,2020", "1,2.5,3.5", "2,3.5,4.5"], true, ["number", "number", "target"]],
    ["no header", ["5.1,3.5,a", "4.9,3,b"], false, ["number", "number", "target"]],
    ["no header, and whole numbers", ["0,2,2", "1,3,0"], false, ["number", "number", "target"]],
  ] as const)("with %s", async (_, lines, header, roles) => {
    const preview = await previewCsv(await file("h.csv", lines));
    expect([preview.header, preview.rows, preview.columns.map(({ suggested: role }) => role)]).toEqual([header, lines.length - (header ? 1 : 0), roles]);
  });
});

describe("test rows of their own", () => {
  const rows = (from: number, count: number) => Array.from({ length: count }, (_, i) => `${from + i},${(from + i) % 2 ? "odd" : "even"}`);
  const roles = ["number", "target"] as const;
  const csv = { delimiter: ",", header: true, roles: [...roles], task: "classification", missing: "refuse" } satisfies CsvOptions;

  it("come from another file", async () => {
    const [train, test] = [await file("train.csv", ["n,parity", ...rows(0, 10)]), await file("test.csv", ["n,parity", ...rows(100, 4)])];
    const { id, testExamples, source } = await importCsv(train, { ...csv, parts: [{ path: test, split: "test" }] }, { title: "n", folder });
    expect([testExamples, source]).toEqual([4, `${train}, ${test}`]);
    const read = await loadWhole(id, folder);
    expect([read.train.count, read.test.count, [...read.test.labels]]).toEqual([10, 4, [0, 1, 0, 1]]);
    // Standardized by the training rows, whose mean is 4.5.
    expect(read.test.features[0]).toBeCloseTo((100 - 4.5) / Math.sqrt(8.25), 4);
    await expect(importCsv(train, { ...csv, parts: [{ path: await file("kaggle.csv", ["n", "1"]), split: "test" }] }, { title: "n", folder })).rejects.toThrow("kaggle.csv has no column parity");
    await expect(importCsv(train, { ...csv, parts: [{ path: await file("order.csv", ["parity,n", "odd,1"]), split: "test" }] }, { title: "n", folder })).rejects.toThrow("order.csv has the columns parity, n, but");
    await expect(importCsv(train, { ...csv, parts: [{ path: await file("bad.csv", ["n,parity", "x,odd"]), split: "test" }] }, { title: "n", folder })).rejects.toThrow('bad.csv, line 2, column n: "x" is not a number');
  });

  it("are those that a column says, wherever they stand", async () => {
    const path = await file("split.csv", ["n,split,parity", "0,train,even", "1,test,odd", "2,val,even", "3,train,odd", "4,test,even"]);
    const { preview, table } = await suggested(path);
    expect(preview.columns.map(({ suggested: role }) => role)).toEqual(["number", "split", "target"]);
    expect([[...table.features], [...table.targets], table.testExamples]).toEqual([[0, 2, 3, 1, 4], [0, 0, 1, 1, 0], 2]);
    const { table: without } = await suggested(path, { validation: "leave" });
    expect([...without.features]).toEqual([0, 3, 1, 4]);
    const { table: first } = await suggested(await file("val.csv", ["n,set,parity", "0,train,even", "1,dev,odd", "2,train,odd"]));
    expect([[...first.features], first.testExamples]).toEqual([[0, 2, 1], 1]);
    const typo = await file("typo.csv", ["n,split,parity", "0,train,even", "1,tets,odd", "2,test,even"]);
    await expect(readCsv(typo, { ...csv, roles: ["number", "split", "target"] })).rejects.toThrow('typo.csv, line 3, column split: "tets" says no part; allowed: train, test and validation');
    expect((await previewCsv(await file("is.csv", ["is_test,n,y", "0,1,a", "1,2,b", "0,3,b"]))).columns[0]!.suggested).toBe("split");
    expect((await previewCsv(await file("sick.csv", ["sick,n,y", "0,1,a", "1,2,b", "0,3,b"]))).columns[0]!.suggested).toBe("number");
  });

  it("fill no gap of the training rows", async () => {
    const [train, test] = [await file("a.csv", ["n,y", "1,a", ",b", "3,a"]), await file("b.csv", ["n,y", "100,a", ",b"])];
    const table = await readCsv(train, { ...csv, missing: "fill", parts: [{ path: test, split: "test" }] });
    expect([...table.features]).toEqual([1, 2, 3, 100, 2]);
  });
});

describe("JSON", () => {
  it("lines are rows, whose keys are the columns", async () => {
    const { preview, table } = await suggested(await file("f.jsonl", ['{"length": 1.5, "color": "red", "kind": "rose"}', "", '{"color": "blue", "length": null, "kind": "iris"}', '{"length": 2.5, "color": "red", "kind": "rose"}']));
    expect(preview.columns.map(({ name, suggested: role }) => [name, role])).toEqual([["length", "number"], ["color", "category"], ["kind", "target"]]);
    expect([[...table.features], table.filled]).toEqual([[1.5, 0, 1, 2, 1, 0, 2.5, 0, 1], 1]);
  });

  it("records are rows", async () => {
    const { table } = await suggested(await file("f.json", ['[{"a": 1, "b": true}, {"a": 2, "b": false}]']));
    expect([table.classNames, [...table.features]]).toEqual([["false", "true"], [1, 2]]);
  });

  it.each([
    ["x.jsonl", ['{"a": 1}', '{"a": '], "x.jsonl, line 2: not JSON"],
    ["x.jsonl", ["[1, 2]"], "x.jsonl, line 1: not an object"],
    ["x.json", ['{"a": 1}'], "x.json must hold an array of records"],
  ])("%s that is none is refused by line", async (name, lines, message) => {
    await expect(previewCsv(await file(name, lines))).rejects.toThrow(message);
  });
});

describe("Parquet", () => {
  it.each(["snappy", "gzip", "zstd", "brotli", "none"])("packed by %s is a table", async (codec) => {
    const { preview, table } = await suggested(at(`flowers-${codec}.parquet`));
    expect(preview.columns.map(({ name, numbers, missing, suggested: role }) => [name, numbers, missing, role])).toEqual([["length", 15, 5, "number"], ["color", 0, 0, "category"], ["count", 20, 0, "number"], ["kind", 0, 0, "target"]]);
    expect([table.count, table.featureNames, table.filled]).toEqual([20, ["length", "color=blue", "color=green", "color=red", "count"], 5]);
    expect([...table.features.subarray(0, 5)]).toEqual([1.5, 0, 0, 1, 0]);
  });

  it("that is damaged is refused by name", async () => {
    await writeFile(join(folder, "cut.parquet"), "PAR1 and nothing more");
    await expect(previewCsv(join(folder, "cut.parquet"))).rejects.toThrow(/cut.parquet cannot be read as Parquet/);
  });
});
