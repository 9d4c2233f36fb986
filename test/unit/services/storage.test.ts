import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { pictureSettings } from "../../../src/shared/reports.ts";
import { spaceWarning, DiskWatch } from "../../../src/main/store/diskWatch.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import type { LaunchTask } from "../../../src/main/services/services.ts";
import { BackupFolder } from "../../../src/main/store/backup/folder.ts";
import { BackupSchedule } from "../../../src/main/store/backup/schedule.ts";
import { runTask } from "../../../src/main/store/runTask.ts";
import { taskLauncher } from "../../../src/main/hosting/taskLauncher.ts";
import { runCommand } from "../../support/commandLine.ts";
import { processFile } from "../../support/processes.ts";
import { networkFilesIn } from "../../../src/core/networks/stored.ts";
import { fixture, placeFixture } from "../../support/networks.ts";
import { aRun, anEnvironment, filledStore, openStore, recordedLog, rowsOf } from "../../support/storeFixtures.ts";
import { everything } from "../../support/edition.ts";

/** Does the tasks in this process. */
const here: LaunchTask = async (task) => ({ done: await runTask(task) });

async function opened(folder: string, launchTask: LaunchTask = here) {
  const services = await createServices(
    { storeDir: folder, host: "browser", version: "0", launchTrainer: () => { throw new Error("no trainer"); }, launchTask },
    { log: recordedLog() },
  );
  onTestFinished(() => services.close());
  return services;
}

/** A store with a finished run, one in the bin, and a stopped run with a checkpoint. */
function variedStore() {
  const { folder, file } = filledStore();
  const store = openStore(folder);
  const add = (status: "finished" | "stopped", steps: number) => {
    const run = aRun({ name: status });
    store.createRun(run);
    store.beginSeries(run.id, ["loss"], anEnvironment);
    store.appendRows(run.id, rowsOf([Array.from({ length: steps }, (_, i) => i)]));
    store.saveRun({ ...run, status, steps });
    store.flush();
    return run.id;
  };
  const binned = add("finished", 500);
  const stopped = add("stopped", 100);
  store.setDeleted([binned], 1);
  store.closeNow();
  for (const name of ["checkpoints", "weights"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "checkpoints", `${stopped}.checkpoint`), "0123456789");
  writeFileSync(join(folder, "weights", `${binned}.best.weights`), "01234");
  return { folder, file, binned, stopped };
}

/** A store with a run of 1,000 steps. */
function longRun(status: "finished" | "failed") {
  const { folder } = filledStore();
  const store = openStore(folder);
  const run = { ...aRun({ name: "long" }), steps: 1_000, trained: { milliseconds: 100_000, from: "clock" as const } };
  store.createRun(run);
  store.beginSeries(run.id, ["loss"], anEnvironment);
  store.appendRows(run.id, rowsOf([Array.from({ length: 1_000 }, (_, i) => i)]));
  store.saveRun({ ...run, status });
  store.closeNow();
  return { folder, run: run.id };
}

