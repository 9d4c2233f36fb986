/** Files from elsewhere are read by processes of their own: whatever becomes of them, the host answers and nothing half-written is left. */
import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { EventPayload } from "../../../src/shared/contract.ts";
import { npyHeader } from "../../../src/core/datasets/formats/npy.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import { importerOptions } from "../../../src/main/hosting/importMemory.ts";
import { ImportRunner, type LaunchImporter } from "../../../src/main/hosting/importRunner.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import type { FromImporter, ToImporter } from "../../../src/main/importing/messages.ts";
import { freshFolder, recordedLog } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const real = (resident?: number) =>
  nodeLauncher<ToImporter, FromImporter>(processFile("importer"), importerOptions(resident === undefined ? undefined : { resident, heap: 2 ** 30 }));
const stubborn = nodeLauncher<ToImporter, FromImporter>(processFile("stubbornImporter"));

let data = "";
beforeEach(() => {
  data = freshFolder();
  vi.stubEnv("HYPERTOWER_DATA", data);
});

const file = (name: string, bytes: string | Uint8Array) => {
  const path = join(freshFolder(), name);
  writeFileSync(path, bytes);
  return path;
};

/** What the stubborn importer does with each is in its name. */
const stubbornFiles = (...names: readonly string[]) => names.map((name) => file(name, ""));

async function open(launchImporter: LaunchImporter) {
  const launchTrainer = () => Promise.reject(new Error("no trainer is needed"));
  const pids: number[] = [];
  const launch: LaunchImporter = async () => {
    const importer = await launchImporter();
    pids.push(importer.pid!);
    return importer;
  };
  const services = await createServices({ storeDir: freshFolder(), host: "browser", version: "0", launchTrainer, launchImporter: launch }, { log: recordedLog() });
  onTestFinished(() => services.close());
  const progress: EventPayload<"dataset.importing">[] = [];
  services.on("dataset.importing", (seen) => progress.push(seen));
  return { handlers: services.handlers, progress, pids };
}

/** However busy the machine is. */
const eventually = (condition: () => void) => vi.waitFor(condition, { interval: 10 });

const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const lines = "1.5,2.5,a\n2.5,3.5,b\n".repeat(20);

describe("an import", () => {
  it("is previewed, made and looked at by other processes, which end", async () => {
    const { handlers, progress, pids } = await open(real());
    const path = file("flowers.csv", `x,y,kind\n${lines}`);
    const preview = await handlers["datasets.preview"]({ path });
    expect(preview).toMatchObject({ form: "csv", rows: 40 });
    const order = { form: "csv", title: "Flowers", path, delimiter: ",", header: true, roles: ["number", "number", "target"], task: "classification", missing: "refuse" } as const;
    const { kind, trainExamples } = await handlers["datasets.create"]({ order: { ...order, roles: [...order.roles] }, job: "mine" });
    expect(trainExamples).toBe(32);
    expect(progress[0]).toMatchObject({ job: "mine", unit: "bytes" });
    expect((await handlers["datasets.inspect"]({ kind })).balance).toHaveLength(2);
    await expect(handlers["datasets.preview"]({ path: file("ragged.csv", "a,b\n1,2\n1,2,3\n") })).rejects.toThrow(/ragged\.csv, line 3: 3 values, but the first row has 2/);
    expect(pids).toHaveLength(4);
    await eventually(() => expect(pids.filter(alive)).toEqual([]));
  });

  it("of a path that leads nowhere is refused at once, whatever else is being read", async () => {
    const { handlers, pids } = await open(stubborn);
    const others = Promise.allSettled(["a.csv", "b.csv"].map(async (name) => handlers["datasets.preview"]({ path: file(name, lines), job: name })));
    await eventually(() => expect(pids).toHaveLength(2));
    const nowhere = join(data, "nowhere.csv");
    await expect(handlers["datasets.preview"]({ path: nowhere })).rejects.toThrow(`${nowhere} cannot be read: ENOENT`);
    await expect(handlers["datasets.preview"]({ path: "\u0000" })).rejects.toThrow("cannot be read");
    const arrays = { form: "arrays", title: "x", features: { path: nowhere, array: "array" }, targets: { path: nowhere, array: "array" }, task: "regression" } as const;
    await expect(handlers["datasets.create"]({ order: arrays })).rejects.toThrow(`${nowhere} cannot be read`);
    expect(pids).toHaveLength(2);
    for (const job of ["a.csv", "b.csv"]) await handlers["datasets.stopImport"]({ job });
    const stopped = { status: "rejected", reason: expect.objectContaining({ message: expect.stringContaining("it was stopped") as string }) as unknown };
    expect(await others).toEqual([stopped, stopped]);
  });

  it("that takes more memory than it may is ended, and says so", async () => {
    // A sparse file of 400 MB: allowed, but not here.
    const header = npyHeader([100_000_000], "<f4");
    const path = file("zeros.npy", header);
    truncateSync(path, header.length + 400_000_000);
    const { handlers } = await open(real(250e6));
    await expect(handlers["datasets.preview"]({ path })).rejects.toThrow(/zeros\.npy: reading it takes more than the .* of memory that an import may have/);
  });
});

