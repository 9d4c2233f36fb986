import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { closeConnections, openConnections, storeFileName } from "../../../src/main/store/database.ts";
import { StoreError } from "../../../src/main/store/errors.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import { Store } from "../../../src/main/store/store.ts";
import { aRun, filledStore, freshFolder, openStore, recordedLog } from "../../support/storeFixtures.ts";

function refusal(folder: string): StoreError {
  try {
    new Store(folder, { log: recordedLog() }).close();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error("the store was opened");
}

describe("opening a store", () => {
  it("creates the folder and the file, durable and readable by plain SQL", () => {
    const folder = join(freshFolder(), "deep", "down");
    const store = openStore(folder);
    expect(store.path).toBe(join(folder, storeFileName));
    const { writer, ...rest } = openConnections(folder);
    expect(writer.pragma("journal_mode", { simple: true })).toBe("wal");
    expect(writer.pragma("synchronous", { simple: true })).toBe(2);
    expect(writer.pragma("user_version", { simple: true })).toBe(migrations.length);
    expect(() => rest.reader.exec("DELETE FROM runs")).toThrow(/readonly/);
    closeConnections({ writer, ...rest });
  });

  it("opens an earlier store, and leaves no log behind when it closes", () => {
    const { folder, file } = filledStore();
    expect(statSync(`${file}-wal`, { throwIfNoEntry: false })).toBeUndefined();
    expect(openStore(folder).listRuns().map((run) => run.name)).toEqual(["kept"]);
  });

  it("refuses a newer store, naming version and path, and leaves it unchanged", () => {
    const { folder, file } = filledStore();
    const db = new Database(file);
    db.pragma("user_version = 99");
    db.pragma("journal_mode = DELETE");
    db.close();
    const before = readFileSync(file);
    expect(refusal(folder).message).toMatch(new RegExp(`^${file} was written by a newer Hypertower: .*version 99.*up to ${migrations.length}`));
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("keeps its version when a migration fails halfway", () => {
    const { folder, file } = filledStore();
    const next = migrations.length + 1;
    const broken = [
      ...migrations,
      { version: next, sql: "CREATE TABLE whole (id TEXT); UPDATE runs SET name = 'changed';" },
      { version: next + 1, sql: "CREATE TABLE half (id TEXT); INSERT INTO nowhere VALUES (1);" },
    ];
    expect(() => openConnections(folder, broken)).toThrow(`${file}: no such table: nowhere`);
    const db = new Database(file, { readonly: true });
    expect(db.pragma("user_version", { simple: true })).toBe(migrations.length);
    expect(db.prepare("SELECT name FROM sqlite_schema WHERE name IN ('whole', 'half')").all()).toEqual([]);
    db.close();
    expect(openStore(folder).listRuns()[0]!.name).toBe("kept");
  });

  it("applies later migrations to an older store once", () => {
    const { folder } = filledStore();
    const longer = [...migrations, { version: migrations.length + 1, sql: "ALTER TABLE runs ADD COLUMN later TEXT" }];
    closeConnections(openConnections(folder, longer));
    const again = openConnections(folder, longer);
    expect(again.reader.prepare("SELECT name, later FROM runs").all()).toEqual([{ name: "kept", later: null }]);
    closeConnections(again);
    expect(refusal(folder).message).toMatch(/newer Hypertower/);
  });

  it("reads runs of a version without leases, and lets them be resumed", () => {
    const folder = freshFolder();
    closeConnections(openConnections(folder, migrations.slice(0, 3)));
    const run = aRun({}, { id: "old", status: "stopped", steps: 2 });
    const old = new Database(join(folder, storeFileName));
    const row = {
      id: run.id, name: run.name, status: run.status, stack: run.stack, seed: run.experiment.seed, engine: run.experiment.engine.kind, created_at: 1, steps: 2, epoch: 0, total_steps: run.totalSteps,
      owner_pid: 1, owner_host: "elsewhere", owner_token: "old", heartbeat_at: 1, hyperparameters: JSON.stringify(run.hyperparameters), experiment: JSON.stringify(run.experiment),
    };
    old.prepare(`INSERT INTO runs (${Object.keys(row).join(", ")}) VALUES (${Object.keys(row).map((name) => `@${name}`).join(", ")})`).run(row);
    old.close();
    const store = openStore(folder);
    expect(store.getRun("old")).toMatchObject({ status: "stopped", steps: 2 });
    expect(store.leaseOf("old")).toBe(0);
    expect(store.requeueRun({ ...store.getRun("old")!, status: "queued" })).toBe(true);
    expect(store.leaseOf("old")).toBe(1);
  });

  it("refuses a file that is not a database and leaves it unchanged", () => {
    const folder = freshFolder();
    const file = join(folder, storeFileName);
    writeFileSync(file, "my notes ".repeat(1000));
    expect(refusal(folder).message).toMatch(new RegExp(`^${file} is not a SQLite database`));
    expect(readFileSync(file, "utf8")).toBe("my notes ".repeat(1000));
  });

  it("refuses the database of another program and leaves it unchanged", () => {
    const folder = freshFolder();
    const file = join(folder, storeFileName);
    const db = new Database(file);
    db.exec("CREATE TABLE photos (id INTEGER)");
    db.close();
    const before = readFileSync(file);
    expect(refusal(folder).message).toBe(
      `${file} is a SQLite database, but not a Hypertower store. Nothing was changed; choose another folder.`,
    );
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("rolls back the creation of a store that a power cut ended", () => {
    const [folder, cut] = [freshFolder(), freshFolder()];
    const db = new Database(join(folder, storeFileName));
    db.pragma("auto_vacuum = INCREMENTAL");
    db.pragma("journal_mode = DELETE");
    // So small a cache writes pages before the commit.
    db.pragma("cache_size = 2");
    db.exec("BEGIN; CREATE TABLE halfway (value); INSERT INTO halfway SELECT zeroblob(2000) FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8))");
    for (const name of [storeFileName, `${storeFileName}-journal`]) copyFileSync(join(folder, name), join(cut, name));
    db.close();
    expect(() => new Database(join(cut, storeFileName), { readonly: true }).pragma("user_version")).toThrow("readonly");
    const store = openStore(cut);
    expect(store.listRuns()).toEqual([]);
  });

  it("treats an empty file as a new store", () => {
    const folder = freshFolder();
    writeFileSync(join(folder, storeFileName), "");
    expect(openStore(folder).listRuns()).toEqual([]);
  });

  it("names the path when the folder is a file or lies in one, or the file is a folder", () => {
    const folder = freshFolder();
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(refusal(file).message).toMatch(new RegExp(`^The folder ${file} cannot hold the store: .* is a file`));
    expect(refusal(join(file, "inside")).message).toMatch(/is a file/);
    mkdirSync(join(folder, storeFileName));
    expect(refusal(folder).message).toMatch(new RegExp(`^${join(folder, storeFileName)} is not a file`));
  });

  it.skipIf(process.platform !== "linux")("names the folder when it cannot be created", () => {
    // Nobody may create folders here, not even the superuser.
    expect(refusal("/proc/hypertower").message).toMatch(/^The folder \/proc\/hypertower cannot hold the store: /);
  });

  it("logs slow reads and commits", () => {
    const log = recordedLog();
    const store = openStore(freshFolder(), { log, slowAfter: 0 });
    store.createRun(aRun());
    store.listRuns();
    expect(log.warnings).toEqual(
      expect.arrayContaining([expect.stringMatching(/^store: create a run took \d+ ms$/), expect.stringMatching(/reading list of runs took/)]),
    );
  });
});