describe("the storage service", () => {
  it("shows what takes the space", async () => {
    const { folder, binned, stopped } = variedStore();
    const { handlers } = await opened(folder);
    const report = await handlers["storage.report"]({});
    expect(report).toMatchObject({ folder, bin: { runs: 1, studies: 0, steps: 500 }, resumable: 1, bytes: { checkpoints: 10, weights: 5 }, backups: [] });
    expect(report.largest.map(({ run }) => run)).toEqual(expect.arrayContaining([binned, stopped]));
    expect(report.largest[0]!.log).toBeGreaterThan(report.largest[1]!.log);
  });

  it("erases the bin for good when the counts are those that were confirmed", async () => {
    const { folder, binned } = variedStore();
    const services = await opened(folder);
    const changed = vi.fn();
    services.on("storage.changed", changed);
    const erase = services.handlers["storage.erase"];
    await expect(erase({ erasure: { what: "bin", runs: 2, studies: 0 } })).rejects.toThrow(/The bin has changed: it holds 1 run and 0 studies now. Nothing was erased/);
    expect(await erase({ erasure: { what: "bin", runs: 1, studies: 0 } })).toEqual({ done: "Erased 1 run with 500 steps for good." });
    expect(await services.handlers["runs.find"]({ prefix: binned })).toEqual([]);
    expect(existsSync(join(folder, "weights", `${binned}.best.weights`))).toBe(false);
    expect(changed).toHaveBeenCalled();
  });

  it("erases checkpoints and backups by name", async () => {
    const { folder, file, stopped } = variedStore();
    const { handlers } = await opened(folder);
    expect(await handlers["storage.erase"]({ erasure: { what: "checkpoints", runs: [stopped] } })).toEqual({ done: "Erased 1 checkpoint (10 B) for good." });
    expect(await handlers["runs.get"]({ run: stopped })).toMatchObject({ steps: 100 });
    const backup = await handlers["storage.backUp"]({});
    expect(backup).toMatchObject({ reason: "manual", runs: 3 });
    await expect(handlers["storage.erase"]({ erasure: { what: "backups", names: [backup.name, "20200101T000000000Z-daily.sqlite"] } })).rejects.toThrow(/There is no backup 2020.*Nothing was erased/);
    await handlers["storage.erase"]({ erasure: { what: "backups", names: [backup.name] } });
    expect(new BackupFolder(file).list()).toEqual([]);
  });

  it("erases imported networks that no run and no study uses, and keeps those of the bin", async () => {
    const { folder } = filledStore();
    const store = openStore(folder);
    const [tiny, symbols] = [fixture("tiny"), fixture("symbols")];
    for (const one of [tiny, symbols]) {
      placeFixture(folder, one);
      store.networks.add(one.row, () => undefined);
    }
    const run = aRun({ dataset: { kind: "digits" }, model: { kind: "graph", network: tiny.hash, facts: tiny.facts } });
    store.createRun({ ...run, status: "finished" });
    store.setDeleted([run.id], 1);
    store.closeNow();
    const { handlers } = await opened(folder);
    const report = await handlers["storage.report"]({});
    expect(report).toMatchObject({ bytes: { networks: tiny.file.length + symbols.file.length }, unusedNetworks: [{ hash: symbols.hash, name: "symbols", bytes: symbols.file.length }] });
    const erase = (hashes: string[]) => handlers["storage.erase"]({ erasure: { what: "networks", hashes } });
    await expect(erase([symbols.hash, tiny.hash])).rejects.toThrow(/The network tiny is used by now \(1 run, 0 studies\)\. Nothing was erased/);
    await expect(erase([symbols.hash, "0".repeat(64)])).rejects.toThrow(/There is no network 000000000000 .*Nothing was erased/);
    expect(networkFilesIn(folder)).toEqual([symbols.hash, tiny.hash].sort());
    expect(await erase([symbols.hash])).toEqual({ done: expect.stringMatching(/^Erased 1 imported network \(.* kB\) for good\.$/) });
    expect(networkFilesIn(folder)).toEqual([tiny.hash]);
    expect(await handlers["networks.list"]({})).toMatchObject([{ hash: tiny.hash, problem: null }]);
    expect(await handlers["storage.report"]({})).toMatchObject({ bytes: { networks: tiny.file.length }, unusedNetworks: [] });
  });

  it("thins a run after saying what that erases, and refuses what can be resumed", async () => {
    const { folder, stopped } = variedStore();
    const services = await opened(folder);
    const { handlers } = services;
    const whole = await handlers["storage.report"]({});
    const { run, log } = whole.largest.find(({ name }) => name === "kept")!;
    const plan = await handlers["storage.planThinning"]({ runs: [run], width: 256 });
    expect(plan).toMatchObject({ width: 256, values: 19_967, runs: [{ run, name: "kept", steps: 20_000, values: 19_967 }] });
    expect(plan.bytes).toBeGreaterThan(0.9 * log);
    expect(plan.bytes).toBeLessThan(log);
    await expect(handlers["storage.planThinning"]({ runs: [stopped], width: 256 })).rejects.toThrow(/100 steps; .*Nothing was erased/);
    const changed = vi.fn();
    services.on("run.changed", changed);
    expect(await handlers["storage.erase"]({ erasure: { what: "steps", runs: [run], width: 256 } })).toEqual({ done: expect.stringMatching(/^Thinned 1 run: erased 19,967 values \(about .*\) for good; summaries of 256 steps each are kept\.$/) });
    await services.erased();
    expect(changed).toHaveBeenCalledWith(expect.objectContaining({ id: run, thinned: expect.objectContaining({ width: 256 }) }));
    const after = (await handlers["storage.report"]({})).largest.find((one) => one.run === run)!;
    expect(after).toMatchObject({ thinnedTo: 256 });
    expect(await handlers["runs.verify"]({ run })).toMatchObject({ findings: [] });
    await expect(handlers["runs.export"]({ run, format: "csv", damagedAnyway: false })).rejects.toThrow(/was thinned on .*needs every value/);
    await expect(handlers["storage.planThinning"]({ runs: [run], width: 256 })).rejects.toThrow(/thinned already/);
  });

  it("reports a thinned run with its summaries", async () => {
    const { folder, run } = longRun("finished");
    const services = await opened(folder);
    await services.handlers["storage.erase"]({ erasure: { what: "steps", runs: [run], width: 256 } });
    const of = { run };
    const settings = pictureSettings.parse({});
    const { documents, remarks } = await services.handlers["reports.describe"]({ of, settings });
    expect(documents).toContain("buckets.csv");
    expect(documents).not.toContain("steps.csv");
    expect(remarks.join()).toMatch(/was thinned on .* They are in buckets.csv; there is no steps.csv/);
    const { pieces } = await services.reportFile({ of, settings, file: "buckets.csv" });
    const texts: string[] = [];
    for await (const piece of pieces) texts.push(Buffer.from(piece as string).toString());
    expect(texts.join("")).toContain(`${run},loss,256,256,0,383.5,256,256,511,511`);
  });

  it("does not thin a stopped run until it cannot be resumed, and a thinned one is not resumed", async () => {
    const { folder, run } = longRun("failed");
    const services = await opened(folder);
    const thin = () => services.handlers["storage.erase"]({ erasure: { what: "steps", runs: [run], width: 256 } });
    const resumption = await services.handlers["runs.resumption"]({ run });
    expect(resumption).toMatchObject({ step: 0, problem: expect.any(String) });
    await thin();
    expect(await services.handlers["runs.resumption"]({ run })).toBeNull();
    await expect(services.handlers["runs.resume"]({ run, fromStart: true })).rejects.toThrow(/was thinned.*cannot be resumed; train its experiment again/);
  });

  it("does not thin a damaged run", async () => {
    const { folder, file } = filledStore();
    const db = new Database(file);
    db.exec("UPDATE buckets SET max = max + 1 WHERE width = 256 AND start = 1024");
    db.close();
    const { handlers } = await opened(folder);
    const [run] = await handlers["runs.find"]({});
    await expect(handlers["storage.erase"]({ erasure: { what: "steps", runs: [run!], width: 256 } })).rejects.toThrow(/Nothing was erased: 1 run would be thinned but is damaged\..*differs from the values/);
    expect((await handlers["storage.report"]({})).largest[0]!.thinnedTo).toBeNull();
  });

  it("restores a backup at the next start, until that is cancelled", async () => {
    const { folder } = variedStore();
    const services = await opened(folder);
    const told: unknown[] = [];
    services.on("storage.noticed", (notices) => told.push(notices.restore));
    const { name } = await services.handlers["storage.backUp"]({});
    await services.handlers["storage.restore"]({ backup: name });
    await services.handlers["storage.restore"]({ backup: null });
    expect(await services.handlers["storage.restore"]({ backup: name })).toMatchObject({ restore: name });
    expect(told).toEqual([name, null, name]);
    await services.handlers["storage.erase"]({ erasure: { what: "bin", runs: 1, studies: 0 } });
    await services.close();
    const again = await opened(folder);
    expect(await again.handlers["storage.notices"]({})).toMatchObject({ restore: null, loss: null });
    expect((await again.handlers["storage.report"]({})).bin.runs).toBe(1);
  });

  it("checks the store, and keeps settings of backups", async () => {
    const { folder } = variedStore();
    const { handlers } = await opened(folder);
    expect((await handlers["storage.check"]({})).findings.map(({ title }) => title)).toContain("A checkpoint cannot be used");
    await handlers["storage.saveSettings"]({ settings: { enabled: false, last: 1, daily: 0, weekly: 0, share: 5 } });
    expect((await handlers["storage.report"]({})).settings).toEqual({ enabled: false, last: 1, daily: 0, weekly: 0, share: 5 });
  });

  it("makes a backup after a clean end, once an hour, only when it has written", async () => {
    const { folder, file } = filledStore();
    await (await opened(folder)).close();
    expect(new BackupFolder(file).list()).toEqual([]);
    const services = await opened(folder);
    await services.handlers["runs.rename"]({ run: (await services.handlers["runs.find"]({}))[0]!, name: "other" });
    await services.close();
    expect(new BackupFolder(file).list()).toMatchObject([{ reason: "end", runs: 1 }]);
    const again = await opened(folder);
    await again.handlers["runs.rename"]({ run: (await again.handlers["runs.find"]({}))[0]!, name: "third" });
    await again.close();
    expect(new BackupFolder(file).list()).toHaveLength(1);
  });
});

