import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { Archive } from "../../../src/main/archives/read.ts";
import { importArchive } from "../../../src/main/archives/importArchive.ts";
import { mergeInto } from "../../../src/main/archives/merge.ts";
import { salvageStore } from "../../../src/main/hosting/salvage.ts";
import { Archives } from "../../../src/main/services/archives.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import { closeConnections, openConnections } from "../../../src/main/store/database.ts";
import { readMark } from "../../../src/main/store/mark.ts";
import { checkStoreRows } from "../../../src/main/store/verify/storeCheck.ts";
import { writeWhole } from "../../../src/main/headless/writeWhole.ts";
import { aRun, anEnvironment, freshFolder, openStore, rowsOf } from "../../support/storeFixtures.ts";
import { everything } from "../../support/edition.ts";

type OpenStore = ReturnType<typeof openStore>;

/** A run with NaN and infinite values in two metrics; the sums of the others are exact. */
function trained(store: OpenStore, steps: number, status: "finished" | "running" = "finished") {
  const run = aRun({ name: "long" });
  store.createRun(run);
  store.beginSeries(run.id, ["loss", "stepTime"], anEnvironment);
  const loss = Array.from({ length: steps }, (_, i) => (i === 700 ? NaN : i === 1_500 ? Infinity : Math.round(1_024 * Math.sin(i / 50)) / 1_024));
  store.appendRows(run.id, rowsOf([loss, loss.map((_, i) => 1 + (i % 7))]));
  store.addEvaluation(run.id, { step: steps, epoch: 1, trainLoss: 0.5, testLoss: 0.4, testError: 10 });
  store.saveRun({ ...run, status, steps });
  store.flush();
  return store.getRun(run.id)!;
}

