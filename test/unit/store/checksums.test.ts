/** Checksums of what is logged, and the check that compares them. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { checksumName, ChecksumBuilder, emptyChecksum, rowChecksum } from "../../../src/main/store/checksums.ts";
import { storeFileName } from "../../../src/main/store/database.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import { openConnections, closeConnections } from "../../../src/main/store/database.ts";
import { checkStoreRows } from "../../../src/main/store/verify/storeCheck.ts";
import { anEnvironment, aRun, freshFolder, openStore, rowsOf } from "../../support/storeFixtures.ts";

const fileOf = (folder: string) => join(folder, storeFileName);

/** Changes a closed store with SQL, as another program would. */
function edit(folder: string, sql: string): void {
  const db = new Database(fileOf(folder));
  db.exec(sql);
  db.close();
}

const problems = async (folder: string) => (await checkStoreRows(fileOf(folder))).findings.map(({ part, where, problem }) => `${part} | ${where} | ${problem}`);

/** A closed store with a run that was stopped, resumed, evaluated, renamed and interrupted. */
function storeWithRun(): { folder: string; run: string } {
  const folder = freshFolder();
  const store = openStore(folder);
  const run = aRun({ name: "first" });
  store.createRun(run);
  store.beginSeries(run.id, ["loss", "stepTime"], anEnvironment);
  const values = (from: number, count: number) => [0, 1].map((column) => Array.from({ length: count }, (_, i) => [Math.sin(from + i), NaN, -0, Infinity][(i + column) % 4]!));
  store.appendRows(run.id, rowsOf(values(0, 300)));
  const at = (step: number) => ({ step, epoch: step / 100, trainLoss: 0.1, testLoss: 0.2, testError: NaN });
  for (const step of [100, 200, 300]) store.addEvaluation(run.id, at(step));
  store.addEvaluation(run.id, at(300));
  store.addEvent(run.id, { at: 1, step: 300, kind: "stopped", message: "by a person" });
  store.saveRun({ ...run, status: "stopped", steps: 300 });
  store.flush();
  store.requeueRun({ ...run, status: "queued" });
  store.resumeSeries(run.id, ["loss", "stepTime"], 200, anEnvironment);
  for (let from = 300; from < 1_500; from += 100) store.appendRows(run.id, rowsOf(values(from, 100), from));
  store.saveRun({ ...run, status: "finished", steps: 1_500 });
  store.flush();
  store.renameRun(run.id, "second");
  store.noteForeign(run.id, { at: 2, step: 1_500, kind: "note", message: "by another process" });
  store.setDeleted([run.id], 3);
  store.closeNow();
  return { folder, run: run.id };
}

describe("checksums", () => {
  it("do not depend on how values are split into batches", () => {
    const values = Float64Array.from({ length: 1_000 }, (_, i) => Math.cos(i));
    const whole = new ChecksumBuilder("m");
    const pieces = new ChecksumBuilder("m");
    const [a, b]: [{ start: number; crc: number }[], { start: number; crc: number }[]] = [[], []];
    whole.add(values.slice(), a);
    for (let from = 0; from < 1_000; from += 37) pieces.add(values.slice(from, from + 37), b);
    expect(b).toEqual(a);
    expect(pieces.open).toBe(whole.open);
    expect(a.map(({ start }) => start)).toEqual([0, 256, 512]);
  });

  it("name the metric and the step, and ignore columns that a later layout appends", () => {
    expect(emptyChecksum(checksumName("r", "loss"), 0)).not.toBe(emptyChecksum(checksumName("r", "loss"), 256));
    expect(emptyChecksum(checksumName("r", "loss"), 0)).not.toBe(emptyChecksum(checksumName("s", "loss"), 0));
    expect(rowChecksum(["a", 1, null])).toBe(rowChecksum(["a", 1]));
    expect(rowChecksum([null, 1])).not.toBe(rowChecksum([1]));
  });
});

