import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { listedOf, type ListedRun } from "../../../src/shared/listedRun.ts";
import { contract, requestNames, type RequestInput, type RequestName, type RequestOutput } from "../../../src/shared/contract.ts";
import { isActive, type RunSummary } from "../../../src/shared/run.ts";
import type { DatasetCatalog } from "../../../src/main/services/experiments.ts";
import { createServices, type ServiceExtras } from "../../../src/main/services/createServices.ts";
import { dispatch } from "../../../src/main/services/dispatch.ts";
import { UserError } from "../../../src/main/services/services.ts";
import { storeFileName } from "../../../src/main/store/database.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import type { FakePlan } from "../../support/fakeTrainer.ts";
import { freshFolder, recordedLog } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const launchTrainer = nodeLauncher(processFile("fakeTrainer"));
const usable: DatasetCatalog = { problem: () => Promise.resolve(null), list: () => Promise.resolve([]) };

async function open(storeDir = freshFolder(), extras: ServiceExtras = {}) {
  const log = recordedLog();
  const services = await createServices({ storeDir, host: "browser", version: "1.2.3", launchTrainer }, { datasets: usable, log, ...extras });
  onTestFinished(() => services.close());

  const answer = (name: unknown, input: unknown) => dispatch(services, name, input, log);
  /** The value of a request that must succeed, as it arrives after a journey as JSON. */
  const ask = async <N extends RequestName>(name: N, input: RequestInput<N>): Promise<RequestOutput<N>> => {
    const reply = await answer(name, input);
    if (!reply.ok) throw new Error(reply.error.message);
    const value: unknown = JSON.parse(JSON.stringify(reply.value));
    expect(value).toEqual(reply.value);
    return contract.requests[name].output.parse(value) as RequestOutput<N>;
  };
  const refused = async (name: unknown, input: unknown) => {
    const reply = await answer(name, input);
    if (reply.ok) throw new Error("the request was granted");
    return reply.error;
  };
  const start = (plan: FakePlan) => ask("runs.start", { experiment: { name: JSON.stringify(plan) } });
  const ended = (run: string) =>
    vi.waitFor(async () => {
      const now = await ask("runs.get", { run });
      expect(isActive(now.status)).toBe(false);
      return now;
    }, { interval: 10 });
  return { services, log, ask, refused, start, ended };
}

