/** Imported networks from the file to predictions: imported, trained, stopped and resumed, shared, backed up, checked. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { networkFile, networksFolder } from "../../../src/core/networks/folder.ts";
import { networkFilesIn } from "../../../src/core/networks/stored.ts";
import { importInto } from "../../../src/main/archives/importInto.ts";
import { mergeInto } from "../../../src/main/archives/merge.ts";
import { Archive } from "../../../src/main/archives/read.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { salvageStore } from "../../../src/main/hosting/salvage.ts";
import { verifyStore } from "../../../src/main/hosting/verify.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import { repairStore } from "../../../src/main/services/doctor/index.ts";
import { makeBackup } from "../../../src/main/store/backup/make.ts";
import { restoreBackup } from "../../../src/main/store/backup/restore.ts";
import { storeFileName } from "../../../src/main/store/database.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import { findNetwork, networksOfStore } from "../../../src/main/store/networks.ts";
import { isActive } from "../../../src/shared/run.ts";
import type { ExperimentInput } from "../../../src/shared/experiment.ts";
import { everything } from "../../support/edition.ts";
import { addRun, writeArchive } from "../../support/archives.ts";
import { fixture, fixturePath, placeFixture } from "../../support/networks.ts";
import { aRun, freshFolder, openStore, recordedLog } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const tiny = fixture("tiny");
const launchTrainer = nodeLauncher(processFile("trainer"));
const graphOn = (changes: object = {}): ExperimentInput => ({
  dataset: { kind: "digits", trainExamples: 320, testExamples: 100 },
  model: { kind: "graph", network: tiny.hash, facts: tiny.facts },
  batchSize: 32,
  budget: { epochs: 2 },
  engine: { kind: "onnx-cpu" },
  ...changes,
});

async function open(storeDir = freshFolder()) {
  const services = await createServices({ storeDir, host: "browser", version: "0", launchTrainer }, { log: recordedLog(), checkpointEvery: 1, engines: { fixed: "onnx-cpu" } });
  onTestFinished(() => services.close());
  const { handlers } = services;
  const ended = (run: string) =>
    vi.waitFor(async () => {
      const now = await handlers["runs.get"]({ run });
      expect(isActive(now.status)).toBe(false);
      return now;
    }, { interval: 10 });
  return { services, handlers, ended, storeDir };
}

/** A store with the network and a run that trained it. */
function storeWithRun(folder = freshFolder()) {
  const store = openStore(folder);
  placeFixture(folder, tiny);
  store.networks.add(tiny.row, () => undefined);
  const run = addRun(store, folder, { experiment: aRun(graphOn()).experiment });
  return { folder, store, run };
}

