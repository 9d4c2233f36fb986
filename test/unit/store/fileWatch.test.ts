import { copyFileSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { storeFileName } from "../../../src/main/store/database.ts";
import { FileWatch, type FileState } from "../../../src/main/store/fileWatch.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import type { FakePlan } from "../../support/fakeTrainer.ts";
import { anEnvironment, aRun, filledStore, freshFolder, openStore, recordedLog, rowsOf } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

describe("the watch over a store's file", () => {
  /** A watch whose looks find what the test says. */
  function watching(found: () => Promise<{ dev: bigint; ino: bigint }>, first?: { dev: bigint; ino: bigint }) {
    const { file } = filledStore();
    const changes: FileState[] = [];
    let real: { dev: bigint; ino: bigint } | undefined = first;
    const watch = new FileWatch({ path: file, every: 1e6, onChange: (state) => changes.push(state), look: async () => real ?? found() });
    onTestFinished(() => watch.close());
    return { watch, changes, file, use: (identity: { dev: bigint; ino: bigint } | undefined) => (real = identity) };
  }
  const gone = () => Promise.reject(Object.assign(new Error("gone"), { code: "ENOENT" }));

  it("believes a second look only, and reports each change once", async () => {
    const { watch, changes } = watching(gone);
    await watch.look();
    expect(changes).toEqual([]);
    await watch.look();
    await watch.look();
    expect(changes).toEqual(["missing"]);
  });

  it("gives no alarm where a file system does not answer or has no inode numbers", async () => {
    const deaf = watching(() => Promise.reject(Object.assign(new Error("deaf"), { code: "EIO" })));
    for (let i = 0; i < 3; i++) await deaf.watch.look();
    const blind = watching(() => Promise.resolve({ dev: 1n, ino: 0n }));
    for (let i = 0; i < 3; i++) await blind.watch.look();
    expect([...deaf.changes, ...blind.changes]).toEqual([]);
  });

  it("finds another file in its place, and the file itself again", () => {
    const { file, folder } = filledStore();
    const changes: FileState[] = [];
    const watch = new FileWatch({ path: file, every: 1e6, onChange: (state) => changes.push(state) });
    onTestFinished(() => watch.close());
    renameSync(file, join(folder, "moved"));
    expect(watch.lookNow()).toBe("missing");
    copyFileSync(join(folder, "moved"), file);
    expect(watch.lookNow()).toBe("replaced");
    renameSync(join(folder, "moved"), file);
    expect(watch.lookNow()).toBe("here");
    expect(changes).toEqual(["missing", "replaced", "here"]);
  });
});

describe("a store whose file is removed while it trains", () => {
  async function training() {
    const folder = join(freshFolder(), "store");
    const services = await createServices(
      { storeDir: folder, host: "browser", version: "1", launchTrainer: nodeLauncher(processFile("fakeTrainer")) },
      { datasets: { problem: () => Promise.resolve(null), list: () => Promise.resolve([]) }, log: recordedLog(), storeOptions: { watchEvery: 10 } },
    );
    onTestFinished(() => services.close().catch(() => undefined));
    const plan: FakePlan = { steps: 1e9 };
    const { id: run } = await services.handlers["runs.start"]({ experiment: { name: JSON.stringify(plan) } });
    const now = async () => services.handlers["runs.get"]({ run });
    const reaches = (status: string) => vi.waitFor(async () => expect((await now()).status).toBe(status), { interval: 5 });
    await vi.waitFor(async () => expect((await now()).steps).toBeGreaterThan(0));
    const problem = async () => (await services.handlers["app.info"]({})).storeProblem;
    return { folder, file: join(folder, storeFileName), services, run, now, reaches, problem };
  }

  it("pauses, goes on when the file is back, and loses nothing", async () => {
    const { folder, file, services, run, now, reaches, problem } = await training();
    await expect(async () => services.handlers["store.saveCopy"]({})).rejects.toThrow("no copy is needed");
    renameSync(file, `${file}.moved`);
    await reaches("paused");
    expect(await problem()).toMatchObject({ kind: "missing" });
    expect((await now()).reason).toContain(`The store's file ${file} is gone`);
    renameSync(`${file}.moved`, file);
    await reaches("running");
    expect(await problem()).toBeNull();
    await services.handlers["runs.stop"]({ run });
    const { steps } = await now();
    await services.close();
    expect([...openStore(folder).readSteps(run)]).toHaveLength(steps);
  });

  it("saves a copy when asked, and everything when it closes, and says where", async () => {
    const { folder, services, run, reaches, problem } = await training();
    rmSync(folder, { recursive: true });
    await reaches("paused");
    const { folder: copy } = await services.handlers["store.saveCopy"]({});
    expect(dirname(copy)).toBe(dirname(folder));
    expect(basename(copy)).toMatch(/^store-saved-/);
    expect((await problem())!.message).toContain(`A copy is in ${copy}`);
    await services.handlers["runs.stop"]({ run });
    const { steps } = await services.handlers["runs.get"]({ run });
    const message = await services.close().then(() => "closed", String);
    const saved = /Everything was saved in (\S+)\. Open it/.exec(message)![1]!;
    const store = openStore(saved);
    expect(store.getRun(run)).toMatchObject({ status: "stopped", steps });
    expect([...store.readSteps(run)]).toHaveLength(steps);
  });

  it("leaves the log of a store alone that has taken its place", async () => {
    const { folder, services } = await training();
    renameSync(folder, `${folder}-moved`);
    mkdirSync(folder);
    const other = openStore(folder);
    const run = aRun();
    other.createRun(run);
    other.beginSeries(run.id, ["loss"], anEnvironment);
    await expect(services.close()).rejects.toThrow("Another file has taken the place of");
    other.appendRows(run.id, rowsOf([[1, 2, 3]]));
    other.flush();
    expect([...openStore(folder).readSteps(run.id)]).toHaveLength(3);
  });
});