describe("services", () => {
  it("train a run, show it live, and find it again tomorrow", async () => {
    const folder = freshFolder();
    const today = await open(folder);
    const seen: RunSummary[] = [];
    const evaluations: number[] = [];
    today.services.on("run.changed", (run) => seen.push(run));
    today.services.on("run.evaluated", (told) => evaluations.push(...told.evaluations.map(({ step }) => step)));
    const begun = await today.start({ steps: 300, evaluateAt: 100 });
    expect(begun).toMatchObject({ status: "queued", stack: "Adam / SGD(1e-5)" });
    const ended = await today.ended(begun.id);
    expect(ended).toMatchObject({ status: "finished", steps: 300, testError: 3.5 });
    expect(ended.metrics).toEqual(["loss", "stepTime", "L0.alpha", "L0.beta1", "L0.beta2", "L1.alpha"]);
    await vi.waitFor(() => expect(seen.at(-1)!.status).toBe("finished"));
    expect(seen.map((run) => run.status).filter((s, i, all) => s !== all[i - 1])).toEqual(["queued", "running", "finished"]);
    expect(evaluations).toEqual([100]);
    await today.services.close();

    const tomorrow = await open(folder);
    const [found] = await tomorrow.ask("runs.list", {});
    const { environment: _e, metrics: _m, evaluations: _v, events: _n, ...summary } = ended;
    expect(found).toEqual(listedOf(summary));
    expect(await tomorrow.ask("runs.summaries", { runs: ["none", begun.id] })).toEqual([summary]);
    const { series, lastStep } = await tomorrow.ask("series.read", { run: begun.id, metrics: ["loss"] });
    expect(lastStep).toBe(299);
    expect(series[0]!.buckets).toHaveLength(300);
  });

  it("count the runs that closing would stop, whatever processes there are", async () => {
    // A process of its own for each; the pool keeps those of runs that have ended.
    const { services, ask, start, ended } = await open();
    expect(services.training()).toBe(0);
    const first = await start({ steps: 20 });
    await ended(first.id);
    const { id } = await start({ every: 50 });
    expect(services.training()).toBe(1);
    await ask("runs.pause", { run: id });
    await start({ every: 50 });
    expect(services.training()).toBe(2);
    await ask("runs.stop", { run: id });
    expect(services.training()).toBe(1);
  });

  it("pause, resume, stop, rename, delete and restore a run", async () => {
    const { ask, start, refused } = await open();
    const { id: run } = await start({ steps: 1e9 });
    await vi.waitFor(async () => expect((await ask("runs.get", { run })).status).toBe("running"));
    expect((await ask("runs.pause", { run })).status).toBe("paused");
    expect((await ask("runs.resume", { run })).status).toBe("running");
    expect((await ask("runs.rename", { run, name: " second try " })).name).toBe("second try");
    expect((await refused("runs.delete", { runs: [run] })).message).toBe(`Run second try (${run}) is running; stop it before deleting it.`);
    expect(await ask("runs.stop", { run })).toMatchObject({ status: "stopped", name: "second try" });
    for (const [request, action] of [["runs.pause", "paused"], ["runs.stop", "stopped"]] as const) {
      expect((await refused(request, { run })).message).toBe(
        `Run second try (${run}) is stopped; only a run that is queued, running or paused can be ${action}.`,
      );
    }
    const ids = async (deleted: boolean) => (await ask("runs.list", { deleted })).map((r) => r.id);
    expect((await ask("runs.delete", { runs: [run] }))[0]!.deletedAt).not.toBeNull();
    expect([await ids(false), await ids(true)]).toEqual([[], [run]]);
    expect((await refused("runs.restore", { runs: [run, "unknown"] })).message).toMatch(/^There is no run unknown in \//);
    expect(await ids(true)).toEqual([run]);
    expect((await ask("runs.restore", { runs: [run] }))[0]!.deletedAt).toBeNull();
    expect(await ids(false)).toEqual([run]);
  });

  it("tell a run's changes a few times a second, the last one always", async () => {
    const { services, start, ended } = await open();
    const at: number[] = [];
    services.on("run.changed", ({ status }) => {
      if (status === "running") at.push(performance.now());
    });
    const { id } = await start({ steps: 3_000, every: 1 });
    const { startedAt, finishedAt } = await ended(id);
    const seconds = (finishedAt! - startedAt!) / 1000;
    expect(at.length).toBeGreaterThan(1);
    // 300 batches were reported.
    expect(at.length).toBeLessThanOrEqual(2 + 4 * seconds);
  });

  it("call a run without a name after its stack", async () => {
    const { ask } = await open();
    const run = await ask("runs.start", { experiment: { tower: [{ optimizer: "sgd" }] } });
    expect(run.name).toBe("SGD");
    await ask("runs.stop", { run: run.id });
  });

  it("create no run from an experiment that is wrong, and name its fields", async () => {
    const { ask, refused } = await open();
    const error = await refused("runs.start", { experiment: { tower: [{ optimizer: "adam", beta1: 1 }], extra: 1 } });
    expect(error.fields?.map((f) => f.path)).toEqual(["tower.0.beta1", "extra"]);
    expect(error.message).toMatch(/^The experiment is not valid: tower\.0\.beta1: Adam beta1 is 1; allowed: strictly between 0 and 1/);
    expect(await ask("runs.list", {})).toEqual([]);
    expect(await ask("experiments.validate", { experiment: { batchSize: 0 } })).toMatchObject({ ok: false });
  });

  it("create no run when the dataset cannot be used", async () => {
    const datasets = { ...usable, problem: () => Promise.resolve("train-images is damaged") };
    const { ask, refused } = await open(undefined, { datasets });
    expect(await refused("runs.start", { experiment: {} })).toEqual({
      message: "The dataset mnist cannot be used: train-images is damaged",
      fields: [{ path: "dataset.kind", message: "train-images is damaged" }],
    });
    expect(await ask("runs.list", {})).toEqual([]);
  });

  it("leave a run that another process trains to that process", async () => {
    const folder = freshFolder();
    const here = await open(folder);
    const there = await open(folder);
    let told = 0;
    there.services.on("store.changed", () => told++);
    const listed: ListedRun[] = [];
    there.services.on("runs.listed", (runs) => listed.push(...runs));
    const { id: run, name } = await here.start({ steps: 1e9 });
    expect((await there.refused("runs.stop", { run })).message).toBe(
      `Run ${name} (${run}) is trained by another Hypertower process; it can only be stopped there.`,
    );
    await vi.waitFor(() => expect(told).toBeGreaterThan(0));
    expect(listed[0]).toMatchObject({ id: run, elsewhere: true });
    await there.ask("runs.rename", { run, name: "renamed there" });
    const names: string[] = [];
    here.services.on("run.changed", (changed) => names.push(changed.name));
    await vi.waitFor(() => expect(names.at(-1)).toBe("renamed there"));
    expect(await here.ask("runs.stop", { run })).toMatchObject({ status: "stopped" });
    expect((await here.ask("runs.get", { run })).name).toBe("renamed there");
  });

  it("describe the app and the presets", async () => {
    const { ask } = await open();
    expect(await ask("app.info", {})).toMatchObject({ version: "1.2.3", host: "browser" });
    const presets = await ask("experiments.presets", {});
    for (const { experiment } of presets) expect(await ask("experiments.validate", { experiment })).toEqual({ ok: true, experiment });
  });

  it("give new runs the latest generator, and keep that of a run stored before there was a choice", async () => {
    const folder = freshFolder();
    const before = await open(folder);
    const { id } = await before.start({ steps: 10 });
    expect((await before.ended(id)).experiment.generator).toBe(2);
    await before.services.close();
    const db = new Database(join(folder, storeFileName));
    db.exec("UPDATE runs SET experiment = json_remove(experiment, '$.generator')");
    db.close();
    const { ask } = await open(folder);
    const { experiment } = await ask("runs.get", { run: id });
    expect(experiment.generator).toBe(1);
    // As `reproduce` does, and the form that starts from a run.
    expect((await ask("runs.start", { experiment })).experiment.generator).toBe(1);
    for (const { experiment: preset } of await ask("experiments.presets", {})) expect(preset).toMatchObject({ generator: 2 });
    for (const { study } of await ask("studies.presets", {})) expect(study).toMatchObject({ base: { generator: 2 } });
  });

  it("say what is wrong with the store, by path", async () => {
    const folder = freshFolder();
    const file = join(folder, storeFileName);
    writeFileSync(file, "not a database, but long enough to look at".repeat(20));
    const error: unknown = await open(folder).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toContain(`${file} is not a SQLite database`);
  });

  it("stop the trainers when they close, and can be closed twice", async () => {
    const folder = freshFolder();
    const { services, start } = await open(folder);
    const { id: run } = await start({ steps: 1e9 });
    await delay(300);
    await Promise.all([services.close(), services.close()]);
    const { ask } = await open(folder);
    expect(await ask("runs.get", { run })).toMatchObject({ status: "stopped", reason: "Hypertower was closed." });
  });
});

describe("dispatch", () => {
  it("refuses what the contract does not know", async () => {
    const { refused } = await open();
    for (const name of ["runs.erase", "toString", "__proto__", 7, undefined, null, ["runs.list"]]) {
      expect((await refused(name, {})).message).toMatch(/^There is no request named .*; there are: app\.info, /);
    }
  });

  it("refuses inputs that do not match, naming the field, before any handler sees them", async () => {
    const { refused, ask } = await open();
    expect((await refused("runs.get", { run: "../../etc" })).fields).toEqual([{ path: "run", message: "not a run id" }]);
    expect((await refused("runs.list", { deleted: false, drop: true })).message).toContain("there is no field named drop");
    expect((await refused("runs.get", undefined)).message).toMatch(/^The input of runs\.get is not valid: /);
    expect((await refused("series.read", { run: "a", metrics: ["loss"], width: 3 })).message).toBe("width is 3; allowed: powers of two");
    expect((await refused("series.read", { run: "a", metrics: ["loss"] })).message).toMatch(/^There is no run a in /);
    expect(await ask("runs.list", {})).toEqual([]);
  });

  it("answers failures nobody foresaw, and logs them", async () => {
    const { services, log } = await open();
    const broken = { isClosing: () => false, handlers: { ...services.handlers, "runs.list": () => Promise.reject(new TypeError("x is undefined")) } };
    const reply = await dispatch(broken, "runs.list", {}, log);
    expect(reply).toEqual({ ok: false, error: { message: "runs.list failed unexpectedly: x is undefined" } });
    expect(log.errors).toEqual(["runs.list failed unexpectedly"]);
  });

  it("refuses requests while it closes, quietly, and those that closing made fail", async () => {
    const { services, log } = await open();
    const closing = { ok: false, error: { message: "Hypertower is closing." } };
    // Already under way: its store is closed before it reads.
    const late = Promise.withResolvers<never>();
    const underWay = dispatch({ isClosing: () => services.isClosing(), handlers: { ...services.handlers, "runs.list": () => late.promise } }, "runs.list", {}, log);
    const closed = services.close();
    expect(await dispatch(services, "predictions.kept", { run: "a" }, log)).toEqual(closing);
    await closed;
    late.reject(new TypeError("The database connection is not open"));
    expect(await underWay).toEqual(closing);
    expect(await dispatch(services, "runs.list", {}, log)).toEqual(closing);
    expect(log.errors).toEqual([]);
  });

  it("has a handler for every request", async () => {
    const { services } = await open();
    expect(Object.keys(services.handlers).sort()).toEqual([...requestNames].sort());
  });
});

describe("two hosts on one store", () => {
  it("show a run as trained elsewhere, and the one whose run was taken over ends its trainer and says so", async () => {
    const folder = freshFolder();
    const sleeper = await open(folder, { storeOptions: { machine: "laptop" } });
    const { id: run } = await sleeper.start({ steps: 1e9 });
    const { id: kept } = await sleeper.start({ steps: 1e9 });
    const now = async (host: typeof sleeper, id = run) => host.ask("runs.get", { run: id });
    for (const id of [run, kept]) await vi.waitFor(async () => expect((await now(sleeper, id)).steps).toBeGreaterThan(0));
    const taker = await open(folder, { storeOptions: { machine: "desktop" } });
    expect(await now(taker)).toMatchObject({ status: "running", elsewhere: true });
    expect((await now(sleeper)).elsewhere).toBeUndefined();

    // Taken for dead, as a machine that sleeps is.
    const db = new Database(join(folder, storeFileName));
    onTestFinished(() => void db.close());
    const noted: string[] = [];
    sleeper.services.on("run.noted", ({ event }) => noted.push(event.kind));
    db.exec(`UPDATE runs SET status = 'interrupted', lease = lease + 1, owner_token = 'another' WHERE id = '${run}'`);
    await vi.waitFor(() => expect(noted).toContain("takenOver"));
    const events = (await now(taker)).events.filter(({ kind }) => kind === "takenOver");
    expect(events).toEqual([expect.objectContaining({ message: expect.stringMatching(/^Another Hypertower process took this run over/) as unknown })]);
    expect(await now(sleeper)).toMatchObject({ status: "interrupted" });
    const { steps } = await now(sleeper, kept);
    await vi.waitFor(async () => expect((await now(sleeper, kept)).steps).toBeGreaterThan(steps));
  });
});

describe("a store that cannot be written", () => {
  it("pauses what trains into it, says why, and goes on by itself once it can", async () => {
    const folder = freshFolder();
    const { ask, start, services, refused } = await open(folder, { storeOptions: { busyTimeout: 0, busyGrace: 0 } });
    const told: unknown[] = [];
    services.on("store.problem", ({ problem }) => told.push(problem?.kind ?? null));
    const db = new Database(join(folder, storeFileName));
    onTestFinished(() => void db.close());
    const [{ id: run }, { id: own }] = [await start({ steps: 1e9 }), await start({ steps: 1e9 })];
    const now = (id = run) => ask("runs.get", { run: id });
    for (const id of [run, own]) await vi.waitFor(async () => expect((await now(id)).steps).toBeGreaterThan(0));
    await ask("runs.pause", { run: own });
    db.exec("BEGIN IMMEDIATE");
    await vi.waitFor(async () => expect((await now()).status).toBe("paused"));
    expect((await now()).reason).toMatch(/^Paused: What the runs log cannot be written and is kept in memory: .*is locked by another process/);
    expect((await ask("app.info", {})).storeProblem).toMatchObject({ kind: "unwritable" });
    expect((await refused("runs.resume", { run })).message).toMatch(/^The run stays paused: .* still cannot be written/);
    db.exec("ROLLBACK");
    await vi.waitFor(async () => expect(await now()).toMatchObject({ status: "running", reason: null }));
    // The user paused this one.
    expect(await now(own)).toMatchObject({ status: "paused", reason: null });
    expect(told).toEqual(["unwritable", null]);
    expect((await ask("app.info", {})).storeProblem).toBeNull();
    const { steps } = await ask("runs.stop", { run });
    const { series } = await ask("series.read", { run, metrics: ["loss"] });
    expect(series[0]!.total).toBe(steps);
    expect((await now()).events.filter(({ kind }) => kind === "resumed")).toEqual([expect.objectContaining({ message: "the store can be written again" })]);
    await services.close();
  });

  it("does not pause runs for a lock of a few seconds, and waits for it without blocking", async () => {
    const folder = freshFolder();
    const { ask, start, services } = await open(folder);
    const db = new Database(join(folder, storeFileName));
    onTestFinished(() => void db.close());
    const { id: run } = await start({ steps: 1e9 });
    const now = () => ask("runs.get", { run });
    await vi.waitFor(async () => expect((await now()).steps).toBeGreaterThan(0));
    db.exec("BEGIN IMMEDIATE");
    const { steps } = await now();
    // 100 batches of steps arrive and several commits fail meanwhile.
    await vi.waitFor(async () => expect((await now()).steps).toBeGreaterThan(steps + 1_000));
    expect(await now()).toMatchObject({ status: "running", reason: null });
    db.exec("ROLLBACK");
    const stopped = await ask("runs.stop", { run });
    await services.close();
    const again = await open(folder);
    expect((await again.ask("series.read", { run, metrics: ["loss"] })).series[0]!.total).toBe(stopped.steps);
  });

  it("lets a run begin once it can be written, although its first write was refused", async () => {
    const folder = freshFolder();
    const { ask, start, ended } = await open(folder, { storeOptions: { busyTimeout: 0 } });
    const { id: run } = await start({ steps: 30 });
    const db = new Database(join(folder, storeFileName));
    onTestFinished(() => void db.close());
    db.exec("BEGIN IMMEDIATE");
    // The trainer sends everything it has within this time.
    await delay(300);
    expect((await ask("runs.get", { run })).status).not.toBe("failed");
    db.exec("ROLLBACK");
    expect(await ended(run)).toMatchObject({ status: "finished", steps: 30 });
  });

  it("ends a run as failed whose rows it refuses, and trains the others on", async () => {
    const folder = freshFolder();
    const { ask, start, services } = await open(folder);
    const db = new Database(join(folder, storeFileName));
    onTestFinished(() => void db.close());
    const { id: bad } = await start({ steps: 1e9 });
    const { id: good } = await start({ steps: 1e9 });
    const now = async (run: string) => ask("runs.get", { run });
    for (const run of [bad, good]) await vi.waitFor(async () => expect((await now(run)).steps).toBeGreaterThan(0));
    const metric = `(SELECT id FROM metrics WHERE run = '${bad}' LIMIT 1)`;
    db.exec(`CREATE TRIGGER refused BEFORE INSERT ON series_values WHEN new.metric = ${metric} BEGIN SELECT RAISE(ABORT, 'no such value'); END`);
    await vi.waitFor(async () => expect((await now(bad)).status).toBe("failed"));
    expect((await now(bad)).reason).toMatch(/^What it logged could not be written: .*no such value/);
    const { steps } = await now(good);
    await vi.waitFor(async () => expect((await now(good)).steps).toBeGreaterThan(steps));
    await services.close();
  });
});
