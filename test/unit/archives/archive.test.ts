/** Runs and studies as files: what goes in comes out, and into another store. */
import { createReadStream, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { extract } from "tar-stream";
import { archiveVersion, headName } from "../../../src/main/archives/format.ts";
import { importArchive } from "../../../src/main/archives/importArchive.ts";
import { importInto } from "../../../src/main/archives/importInto.ts";
import { Archive } from "../../../src/main/archives/read.ts";
import { tarEnd, tarHeader, tarPadding } from "../../../src/main/archives/tar.ts";
import { CheckpointFolder } from "../../../src/main/hosting/checkpoint/folder.ts";
import { WeightsFolder } from "../../../src/main/hosting/weights/folder.ts";
import { Archives } from "../../../src/main/services/archives.ts";
import { storeFileName } from "../../../src/main/store/database.ts";
import { addRun, addStudy, everythingOf, stateOf, writeArchive } from "../../support/archives.ts";
import { freshFolder, openStore } from "../../support/storeFixtures.ts";

describe("an archive of a run", () => {
  it("gives another store the same row, values, pyramid, evaluations, events and files", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    // More than one batch of 43,690 steps.
    const run = addRun(store, folder, { steps: 50_000, name: "kept" });
    const { path, remarks } = await writeArchive(store, folder, { runs: [run.id] });
    expect(remarks).toEqual([]);
    const other = freshFolder();
    expect(await importInto(path, other)).toEqual({ studies: [], runs: [{ id: run.id, name: "kept", as: run.id }] });
    const archive = await Archive.open(path);
    expect(archive.manifest).toMatchObject({ program: "1.2.3", generators: [run.experiment.generator], datasets: [{ kind: "mnist", files: expect.arrayContaining([{ name: "train-images-idx3-ubyte", digest: "sha256:ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" }]) as unknown }] });
    archive.close();
    store.closeNow();
    const imported = everythingOf(other, run.id);
    expect(imported).toEqual(everythingOf(folder, run.id));
    expect((imported as { files: unknown[] }).files.filter(Boolean)).toHaveLength(2);
    const check = new Database(join(other, storeFileName), { readonly: true });
    expect([check.pragma("integrity_check", { simple: true }), check.pragma("foreign_key_check")]).toEqual(["ok", []]);
    check.close();
  });

  it("is a tar file that other programs read, with only relative names of its own", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = addRun(store, folder);
    const { path } = await writeArchive(store, folder, { runs: [run.id] });
    const names: string[] = [];
    for await (const entry of createReadStream(path).pipe(extract())) {
      names.push(entry.header.name);
      entry.resume();
    }
    expect(names).toEqual(["hypertower.json", "runs/0/run.json", "runs/0/steps/0", "runs/0/evaluations/0", "runs/0/events/0", "runs/0/checkpoint", "runs/0/best.weights", "manifest.json"]);
  });

  it("is skipped where the same run is, even under another name or in the bin", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = addRun(store, folder);
    const { path } = await writeArchive(store, folder, { runs: [run.id] });
    store.renameRun(run.id, "another name");
    store.setDeleted([run.id], 5);
    const before = stateOf(folder);
    expect((await importInto(path, folder)).runs).toEqual([{ id: run.id, name: run.name, as: null }]);
    expect(stateOf(folder)).toBe(before);
  });

  it("gets a new id, and its files a new owner, where the id belongs to another run", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = addRun(store, folder);
    const { path } = await writeArchive(store, folder, { runs: [run.id] });
    const other = freshFolder();
    const there = openStore(other);
    const { experiment } = addRun(there, other, { id: run.id, steps: 10 });
    const before = everythingOf(other, run.id);
    const [{ as }] = (await importInto(path, other)).runs as unknown as [{ as: string }];
    expect(as).not.toBe(run.id);
    expect(everythingOf(other, run.id)).toEqual(before);
    const { files: _here, ...original } = everythingOf(folder, run.id) as { files: unknown };
    const { files: _there, ...imported } = everythingOf(other, as) as { files: unknown };
    expect(imported).toEqual(original);
    expect((await new CheckpointFolder(other).header({ id: as, experiment: run.experiment })).position.step).toBe(run.steps);
    expect(await new WeightsFolder(other).list({ id: as, experiment })).toMatchObject([{ name: "best" }, { name: "last" }]);
  });

  it("holds the committed steps of a run that is being trained, and says so", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = addRun(store, folder, { status: "running" });
    const { path, remarks } = await writeArchive(store, folder, { runs: [run.id] });
    expect(remarks).toEqual([`Run ${run.id} is being trained; the archive holds its first 300 steps, as an interrupted run.`]);
    const other = freshFolder();
    await importInto(path, other);
    expect(openStore(other).getRun(run.id)).toMatchObject({ status: "interrupted", steps: 300, reason: expect.stringContaining("being trained") as string });
  });

  it("leaves out a damaged checkpoint, and says so", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = addRun(store, folder);
    writeFileSync(new CheckpointFolder(folder).fileOf(run.id), "rubbish");
    const { path, remarks } = await writeArchive(store, folder, { runs: [run.id] });
    expect(remarks).toEqual([`The checkpoint of run ${run.id} cannot be used and was left out: it is not a checkpoint of Hypertower.`]);
    expect((await importInto(path, freshFolder())).runs).toHaveLength(1);
  });

  it("refuses a run whose steps have a gap, and one that is resumed while it is read", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = addRun(store, folder);
    const db = new Database(join(folder, storeFileName));
    const pieces = new Archives({ store, folder, version: "1" }).file({ runs: [run.id], studies: [] }).pieces as AsyncGenerator<Uint8Array>;
    await pieces.next();
    for (let read = 0; read < 6; read++) await pieces.next();
    db.prepare("UPDATE runs SET lease = lease + 1 WHERE id = ?").run(run.id);
    const rest = async () => {
      while (!(await pieces.next()).done);
    };
    await expect(rest()).rejects.toThrow(`Run ${run.id} was resumed or thinned while it was archived. Try again.`);
    db.prepare("DELETE FROM series_values WHERE step = 123").run();
    db.close();
    await expect(writeArchive(store, folder, { runs: [run.id] })).rejects.toThrow(`Run ${run.id} in ${store.path} cannot be copied: step 123 of loss is missing.`);
  });
});

