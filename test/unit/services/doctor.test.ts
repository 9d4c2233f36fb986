import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { HealthFinding } from "../../../src/shared/storage.ts";
import { acknowledgeLoss, adviceOnFailure, backUp, checkStore, listBackups, repairStore, restoreStore } from "../../../src/main/services/doctor/index.ts";
import { UserError } from "../../../src/main/services/services.ts";
import { readMark, writeMark } from "../../../src/main/store/mark.ts";
import { jsonLines, runCommand } from "../../support/commandLine.ts";
import { aRun, filledStore, freshFolder, openStore } from "../../support/storeFixtures.ts";
import { everything } from "../../support/edition.ts";

const found = async (folder: string): Promise<HealthFinding[]> => (await checkStore(folder)).findings.filter(({ title }) => !/accounts of this machine|no backup yet|disk is nearly full/.test(title));
const titles = async (folder: string) => (await found(folder)).map(({ title }) => title);

/** Overwrites everything after the first page. */
function damage(file: string): void {
  const bytes = readFileSync(file);
  bytes.fill(0xa5, 4096);
  writeFileSync(file, bytes);
}

describe("the doctor", () => {
  it("finds nothing wrong with a sound store, and leaves it byte for byte", async () => {
    const { folder, file } = filledStore();
    const before = readFileSync(file);
    expect(await found(folder)).toEqual([]);
    expect(readFileSync(file).equals(before)).toBe(true);
    await expect(checkStore(join(folder, "nowhere"))).rejects.toThrow(UserError);
  });

  it("saves the readable runs of a damaged file, which it keeps", async () => {
    const { folder, file } = filledStore();
    const handle = openSync(file, "r+");
    // Pages of logged values, at the end of the file.
    const pages = statSync(file).size / 4096;
    for (let page = pages - 8; page < pages - 4; page++) writeSync(handle, Buffer.alloc(2048, 0xa5), 0, 2048, page * 4096);
    closeSync(handle);
    const damaged = readFileSync(file);
    expect(await titles(folder)).toContain("The database is damaged");
    const [done] = await repairStore(folder);
    expect(done).toMatch(/^Saved .*The damaged file is in /);
    expect(readFileSync(join(/is in (\S+?)\.( |$)/.exec(done!)![1]!, "hypertower.sqlite")).equals(damaged)).toBe(true);
    const store = openStore(folder);
    expect(store.loss).toBeNull();
    expect(store.listRuns().map(({ name }) => name)).toEqual(["kept"]);
  });

  it("names a file without any readable run and what to do; repairing restores the latest sound backup and keeps the damaged file", async () => {
    const { folder, file } = filledStore();
    const good = await backUp(folder);
    await new Promise((resolve) => setTimeout(resolve, 2));
    const bad = await backUp(folder);
    damage(join(folder, "backups", bad.name));
    damage(file);
    const damaged = readFileSync(file);
    expect(await found(folder)).toMatchObject([{ severity: "problem", title: "The database is damaged", advice: expect.stringMatching(/hypertower doctor --repair.*hypertower doctor --restore/) as string }]);
    const [done] = await repairStore(folder);
    expect(done).toContain(`Restored the backup ${good.name}`);
    const aside = /are in (\S+)\.$/.exec(done!)![1]!;
    expect(readFileSync(join(aside, "hypertower.sqlite")).equals(damaged)).toBe(true);
    expect(openStore(folder).listRuns()).toHaveLength(1);
  });

  it("finds a single changed value by its checksum", async () => {
    const { folder, file } = filledStore();
    const db = new Database(file);
    db.exec("UPDATE series_values SET value = 7 WHERE step = 300");
    db.close();
    expect(await found(folder)).toContainEqual(expect.objectContaining({ severity: "problem", title: "Logged values are damaged" }));
  });

  it("does not touch a damaged file that no backup can replace", async () => {
    const { folder, file } = filledStore();
    damage(file);
    const before = readFileSync(file);
    await expect(repairStore(folder)).rejects.toThrow(/there is no sound backup. The file was not changed/);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("explains a missing database beside its files; repairing restores a backup, or sets the files aside", async () => {
    const { folder, file } = filledStore();
    await backUp(folder);
    rmSync(file);
    expect(await found(folder)).toMatchObject([{ severity: "problem", title: "The database is missing", detail: expect.stringContaining("1 backup and the record of a store of 1 run and 20,000 steps") as string }]);
    expect(await repairStore(folder)).toContainEqual(expect.stringContaining("Restored the backup"));
    expect(openStore(folder).listRuns()).toHaveLength(1);

    const bare = freshFolder();
    mkdirSync(join(bare, "checkpoints"));
    writeFileSync(join(bare, "checkpoints", "a.checkpoint"), "content");
    expect(await repairStore(bare)).toContainEqual(expect.stringContaining("Set what was left of the store aside"));
    expect(openStore(bare).listRuns()).toEqual([]);
  });

  it("reports lost steps until they are acknowledged", async () => {
    const { folder, file } = filledStore();
    const mark = readMark(file)!;
    writeMark(file, { ...mark, steps: mark.steps + 450 });
    openStore(folder).closeNow();
    expect(await found(folder)).toMatchObject([{ severity: "problem", title: "Logged steps are missing", detail: expect.stringContaining("450 logged steps") as string }]);
    expect(await acknowledgeLoss(folder)).toMatch(/acknowledged/);
    expect(await titles(folder)).toEqual([]);
    expect(await acknowledgeLoss(folder)).toBe("No loss is noted.");
  });

  it("finds files of runs that are gone, half-written and damaged ones; repairing sets them aside", async () => {
    const { folder } = filledStore();
    const at = (...names: string[]) => join(folder, ...names);
    mkdirSync(at("checkpoints"));
    mkdirSync(at("weights"));
    writeFileSync(at("checkpoints", "gone.checkpoint"), "not a checkpoint");
    writeFileSync(at("weights", "gone.x.pending"), "half");
    const list = await titles(folder);
    expect(list).toEqual(["1 checkpoint of runs that are not in the store", "A checkpoint cannot be used", "Half-written files are left"]);
    expect(await repairStore(folder)).toContainEqual(expect.stringMatching(/^Set 2 files that no run uses aside/));
    expect(await titles(folder)).toEqual([]);
  });

  it("finds a process that ended without closing, and refuses repairs while one has the store open", async () => {
    const { folder } = filledStore();
    const store = openStore(folder);
    store.createRun(aRun());
    expect(await titles(folder)).toContain("The store is in use");
    await expect(repairStore(folder)).rejects.toThrow(/in use by another Hypertower process/);
    store.closeNow();
  });

  it.skipIf(process.platform === "win32")("makes files private that other accounts may change", async () => {
    const { folder, file } = filledStore();
    chmodSync(folder, 0o777);
    chmodSync(file, 0o666);
    expect((await checkStore(folder)).findings.map(({ severity, title }) => [severity, title])).toContainEqual(["warning", "Other accounts of this machine may change the store"]);
    await repairStore(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("says what helps with a store that cannot be opened", async () => {
    const { folder } = filledStore();
    expect(adviceOnFailure(folder)).toMatchObject({ backup: null, text: '"hypertower doctor" says what is wrong and what can be done.' });
    const { name } = await backUp(folder);
    expect(adviceOnFailure(folder)).toMatchObject({ backup: { name }, text: expect.stringContaining("the latest backup is of") as string });
  });
});

describe("hypertower doctor", () => {
  it.runIf(everything)("checks, backs up, restores and reports as JSON, with exit codes", async () => {
    const { folder, file } = filledStore();
    const made = await runCommand(folder, ["doctor", "backup", "--json"]);
    const { name } = jsonLines(made.stdout)[0] as { name: string };
    expect(jsonLines((await runCommand(folder, ["doctor", "backups", "--json"])).stdout)).toMatchObject([{ name, runs: 1, steps: 20_000 }]);
    renameSync(file, `${file}.away`);
    const check = await runCommand(folder, ["doctor", "--json"]);
    expect(check.code).toBe(1);
    expect(jsonLines(check.stdout)[0]).toMatchObject({ sound: false, findings: [{ title: "The database is missing" }] });
    expect(await runCommand(folder, ["runs"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/is missing, but beside it lies.*hypertower doctor/) as string });
    expect(await runCommand(folder, ["doctor", "--restore", "latest"])).toMatchObject({ code: 0, stdout: expect.stringContaining(`Restored the backup ${name}`) as string });
    expect(existsSync(file)).toBe(true);
    expect(listBackups(folder)).toHaveLength(1);
    await expect(restoreStore(folder, "nothing")).rejects.toThrow(/There is no backup nothing/);
  });
});
