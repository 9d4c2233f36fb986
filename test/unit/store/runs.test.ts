import { spawnSync } from "node:child_process";
import Database from "better-sqlite3";
import { describe, expect, it, vi } from "vitest";
import type { RunSummary } from "../../../src/shared/run.ts";
import { heartbeatLimit } from "../../../src/main/store/ownership.ts";
import { anEnvironment, aRun, freshFolder, openStore, recordedLog, rowsOf } from "../../support/storeFixtures.ts";

/** Changes the store behind its back, as another program with SQLite would. */
function edit(path: string, sql: string, ...parameters: unknown[]): void {
  const db = new Database(path);
  db.prepare(sql).run(...parameters);
  db.close();
}

/** The pid of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

describe("runs", () => {
  it("come back as they were stored", () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const run = aRun({ name: "α run", tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }], seed: 4_294_967_295 });
    store.createRun(run);
    store.beginSeries(run.id, ["loss", "stepTime"], anEnvironment);
    store.appendRows(run.id, rowsOf([[2, 1], [0.5, 0.5]]));
    const ended: RunSummary = {
      ...run,
      status: "diverged",
      reason: "loss is NaN",
      device: "cpu",
      startedAt: 5,
      finishedAt: 9,
      steps: 2,
      epoch: 0.25,
      loss: null,
      testError: 12.5,
      hyperparameters: run.hyperparameters.map((h) => ({ ...h, value: null })),
    };
    store.addEvaluation(run.id, { step: 2, epoch: 1, trainLoss: NaN, testLoss: 0.5, testError: 12.5 });
    store.addEvent(run.id, { at: 5, step: 0, kind: "started", message: "on cpu" });
    store.addEvent(run.id, { at: 9, step: 2, kind: "diverged", message: "loss is NaN" });
    store.saveRun(ended);
    store.closeNow();

    const again = openStore(folder);
    expect(again.listRuns()).toEqual([ended]);
    expect(again.getRun(run.id)).toEqual({
      ...ended,
      environment: anEnvironment,
      metrics: ["loss", "stepTime"],
      evaluations: [{ step: 2, epoch: 1, trainLoss: null, testLoss: 0.5, testError: 12.5 }],
      events: [
        { at: 5, step: 0, kind: "started", message: "on cpu" },
        { at: 9, step: 2, kind: "diverged", message: "loss is NaN" },
      ],
    });
    expect(again.getRun("nothing")).toBeUndefined();
  });

  it("can be queried with plain SQL", () => {
    const store = openStore();
    const run = aRun({ name: "plain" });
    store.createRun(run);
    store.beginSeries(run.id, ["loss", "L0.alpha"], anEnvironment);
    store.appendRows(run.id, rowsOf([[2, NaN, Infinity], [0.1, 0.2, 0.3]]));
    store.flush();
    const db = new Database(store.path, { readonly: true });
    const rows = db.prepare("SELECT run_name, metric, step, value FROM series WHERE run = ? AND metric = 'loss' ORDER BY step").all(run.id);
    expect(rows).toEqual([
      { run_name: "plain", metric: "loss", step: 0, value: 2 },
      { run_name: "plain", metric: "loss", step: 1, value: null },
      { run_name: "plain", metric: "loss", step: 2, value: Infinity },
    ]);
    expect(db.prepare("SELECT json_extract(experiment, '$.tower[1].optimizer') FROM runs").pluck().get()).toBe("sgd");
    db.close();
  });

  it("are listed newest first, and in the bin until they are restored, with all they logged", () => {
    const store = openStore();
    const [first, second] = [aRun({}, { id: "a", createdAt: 1, status: "finished" }), aRun({}, { id: "b", createdAt: 2, status: "finished" })];
    for (const run of [first, second]) {
      store.createRun(run);
      store.beginSeries(run.id, ["loss"], anEnvironment);
      store.appendRows(run.id, rowsOf([[1, 2, 3]]));
    }
    store.flush();
    const ids = (deleted: boolean) => store.listRuns(deleted).map((run) => run.id);
    expect(ids(false)).toEqual(["b", "a"]);
    store.setDeleted(["a"], 77);
    store.setDeleted(["a"], 99);
    expect([ids(false), ids(true)]).toEqual([["b"], ["a"]]);
    expect(store.getRun("a")!.deletedAt).toBe(77);
    store.setDeleted(["a", "b"], null);
    expect([ids(false), ids(true)]).toEqual([["b", "a"], []]);
    expect([...store.readSteps("a")]).toHaveLength(3);
  });

  it("keep a name given while they train", () => {
    const store = openStore();
    const run = aRun({ name: "before" });
    store.createRun(run);
    store.renameRun(run.id, "after");
    store.saveRun({ ...run, steps: 5 });
    store.flush();
    expect(store.getRun(run.id)).toMatchObject({ name: "after", steps: 5 });
  });

  it("leave the others readable when one row is not", () => {
    const log = recordedLog();
    const store = openStore(freshFolder(), { log });
    store.createRun(aRun({}, { id: "good" }));
    store.createRun(aRun({}, { id: "bad" }));
    edit(store.path, `UPDATE runs SET experiment = '{"batchSize": -1}' WHERE id = 'bad'`);
    expect(store.listRuns().map((run) => run.id)).toEqual(["good"]);
    expect(log.errors.join()).toMatch(/Run bad in .* cannot be read/);
    expect(() => store.getRun("bad")).toThrow(/Run bad in .* cannot be read.*batchSize/s);
  });
});

describe("commits", () => {
  it("come by themselves, and tell which runs they held", async () => {
    const committed: string[] = [];
    const store = openStore(freshFolder(), { commitAfter: 5, onCommit: (runs) => committed.push(...runs) });
    const run = aRun();
    store.createRun(run);
    store.beginSeries(run.id, ["loss"], anEnvironment);
    store.appendRows(run.id, rowsOf([[1, 2]]));
    expect([...store.readSteps(run.id)]).toEqual([]);
    await vi.waitFor(() => expect(committed).toEqual([run.id]));
    expect([...store.readSteps(run.id)]).toHaveLength(2);
  });

  it("that fail are tried again, nothing lost and nothing twice", async () => {
    const failures: unknown[] = [];
    const store = openStore(freshFolder(), { commitAfter: 5, onWriteFailure: (error) => failures.push(error) });
    const run = aRun();
    store.createRun(run);
    store.beginSeries(run.id, ["loss"], anEnvironment);
    edit(store.path, "CREATE TRIGGER full BEFORE INSERT ON buckets BEGIN SELECT RAISE(ABORT, 'no space'); END");
    const values = Array.from({ length: 100 }, (_, i) => i);
    store.appendRows(run.id, rowsOf([values]));
    await vi.waitFor(() => expect(failures).toHaveLength(1));
    expect(String(failures[0])).toContain("no space");
    expect(store.flush()).toBe(false);
    expect(failures).toHaveLength(1);
    expect([...store.readSteps(run.id)]).toEqual([]);
    store.appendRows(run.id, rowsOf([values], 100));
    edit(store.path, "DROP TRIGGER full");
    expect(store.flush()).toBe(true);
    expect([...store.readSteps(run.id)].map((s) => s.values[0])).toEqual([...values, ...values]);
    const { series } = store.readSeries({ run: run.id, metrics: ["loss"], after: -1, width: 32, maxBuckets: 16 });
    expect(series[0]!.buckets.reduce((sum, b) => sum + b.count, 0)).toBe(200);
  });

  it("that cannot be made fail the close, by name", () => {
    const store = openStore();
    const run = aRun();
    store.createRun(run);
    edit(store.path, "CREATE TRIGGER full BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'no space'); END");
    store.saveRun({ ...run, steps: 1 });
    expect(() => store.closeNow()).toThrow(`${store.path}: no space`);
  });
});

describe("several processes", () => {
  it("see one another's changes, and not their own", async () => {
    const folder = freshFolder();
    const changes = { ours: 0, theirs: 0 };
    const ours = openStore(folder, { pollEvery: 5, onForeignChange: () => changes.ours++ });
    const theirs = openStore(folder, { pollEvery: 5, onForeignChange: () => changes.theirs++ });
    await vi.waitFor(() => expect(changes).toEqual({ ours: 0, theirs: 0 }));
    ours.createRun(aRun());
    await vi.waitFor(() => expect(changes.theirs).toBe(1));
    expect(changes.ours).toBe(0);
    expect(theirs.listRuns()).toHaveLength(1);
  });

  it("show a run as interrupted whose process is gone, its steps kept", () => {
    const folder = freshFolder();
    const store = openStore(folder);
    for (const status of ["queued", "running", "paused", "finished"] as const) {
      const run = aRun({}, { id: status, status, steps: 3 });
      store.createRun(run);
      store.beginSeries(run.id, ["loss"], anEnvironment);
      store.appendRows(run.id, rowsOf([[3, 2, 1]]));
      store.flush();
    }
    edit(store.path, "UPDATE runs SET owner_pid = ?, owner_token = 'theirs'", deadPid());
    const again = openStore(folder);
    for (const id of ["queued", "running", "paused"]) {
      const run = again.getRun(id)!;
      expect(run).toMatchObject({ status: "interrupted", steps: 3, samplesPerSecond: null });
      expect(run.reason).toMatch(/^The process that trained it \(pid \d+\) ended before the run did\.$/);
      expect(run.finishedAt).not.toBeNull();
      expect(run.events).toMatchObject([{ kind: "interrupted", step: 3 }]);
      expect([...again.readSteps(id)]).toHaveLength(3);
    }
    expect(again.getRun("finished")!.status).toBe("finished");
  });

  it("leave a run alone whose process lives", () => {
    const folder = freshFolder();
    const store = openStore(folder);
    store.createRun(aRun({}, { id: "ours", status: "running" }));
    store.createRun(aRun({}, { id: "theirs", status: "running" }));
    edit(store.path, "UPDATE runs SET owner_pid = ?, owner_token = 'theirs' WHERE id = 'theirs'", process.ppid);
    expect(openStore(folder).listRuns().map((run) => run.status)).toEqual(["running", "running"]);
  });

  it.each([
    ["has not been heard of", "heartbeat_at = heartbeat_at - ?, owner_pid = ?", [heartbeatLimit + 1_000, process.ppid]],
    ["is this very process in an earlier life", "owner_pid = ?", [process.pid]],
    ["has not been heard of on another machine", "heartbeat_at = heartbeat_at - ?, owner_host = 'elsewhere'", [heartbeatLimit + 1_000]],
  ])("show a run as interrupted whose owner %s", (_, assignments, parameters) => {
    const folder = freshFolder();
    const store = openStore(folder);
    store.createRun(aRun({}, { status: "running" }));
    edit(store.path, `UPDATE runs SET owner_token = 'theirs', ${assignments}`, ...parameters);
    expect(openStore(folder).listRuns()[0]!.status).toBe("interrupted");
  });

  it("leave a run of another machine alone while it is heard of", () => {
    const folder = freshFolder();
    const store = openStore(folder);
    store.createRun(aRun({}, { status: "running" }));
    edit(store.path, "UPDATE runs SET owner_token = 'theirs', owner_host = 'elsewhere', owner_pid = ?", deadPid());
    expect(openStore(folder).listRuns()[0]!.status).toBe("running");
  });
});
