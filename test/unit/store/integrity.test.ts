import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createServices } from "../../../src/main/services/createServices.ts";
import { checkStore } from "../../../src/main/store/checkStore.ts";
import { HostLock } from "../../../src/main/store/hostLock.ts";
import { checkEvery, checkLockOf, isCheckDue, readIntegrity, writeIntegrity } from "../../../src/main/store/integrity.ts";
import { IntegrityMonitor } from "../../../src/main/store/integrityMonitor.ts";
import { Store } from "../../../src/main/store/store.ts";
import { runCommand } from "../../support/commandLine.ts";
import { filledStore, openStore, recordedLog } from "../../support/storeFixtures.ts";

const sources = join(import.meta.dirname, "../../../src/main");

/** Overwrites pages at the end of the file, which hold values of the series: opening reads none of them. */
function damage(file: string): void {
  const handle = openSync(file, "r+");
  const pages = statSync(file).size / 4096;
  for (let page = pages - 12; page < pages - 2; page++) writeSync(handle, Buffer.alloc(2048, 0xa5), 0, 2048, page * 4096);
  closeSync(handle);
}

function monitored(path: string, launch: (file: string) => Promise<void>) {
  const log = recordedLog();
  const told: string[] = [];
  const monitor = new IntegrityMonitor({ path, log, launch, onDamage: (message) => told.push(message) });
  onTestFinished(() => monitor.close());
  return { monitor, log, told };
}

const checked = (file: string) => Promise.resolve(void checkStore(file));