describe("an archive of a study", () => {
  it("gives another store its definition, state and cells; once", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const { id, runs } = addStudy(store, folder);
    const single = addRun(store, folder, { steps: 20 });
    const { path } = await writeArchive(store, folder, { studies: [id], runs: [single.id] });
    const other = freshFolder();
    const there = openStore(other);
    expect((await importInto(path, other)).studies).toEqual([{ id, name: "grid", as: id }]);
    expect(there.studies.get(id)).toEqual(store.studies.get(id));
    expect(there.studies.runs(id)).toEqual(store.studies.runs(id));
    for (const { id: run } of runs) expect(everythingOf(other, run)).toEqual(everythingOf(folder, run));
    const again = await importInto(path, other);
    expect([...again.studies, ...again.runs].map(({ as }) => as)).toEqual([null, null, null, null]);
    // A study with more runs is another one.
    addRun(store, folder, { steps: 10, study: id, cell: "another" });
    const { path: longer } = await writeArchive(store, folder, { studies: [id] });
    const report = await importInto(longer, other);
    expect(report.studies[0]!.as).not.toBe(id);
    expect(there.studies.states(report.studies[0]!.as!)).toHaveLength(3);
  });

  it("makes a run of a study a single run where the study is not in the archive", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const { runs } = addStudy(store, folder, 1);
    const { path } = await writeArchive(store, folder, { runs: [runs[0]!.id] });
    const other = freshFolder();
    await importInto(path, other);
    expect(openStore(other).getRun(runs[0]!.id)).toMatchObject({ study: null, steps: 100 });
  });
});

describe("an import", () => {
  it("works in a thread of its own beside an open store, which reports the new runs", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = addRun(store, folder);
    const { path } = await writeArchive(store, folder, { runs: [run.id] });
    const other = freshFolder();
    const seen = new Promise<string[]>((resolve) => openStore(other, { pollEvery: 20, onForeignChange: ({ runs }) => resolve(runs.map(({ id }) => id)) }));
    await importArchive({ path, folder: other });
    expect(await seen).toEqual([run.id]);
  });

  it("leaves the store and its folders as they were where the disk fails in the middle", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const runs = [addRun(store, folder), addRun(store, folder)];
    const { path } = await writeArchive(store, folder, { runs: runs.map(({ id }) => id) });
    const other = freshFolder();
    const there = openStore(other);
    addRun(there, other);
    const db = new Database(join(other, storeFileName));
    db.exec(`CREATE TRIGGER full BEFORE INSERT ON runs WHEN new.id = '${runs[1]!.id}' BEGIN SELECT RAISE(ABORT, 'disk full'); END`);
    db.close();
    const before = stateOf(other);
    await expect(importInto(path, other)).rejects.toThrow("disk full");
    expect(stateOf(other)).toBe(before);
  });

  it("removes what an import that was killed had written aside", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const { path } = await writeArchive(store, folder, { runs: [addRun(store, folder).id] });
    const other = freshFolder();
    addRun(openStore(other), other);
    const left = join(other, "checkpoints", "x.checkpoint-received-00000000-0000-4000-8000-000000000000.pending");
    writeFileSync(left, "half");
    await importInto(path, other);
    expect(existsSync(left)).toBe(false);
    expect(readdirSync(join(other, "checkpoints")).filter((name) => name.includes("pending"))).toEqual([]);
  });

  it("refuses archives of newer formats in plain words, and creates no store", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const { path } = await writeArchive(store, folder, { runs: [addRun(store, folder).id] });
    const head = Buffer.from(JSON.stringify({ format: "hypertower archive", version: archiveVersion + 1, more: true }));
    const newer = join(folder, "newer");
    writeFileSync(newer, Buffer.concat([tarHeader(headName, head.length), head, tarPadding(head.length), tarEnd()]));
    const other = join(freshFolder(), "store");
    await expect(importInto(newer, other)).rejects.toThrow(`it was written by a newer Hypertower: its format is version ${archiveVersion + 1}, this Hypertower reads versions up to ${archiveVersion}. Update Hypertower.`);
    writeFileSync(newer, readFileSync(path).subarray(0, -600));
    await expect(importInto(newer, other)).rejects.toThrow(`${newer} cannot be imported: it is cut off.`);
    await expect(importInto(join(folder, "missing"), other)).rejects.toThrow("there is no such file");
    await expect(importInto(folder, other)).rejects.toThrow("it is not a regular file");
    expect(existsSync(other)).toBe(false);
  });
});