describe("a check of a store", () => {
  it("finds nothing in a store whose runs were stopped, resumed, renamed and deleted", async () => {
    const { folder } = storeWithRun();
    const report = await checkStoreRows(fileOf(folder));
    expect(report.findings).toEqual([]);
    expect(report.runs).toMatchObject([{ name: "second", values: 3_000, protectedFromStart: true }]);
  });

  it.each([
    ["a value", "UPDATE series_values SET value = 0.25 WHERE step = 700 AND metric = 1", /series \| loss, steps 512 to 767 \| they do not match/],
    ["a value at the end", "UPDATE series_values SET value = 0.25 WHERE step = 1499 AND metric = 2", /stepTime, steps 1280 to 1499 \| they do not match/],
    ["a missing value made a number", "UPDATE series_values SET value = 0.5 WHERE step = (SELECT min(step) FROM series_values WHERE value IS NULL AND metric = 1) AND metric = 1", /loss, steps 0 to 255/],
    ["deleted values", "DELETE FROM series_values WHERE step BETWEEN 300 AND 400 AND metric = 1", /loss, steps 256 to 511 \| 155 values are stored instead of 256/],
    ["values deleted with their count", "DELETE FROM series_values WHERE step > 1400; UPDATE metrics SET count = 1401, last_step = 1400", /steps 1280 to 1400 \| they do not match/],
    ["an evaluation", "UPDATE evaluations SET test_loss = 0.19 WHERE step = 100", /evaluation at step 100 \| it does not match/],
    ["a deleted evaluation", "DELETE FROM evaluations WHERE step = 200", /evaluations \| 1 are stored instead of 2/],
    ["a deleted event", "DELETE FROM run_events WHERE kind = 'stopped'", /events \| 1 are stored instead of 2/],
    ["an event", "UPDATE run_events SET message = 'by nobody' WHERE kind = 'stopped'", /event at step 300: stopped/],
    ["a deleted run", "PRAGMA foreign_keys = OFF; DROP TRIGGER runs_checksum_gone; DELETE FROM runs", /description of the run \| its row is missing/],
    ["a summary of a chart", "UPDATE buckets SET max = 2 WHERE width = 256 AND start = 512 AND metric = 1", /pyramid \| loss, summary of steps 512 to 767 \| it differs/],
    ["the experiment, past the triggers", "DROP TRIGGER runs_checksum_changed; DROP TRIGGER runs_experiment_edited; UPDATE runs SET experiment = json_set(experiment, '$.seed', 7)", /description of the run \| it does not match/],
  ])("finds %s that another program changed", async (_, sql, expected) => {
    const { folder } = storeWithRun();
    edit(folder, sql);
    expect((await problems(folder)).join("\n")).toMatch(expected);
  });

  it("covers runs of earlier versions once their checksums are made in the background", async () => {
    const folder = freshFolder();
    closeConnections(openConnections(folder, migrations.slice(0, 8)));
    const store = openStore(folder);
    const run = aRun();
    store.createRun(run);
    store.beginSeries(run.id, ["loss"], anEnvironment);
    store.appendRows(run.id, rowsOf([Array.from({ length: 700 }, (_, i) => Math.sin(i))]));
    store.addEvaluation(run.id, { step: 5, epoch: 1, trainLoss: 1, testLoss: 1, testError: 1 });
    store.addEvent(run.id, { at: 1, step: 0, kind: "started", message: "" });
    store.saveRun({ ...run, status: "finished", steps: 700 });
    store.closeNow();
    // As the migration leaves it.
    edit(folder, "DELETE FROM series_checksums; UPDATE metrics SET open_crc = NULL; UPDATE evaluations SET crc = NULL; UPDATE run_events SET crc = NULL; UPDATE run_checksums SET crc = NULL, since = NULL, evaluations = 0, events = 0, loose = 0, from_start = 0");
    const before = await checkStoreRows(fileOf(folder));
    expect(before).toMatchObject({ findings: [], runs: [{ protectedSince: null, values: 0 }] });
    const again = openStore(folder);
    await expect.poll(() => checkStoreRows(fileOf(folder))).toMatchObject({ runs: [{ protectedSince: expect.any(Number) as number }] });
    again.closeNow();
    expect(await checkStoreRows(fileOf(folder))).toMatchObject({ findings: [], runs: [{ values: 700, protectedFromStart: false }] });
    edit(folder, "UPDATE series_values SET value = 9 WHERE step = 3");
    expect((await problems(folder)).join("\n")).toMatch(/loss, steps 0 to 255 \| they do not match/);
  });
});