describe("imported networks", () => {
  it("are imported once, found by name and hash, renamed, and trained from the file's weights", async () => {
    const { handlers, ended, storeDir } = await open();
    const { network, added, warnings } = await handlers["networks.import"]({ path: fixturePath("tiny") });
    expect({ added, warnings }).toEqual({ added: true, warnings: [] });
    expect(network).toMatchObject({ hash: tiny.hash, name: "tiny", weights: 698, problem: null, source: fixturePath("tiny") });
    expect(networkFilesIn(storeDir)).toEqual([tiny.hash]);
    // The same network again changes nothing.
    expect(await handlers["networks.import"]({ path: fixturePath("tiny") })).toMatchObject({ added: false, network: { hash: tiny.hash } });
    expect(await handlers["networks.list"]({})).toHaveLength(1);
    expect(await handlers["networks.rename"]({ network: tiny.hash, name: "mine" })).toMatchObject({ name: "mine", facts: { name: "mine" } });
    const detail = await handlers["networks.get"]({ network: tiny.hash });
    expect(detail.nodes.map(({ operator }) => operator)).toEqual(["Conv", "BatchNormalization", "Relu", "MaxPool", "Flatten", "Dropout", "Gemm"]);
    expect(detail).toMatchObject({ nodeCount: 7, usedBy: { runs: 0, studies: 0 } });
    const picture = await handlers["networks.picture"]({ network: tiny.hash });
    expect(picture.nodes.map(({ operator }) => operator)).toEqual(detail.nodes.map(({ operator }) => operator));
    expect(picture.nodes.flatMap(({ parameters }) => parameters)).toEqual(tiny.facts.layers.flatMap(({ parameters }) => parameters));
    expect(picture.nodes.at(-1)).toMatchObject({ operator: "Gemm", outputs: [picture.output], shape: [10] });
    // By its name, as a person writes it.
    const { id, experiment } = await handlers["runs.start"]({ experiment: graphOn({ model: { kind: "graph", network: "mine" }, budget: { epochs: 5 } }) });
    expect(experiment.model).toMatchObject({ kind: "graph", network: tiny.hash, start: "file" });
    const run = await ended(id);
    expect(run).toMatchObject({ status: "finished", steps: 50 });
    expect(run.evaluations.at(-1)!.testError).toBeLessThan(50);
    const report = await handlers["predictions.report"]({ run: id, checkpoint: "last" });
    expect(report).toMatchObject({ task: "classification", examples: 100 });
    expect((await handlers["networks.get"]({ network: tiny.hash })).usedBy).toEqual({ runs: 1, studies: 0 });
    await expect(Promise.resolve().then(() => handlers["networks.remove"]({ network: tiny.hash }))).rejects.toThrow("The network mine is used by 1 run. Erase them from the bin before removing it.");
    expect(networkFilesIn(storeDir)).toEqual([tiny.hash]);
  });

  it.runIf(everything)("are trained in studies, several runs as one program, with the same numbers as alone", async () => {
    const { handlers, ended } = await open();
    await handlers["networks.import"]({ path: fixturePath("tiny") });
    const base = graphOn({ model: { kind: "graph", network: tiny.hash, start: "fresh", facts: tiny.facts }, budget: { epochs: 1 } });
    const { id } = await handlers["studies.start"]({ study: { name: "seeds", base, axes: [], seeds: [3, 4] }, workers: 1, cohort: 2 });
    const study = await vi.waitFor(async () => {
      const now = await handlers["studies.get"]({ study: id });
      expect(now.status).toBe("finished");
      return now;
    }, { interval: 20 });
    expect(study.total).toBe(2);
    const runs = await handlers["runs.list"]({ deleted: false, study: id });
    const details = await Promise.all(runs.map(async ({ id: run }) => handlers["runs.get"]({ run })));
    const alone = await ended((await handlers["runs.start"]({ experiment: { ...details[0]!.experiment, name: "alone" } })).id);
    expect(alone.evaluations.at(-1)!.testError).toBeCloseTo(details[0]!.evaluations.at(-1)!.testError!, 4);
    expect(details[0]!.evaluations.at(-1)!.testLoss).not.toBe(details[1]!.evaluations.at(-1)!.testLoss);
  });

  it.runIf(everything)("go on from a checkpoint as if nothing had happened", async () => {
    const { handlers, ended } = await open();
    await handlers["networks.import"]({ path: fixturePath("tiny") });
    const long = graphOn({ budget: { epochs: 80 }, evaluation: { every: "end" } });
    const whole = await ended((await handlers["runs.start"]({ experiment: long })).id);
    const { id } = await handlers["runs.start"]({ experiment: long });
    await vi.waitFor(async () => expect((await handlers["runs.get"]({ run: id })).steps).toBeGreaterThan(100), { interval: 2 });
    const stopped = await handlers["runs.stop"]({ run: id });
    if (stopped.status === "stopped") await handlers["runs.resume"]({ run: id, fromStart: false });
    const resumed = await ended(id);
    expect(resumed.evaluations.at(-1)).toMatchObject({ testLoss: whole.evaluations.at(-1)!.testLoss, testError: whole.evaluations.at(-1)!.testError });
  });

  it("say what is wrong with a file, and leave nothing", async () => {
    const { handlers, storeDir } = await open();
    const bad = join(storeDir, "bad.onnx");
    writeFileSync(bad, "not a network");
    await expect(handlers["networks.import"]({ path: bad })).rejects.toThrow(/bad\.onnx cannot be imported: /);
    await expect(handlers["networks.import"]({ path: join(storeDir, "missing.onnx") })).rejects.toThrow(/missing\.onnx cannot be imported: /);
    expect([networkFilesIn(storeDir), await handlers["networks.list"]({})]).toEqual([[], []]);
    await expect(Promise.resolve().then(() => handlers["runs.start"]({ experiment: graphOn() }))).rejects.toThrow(/there is no imported network [0-9a-f]{12} here: import it first/);
  });
});

