import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { StoreError } from "../../../src/main/store/errors.ts";
import { heldBy, readMark, writeMark } from "../../../src/main/store/mark.ts";
import { closeConnections, openConnections } from "../../../src/main/store/database.ts";
import { Store } from "../../../src/main/store/store.ts";
import { aRun, anEnvironment, filledStore, freshFolder, openStore, recordedLog, rowsOf } from "../../support/storeFixtures.ts";

const refused = (folder: string): string => {
  try {
    new Store(folder, { log: recordedLog() }).close();
  } catch (error) {
    if (error instanceof StoreError) return error.message;
    throw error;
  }
  throw new Error("the store was opened");
};

/** A copy of the store's folder as it is while a host has it open: what a kill would leave. */
function killedCopy(folder: string): string {
  const copy = freshFolder();
  for (const name of readdirSync(folder)) if (/^(hypertower\.sqlite|mark\.json)/.test(name) && !name.endsWith("-shm")) copyFileSync(join(folder, name), join(copy, name));
  return copy;
}

describe("a missing or empty database", () => {
  it("is refused where a write-ahead log lies, and the log stays", () => {
    const { folder } = filledStore();
    const open = openStore(folder);
    open.createRun(aRun());
    const copy = killedCopy(folder);
    open.closeNow();
    const file = join(copy, "hypertower.sqlite");
    rmSync(join(copy, "mark.json"));
    for (const state of ["missing", "empty"] as const) {
      if (state === "missing") rmSync(file);
      else writeFileSync(file, "");
      const before = readFileSync(`${file}-wal`);
      expect(refused(copy)).toMatch(new RegExp(`is ${state}, but beside it lies .*a write-ahead log of .*Nothing was changed.*hypertower doctor`));
      expect(readFileSync(`${file}-wal`).equals(before)).toBe(true);
    }
  });

  it.each([
    ["checkpoints", "run.checkpoint", "1 checkpoint"],
    ["weights", "run.best.weights", "1 file of weights"],
    ["backups", "20260101T000000Z-daily.sqlite", "1 backup"],
  ])("is refused where %s lie", (sub, name, words) => {
    const folder = freshFolder();
    mkdirSync(join(folder, sub));
    writeFileSync(join(folder, sub, name), "content");
    expect(refused(folder)).toContain(words);
    expect(existsSync(join(folder, "hypertower.sqlite"))).toBe(false);
  });

  it("is refused where the mark tells of runs; a folder that held none gets a new store", () => {
    const { folder, file } = filledStore();
    rmSync(file);
    expect(refused(folder)).toContain("the record of a store of 1 run and 20,000 steps");
    const other = freshFolder();
    openStore(other).closeNow();
    rmSync(join(other, "hypertower.sqlite"));
    expect(openStore(other).listRuns()).toEqual([]);
  });

  it("is refused when the log of a new store was deleted before it was written back", () => {
    const folder = freshFolder();
    const open = openStore(folder);
    mkdirSync(join(folder, "checkpoints"));
    const copy = killedCopy(folder);
    open.closeNow();
    rmSync(join(copy, "hypertower.sqlite-wal"));
    mkdirSync(join(copy, "weights"));
    writeFileSync(join(copy, "weights", "run.last.weights"), "content");
    expect(refused(copy)).toContain("is empty, but beside it lies");
  });
});

describe("the high-water mark", () => {
  it("counts runs and steps after commits, and at close", async () => {
    const { folder, file } = filledStore();
    expect(readMark(file)).toMatchObject({ runs: 1, steps: 20_000, missing: null });
    const store = openStore(folder);
    const run = aRun();
    store.createRun(run);
    store.beginSeries(run.id, ["loss", "stepTime"], anEnvironment);
    store.appendRows(run.id, rowsOf([[1, 2, 3], [1, 1, 1]]));
    // Not committed: the mark must not lead.
    expect(readMark(file)!.steps).toBe(20_000);
    store.closeNow();
    expect(readMark(file)).toMatchObject({ runs: 2, steps: 20_003, missing: null });
  });

  it("shows that a deleted log lost steps, until that is acknowledged; the store can be used", () => {
    const { folder } = filledStore();
    const open = openStore(folder);
    const run = aRun();
    open.createRun(run);
    open.beginSeries(run.id, ["loss"], anEnvironment);
    open.appendRows(run.id, rowsOf([Array.from({ length: 450 }, (_, i) => i)]));
    open.flush();
    const copy = killedCopy(folder);
    open.closeNow();
    copyFileSync(join(folder, "mark.json"), join(copy, "mark.json"));
    rmSync(join(copy, "hypertower.sqlite-wal"));

    const log = recordedLog();
    const store = openStore(copy, { log });
    expect(store.loss).toContain("has lost 1 run and 450 logged steps");
    expect(log.warnings).toEqual([store.loss]);
    store.createRun(aRun());
    store.createRun(aRun());
    store.closeNow();
    const again = openStore(copy);
    expect(again.loss).toContain("has lost 1 run and 450 logged steps");
    again.acknowledgeLoss();
    again.closeNow();
    expect(openStore(copy).loss).toBeNull();
  });

  it("lags after a crash between commit and mark, which is no loss", () => {
    const { folder, file } = filledStore();
    const mark = readMark(file)!;
    writeMark(file, { ...mark, steps: mark.steps - 100 });
    const store = openStore(folder);
    expect(store.loss).toBeNull();
    expect(readMark(file)!.steps).toBe(20_000);
  });

  it("counts the steps of several hosts", () => {
    const { folder, file } = filledStore();
    const [one, two] = [openStore(folder), openStore(folder)];
    one.createRun(aRun());
    two.createRun(aRun());
    two.closeNow();
    one.closeNow();
    expect(readMark(file)).toMatchObject({ runs: 3 });
    const connections = openConnections(folder);
    expect(heldBy(connections.reader)).toMatchObject({ runs: 3, steps: 20_000 });
    closeConnections(connections);
  });

  it("moves with the store's folder", () => {
    const { folder } = filledStore();
    expect(openStore(killedCopy(folder)).loss).toBeNull();
  });

  it("is written at a low rate while the store is open", async () => {
    const { folder, file } = filledStore();
    const store = openStore(folder);
    store.createRun(aRun());
    await expect.poll(() => readMark(file)!.runs).toBe(2);
  });
});
