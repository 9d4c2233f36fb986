import { statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { closeConnections, openConnections } from "../../../src/main/store/database.ts";
import { inspectWhole } from "../../../src/main/store/inspection.ts";
import { readMark } from "../../../src/main/store/mark.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import { unusedBytes, vacuum } from "../../../src/main/store/vacuum.ts";
import { aRun, anEnvironment, filledStore, freshFolder, openStore, rowsOf } from "../../support/storeFixtures.ts";

function trained(store: ReturnType<typeof openStore>, steps: number) {
  const run = aRun();
  store.createRun(run);
  store.beginSeries(run.id, ["loss", "stepTime"], anEnvironment);
  const column = Array.from({ length: steps }, (_, i) => i);
  store.appendRows(run.id, rowsOf([column, column]));
  store.saveRun({ ...run, status: "finished" });
  store.flush();
  return run;
}

function sql<T>(folder: string, work: (db: Database.Database) => T): T {
  const db = new Database(join(folder, "hypertower.sqlite"));
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const rows = (folder: string, table: string) => sql(folder, (db) => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());

describe("erasing", () => {
  it("removes every row of runs in the bin, and nothing of others", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const [gone, kept] = [trained(store, 9_000), trained(store, 500)];
    store.setDeleted([gone.id], 1);
    expect(store.eraser.erase([gone.id])).toEqual({ runs: 1, studies: 0, steps: 9_000 });
    await store.eraser.rest();
    expect(store.getRun(gone.id)).toBeUndefined();
    expect(store.getRun(kept.id)).toBeDefined();
    expect(store.readSteps(kept.id).next().value).toBeDefined();
    store.closeNow();
    expect(rows(folder, "series_values")).toBe(1_000);
    expect(rows(folder, "erasing")).toBe(0);
    // The mark has not led: erased steps count as held.
    expect(readMark(join(folder, "hypertower.sqlite"))).toMatchObject({ runs: 2, steps: 9_500 });
    expect(openStore(folder).loss).toBeNull();
  });

  it("refuses runs outside the bin and active ones, and then erases nothing", () => {
    const store = openStore();
    const [binned, other] = [trained(store, 10), trained(store, 10)];
    store.setDeleted([binned.id], 1);
    expect(() => store.eraser.erase([binned.id, other.id])).toThrow(/is not in the bin any more, or is active. Nothing was erased/);
    const active = aRun();
    store.createRun(active);
    expect(() => store.eraser.erase([binned.id, active.id])).toThrow(/Nothing was erased/);
    expect(store.getRun(binned.id)).toBeDefined();
  });

  it("goes on after a crash, and never takes the values of a new run that got an old number", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const gone = trained(store, 9_000);
    store.setDeleted([gone.id], 1);
    store.eraser.erase([gone.id]);
    expect((await inspectWhole(join(folder, "hypertower.sqlite"))).findings).toEqual([]);
    // Its metrics have the numbers that were just freed.
    const fresh = trained(store, 20);
    expect([...store.readSteps(fresh.id)]).toHaveLength(20);
    store.closeNow();
    const again = openStore(folder);
    await again.eraser.rest();
    expect([...again.readSteps(fresh.id)]).toHaveLength(20);
    again.closeNow();
    expect(rows(folder, "series_values")).toBe(40);
  });

  it("does not hide later changes from other processes", async () => {
    const folder = freshFolder();
    const seen: string[] = [];
    const store = openStore(folder);
    const only = trained(store, 10);
    const other = openStore(folder, { pollEvery: 20, onForeignChange: ({ runs }) => seen.push(...runs.map(({ id }) => id)) });
    store.setDeleted([only.id], 1);
    await expect.poll(() => seen).toContain(only.id);
    store.eraser.erase([only.id]);
    await store.eraser.rest();
    const next = trained(store, 5);
    await expect.poll(() => seen).toContain(next.id);
    other.closeNow();
  });
});

describe("vacuum", () => {
  it("gives the space of erased runs back in small parts, while a writer is at work", async () => {
    const folder = freshFolder();
    const file = join(folder, "hypertower.sqlite");
    const store = openStore(folder);
    const gone = trained(store, 60_000);
    store.setDeleted([gone.id], 1);
    store.closeNow();
    const size = statSync(file).size;
    const again = openStore(folder);
    again.eraser.erase([gone.id]);
    await again.eraser.rest();
    const vacuuming = vacuum(file);
    const run = trained(again, 10);
    expect(await vacuuming).toMatch(/were given back to the disk/);
    expect([...again.readSteps(run.id)]).toHaveLength(10);
    again.closeNow();
    expect(statSync(file).size).toBeLessThan(size / 2);
    expect(sql(folder, unusedBytes)).toBe(0);
    expect(await vacuum(file)).toBe("There is no unused space in the store's file.");
  });

  it("rewrites a store of an earlier version once, but not a large one while a run is active", async () => {
    const folder = freshFolder();
    const file = join(folder, "hypertower.sqlite");
    sql(folder, (db) => db.pragma("auto_vacuum = NONE") as unknown);
    closeConnections(openConnections(folder, migrations));
    const store = openStore(folder);
    const gone = trained(store, 60_000);
    store.setDeleted([gone.id], 1);
    store.eraser.erase([gone.id]);
    await store.eraser.rest();
    store.closeNow();
    sql(folder, (db) => {
      db.pragma("auto_vacuum = NONE");
      db.exec("VACUUM");
      expect(db.pragma("auto_vacuum", { simple: true })).toBe(0);
      db.exec("CREATE TABLE filler (x); INSERT INTO filler SELECT zeroblob(1000000) FROM runs UNION ALL SELECT zeroblob(4000000); DROP TABLE filler");
    });
    await vacuum(file);
    expect(sql(folder, (db) => db.pragma("auto_vacuum", { simple: true }))).toBe(2);
    expect(openStore(filledStore().folder).loss).toBeNull();
  });
});