describe("checks of a store's file", () => {
  it("are due after a day and after an unclean end, not for a new store", () => {
    const { file } = filledStore();
    const record = readIntegrity(file)!;
    expect(record).toMatchObject({ uncleanEnd: false, problem: null });
    expect(isCheckDue(record, record.checkedAt + checkEvery - 1)).toBe(false);
    expect(isCheckDue(record, record.checkedAt + checkEvery)).toBe(true);
    expect(isCheckDue(record, record.checkedAt - checkEvery)).toBe(true);
    expect(isCheckDue({ ...record, uncleanEnd: true }, record.checkedAt)).toBe(true);
    expect(isCheckDue(undefined, record.checkedAt)).toBe(true);
  });

  it("report a damaged page; the store is refused from then on and stays unchanged", async () => {
    const { folder, file } = filledStore();
    damage(file);
    writeIntegrity(file, { checkedAt: 0, uncleanEnd: false, problem: null });
    // No command waits for a check: what is not known to be damaged is opened.
    openStore(folder).closeNow();
    const { monitor, log, told } = monitored(file, checked);
    await vi.waitFor(() => expect(monitor.damage).not.toBeNull());
    expect(told).toEqual([monitor.damage]);
    expect(log.warnings).toEqual(told);
    expect(told[0]).toMatch(/^.*hypertower\.sqlite is damaged \(quick_check: .*\)\. "hypertower doctor --repair" keeps the damaged file/);
    const before = readFileSync(file);
    expect(() => new Store(folder, { log: recordedLog() })).toThrow(/is damaged .* Nothing was changed\.$/);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("let a store be opened again after a backup is restored", () => {
    const { folder, file } = filledStore();
    const backup = readFileSync(file);
    damage(file);
    checkStore(file);
    expect(() => new Store(folder, { log: recordedLog() })).toThrow(/is damaged/);
    writeFileSync(file, backup);
    expect(openStore(folder).listRuns().map(({ name }) => name)).toEqual(["kept"]);
    expect(readIntegrity(file)).toMatchObject({ problem: null });
  });

  it("run once a day however often a store is opened, one at a time", async () => {
    const { file } = filledStore();
    writeIntegrity(file, { checkedAt: 0, uncleanEnd: false, problem: null });
    const launch = vi.fn(checked);
    const running = new HostLock(checkLockOf(file));
    await monitored(file, launch).monitor.poll();
    expect(checkStore(file)).toBe(false);
    expect(launch).not.toHaveBeenCalled();
    running.release();
    for (let times = 0; times < 3; times++) await monitored(file, launch).monitor.poll();
    expect(launch).toHaveBeenCalledTimes(1);
    expect(readIntegrity(file)!.checkedAt).toBeGreaterThan(0);
  });

  it("leave no write-ahead log behind when the store was closed during the check", () => {
    const { folder, file } = filledStore();
    const store = openStore(folder);
    const reader = new Database(file, { readonly: true });
    reader.prepare("SELECT count(*) FROM runs").get();
    store.renameRun(store.listRuns()[0]!.id, "renamed");
    store.closeNow();
    reader.close();
    expect(existsSync(`${file}-wal`)).toBe(true);
    checkStore(file);
    expect(existsSync(`${file}-wal`)).toBe(false);
  });

  it("run after a process ended without closing the store", async () => {
    const { folder, file } = filledStore();
    const script = `
      const { Store } = await import(${JSON.stringify(join(sources, "store/store.ts"))});
      const store = new Store(${JSON.stringify(folder)});
      store.renameRun(store.listRuns()[0].id, "renamed");
      process.stdout.write("written");
      setInterval(() => undefined, 1000);`;
    const writer = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => writer.stdout.once("data", resolve));
    openStore(folder).closeNow();
    expect(readIntegrity(file)).toMatchObject({ uncleanEnd: false });
    const ended = new Promise((resolve) => writer.once("exit", resolve));
    writer.kill("SIGKILL");
    await ended;
    openStore(folder).closeNow();
    expect(readIntegrity(file)).toMatchObject({ uncleanEnd: true });
    checkStore(file);
    openStore(folder).closeNow();
    expect(readIntegrity(file)).toMatchObject({ uncleanEnd: false, problem: null });
  });

  it("block neither the services nor the process that starts them", async () => {
    const { folder, file } = filledStore();
    writeIntegrity(file, { checkedAt: 0, uncleanEnd: false, problem: null });
    const launch = vi.fn(() => new Promise<void>(() => undefined));
    const services = await createServices({ storeDir: folder, host: "browser", version: "0", launchTrainer: () => { throw new Error("no trainer"); }, launchCheck: launch }, { log: recordedLog() });
    expect(launch).toHaveBeenCalledTimes(1);
    await services.close();

    // A check that goes on until the test lets it end, started by a process that ends at once.
    const go = join(folder, "go");
    const done = join(folder, "done");
    const check = join(folder, "check.mjs");
    writeFileSync(check, `import { existsSync, writeFileSync } from "node:fs";
      const timer = setInterval(() => { if (existsSync(${JSON.stringify(go)})) { writeFileSync(${JSON.stringify(done)}, process.argv[2]); clearInterval(timer); } }, 5);`);
    const script = `const { checkLauncher } = await import(${JSON.stringify(join(sources, "hosting/checkLauncher.ts"))}); void checkLauncher(${JSON.stringify(check)})("the store");`;
    const starter = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
    expect(await new Promise((resolve) => starter.once("exit", resolve))).toBe(0);
    expect(existsSync(done)).toBe(false);
    writeFileSync(go, "");
    await vi.waitFor(() => expect(readFileSync(done, "utf8")).toBe("the store"));
  });

  it("are reported to the window at once and on request", async () => {
    const { folder, file } = filledStore();
    damage(file);
    writeIntegrity(file, { checkedAt: 0, uncleanEnd: false, problem: null });
    let end: () => void = () => undefined;
    const launch = (at: string) => new Promise<void>((resolve) => (end = () => resolve(void checkStore(at))));
    const services = await createServices({ storeDir: folder, host: "browser", version: "0", launchTrainer: () => { throw new Error("no trainer"); }, launchCheck: launch }, { log: recordedLog() });
    const told: string[] = [];
    services.on("store.damaged", ({ message }) => told.push(message));
    expect(await services.handlers["app.info"]({})).toMatchObject({ storeDamage: null });
    end();
    await vi.waitFor(() => expect(told).toEqual([expect.stringContaining("is damaged")]));
    expect(await services.handlers["app.info"]({})).toMatchObject({ storeDamage: told[0] });
    await services.close();
  });

  it("run in a separate process of the command line, which then refuses the store", async () => {
    const { folder, file } = filledStore();
    damage(file);
    writeIntegrity(file, { checkedAt: 0, uncleanEnd: false, problem: null });
    expect(await runCommand(folder, ["runs"])).toMatchObject({ code: 0, stdout: expect.stringContaining("kept") as unknown });
    await vi.waitFor(() => expect(readIntegrity(file)!.problem).not.toBeNull());
    expect(await runCommand(folder, ["runs"])).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/^hypertower: .* is damaged/) as unknown });
  });
});
