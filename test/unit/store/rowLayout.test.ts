import Database from "better-sqlite3";
import { describe, expect, it, vi } from "vitest";
import { listedOf } from "../../../src/shared/listedRun.ts";
import * as experiments from "../../../src/shared/experiment.ts";
import { closeConnections, openConnections } from "../../../src/main/store/database.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import { rowLayout } from "../../../src/main/store/rowLayout.ts";
import { RunReader } from "../../../src/main/store/runReader.ts";
import { RowUpgrade } from "../../../src/main/store/rowUpgrade.ts";
import { aRun, freshFolder, openStore, recordedLog } from "../../support/storeFixtures.ts";

function edited<T>(path: string, work: (db: Database.Database) => T): T {
  const db = new Database(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const layouts = (path: string) => edited(path, (db) => db.prepare("SELECT layout FROM runs ORDER BY id").pluck().all());

describe("rows of runs", () => {
  it("are not validated again when they are read", () => {
    const store = openStore();
    const run = aRun();
    store.createRun(run);
    const check = vi.spyOn(experiments.experiment, "parse");
    const checkSafely = vi.spyOn(experiments.experiment, "safeParse");
    expect(store.listRuns()).toEqual([listedOf(run)]);
    expect(store.runSummaries([run.id])).toEqual([run]);
    expect(store.getRun(run.id)).toMatchObject(run);
    expect([check.mock.calls.length, checkSafely.mock.calls.length]).toEqual([0, 0]);
    vi.restoreAllMocks();
  });

  it("are validated when they are written", () => {
    const store = openStore();
    const run = aRun();
    expect(() => store.createRun({ ...run, experiment: { ...run.experiment, batchSize: -1 } })).toThrow(/batchSize/);
    expect(store.listRuns()).toEqual([]);
  });

  it("of another layout are read with the schemas and marked once; unreadable ones stay unchanged", () => {
    const folder = freshFolder();
    const log = recordedLog();
    const store = openStore(folder, { log });
    const [old, bad] = [aRun({}, { id: "a", status: "finished" }), aRun({}, { id: "b", status: "finished" })];
    for (const run of [old, bad]) store.createRun(run);
    store.closeNow();
    edited(store.path, (db) => db.exec(`UPDATE runs SET layout = 0; UPDATE runs SET experiment = '{"batchSize": -1}' WHERE id = 'b'`));

    const connections = openConnections(folder);
    const upgrade = new RowUpgrade(connections, { change: (_what, work) => connections.writer.transaction(work)() });
    while (upgrade.next());
    closeConnections(connections);
    expect(layouts(store.path)).toEqual([rowLayout, 0]);
    expect(openStore(folder, { log }).listRuns()).toEqual([listedOf(old)]);
    expect(log.errors.join()).toMatch(/Run b in .* cannot be read/);
  });

  it("are validated again after another program changed the experiment", () => {
    const store = openStore();
    store.createRun(aRun());
    expect(layouts(store.path)).toEqual([rowLayout]);
    edited(store.path, (db) => db.exec(`UPDATE runs SET experiment = json_set(experiment, '$.seed', 5)`));
    expect(layouts(store.path)).toEqual([0]);
    expect(store.listRuns()[0]!.seed).toBe(5);
  });

  it("of the previous version are read unchanged", () => {
    const folder = freshFolder();
    closeConnections(openConnections(folder, migrations.slice(0, 4)));
    const { experiment, hyperparameters, stack, createdAt, totalSteps } = aRun();
    edited(`${folder}/hypertower.sqlite`, (db) =>
      db
        .prepare(
          `INSERT INTO runs (id, name, status, stack, seed, engine, created_at, total_steps, hyperparameters, experiment) VALUES ('old', 'old', 'finished', ?, 1, 'reference', ?, ?, ?, ?)`,
        )
        .run(stack, createdAt, totalSteps, JSON.stringify(hyperparameters), JSON.stringify(experiment)),
    );
    const store = openStore(folder);
    expect(store.runSummaries(["old"])).toMatchObject([{ id: "old", experiment, hyperparameters }]);
    expect(store.listRuns()).toMatchObject([{ id: "old", seed: experiment.seed, dataset: "mnist", result: { name: "testError", value: null } }]);
  });

  it("of the version without list columns are listed equally before and after their upgrade", () => {
    const folder = freshFolder();
    const log = recordedLog();
    const store = openStore(folder, { log });
    const held = { step: 5, epoch: 1, trainLoss: 1, testLoss: null, testError: null, validationLoss: 0.5, validationError: 7 };
    const runs = [
      aRun({}, { id: "a", createdAt: 4, status: "finished", testError: 4.5, evaluation: { step: 9, epoch: 1, trainLoss: 1, testLoss: 0.2, testError: 4.5 } }),
      aRun({ dataset: { validation: 0.1 } }, { id: "b", createdAt: 3, status: "stopped", evaluation: held }),
      aRun({}, { id: "c", createdAt: 2, status: "finished", testError: 3, evaluation: null }),
    ];
    for (const run of runs) store.createRun(run);
    store.closeNow();
    edited(store.path, (db) => db.exec("UPDATE runs SET layout = 1, dataset = NULL, model = NULL, result_name = NULL, result = NULL"));
    const listed = runs.map(listedOf);
    expect(listed.map(({ result }) => result)).toEqual([
      { name: "testError", value: 4.5 },
      { name: "validationError", value: 7 },
      { name: "testError", value: 3 },
    ]);

    const connections = openConnections(folder);
    const reader = new RunReader(connections.reader, connections.path, log);
    const check = vi.spyOn(experiments.experiment, "safeParse");
    expect(reader.list(false)).toEqual(listed);
    // Their JSON was checked when it was written.
    expect(check).not.toHaveBeenCalled();
    const upgrade = new RowUpgrade(connections, { change: (_what, work) => connections.writer.transaction(work)() });
    while (upgrade.next());
    closeConnections(connections);
    expect(layouts(store.path)).toEqual(runs.map(() => rowLayout));

    // From now on, a list reads no configuration.
    const parse = vi.spyOn(JSON, "parse");
    const again = openStore(folder, { log });
    const before = parse.mock.calls.length;
    expect(again.listRuns()).toEqual(listed);
    expect(parse.mock.calls.length).toBe(before);
    vi.restoreAllMocks();
  });

  it("contain the latest result of a run during training", () => {
    const store = openStore();
    const run = aRun({ dataset: { validation: 0.1 } }, { status: "running" });
    store.createRun(run);
    const result = () => store.listRuns()[0]!.result;
    expect(result()).toEqual({ name: "testError", value: null });
    const evaluation = { step: 5, epoch: 1, trainLoss: 1, testLoss: null, testError: null, validationLoss: 0.5, validationError: 7 };
    store.saveRun({ ...run, evaluation });
    store.flush();
    expect(result()).toEqual({ name: "validationError", value: 7 });
    store.saveRun({ ...run, status: "finished", testError: 8, evaluation: { ...evaluation, testLoss: 1, testError: 8 } });
    store.flush();
    expect(result()).toEqual({ name: "testError", value: 8 });
  });
});

describe("lists of runs", () => {
  it("return pages of the requested size, in order, also with unreadable rows", () => {
    const store = openStore(freshFolder(), { log: recordedLog() });
    // Several have the same time: the id decides.
    const ids = Array.from({ length: 25 }, (_, i) => `r${String(i).padStart(2, "0")}`);
    ids.forEach((id, i) => store.createRun(aRun({}, { id, createdAt: i >> 2 })));
    edited(store.path, (db) => db.exec(`UPDATE runs SET experiment = '{}' , layout = 0 WHERE id IN ('r20', 'r23')`));
    edited(store.path, (db) => db.exec(`UPDATE runs SET experiment = '{"batchSize": -1}' WHERE id IN ('r20', 'r23')`));
    const all = store.listRuns().map(({ id }) => id);
    expect(all).toEqual(ids.filter((id) => id !== "r20" && id !== "r23").reverse());
    const parts: string[][] = [];
    for (let before: { id: string; createdAt: number } | undefined; ; ) {
      const part = store.listRuns(false, undefined, { limit: 6, before });
      parts.push(part.map(({ id }) => id));
      before = part.at(-1);
      if (part.length < 6) break;
    }
    expect(parts.map(({ length }) => length)).toEqual([6, 6, 6, 5]);
    expect(parts.flat()).toEqual(all);
  });

  it("are not needed to find a run by its id", () => {
    const store = openStore();
    store.createRun(aRun({ name: "first" }, { id: "a%1", createdAt: 1 }));
    store.createRun(aRun({ name: "second" }, { id: "a_2", createdAt: 2, status: "stopped" }));
    store.setDeleted(["a_2"], 5);
    expect(store.runIds("a", 9)).toEqual(["a_2", "a%1"]);
    expect([store.runIds("a%", 9), store.runIds("%", 9), store.runIds("a", 1)]).toEqual([["a%1"], [], ["a_2"]]);
    expect(store.latestRun()).toBe("a%1");
  });
});
