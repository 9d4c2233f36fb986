import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { backupSettings, backupsToRemove, type BackupInfo } from "../../../src/shared/backups.ts";
import { BackupFolder } from "../../../src/main/store/backup/folder.ts";
import { backupLockOf, makeBackup } from "../../../src/main/store/backup/make.ts";
import { applyRequestedRestore, requestRestore, restoreBackup } from "../../../src/main/store/backup/restore.ts";
import { closeConnections, openConnections } from "../../../src/main/store/database.ts";
import { HostLock } from "../../../src/main/store/hostLock.ts";
import { quickCheck } from "../../../src/main/store/integrity.ts";
import { readMark } from "../../../src/main/store/mark.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import { aRun, anEnvironment, filledStore, openStore, rowsOf } from "../../support/storeFixtures.ts";

const day = 24 * 3_600_000;

function damage(file: string): void {
  const bytes = readFileSync(file);
  bytes.fill(0x55, 4096, 4096 * 3);
  chmodSync(file, 0o600);
  writeFileSync(file, bytes);
}

describe("a backup", () => {
  it("is whole, private and one file, although the store is written meanwhile by two processes' connections", async () => {
    const { folder, file } = filledStore();
    const [one, two] = [openStore(folder), openStore(folder)];
    const making = makeBackup(file, "manual");
    one.createRun(aRun());
    two.createRun(aRun());
    const name = await making;
    const backups = new BackupFolder(file);
    expect(backups.list()).toMatchObject([{ name, reason: "manual", runs: 1, steps: 20_000 }]);
    const copy = new Database(backups.fileOf(name), { readonly: true });
    expect(quickCheck(copy)).toBeNull();
    expect(copy.prepare("SELECT count(*) FROM runs").pluck().get()).toBe(1);
    copy.close();
    expect(readdirSync(backups.path).filter((entry) => entry.startsWith(name)).length).toBe(1);
    if (process.platform !== "win32") expect(statSync(backups.fileOf(name)).mode & 0o777).toBe(0o600);
    one.closeNow();
    two.closeNow();
  });

  it("is not made twice at the same time, and leaves nothing half-made", async () => {
    const { file } = filledStore();
    const lock = new HostLock(backupLockOf(file));
    await expect(makeBackup(file, "daily")).rejects.toThrow(/Another process/);
    lock.release();
    const backups = new BackupFolder(file);
    backups.prepare();
    writeFileSync(join(backups.path, "20260101T000000000Z-daily.sqlite.pending"), "half");
    await makeBackup(file, "daily");
    expect(readdirSync(backups.path).filter((name) => name.includes("pending"))).toEqual([]);
    expect(backups.list()).toHaveLength(1);
  });

  it("of a damaged store is not kept", async () => {
    const { file } = filledStore();
    damage(file);
    await expect(makeBackup(file, "daily")).rejects.toThrow();
    expect(new BackupFolder(file).list()).toEqual([]);
  });

  it("is skipped with a word when it would exceed the share of the disk", async () => {
    const { file } = filledStore();
    const backups = new BackupFolder(file);
    backups.saveSettings({ ...backupSettings.parse({}), share: 1 });
    // A sparse file: larger than a percent of any disk.
    const log = `${file}-wal`;
    writeFileSync(log, "");
    const { truncateSync } = await import("node:fs");
    truncateSync(log, 2 ** 42);
    await expect(makeBackup(file, "daily")).rejects.toThrow(/^No backup was made: it needs 4.4 TB/);
    truncateSync(log, 0);
  });

  it("precedes a migration; one that fails leaves the store as it was and the backup there", () => {
    const { folder, file } = filledStore();
    const next = migrations.length + 1;
    const broken = [...migrations, { version: next, sql: "CREATE TABLE half (id TEXT); INSERT INTO nowhere VALUES (1);" }];
    expect(() => openConnections(folder, broken)).toThrow("no such table: nowhere");
    const [backup] = new BackupFolder(file).list();
    expect(backup).toMatchObject({ reason: "migration", runs: 1, steps: 20_000 });
    expect(openStore(folder).listRuns()).toHaveLength(1);
  });

  it("before a migration is not made when backups are off", () => {
    const { folder, file } = filledStore();
    new BackupFolder(file).saveSettings(backupSettings.parse({ enabled: false }));
    closeConnections(openConnections(folder, [...migrations, { version: migrations.length + 1, sql: "CREATE TABLE more (id TEXT)" }]));
    expect(new BackupFolder(file).list()).toEqual([]);
  });
});

