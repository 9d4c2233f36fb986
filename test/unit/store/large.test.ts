/** Stores that are larger than what fits into memory, or into the disk a second time. */
import { spawn } from "node:child_process";
import { closeSync, ftruncateSync, openSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { BackupFolder } from "../../../src/main/store/backup/folder.ts";
import { BackupSkipped, makeBackup } from "../../../src/main/store/backup/make.ts";
import { checkEvery, isCheckDue, readIntegrity, writeIntegrity } from "../../../src/main/store/integrity.ts";
import { IntegrityMonitor } from "../../../src/main/store/integrityMonitor.ts";
import { checkStore } from "../../../src/main/store/checkStore.ts";
import { closeConnections, openConnections } from "../../../src/main/store/database.ts";
import { MarkKeeper } from "../../../src/main/store/mark.ts";
import { isLogTooLong, mostLog } from "../../../src/main/store/logLimit.ts";
import { unusedBytes, vacuum } from "../../../src/main/store/vacuum.ts";
import { enlargeWithHoles } from "../../bench/scaleHoles.ts";
import { aRun, anEnvironment, filledStore, freshFolder, openStore, recordedLog, rowsOf } from "../../support/storeFixtures.ts";

const hour = 3_600_000;

function sql<T>(file: string, work: (db: Database.Database) => T): T {
  const db = new Database(file);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** A store with 1.2 GB of unused pages, which are holes in its file. */
function enlarged(): { folder: string; file: string } {
  const store = filledStore();
  enlargeWithHoles(store.file, 1.2e9);
  return store;
}

describe("a store with much unused space", () => {
  it("is sound and can be written", () => {
    const { folder, file } = enlarged();
    expect(statSync(file).size).toBeGreaterThanOrEqual(1.2e9);
    expect(sql(file, (db) => db.pragma("integrity_check", { simple: true }))).toBe("ok");
    const store = openStore(folder);
    const run = aRun();
    store.createRun(run);
    store.beginSeries(run.id, ["loss"], anEnvironment);
    store.appendRows(run.id, rowsOf([Array.from({ length: 20_000 }, (_, i) => i)]));
    store.closeNow();
    expect(sql(file, (db) => db.pragma("integrity_check", { simple: true }))).toBe("ok");
  });

  it("gives it back for a limited time, says what is left, and goes on the next time", async () => {
    const { file } = enlarged();
    const before = sql(file, unusedBytes);
    const said = await vacuum(file, { workFor: 0 });
    expect(said).toMatch(/^\d.* were given back to the disk\. 1\.\d+ GB are left, which new runs fill\. The next time continues\.$/);
    const left = sql(file, unusedBytes);
    expect(left).toBeLessThan(before);
    await vacuum(file, { workFor: 1 });
    expect(sql(file, unusedBytes)).toBeLessThan(left);
    expect(sql(file, (db) => db.pragma("quick_check", { simple: true }))).toBe("ok");
  });

  it("is rewritten where SQLite moves pages slowly, unless a run is active and its content is large", async () => {
    const { folder, file } = enlarged();
    // Three pages in a row that took too long.
    const slow = { lockedFor: 0, slowestPage: -1, brief: 100_000 };
    const store = openStore(folder);
    const run = aRun();
    store.createRun(run);
    store.beginSeries(run.id, ["loss"], anEnvironment);
    expect(await vacuum(file, slow)).toMatch(/were given back to the disk\. 1\.\d+ GB are left, which new runs fill\. The file must be rewritten once, and no run can log meanwhile\. This is done when no run is active\.$/);
    store.saveRun({ ...run, status: "finished" });
    store.closeNow();
    expect(await vacuum(file, slow)).toMatch(/^1\.\d+ GB were given back to the disk\.$/);
    expect(statSync(file).size).toBeLessThan(5e6);
    const { tables, mode } = sql(file, (db) => ({ tables: db.pragma("quick_check", { simple: true }), mode: db.pragma("auto_vacuum", { simple: true }) }));
    expect({ tables, mode }).toEqual({ tables: "ok", mode: 2 });
  });
});

describe("the check of a large store", () => {
  const record = { checkedAt: 1_000 * hour, uncleanEnd: false, problem: null };

  it("is repeated the more seldom the longer it takes", () => {
    const slow = { ...record, took: hour };
    expect(isCheckDue(slow, record.checkedAt + checkEvery)).toBe(false);
    expect(isCheckDue(slow, record.checkedAt + 50 * hour)).toBe(true);
    expect(isCheckDue({ ...slow, uncleanEnd: true }, record.checkedAt + 9 * hour)).toBe(false);
    expect(isCheckDue({ ...slow, uncleanEnd: true }, record.checkedAt + 10 * hour)).toBe(true);
    expect(isCheckDue({ ...record, took: 1_000 }, record.checkedAt + checkEvery)).toBe(true);
  });

  it("that was broken off is told, and tried again after an hour", async () => {
    const { file } = filledStore();
    writeIntegrity(file, { checkedAt: 0, uncleanEnd: true, problem: null });
    const log = recordedLog();
    let launched = 0;
    const launch = (path: string) => {
      launched++;
      writeIntegrity(path, { ...readIntegrity(path)!, begunAt: Date.now() });
      return Promise.resolve();
    };
    const monitor = new IntegrityMonitor({ path: file, log, launch, onDamage: () => undefined });
    await expect.poll(() => log.warnings).toEqual([expect.stringMatching(/check of .* was broken off: runs logged so much meanwhile/)]);
    await monitor.poll();
    expect(launched).toBe(1);
    monitor.close();
    expect(isCheckDue(readIntegrity(file), Date.now() + hour)).toBe(true);
    checkStore(file);
    expect(readIntegrity(file)).toMatchObject({ uncleanEnd: false, problem: null, took: expect.any(Number) as number });
    expect(readIntegrity(file)!.begunAt).toBeUndefined();
  });

  it("ends by itself when the log grows too long", async () => {
    const { file } = filledStore();
    const limits = pathToFileURL(join(import.meta.dirname, "../../../src/main/store/logLimit.ts")).href;
    // As quick_check does, the loop never returns to the event loop.
    const script = `const { endWhenLogGrows } = await import(${JSON.stringify(limits)}); endWhenLogGrows(${JSON.stringify(file)}, 1_000, 5);
      await new Promise((resolve) => setTimeout(resolve, 200)); process.stdout.write("begun"); for (;;);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = new Promise((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    expect(child.exitCode).toBeNull();
    writeFileSync(`${file}-wal`, Buffer.alloc(2_000));
    expect(await ended).toBe("SIGKILL");
  });

  it("lets the log grow by a gigabyte or a tenth of the store", () => {
    const file = join(freshFolder(), "store");
    const handle = openSync(file, "w");
    expect(mostLog(file)).toBeLessThanOrEqual(1e9);
    ftruncateSync(handle, 30e9);
    closeSync(handle);
    expect(mostLog(file)).toBeLessThanOrEqual(3e9);
    expect(isLogTooLong(file, 0)).toBe(false);
    writeFileSync(`${file}-wal`, "log");
    expect(isLogTooLong(file, 2)).toBe(true);
    expect(isLogTooLong(file, 3)).toBe(false);
  });
});

describe("a backup of a large store", () => {
  it("is refused in words where the disk cannot hold it, before anything is written", async () => {
    const { file } = filledStore();
    const handle = openSync(file, "r+");
    ftruncateSync(handle, 2 ** 43);
    closeSync(handle);
    await expect(makeBackup(file, "daily")).rejects.toThrow(/^No backup was made: it needs 8\.\d+ TB, and only .* are free on the disk/);
    expect(new BackupFolder(file).list()).toEqual([]);
  });

  it("is given up when runs log too much meanwhile", async () => {
    const { folder, file } = filledStore();
    const store = openStore(folder);
    store.createRun(aRun());
    await expect(makeBackup(file, "daily", Date.now(), 1)).rejects.toThrow(/while it was copied, runs logged more than .* Make one when fewer runs are active\.$/);
    await expect(makeBackup(file, "daily", Date.now(), 1)).rejects.toBeInstanceOf(BackupSkipped);
    const backups = new BackupFolder(file);
    expect(readdirSync(backups.path).filter((name) => name.includes("sqlite"))).toEqual([]);
    await makeBackup(file, "daily");
    expect(backups.list()).toHaveLength(1);
    store.closeNow();
  });
});

describe("erasing a long run", () => {
  it("removes its summaries in parts", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = aRun();
    store.createRun(run);
    store.beginSeries(run.id, ["loss"], anEnvironment);
    for (let step = 0; step < 140_000; step += 20_000) store.appendRows(run.id, rowsOf([Array.from({ length: 20_000 }, (_, i) => step + i)], step));
    store.saveRun({ ...run, status: "finished" });
    store.flush();
    store.setDeleted([run.id], 1);
    store.eraser.erase([run.id]);
    expect(await store.eraser.rest()).toBe(true);
    store.closeNow();
    for (const table of ["series_values", "buckets", "series_checksums", "erasing"]) {
      expect(sql(join(folder, "hypertower.sqlite"), (db) => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get())).toBe(0);
    }
  });
});

describe("the mark of a store that is closed while it is written", () => {
  it("leaves no unfinished file", async () => {
    const { folder, file } = filledStore();
    const { reader, writer } = openConnections(folder);
    const mark = new MarkKeeper(file, reader, recordedLog());
    writer.prepare("UPDATE identity SET erased_runs = 1").run();
    const updated = mark.update();
    writeFileSync(join(folder, `mark.json.${process.pid}.next`), "unfinished");
    mark.close();
    // The file may also be created after the store was closed.
    await updated;
    expect(readdirSync(folder).filter((name) => name.startsWith("mark.json"))).toEqual(["mark.json"]);
    closeConnections({ path: file, reader, writer });
  });
});
