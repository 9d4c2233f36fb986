import { spawnSync } from "node:child_process";
import Database from "better-sqlite3";
import { describe, expect, it, vi } from "vitest";
import { listedOf, type ListedRun } from "../../../src/shared/listedRun.ts";
import type { RunSummary } from "../../../src/shared/run.ts";
import { silentPolls } from "../../../src/main/store/hosts.ts";
import { anEnvironment, aRun, freshFolder, openStore, recordedLog, rowsOf } from "../../support/storeFixtures.ts";

/** Changes the store behind its back, as another program with SQLite would. */
function edit(path: string, sql: string, ...parameters: unknown[]): void {
  const db = new Database(path);
  db.prepare(sql).run(...parameters);
  db.close();
}

/** Another connection that holds the lock for writing. */
function lockedBy(path: string): { release(): void } {
  const db = new Database(path);
  db.exec("BEGIN IMMEDIATE");
  return { release: () => db.close() };
}

/** The pid of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

describe("runs", () => {
  it("are read as they were stored", () => {
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
    expect(again.listRuns()).toEqual([listedOf(ended)]);
    expect(again.runSummaries([ended.id])).toEqual([ended]);
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

  it("are listed newest first, and stay in the bin with their logs until they are restored", () => {
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

  it("keep a name that is changed during training", () => {
    const store = openStore();
    const run = aRun({ name: "before" });
    store.createRun(run);
    store.renameRun(run.id, "after");
    store.saveRun({ ...run, steps: 5 });
    store.flush();
    expect(store.getRun(run.id)).toMatchObject({ name: "after", steps: 5 });
  });

  it("stay readable when another row is not", () => {
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
  it("happen automatically, and report their runs", async () => {
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

  it("that fail are retried, without losses or duplicates", async () => {
    const failures: unknown[] = [];
    const store = openStore(freshFolder(), { commitAfter: 5, busyTimeout: 0, busyGrace: 0, onWriteFailure: (error) => failures.push(error) });
    const run = aRun();
    store.createRun(run);
    store.beginSeries(run.id, ["loss"], anEnvironment);
    const other = lockedBy(store.path);
    const values = Array.from({ length: 100 }, (_, i) => i);
    store.appendRows(run.id, rowsOf([values]));
    await vi.waitFor(() => expect(failures).toHaveLength(1));
    expect(String(failures[0])).toContain("is locked by another process");
    expect(store.flush()).toBe(false);
    expect(failures).toHaveLength(1);
    expect([...store.readSteps(run.id)]).toEqual([]);
    store.appendRows(run.id, rowsOf([values], 100));
    other.release();
    expect(store.flush()).toBe(true);
    expect([...store.readSteps(run.id)].map((s) => s.values[0])).toEqual([...values, ...values]);
    const { series } = store.readSeries({ run: run.id, metrics: ["loss"], after: -1, width: 32, maxBuckets: 16 });
    expect(series[0]!.buckets.reduce((sum, b) => sum + b.count, 0)).toBe(200);
  });

  it("that fail on close make it throw, naming the store", () => {
    const store = openStore(freshFolder(), { busyTimeout: 0 });
    const run = aRun();
    store.createRun(run);
    const other = lockedBy(store.path);
    store.saveRun({ ...run, steps: 1 });
    expect(() => store.closeNow()).toThrow(`${store.path} is locked by another process`);
    other.release();
  });

  it("are split when the rows of a run cannot be written: that run is reported, the others are committed", () => {
    const failed: [string, string][] = [];
    const store = openStore(freshFolder(), { onRunFailure: (run, error) => failed.push([run, String(error)]) });
    for (const id of ["good", "bad", "fine"]) {
      store.createRun(aRun({}, { id }));
      store.beginSeries(id, ["loss"], anEnvironment);
    }
    const metric = "(SELECT id FROM metrics WHERE run = 'bad')";
    edit(store.path, `INSERT INTO series_values (metric, step, value) VALUES (${metric}, 1, 7)`);
    for (const id of ["good", "bad", "fine"]) store.appendRows(id, rowsOf([[3, 2, 1]]));
    expect(store.flush()).toBe(true);
    expect(failed).toEqual([["bad", expect.stringContaining("UNIQUE constraint failed")]]);
    for (const id of ["good", "fine"]) expect([...store.readSteps(id)]).toHaveLength(3);
    // The others go on as before.
    store.appendRows("good", rowsOf([[0]], 3));
    expect(store.flush()).toBe(true);
    expect([...store.readSteps("good")]).toHaveLength(4);
    expect(failed).toHaveLength(1);
  });
});

describe("several processes", () => {
  it("are notified of each other's changes, and not of their own", async () => {
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

  it("are notified of changed runs only", async () => {
    const folder = freshFolder();
    const ours = openStore(folder);
    for (const id of ["a", "b", "c"]) ours.createRun(aRun({}, { id, status: "finished" }));
    const heard: ListedRun[][] = [];
    openStore(folder, { pollEvery: 5, onForeignChange: ({ runs }) => heard.push([...runs]) });
    const told = async (what: () => void) => {
      heard.length = 0;
      what();
      await vi.waitFor(() => expect(heard).toHaveLength(1));
      return heard[0]!.map(({ id, name, deletedAt, steps }) => ({ id, name, deletedAt, steps }));
    };
    const [a, b] = ours.runSummaries(["a", "b"]);
    expect(await told(() => ours.renameRun("b", "renamed"))).toEqual([{ id: "b", name: "renamed", deletedAt: null, steps: 0 }]);
    expect(await told(() => ours.setDeleted(["c"], 5))).toMatchObject([{ id: "c", deletedAt: 5 }]);
    expect(await told(() => (ours.saveRun({ ...a!, steps: 7 }), ours.flush()))).toMatchObject([{ id: "a", steps: 7 }]);
    expect(await told(() => ours.noteForeign("b", { at: 1, step: 1, kind: "noted", message: "noted" }))).toMatchObject([{ id: "b" }]);
    // Nothing that is shown has changed: neither this, nor what an upgrade of rows writes.
    heard.length = 0;
    edit(ours.path, "UPDATE hosts SET beats = beats + 1");
    edit(ours.path, "UPDATE runs SET layout = 0");
    expect(await told(() => ours.createRun({ ...b!, id: "d" }))).toMatchObject([{ id: "d" }]);
  });

  it("are notified of many changes in batches", async () => {
    const folder = freshFolder();
    const ours = openStore(folder);
    ours.createRun(aRun({}, { id: "r0", status: "finished" }));
    const columns = "name, status, stack, seed, engine, experiment, created_at, total_steps, hyperparameters, layout, dataset, model, result_name";
    edit(ours.path, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 599) INSERT INTO runs (id, ${columns}) SELECT 'r' || i, ${columns} FROM n, runs WHERE id = 'r0'`);
    const heard: string[][] = [];
    openStore(folder, { pollEvery: 5, onForeignChange: ({ runs }) => heard.push(runs.map(({ id }) => id)) });
    ours.setDeleted(Array.from({ length: 600 }, (_, i) => `r${i}`), 5);
    await vi.waitFor(() => expect(heard.flat()).toHaveLength(600));
    expect(heard.map(({ length }) => length)).toEqual([250, 250, 100]);
    expect(new Set(heard.flat()).size).toBe(600);
  });

  it("mark a run as interrupted when its process has ended, and keep its steps", () => {
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

  it("leave a run alone while its process lives, however long it has been silent", () => {
    const folder = freshFolder();
    const store = openStore(folder);
    for (const id of ["running", "paused"] as const) store.createRun(aRun({}, { id, status: id }));
    const other = openStore(folder);
    for (let look = 0; look < 3 * silentPolls; look++) expect(other.markInterrupted()).toEqual([]);
    expect(other.listRuns().map((run) => run.status).sort()).toEqual(["paused", "running"]);
  });

  it("leave a run alone while its process lives, also if its version has no leases", () => {
    const folder = freshFolder();
    const store = openStore(folder);
    store.createRun(aRun({}, { status: "running" }));
    edit(store.path, "UPDATE runs SET owner_pid = ?, owner_token = 'theirs'", process.ppid);
    expect(openStore(folder).listRuns()[0]!.status).toBe("running");
    edit(store.path, "UPDATE runs SET owner_pid = ?", process.pid);
    expect(openStore(folder).listRuns()[0]!.status).toBe("interrupted");
  });

  it("mark a run of another machine as interrupted after several polls without a beat of its host", () => {
    const folder = freshFolder();
    const store = openStore(folder);
    store.createRun(aRun({}, { id: "far", status: "running" }));
    edit(store.path, "INSERT INTO hosts (token, pid, host, beats) VALUES ('theirs', 1, 'elsewhere', 5)");
    edit(store.path, "UPDATE runs SET owner_token = 'theirs', owner_pid = 1, owner_host = 'elsewhere', heartbeat_at = 1");
    const looking = openStore(folder);
    for (let look = 0; look < 2 * silentPolls; look++) {
      edit(store.path, "UPDATE hosts SET beats = beats + 1 WHERE token = 'theirs'");
      expect(looking.markInterrupted()).toEqual([]);
    }
    const looks = Array.from({ length: silentPolls }, () => looking.markInterrupted());
    expect(looks).toEqual([...Array.from({ length: silentPolls - 1 }, () => []), ["far"]]);
    expect(looking.getRun("far")).toMatchObject({ status: "interrupted", reason: "The machine that trained it (elsewhere) has not been heard of." });
  });

  it("count one poll per host of another machine, whatever it owns", () => {
    const folder = freshFolder();
    const store = openStore(folder);
    store.createRun(aRun({}, { id: "far", status: "running" }));
    edit(store.path, "INSERT INTO hosts (token, pid, host, beats) VALUES ('theirs', 1, 'elsewhere', 5)");
    edit(store.path, "UPDATE runs SET owner_token = 'theirs', owner_pid = 1, owner_host = 'elsewhere'");
    edit(
      store.path,
      `INSERT INTO studies (id, name, status, created_at, total, workers, definition, owner_token, owner_pid, owner_host)
       VALUES ('study', 'Study', 'running', 1, 1, 1, '{}', 'theirs', 1, 'elsewhere')`,
    );
    const looking = openStore(folder);
    const looks = Array.from({ length: silentPolls }, () => looking.markInterrupted());
    expect(looks).toEqual([...Array.from({ length: silentPolls - 1 }, () => []), ["far", "study"]]);
  });
});

describe("leases", () => {
  /** Two hosts on one store; the first trains two runs, of which the other has taken the first. */
  function takenOver() {
    const folder = freshFolder();
    const lost: [run: string, dropped: number][] = [];
    const sleeper = openStore(folder, { machine: "laptop", onLeaseLost: (...one) => lost.push(one) });
    for (const id of ["taken", "kept"]) {
      sleeper.createRun(aRun({}, { id, status: "running" }));
      sleeper.beginSeries(id, ["loss"], anEnvironment);
      sleeper.appendRows(id, rowsOf([[5, 4]]));
    }
    sleeper.flush();
    const taker = openStore(folder);
    edit(sleeper.path, "UPDATE runs SET status = 'interrupted' WHERE id = 'taken'");
    expect(taker.requeueRun({ ...taker.getRun("taken")!, status: "queued" })).toBe(true);
    expect(taker.resumeSeries("taken", ["loss"], null, anEnvironment).logged).toBe(2);
    return { sleeper, taker, lost };
  }

  it("of a taken run block all its writes, and none of other runs", () => {
    const { sleeper, taker, lost } = takenOver();
    for (const id of ["taken", "kept"]) {
      sleeper.appendRows(id, rowsOf([[3, 2, 1]], 2));
      sleeper.addEvaluation(id, { step: 5, epoch: 1, trainLoss: 1, testLoss: 1, testError: 50 });
      sleeper.addEvent(id, { at: 1, step: 5, kind: "paused", message: "" });
      sleeper.saveRun({ ...sleeper.getRun(id)!, status: "paused", steps: 5 });
    }
    expect(sleeper.flush()).toBe(true);
    expect(lost).toEqual([["taken", 3]]);
    expect(taker.getRun("kept")).toMatchObject({ status: "paused", steps: 5, evaluations: [{ step: 5 }], events: [{ kind: "paused" }] });
    expect(taker.getRun("taken")).toMatchObject({ status: "queued", evaluations: [], events: [] });
    taker.appendRows("taken", rowsOf([[2.5]], 2));
    expect(taker.flush()).toBe(true);
    expect([...taker.readSteps("taken")].map(({ values }) => values[0])).toEqual([5, 4, 2.5]);
  });

  it("of a taken run prevent resuming its series and putting its files in place", () => {
    const { sleeper, taker } = takenOver();
    expect(() => sleeper.beginSeries("taken", ["loss"], anEnvironment)).toThrow("was taken over by another Hypertower process");
    expect(() => sleeper.resumeSeries("taken", ["loss"], null, anEnvironment)).toThrow("was taken over by another Hypertower process");
    const placed: string[] = [];
    expect(sleeper.whileHeld("taken", () => placed.push("sleeper"))).toBe(false);
    expect(taker.whileHeld("taken", () => placed.push("taker"))).toBe(true);
    expect(placed).toEqual(["taker"]);
  });

  it("that are lost are noticed without pending writes", async () => {
    const folder = freshFolder();
    const lost: [run: string, dropped: number][] = [];
    const sleeper = openStore(folder, { pollEvery: 5, onLeaseLost: (...one) => lost.push(one) });
    sleeper.createRun(aRun({}, { id: "quiet", status: "paused" }));
    sleeper.beginSeries("quiet", ["loss"], anEnvironment);
    const taker = openStore(folder);
    edit(sleeper.path, "UPDATE runs SET status = 'interrupted'");
    expect(taker.requeueRun({ ...taker.getRun("quiet")!, status: "queued" })).toBe(true);
    await vi.waitFor(() => expect(lost).toEqual([["quiet", 0]]));
  });

  it("go to one of two processes that resume the same run", () => {
    const { sleeper, taker } = takenOver();
    edit(taker.path, "UPDATE runs SET status = 'stopped' WHERE id = 'taken'");
    const again = { ...taker.getRun("taken")!, status: "queued" as const };
    expect([sleeper.requeueRun(again), taker.requeueRun(again)]).toEqual([true, false]);
    expect([sleeper.leaseOf("taken"), taker.leaseOf("taken")]).toEqual([3, 2]);
  });

  it("survive a host that was wrongly marked as dead: it continues if it wakes before its run is taken", () => {
    const folder = freshFolder();
    const store = openStore(folder);
    store.createRun(aRun({}, { id: "slept", status: "running" }));
    edit(store.path, "UPDATE runs SET status = 'interrupted' WHERE id = 'slept'");
    store.saveRun({ ...store.getRun("slept")!, status: "running", steps: 9 });
    expect(store.flush()).toBe(true);
    expect(store.getRun("slept")).toMatchObject({ status: "running", steps: 9 });
  });
});
