/** Imports of recorded runs, from real files to a real store. Checked against what `make.py` of the fixtures logged. */
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ImportRunsRequest } from "../../../src/shared/importedRun.ts";
import type { ExportFormatName } from "../../../src/shared/exports.ts";
import { mergeInto } from "../../../src/main/archives/merge.ts";
import { compareRuns } from "../../../src/main/headless/comparison.ts";
import { exportRun } from "../../../src/main/reports/index.ts";
import { Archives } from "../../../src/main/services/archives.ts";
import { ImportedRuns } from "../../../src/main/services/importedRuns.ts";
import { heldBy } from "../../../src/main/store/mark.ts";
import { Store } from "../../../src/main/store/store.ts";
import { checkStoreRows } from "../../../src/main/store/verify/storeCheck.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/records");
const loss = (step: number) => (step === 40 ? NaN : 2 / (1 + step / 10));

let folder: string;
let store: Store;
let imports: ImportedRuns;
let changed: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hypertower-imports-"));
  store = new Store(join(folder, "store"));
  changed = [];
  imports = new ImportedRuns({ store, log: { warn: () => undefined, error: () => undefined }, onRun: (run) => changed.push(run), onChange: () => undefined, committed: () => undefined, every: 20 });
});
afterEach(() => {
  imports.close();
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const read = (path: string, more: Partial<ImportRunsRequest> = {}) => imports.import({ paths: [path], watch: false, columns: {}, ...more });
const steps = (run: string) => [...store.readSteps(run)];
/** Values of one series at the steps that it has. */
function series(run: string, name: string): [step: number, value: number][] {
  const [answer] = store.readSeries({ run, metrics: [name], after: -1, width: 1, maxBuckets: 1_000 }).series;
  return answer!.buckets.map(({ start, min }) => [start, min ?? NaN]);
}
const expected = (from: number, to: number, by: number, factor = 1): [number, number][] =>
  Array.from({ length: (to - from) / by }, (_, i) => [from + i * by, factor * loss(from + i * by)]);
function expectNear(found: [number, number][], wanted: [number, number][]): void {
  expect(found.map(([step]) => step)).toEqual(wanted.map(([step]) => step));
  found.forEach(([, value], i) => (Number.isNaN(wanted[i]![1]) ? expect(value).toBeNaN() : expect(value).toBeCloseTo(wanted[i]![1], 6)));
}

test("a folder of TensorBoard runs: files of one run joined, hyperparameters, tensors, gaps and NaN as recorded", async () => {
  const { runs, warnings } = await read(join(fixtures, "tensorboard"));
  expect(warnings).toEqual([]);
  expect(runs.map(({ name }) => name).sort()).toEqual(["lr0.01", "lr0.1"]);
  const { id } = runs.find(({ name }) => name === "lr0.1")!;
  const run = store.getRun(id)!;
  expect(run.imported).toMatchObject({ format: "tensorboard", path: join(fixtures, "tensorboard/lr0.1") });
  expect(Object.fromEntries(run.imported!.configuration)).toMatchObject({ lr: 0.1, optimizer: "adam", amsgrad: 1 });
  expectNear(series(id, "train/loss"), expected(0, 100, 5, 0.1));
  expect(series(id, "val/acc").map(([step]) => step)).toEqual([0, 25, 50, 75]);
  expect(series(id, "wallTime")[1]).toEqual([5, 1_750_000_005]);
  expect(store.listRuns(false).every(({ imported, dataset }) => imported === "tensorboard" && dataset === "")).toBe(true);
});

test("tensorboardX, trackio and W&B", async () => {
  const x = (await read(join(fixtures, "tensorboardX"))).runs;
  expectNear(series(x[0]!.id, "loss"), expected(0, 30, 3));
  const project = (await read(join(fixtures, "trackio/fixture.db"))).runs;
  expect(project.map(({ name }) => name)).toEqual(["first", "second"]);
  expectNear(series(project[1]!.id, "loss"), expected(0, 20, 2));
  expect(store.getRun(project[1]!.id)!.imported!.configuration).toEqual([["lr", 0.1], ["layers.width", 32], ["name", "second"]]);
  const [wandb] = (await read(join(fixtures, "wandb"))).runs;
  expect(wandb!.name).toBe("offline");
  expectNear(series(wandb!.id, "loss"), expected(0, 60, 4));
  expect(series(wandb!.id, "eval/acc")).toHaveLength(15);
  expect(store.getRun(wandb!.id)!.imported!.configuration).toEqual([["lr", 0.1], ["model.width", 32]]);
});

test("CSV and JSON lines: columns recognized or asked for", async () => {
  const { runs } = await read(join(fixtures, "tables"));
  const [csv, lines] = runs.map(({ id }) => store.getRun(id)!);
  expect(csv!.metrics).toEqual(["epoch", "wallTime", "loss"]);
  expectNear(series(csv!.id, "loss"), expected(0, 100, 10));
  expect(csv!.imported!.configuration).toEqual([["note, quoted", 'a "b"'], ["optimizer", "adam"]]);
  expectNear(series(lines!.id, "train/loss"), expected(0, 100, 10));
  expect(lines!.imported!.configuration).toEqual([["lr", 0.1], ["optimizer", "adam"]]);

  const file = join(folder, "own.csv");
  writeFileSync(file, "n;when;f1\n3;2025-06-15 15:06:40;0.5\n10;2025-06-15 15:06:41;inf\n");
  const own = (await read(file, { columns: { step: "n", time: "when" } })).runs[0]!;
  expect(steps(own.id).map(({ step, values }) => [step, ...values])).toEqual([[3, 0.5, 1_750_000_000], [10, NaN, 1_750_000_001]].map((row, i) => (i === 1 ? [10, Infinity, 1_750_000_001] : row)));
  await expect(read(file, { columns: { step: "m" } })).rejects.toThrow(/own\.csv: line 1 \(byte 0\): there is no column "m"; it has "n", "when", "f1"/);
});

test("importing again replaces what a run held, and the store stays sound", async () => {
  const file = join(folder, "log.csv");
  writeFileSync(file, "step,loss\n0,1\n5,2\n");
  const [first] = (await read(file)).runs;
  const held = () => new Database(store.path, { readonly: true });
  const before = heldBy(held()).steps;
  writeFileSync(file, "step,accuracy\n1,7\n");
  const [again] = (await read(file)).runs;
  expect(again).toMatchObject({ id: first!.id, isNew: false });
  expect(store.getRun(first!.id)!.metrics).toEqual(["accuracy"]);
  expect(steps(first!.id)).toEqual([{ step: 1, values: [7] }]);
  // Replaced values are no loss.
  expect(heldBy(held()).steps).toBeGreaterThanOrEqual(before);
});

test("values recorded out of order are put in their places; a step recorded again keeps its later value", async () => {
  const file = join(folder, "log.jsonl");
  writeFileSync(file, [4, 100, 8, 4].map((step, i) => JSON.stringify({ step, loss: i })).join("\n"));
  const [run] = (await read(file)).runs;
  expect(series(run!.id, "loss")).toEqual([[4, 3], [8, 2], [100, 1]]);
});

test("a long series with gaps reads the same at every width, and verifies", async () => {
  const file = join(folder, "long.csv");
  const recorded = Array.from({ length: 3_000 }, (_, i) => 7 * i + (i > 1_500 ? 100_000 : 0));
  writeFileSync(file, `step,loss\n${recorded.map((step) => `${step},${Math.sin(step)}`).join("\n")}\n`);
  const [run] = (await read(file)).runs;
  for (const width of [1, 32, 64, 4096]) {
    const [answer] = store.readSeries({ run: run!.id, metrics: ["loss"], after: -1, width, maxBuckets: 1e6 }).series;
    expect(answer!.buckets.reduce((sum, { count }) => sum + count, 0)).toBe(3_000);
    expect(Math.max(...answer!.buckets.map(({ max }) => max!))).toBe(Math.max(...recorded.map(Math.sin)));
  }
  store.close();
  const { findings } = await checkStoreRows(join(folder, "store", "hypertower.sqlite"));
  expect(findings).toEqual([]);
  store = new Store(join(folder, "store"));
});

test("a watched file: whole records are taken, a partial one waits, and the watch can be stopped", async () => {
  const file = join(folder, "run.tfevents.1");
  const bytes = readFileSync(join(fixtures, "tensorboardX/run", "events.out.tfevents.1"));
  writeFileSync(file, bytes.subarray(0, 200));
  const { runs, watch } = await read(file, { watch: true });
  const { id } = runs[0]!;
  const before = series(id, "loss").length;
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(10);
  expect(imports.watches()).toEqual([{ id: watch, paths: [file], runs: [id] }]);
  appendFileSync(file, bytes.subarray(200, 300));
  await expect.poll(() => series(id, "loss").length).toBeGreaterThan(before);
  appendFileSync(file, bytes.subarray(300));
  await expect.poll(() => series(id, "loss").length).toBe(10);
  expectNear(series(id, "loss"), expected(0, 30, 3));
  expect(changed.length).toBeGreaterThan(1);
  expect(imports.stop(watch!)).toEqual([]);
});

test("damage is named with file and offset; what stands before it is kept", async () => {
  const copy = join(folder, "copy");
  cpSync(join(fixtures, "tensorboardX/run"), copy, { recursive: true });
  const file = join(copy, "events.out.tfevents.1");
  const bytes = readFileSync(file);
  bytes[230]! ^= 1;
  writeFileSync(file, bytes);
  const { runs, warnings } = await read(copy);
  expect(warnings).toEqual([expect.stringMatching(/events\.out\.tfevents\.1: the record at byte \d+ does not match its checksum; the file is damaged from there on/)]);
  expect(series(runs[0]!.id, "loss").length).toBeGreaterThan(0);

  writeFileSync(file, bytes.subarray(0, 5));
  await expect(read(file)).rejects.toThrow(/ends within the record at byte 0/);
  writeFileSync(join(folder, "other.txt"), "hello");
  await expect(read(join(folder, "other.txt"))).rejects.toThrow(/other\.txt is no record of runs that can be imported\. Allowed:/);
  writeFileSync(join(folder, "bad.csv"), "step,loss\n0,1\n1.5,2\n");
  const bad = await read(join(folder, "bad.csv"));
  expect(bad.warnings).toEqual([expect.stringMatching(/bad\.csv: line 3 \(byte 14\): the step 1\.5 is not a whole number/)]);
  expect(store.listRuns(false)).toHaveLength(2);
});

test("what needs an experiment is refused in words; CSV, JSON and comparisons work", async () => {
  const [first, second] = (await read(join(fixtures, "tensorboard"))).runs.map(({ id }) => store.getRun(id)!);
  const lines = (format: ExportFormatName) => [...exportRun(first!, store.readSteps(first!.id), format).pieces].join("").split("\n");
  expect(lines("csv").filter((line) => !line.startsWith("#")).slice(0, 3)).toEqual([
    `step,${first!.metrics.join(",")}`,
    expect.stringMatching(/^0,/),
    expect.stringMatching(/^5,.*1750000005/),
  ]);
  expect((JSON.parse(lines("json").join("\n")) as { imported: { configuration: object } }).imported.configuration).toMatchObject({ optimizer: "adam" });
  expect(() => lines("pytorch")).toThrow(/was imported from .*; only runs trained here can be exported as code/);
  const { rows } = compareRuns([first!, second!]);
  expect(rows.find(({ label }) => label === "lr")!.values).toEqual([0.01, 0.1]);
  expect(rows.some(({ label }) => label === "batch size" || label.startsWith("test error"))).toBe(false);
  expect(store.thinner.problem(first!.id, 256)).toMatch(/was imported/);
  expect(() => new Archives({ store, folder: join(folder, "store"), version: "0" }).file({ runs: [first!.id], studies: [] })).toThrow(/only runs trained here can be archived/);
});

test("a merge of stores leaves imported runs out, and says which record to import", async () => {
  const [run] = (await read(join(fixtures, "tensorboardX"))).runs;
  store.flush();
  const remarks: string[] = [];
  const report = await mergeInto(join(folder, "store"), join(folder, "other"), (remark) => remarks.push(remark));
  expect(report.runs).toEqual([]);
  expect(remarks).toEqual([`Run ${run!.id} was imported from ${join(fixtures, "tensorboardX/run")} and was left out. Import that record again.`]);
});