describe("the store", () => {
  it("of the layout before takes networks in after its migration", () => {
    expect(migrations.find(({ sql }) => sql.includes("CREATE TABLE networks"))).toBeDefined();
    const folder = freshFolder();
    const store = openStore(folder);
    expect(store.networks.add(tiny.row, () => undefined)).toBe(true);
    expect(store.networks.add(tiny.row, () => undefined)).toBe(false);
    expect(store.networks.list()).toEqual([tiny.row]);
    expect(findNetwork(store.networks.list(), tiny.hash.slice(0, 8))).toEqual(tiny.row);
    expect(findNetwork(store.networks.list(), tiny.hash.slice(0, 3))).toBeUndefined();
    expect(() => store.networks.add({ ...tiny.row, hash: "b".repeat(64) }, () => { throw new Error("the disk is full"); })).toThrow("the disk is full");
    store.closeNow();
    expect(networksOfStore(join(folder, storeFileName))).toEqual([tiny.row]);
    expect(networksOfStore(join(folder, "nothing"))).toBeUndefined();
  });

  it("sends networks along in archives, once, and takes them in by their hash", async () => {
    const { folder, store } = storeWithRun();
    addRun(store, folder, { name: "second", experiment: aRun(graphOn()).experiment });
    const runs = store.listRuns().map(({ id }) => id);
    const { path, remarks } = await writeArchive(store, folder, { runs });
    expect(remarks).toEqual([]);
    const archive = await Archive.open(path);
    expect(archive.manifest.version).toBe(3);
    expect(archive.manifest.parts.filter(({ name }) => name.startsWith("networks/"))).toEqual([{ name: `networks/${tiny.hash}`, size: tiny.file.length, sha256: tiny.hash }]);
    archive.close();
    const other = freshFolder();
    await importInto(path, other);
    expect(networkFilesIn(other)).toEqual([tiny.hash]);
    expect(networksOfStore(join(other, storeFileName))).toMatchObject([{ hash: tiny.hash, name: "tiny", source: path, facts: tiny.facts }]);
    const merged = freshFolder();
    openStore(merged).closeNow();
    await mergeInto(folder, merged);
    expect(networkFilesIn(merged)).toEqual([tiny.hash]);
    // Runs of other models need no new version.
    const plain = openStore();
    const single = addRun(plain, folder);
    const old = await Archive.open((await writeArchive(plain, folder, { runs: [single.id] }, join(folder, "old.hypertower"))).path);
    expect(old.manifest.version).toBe(1);
    old.close();
  });

  it("says that an archive lacks a network whose file is gone", async () => {
    const { folder, store, run } = storeWithRun();
    rmSync(networkFile(networksFolder(folder), tiny.hash));
    const { remarks } = await writeArchive(store, folder, { runs: [run.id] });
    expect(remarks).toEqual([expect.stringContaining(`The network of run ${run.id} is missing`)]);
  });

  it("keeps networks in backups, and puts a removed one back", async () => {
    const { folder, store } = storeWithRun();
    const name = await makeBackup(store.path, "manual");
    store.closeNow();
    rmSync(networksFolder(folder), { recursive: true });
    restoreBackup(join(folder, storeFileName), name);
    expect(networkFilesIn(folder)).toEqual([tiny.hash]);
  });

  it("finds damaged, missing and unlisted networks, and sets the unlisted aside", async () => {
    const { folder, store } = storeWithRun();
    placeFixture(folder, fixture("symbols"));
    store.closeNow();
    const problems = async () => (await verifyStore(folder)).findings.filter(({ part }) => part === "network").map(({ severity, problem }) => [severity, problem]);
    expect(await problems()).toEqual([["warning", "the store lists no such network"]]);
    expect(await repairStore(folder)).toContainEqual(expect.stringMatching(/^Set 1 file that no run uses aside/));
    expect(networkFilesIn(folder)).toEqual([tiny.hash]);
    const path = networkFile(networksFolder(folder), tiny.hash);
    writeFileSync(path, "damaged");
    expect(await problems()).toEqual([["damage", expect.stringContaining("its SHA-256 is not its name")]]);
    rmSync(path);
    expect(await problems()).toEqual([["damage", "the file is missing"]]);
    const db = new Database(join(folder, storeFileName));
    db.exec("DELETE FROM networks");
    db.close();
    expect(await problems()).toEqual([["warning", "runs train it, and the store does not have it"]]);
  });

  it("saves networks of a damaged store", async () => {
    const { folder, store } = storeWithRun();
    store.closeNow();
    const into = join(freshFolder(), "saved");
    await salvageStore(folder, into);
    expect(networkFilesIn(into)).toEqual([tiny.hash]);
    expect(networksOfStore(join(into, storeFileName))).toMatchObject([{ hash: tiny.hash, name: "tiny" }]);
    expect(existsSync(networkFile(networksFolder(into), tiny.hash))).toBe(true);
  });
});