describe("restoring a backup", () => {
  it("brings back its runs and checkpoints, sets the replaced files aside, and writes a new mark", async () => {
    const { folder, file } = filledStore();
    const checkpoints = join(folder, "checkpoints");
    mkdirSync(checkpoints);
    writeFileSync(join(checkpoints, "a.checkpoint"), "early");
    const name = await makeBackup(file, "manual");
    const store = openStore(folder);
    const run = aRun();
    store.createRun(run);
    store.beginSeries(run.id, ["loss"], anEnvironment);
    store.appendRows(run.id, rowsOf([[1, 2, 3]]));
    store.closeNow();
    const newer = join(checkpoints, "a.checkpoint.new");
    writeFileSync(newer, "late");
    const { renameSync } = await import("node:fs");
    renameSync(newer, join(checkpoints, "a.checkpoint"));

    const { setAside } = restoreBackup(file, "latest");
    expect(readFileSync(join(checkpoints, "a.checkpoint"), "utf8")).toBe("early");
    expect(readFileSync(join(setAside, "checkpoints", "a.checkpoint"), "utf8")).toBe("late");
    expect(existsSync(join(setAside, "hypertower.sqlite"))).toBe(true);
    expect(readMark(file)).toMatchObject({ runs: 1, steps: 20_000, missing: null });
    const again = openStore(folder);
    expect(again.loss).toBeNull();
    expect(again.listRuns()).toHaveLength(1);
    again.closeNow();
    expect(new BackupFolder(file).list().map((backup) => backup.name)).toContain(name);
  });

  it("is refused while a process has the store open, for a damaged backup, and for one that is not there; nothing changes", async () => {
    const { folder, file } = filledStore();
    const name = await makeBackup(file, "manual");
    const store = openStore(folder);
    store.createRun(aRun());
    expect(() => restoreBackup(file, name)).toThrow(/in use by another Hypertower process/);
    store.closeNow();
    expect(() => restoreBackup(file, "20200101T000000000Z-daily.sqlite")).toThrow(/There is no backup .* "hypertower doctor backups" lists them/);
    const before = readFileSync(file);
    damage(new BackupFolder(file).fileOf(name));
    expect(() => restoreBackup(file, name)).toThrow(/is damaged .* the store was not changed/);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("replaces a damaged store, also on request at the next opening", async () => {
    const { folder, file } = filledStore();
    const name = await makeBackup(file, "manual");
    damage(file);
    requestRestore(file, name);
    expect(applyRequestedRestore(file)).toMatchObject({ backup: { name } });
    expect(applyRequestedRestore(file)).toBeNull();
    expect(openStore(folder).listRuns()).toHaveLength(1);
  });
});

describe("the policy of backups", () => {
  const now = Date.UTC(2026, 5, 30, 12);
  const backup = (daysAgo: number, more: Partial<BackupInfo> = {}) => ({ name: `b${daysAgo}`, at: now - daysAgo * day, reason: "daily" as const, bytes: 10, ...more });
  const settings = backupSettings.parse({});

  it("keeps the last three, then one a day for a week and one a week for a month", () => {
    const all = Array.from({ length: 60 }, (_, i) => backup(i));
    const kept = all.filter(({ name }) => !backupsToRemove(all, settings, now, Infinity).includes(name)).map(({ name }) => name);
    expect(kept.slice(0, 7)).toEqual(["b0", "b1", "b2", "b3", "b4", "b5", "b6"]);
    expect(kept.length).toBeGreaterThanOrEqual(9);
    expect(kept.length).toBeLessThanOrEqual(11);
    const busy = Array.from({ length: 12 }, (_, i) => backup(i / 24, { name: `h${i}` }));
    expect(backupsToRemove(busy, settings, now, Infinity)).not.toContain("h2");
    expect(backupsToRemove(busy, settings, now, Infinity)).toContain("h4");
  });

  it("never removes the latest, nor backups made by hand", () => {
    const all = [backup(100), backup(200, { reason: "manual" }), backup(0.1)];
    expect(backupsToRemove(all, { ...settings, last: 1 }, now, 5)).toEqual(["b100"]);
  });

  it("removes the oldest first where the share of the disk is exceeded", () => {
    const all = [backup(0), backup(1), backup(2)];
    expect(backupsToRemove(all, settings, now, 20)).toEqual(["b2"]);
  });
});
