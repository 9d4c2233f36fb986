/** Several processes want one study or run: exactly one of them gets it. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { study as studySchema } from "../../../src/shared/study/study.ts";
import { closeConnections, openConnections, storeFileName } from "../../../src/main/store/database.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import type { Store } from "../../../src/main/store/store.ts";
import { expandStudy } from "../../../src/shared/study/expand.ts";
import { everything } from "../../support/edition.ts";
import type { ClaimAnswer, ClaimOrder } from "../../support/claimHost.ts";
import { aRun, freshFolder, openStore } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

function addStudy(store: Store, id = "s1"): void {
  const study = studySchema.parse({ name: "claimed" });
  store.studies.create({ id, name: "claimed", status: "running", reason: null, study, createdAt: 1, startedAt: 2, finishedAt: null, trained: null, runningSince: null, deletedAt: null, total: 3, workers: 1 });
}
const stopStudy = (store: Store, id = "s1") => store.studies.save({ ...store.studies.get(id)!, status: "stopped" });

describe("a study", () => {
  it("is taken by one of two processes that saw it stopped, as running", () => {
    const folder = freshFolder();
    const [ours, theirs] = [openStore(folder), openStore(folder)];
    addStudy(ours);
    stopStudy(ours);
    const epoch = ours.studies.epoch("s1");
    expect([ours.studies.take("s1", epoch), theirs.studies.take("s1", epoch)]).toEqual([true, false]);
    expect(theirs.studies.get("s1")).toMatchObject({ status: "running" });
    // It has been stopped again since the other saw it.
    stopStudy(ours);
    expect(theirs.studies.take("s1", epoch)).toBe(false);
    expect(theirs.studies.take("s1", theirs.studies.epoch("s1"))).toBe(true);
    expect(ours.studies.isLatestTaker("s1")).toBe(false);
    theirs.studies.release("s1", "stopped");
    expect(ours.studies.get("s1")).toMatchObject({ status: "stopped" });
  });

  it("in the bin is not taken, and one that is trained is not moved there, nor any with it", () => {
    const folder = freshFolder();
    const [ours, theirs] = [openStore(folder), openStore(folder)];
    addStudy(ours);
    addStudy(ours, "s2");
    stopStudy(ours, "s2");
    expect(() => theirs.studies.moveToBin(["s2", "s1"], 5, true)).toThrow("The study claimed (s1) is running; stop it before deleting it.");
    expect(ours.studies.list(true)).toEqual([]);
    stopStudy(ours);
    theirs.studies.moveToBin(["s1", "s2"], 5, true);
    expect(ours.studies.take("s1", ours.studies.epoch("s1"))).toBe(false);
    expect(() => ours.createRun(aRun({}, { study: "s1" }), "a")).toThrow("The study s1 is in the bin; no run of it can be started.");
  });

  it("has at most one run of a cell in training, whoever starts or resumes it", () => {
    const folder = freshFolder();
    const [ours, theirs] = [openStore(folder), openStore(folder)];
    addStudy(ours);
    const first = aRun({}, { id: "r1", study: "s1" });
    const second = aRun({}, { id: "r2", study: "s1" });
    ours.createRun(first, "a");
    const taken = "Another run of this cell of its study is being trained; stop it first.";
    expect(() => theirs.createRun(second, "a")).toThrow(taken);
    expect(theirs.getRun("r2")).toBeUndefined();
    theirs.createRun(second, "b");
    ours.saveRun({ ...first, status: "stopped" });
    ours.flush();
    const third = aRun({}, { id: "r3", study: "s1" });
    ours.createRun(third, "a");
    expect(() => theirs.requeueRun({ ...first, status: "queued" })).toThrow(taken);
    expect(theirs.getRun("r1")).toMatchObject({ status: "stopped" });
  });
});

describe("a run", () => {
  it("is resumed here or deleted there, not both; and by one process for one state that it saw", () => {
    const folder = freshFolder();
    const [ours, theirs] = [openStore(folder), openStore(folder)];
    const run = aRun({}, { id: "r1", status: "stopped" });
    ours.createRun(run);
    const queued = { ...run, status: "queued" } as const;
    const epoch = theirs.epochOf("r1");
    expect(ours.requeueRun(queued, ours.epochOf("r1"))).toBe(true);
    expect(() => theirs.setDeleted(["r1"], 5)).toThrow(`Run ${run.name} (r1) is queued; stop it before deleting it.`);
    ours.saveRun(run);
    ours.flush();
    expect(theirs.requeueRun(queued, epoch)).toBe(false);
    theirs.setDeleted(["r1"], 5);
    expect(ours.requeueRun(queued, ours.epochOf("r1"))).toBe(false);
    expect(ours.getRun("r1")).toMatchObject({ status: "stopped", deletedAt: 5 });
  });
});

it("a store in which two runs of a cell are marked as active keeps the latest so", () => {
  const folder = freshFolder();
  closeConnections(openConnections(folder, migrations.slice(0, 9)));
  const db = new Database(join(folder, storeFileName));
  db.exec("INSERT INTO studies (id, name, status, created_at, total, workers, definition) VALUES ('s1', 'old', 'running', 1, 1, 1, '{}')");
  const add = db.prepare(
    `INSERT INTO runs (id, name, status, stack, seed, engine, created_at, total_steps, hyperparameters, experiment, study, cell, heartbeat_at)
     VALUES (?, '', ?, '', 0, 'onnx', 1, 1, '[]', '{}', 's1', ?, 77)`,
  );
  for (const [id, status, cell] of [["r1", "running", "a"], ["r2", "finished", "a"], ["r3", "paused", "a"], ["r4", "queued", "a"], ["r5", "running", "b"]]) add.run(id, status, cell);
  db.close();
  const { writer, ...rest } = openConnections(folder);
  const rows = writer.prepare("SELECT id, status, finished_at FROM runs ORDER BY id").raw().all();
  closeConnections({ writer, ...rest });
  expect(rows).toEqual([["r1", "interrupted", 77], ["r2", "finished", null], ["r3", "interrupted", 77], ["r4", "queued", null], ["r5", "running", null]]);
});

function startHost(storeDir: string) {
  const child = spawn(process.execPath, [processFile("claimHost"), storeDir], { stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: unknown[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
  const next = () => vi.waitFor(() => {
    if (lines.length === 0) throw new Error("the host has not answered");
    return lines.shift();
  }, { interval: 5 });
  return { next, order: (order: ClaimOrder) => child.stdin.write(`${JSON.stringify(order)}\n`), ended: new Promise((resolve) => child.once("exit", resolve)) };
}

// Four processes, each with trainers.
it.runIf(everything)("of four processes that resume, retry, extend and delete one study at the same moment, exactly one is told yes", async () => {
  const folder = freshFolder();
  const store = openStore(folder);
  const base = { dataset: { kind: "mnist", trainExamples: 640, testExamples: 100 }, batchSize: 64, model: { hidden: [8] }, budget: { epochs: 400 }, engine: { kind: "onnx-cpu" } };
  const study = studySchema.parse({ name: "claimed", base, heights: { values: [0, 1] }, seeds: [0, 1, 2], cohort: 1 });
  const cells = (of: typeof study) => {
    const expansion = expandStudy(of);
    return expansion.ok ? expansion.cells.length : 0;
  };
  addStudy(store);
  store.studies.save({ ...store.studies.get("s1")!, study, total: cells(study), workers: 2, status: "stopped" });
  const hosts = Array.from({ length: 4 }, () => startHost(folder));
  await Promise.all(hosts.map(({ next }) => next()));

  /** Index of the one host that was told yes. */
  const oneOf = async (order: (host: number) => ClaimOrder): Promise<number> => {
    hosts.forEach((host, i) => host.order(order(i)));
    const answers = (await Promise.all(hosts.map(({ next }) => next()))) as ClaimAnswer[];
    expect(answers.filter((answer) => "yes" in answer), JSON.stringify(answers)).toHaveLength(1);
    return answers.findIndex((answer) => "yes" in answer);
  };
  const live = new Database(join(folder, storeFileName), { readonly: true });
  onTestFinished(() => void live.close());
  const mostPerCell = () => live.prepare("SELECT max(n) FROM (SELECT count(*) AS n FROM runs GROUP BY study, cell)").pluck().get() as number | null;
  const stop = async (host: number) => {
    // Runs have begun, so that the others have something to begin twice.
    await vi.waitFor(() => expect(mostPerCell()).toBeGreaterThan(0), { interval: 10 });
    hosts[host]!.order({ stop: "s1" });
    expect(await hosts[host]!.next()).toEqual({ yes: true });
  };
  await stop(await oneOf(() => ({ resume: "s1" })));
  await stop(await oneOf(() => ({ retry: "s1" })));
  await stop(await oneOf((i) => ({ extend: "s1", seeds: [0, 1, 2, 3 + i] })));
  expect(mostPerCell()).toBe(1);
  const last = await oneOf((i) => (i % 2 === 0 ? { resume: "s1" } : { delete: "s1" }));
  const { status, deletedAt } = store.studies.get("s1")!;
  expect([status === "running", deletedAt !== null]).toEqual(last % 2 === 0 ? [true, false] : [false, true]);
  expect(mostPerCell()).toBe(1);
  for (const host of hosts) host.order({ close: true });
  await Promise.all(hosts.map(({ ended }) => ended));
}, 180_000);