describe("daily backups", () => {
  it("are made when the store has changed since the last one, and problems are told once", async () => {
    const { file } = filledStore();
    const log = recordedLog();
    const told: (string | null)[] = [];
    const day = 24 * 3_600_000;
    const schedule = (launch: LaunchTask) => {
      const made = new BackupSchedule({ path: file, log, launch, onBackup: (problem) => told.push(problem) });
      onTestFinished(() => made.stop());
      return made;
    };
    const daily = schedule(here);
    await daily.poll();
    await daily.poll(Date.now() + 2 * day);
    expect(new BackupFolder(file).list()).toMatchObject([{ reason: "daily" }]);
    const store = openStore(join(file, ".."));
    store.createRun(aRun());
    store.closeNow();
    await daily.poll();
    expect(told).toEqual([null]);
    const failing = schedule(() => Promise.resolve({ skipped: "No backup was made: no space." }));
    await failing.poll(Date.now() + 2 * day);
    await failing.poll(Date.now() + 2 * day);
    expect(log.warnings).toEqual(["store: No backup was made: no space."]);
    expect(failing.problem).toBe("No backup was made: no space.");
  });

  it("leave the disk in peace for 20 times as long as one has taken", async () => {
    const { file } = filledStore();
    let [now, launched] = [1_000, 0];
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const launch = () => {
      launched++;
      now += 60_000;
      return Promise.resolve({ skipped: "No backup was made: while it was copied, runs logged much." });
    };
    const schedule = new BackupSchedule({ path: file, log: recordedLog(), launch, onBackup: () => undefined });
    onTestFinished(() => schedule.stop());
    await schedule.poll();
    now += 20 * 60_000 - 1;
    await schedule.poll();
    expect(launched).toBe(1);
    now += 1;
    await schedule.poll();
    expect(launched).toBe(2);
  });

  it("are made by a process of its own", async () => {
    const { file } = filledStore();
    const launch = taskLauncher(processFile("storeTask"));
    const waiting = setInterval(() => undefined, 1_000);
    onTestFinished(() => clearInterval(waiting));
    expect(await launch({ task: "backup", file, reason: "daily" })).toEqual({ done: new BackupFolder(file).list()[0]!.name });
    expect(await launch({ task: "inspect", file: join(dirname(file), "none"), check: true })).toMatchObject({ done: expect.stringContaining('"missing"') as string });
  });
});