function sql<T>(folder: string, work: (db: Database.Database) => T): T {
  const db = new Database(join(folder, "hypertower.sqlite"));
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const findings = async (folder: string) => (await checkStoreRows(join(folder, "hypertower.sqlite"))).findings;
const series = (store: OpenStore, run: string, maxBuckets: number) => store.readSeries({ run, metrics: ["loss", "stepTime"], after: -1, width: 1, maxBuckets });

async function thinned(folder: string, steps = 5_000) {
  const store = openStore(folder);
  const run = trained(store, steps);
  const whole = series(store, run.id, 20);
  await store.thinner.thin(run.id, 256);
  await store.thinner.rest();
  return { store, run, whole };
}

describe("thinning", () => {
  it("erases the values, and keeps what charts show of the whole run, the first and last values and the evaluations", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = trained(store, 5_000);
    const other = trained(store, 600);
    const whole = series(store, run.id, 20);
    expect(await store.thinner.thin(run.id, 256, 1_234)).toBe(2 * (4_864 - 1));
    await store.thinner.rest();
    expect(series(store, run.id, 20)).toEqual(whole);
    const zoomed = series(store, run.id, 4_096);
    expect(zoomed.width).toBe(256);
    expect(zoomed.series[0]!.buckets).toHaveLength(20);
    const detail = store.getRun(run.id)!;
    expect(detail).toMatchObject({ thinned: { at: 1_234, width: 256 }, steps: 5_000, evaluations: run.evaluations });
    expect(detail.events.at(-1)).toMatchObject({ kind: "thinned" });
    expect([...store.readSteps(run.id)].map(({ step }) => step)).toEqual([0, ...Array.from({ length: 136 }, (_, i) => 4_864 + i)]);
    expect(store.getRun(other.id)).not.toHaveProperty("thinned");
    store.closeNow();
    expect(await findings(folder)).toEqual([]);
    expect(sql(folder, (db) => db.prepare("SELECT count(*) FROM series_values").pluck().get())).toBe(2 * 137 + 1_200);
    // Erased steps still count: nothing is reported as lost.
    expect(readMark(join(folder, "hypertower.sqlite"))).toMatchObject({ runs: 2, steps: 5_600 });
    expect(openStore(folder).loss).toBeNull();
  });

  it.each([257, 512, 513, 768])("keeps first and last values of a run of %i steps", async (steps) => {
    const folder = freshFolder();
    const { store, run, whole } = await thinned(folder, steps);
    expect(series(store, run.id, 3).series.map(({ buckets }) => buckets.reduce((sum, { count }) => sum + count, 0))).toEqual([steps, steps]);
    expect(whole.lastStep).toBe(steps - 1);
    const kept = [...store.readSteps(run.id)].map(({ step }) => step);
    expect([kept[0], kept.at(-1)]).toEqual([0, steps - 1]);
    store.closeNow();
    expect(await findings(folder)).toEqual([]);
  });

  it("goes on after a crash in the middle, and is sound at every moment", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = trained(store, 30_000);
    const whole = series(store, run.id, 20);
    await store.thinner.thin(run.id, 256);
    expect(series(store, run.id, 20)).toEqual(whole);
    // Ends after a part, as a process that is killed.
    const resting = store.thinner.rest();
    store.thinner.close();
    await resting;
    store.closeNow();
    const left = () => sql(folder, (db) => db.prepare("SELECT count(*) FROM series_values").pluck().get() as number);
    expect(left()).toBeGreaterThan(50_000);
    expect(left()).toBeLessThan(60_000);
    expect(await findings(folder)).toEqual([]);
    const again = openStore(folder);
    expect(series(again, run.id, 20)).toEqual(whole);
    await again.thinner.rest();
    again.closeNow();
    expect(left()).toBe(2 * (30_000 - 29_952 + 1));
    expect(sql(folder, (db) => db.prepare("SELECT count(*) FROM thinning").pluck().get())).toBe(0);
    expect(await findings(folder)).toEqual([]);
  });

  it("leaves a run whole when it ends before the run is marked", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = trained(store, 5_000);
    const thinning = store.thinner.thin(run.id, 256);
    store.saveRun({ ...run, status: "running" });
    store.flush();
    await expect(thinning).rejects.toThrow(/is running. Stop it first. Nothing was erased/);
    store.saveRun(run);
    store.closeNow();
    expect(await findings(folder)).toEqual([]);
    expect([...openStore(folder).readSteps(run.id)]).toHaveLength(5_000);
  });

  it("refuses what may still be trained, is short, binned or thinned already", async () => {
    const store = openStore();
    const [active, short, binned, done] = [trained(store, 600, "running"), trained(store, 256), trained(store, 600), trained(store, 600)];
    store.setDeleted([binned.id], 1);
    await store.thinner.thin(done.id, 256);
    expect(store.thinner.problem(active.id, 256)).toMatch(/is running/);
    expect(store.thinner.problem(short.id, 256)).toMatch(/has 256 steps; .* frees nothing below 257/);
    expect(store.thinner.problem(binned.id, 256)).toMatch(/is in the bin/);
    expect(store.thinner.problem(done.id, 256)).toMatch(/thinned already/);
    expect(store.thinner.problem("missing", 256)).toMatch(/There is no run missing/);
    await expect(store.thinner.thin(short.id, 256)).rejects.toThrow(/Nothing was erased/);
    expect(store.requeueRun({ ...store.getRun(done.id)!, status: "queued" })).toBe(false);
  });

  it.each([
    ["a kept extreme", "UPDATE buckets SET max = max + 1e-9 WHERE width = 256 AND start = 2048 AND metric = 1", /summaries of 256 steps from step 0 to 4863.*do not match their checksum/],
    ["a wider bucket", "UPDATE buckets SET sum = sum + 1 WHERE width = 2048 AND start = 0 AND metric = 2", /summaries of 2048 steps.*do not match/],
    ["a lost bucket", "DELETE FROM buckets WHERE width = 256 AND start = 512 AND metric = 1", /some are missing/],
    ["the first value", "UPDATE series_values SET value = 7 WHERE metric = 1 AND step = 0", /loss, step 0.*does not match its checksum/],
    ["a value at the end", "UPDATE series_values SET value = 7 WHERE metric = 1 AND step = 4900", /steps 4864 to 4999.*do not match their checksum/],
    ["a value that was erased", "INSERT INTO series_values VALUES (1, 5, 5)", /1 values are stored, but were erased/],
    ["the width", "UPDATE runs SET thinned_width = 2048; UPDATE run_checksums SET crc = 1", /description of the run.*does not match its checksum/],
  ])("finds damage of %s", async (_what, damage, expected) => {
    const folder = freshFolder();
    const { store } = await thinned(folder);
    store.closeNow();
    sql(folder, (db) => db.exec(damage));
    const found = await findings(folder);
    expect(found.map(({ where, problem }) => `${where}: ${problem}`).join("\n")).toMatch(expected);
  });

  it("finds a flipped byte in a kept bucket", async () => {
    const folder = freshFolder();
    const { store, run } = await thinned(folder);
    store.closeNow();
    const path = join(folder, "hypertower.sqlite");
    const value = sql(folder, (db) => {
      db.pragma("wal_checkpoint(TRUNCATE)");
      return db.prepare("SELECT sum FROM buckets WHERE metric = 1 AND width = 256 AND start = 1024").pluck().get() as number;
    });
    const bytes = readFileSync(path);
    const wanted = Buffer.alloc(8);
    wanted.writeDoubleBE(value);
    const at = bytes.indexOf(wanted);
    expect(at).toBeGreaterThan(0);
    bytes[at + 6]! ^= 1;
    writeFileSync(path, bytes);
    expect(await findings(folder)).toMatchObject([{ run: run.id, severity: "damage", problem: "they do not match their checksum" }]);
    // The rest of the run is saved.
    const into = join(folder, "saved");
    const saved = await salvageStore(folder, into);
    expect(saved.runs).toMatchObject([{ id: run.id, outcome: "part" }]);
    expect(saved.runs[0]!.losses.join()).toMatch(/loss: summaries of steps 0–4863 are lost/);
    const rescued = openStore(into);
    expect(rescued.getRun(run.id)).toMatchObject({ thinned: { width: 256 } });
    expect(series(rescued, run.id, 20).series[1]!.buckets).toEqual(series(openStore(folder), run.id, 20).series[1]!.buckets);
    rescued.closeNow();
    expect(await findings(into)).toEqual([]);
  });

  it.runIf(everything)("is carried by archives and merges, and not imported again", async () => {
    const folder = freshFolder();
    const { store, run, whole } = await thinned(folder);
    const file = join(freshFolder(), "run.hypertower");
    const archives = new Archives({ store, folder, version: "1" });
    const request = { runs: [run.id], studies: [] };
    await writeWhole(file, archives.file(request), false);
    const archive = await Archive.open(file);
    expect(archive.manifest.version).toBe(2);
    archive.close();
    const target = freshFolder();
    expect((await importArchive({ path: file, folder: target })).runs).toMatchObject([{ id: run.id, as: run.id }]);
    expect((await importArchive({ path: file, folder: target })).runs).toMatchObject([{ as: null }]);
    const there = openStore(target);
    expect(there.getRun(run.id)).toMatchObject({ thinned: store.getRun(run.id)!.thinned });
    expect(series(there, run.id, 20)).toEqual(whole);
    expect([...there.readSteps(run.id)]).toEqual([...store.readSteps(run.id)]);
    there.closeNow();
    expect(await findings(target)).toEqual([]);
    const merged = freshFolder();
    expect((await mergeInto(folder, merged)).runs).toMatchObject([{ as: run.id }]);
    expect(await findings(merged)).toEqual([]);
    await expect(importArchive({ path: file, folder: merged })).resolves.toMatchObject({ runs: [{ as: null }] });
  });

  it("does not bring a thinned run's values back by importing the whole run", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = trained(store, 2_000);
    const file = join(freshFolder(), "run.hypertower");
    await writeWhole(file, new Archives({ store, folder, version: "1" }).file({ runs: [run.id], studies: [] }), false);
    await store.thinner.thin(run.id, 256);
    await store.thinner.rest();
    expect((await importArchive({ path: file, folder })).runs).toMatchObject([{ as: null }]);
  });

  it("opens and checks a store from before thinning", async () => {
    const folder = freshFolder();
    const earlier = migrations.filter(({ version }) => version < 12);
    closeConnections(openConnections(folder, earlier));
    expect(await findings(folder)).toEqual([]);
    const { store } = await thinned(folder);
    store.closeNow();
    expect(await findings(folder)).toEqual([]);
  });
});