describe("an import that never ends", () => {
  it("holds up nothing else, and is ended on request", async () => {
    const [loops, answers] = stubbornFiles("loops", "answers") as [string, string];
    const { handlers, progress, pids } = await open(stubborn);
    const endless = Promise.resolve(handlers["datasets.preview"]({ path: loops, job: "a" }));
    endless.catch(() => undefined);
    await eventually(() => expect(progress).toHaveLength(1));
    expect(await handlers["app.info"]({})).toMatchObject({ host: "browser" });
    expect(await handlers["datasets.preview"]({ path: answers })).toMatchObject({ form: "text" });
    await expect(handlers["datasets.preview"]({ path: loops, job: "a" })).rejects.toThrow('An import named "a" is running already.');
    expect(await handlers["datasets.stopImport"]({ job: "a" })).toBeNull();
    await expect(endless).rejects.toThrow(`${loops}: it was stopped`);
    await eventually(() => expect(pids.filter(alive)).toEqual([]));
  });

  it("is ended when it makes no progress", async () => {
    const [waits] = stubbornFiles("waits") as [string];
    const runner = new ImportRunner({ launch: stubborn, silentFor: 200 });
    await expect(runner.run({ kind: "preview", path: waits })).rejects.toThrow(`${waits}: nothing was read for under 1 s; it was ended`);
  });

  it("leaves places to others: those beyond wait, and one that is stopped gives its place up", async () => {
    const [answers, waits] = stubbornFiles("answers", "waits") as [string, string];
    let launched = 0;
    const runner = new ImportRunner({ launch: () => (launched++, stubborn()), places: 1 });
    const stops = [new AbortController(), new AbortController()] as const;
    const first = runner.run({ kind: "preview", path: waits }, { signal: stops[0].signal });
    await eventually(() => expect(launched).toBe(1));
    const second = runner.run({ kind: "preview", path: waits }, { signal: stops[1].signal });
    const third = runner.run({ kind: "preview", path: answers });
    stops[1].abort();
    await expect(second).rejects.toThrow("it was stopped");
    await expect(runner.run({ kind: "preview", path: waits }, { signal: stops[1].signal })).rejects.toThrow("it was stopped");
    stops[0].abort();
    await expect(first).rejects.toThrow("it was stopped");
    expect(await third).toMatchObject({ form: "text" });
  });
});

describe("the process of an import", () => {
  it("that is killed costs this import, and nothing half-written is left", async () => {
    const [book] = stubbornFiles("book.txt") as [string];
    const { handlers, progress, pids } = await open(stubborn);
    const order = { form: "text", title: "x", path: book } as const;
    const killed = Promise.resolve(handlers["datasets.create"]({ order, job: "k" }));
    killed.catch(() => undefined);
    await eventually(() => expect(progress).toHaveLength(1));
    expect(readdirSync(join(data, "own"))).toEqual([`half-000000.${pids[0]}.new`]);
    process.kill(pids[0]!, "SIGKILL");
    await expect(killed).rejects.toThrow(`${book}: the process that reads files was ended by SIGKILL (as systems do when memory runs out)`);
    expect(readdirSync(join(data, "own"))).toEqual([]);
    expect(await handlers["datasets.list"]({})).not.toContainEqual(expect.objectContaining({ own: true }));
  });

  it("that crashes in native code is told as that", async () => {
    const [aborts] = stubbornFiles("aborts") as [string];
    const { handlers } = await open(stubborn);
    await expect(handlers["datasets.preview"]({ path: aborts })).rejects.toThrow(`${aborts}: the process that reads files was ended by SIGABRT; the file may be damaged`);
  });

  it("that cannot be started is told", async () => {
    const [answers] = stubbornFiles("answers") as [string];
    const { handlers } = await open(() => Promise.reject(new Error("no more processes")));
    await expect(handlers["datasets.preview"]({ path: answers })).rejects.toThrow("the process that reads files could not be started: no more processes");
  });

  it("whose host has ended leaves a folder that the next start deletes; those of living processes stay", async () => {
    const { pid: gone } = spawnSync(process.execPath, ["--version"]);
    const own = (name: string) => join(data, "own", name);
    for (const name of [`a-1.${gone}.new`, "old-2.new", `b-3.${process.pid}.new`, "whole-4"]) mkdirSync(own(name), { recursive: true });
    await open(stubborn);
    await eventually(() => expect(existsSync(own(`a-1.${gone}.new`)) || existsSync(own("old-2.new"))).toBe(false));
    expect(readdirSync(join(data, "own")).sort()).toEqual([`b-3.${process.pid}.new`, "whole-4"]);
  });
});