describe("the warning before a disk is full", () => {
  const hour = 3_600_000;
  it("comes when little is free, or when it will be soon at the present pace", () => {
    const total = 100e9;
    expect(spaceWarning("/store", { free: 50e9, total }, [], 0)).toBeNull();
    expect(spaceWarning("/store", { free: 0.5e9, total }, [], 0)).toMatch(/^Only 500 MB of 100 GB are free on the disk of \/store. Runs pause/);
    expect(spaceWarning("/store", { free: 20e9, total }, [{ at: 0, free: 24e9 }], hour)).toMatch(/at the pace of the last 1 h it is full in 5 h/);
    expect(spaceWarning("/store", { free: 20e9, total }, [{ at: 0, free: 20.5e9 }], hour)).toBeNull();
  });

  it("is told when it begins and ends", () => {
    let free = 50e9;
    const told: (string | null)[] = [];
    const watch = new DiskWatch("/store/file", (warning) => told.push(warning), () => ({ free, total: 100e9 }));
    onTestFinished(() => watch.close());
    watch.poll();
    free = 1e8;
    watch.poll();
    watch.poll();
    free = 50e9;
    watch.poll();
    expect(told).toEqual([expect.stringContaining("100 MB"), null]);
  });
});

describe("hypertower storage and erase", () => {
  it.runIf(everything)("show the space and erase only what was confirmed", async () => {
    const { folder, binned } = variedStore();
    const shown = await runCommand(folder, ["storage"]);
    expect(shown.stdout).toMatch(/of these, in the bin +\S+ \w+ +1 run, 0 studies: hypertower erase --bin/);
    expect(await runCommand(folder, ["erase", "--bin"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/1 run with 500 steps.*needs a confirmation: add --yes/) as string });
    expect(await runCommand(folder, ["erase"])).toMatchObject({ code: 1, stderr: expect.stringContaining("choose what to erase") as string });
    expect(await runCommand(folder, ["erase", "--bin", "--yes"])).toMatchObject({ code: 0, stdout: "Erased 1 run with 500 steps for good.\n" });
    expect(await runCommand(folder, ["show", binned])).toMatchObject({ code: 1 });
  });
});

describe("hypertower thin", () => {
  it.runIf(everything)("says what it erases, asks, erases it and waits for the end", async () => {
    const { folder, file } = filledStore();
    expect(await runCommand(folder, ["thin", "last"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/Erase the 19,967 values of 1 run: kept \(.*, 20,000 steps\); about .* needs a confirmation: add --yes/) as string });
    expect(await runCommand(folder, ["thin", "last", "--keep", "2048", "--yes"])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Thinned 1 run: erased 18,431 values .*summaries of 2048 steps/) as string });
    expect(await runCommand(folder, ["storage"])).toMatchObject({ stdout: expect.stringContaining("finished, thinned") as string });
    const db = new Database(file);
    expect(db.prepare("SELECT count(*) FROM series_values").pluck().get()).toBe(20_000 - 18_431);
    db.close();
  });
});
