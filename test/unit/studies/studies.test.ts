import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { contract, type RequestInput, type RequestName, type RequestOutput } from "../../../src/shared/contract.ts";
import type { StudyDetail, StudyPoint, StudySummary } from "../../../src/shared/study/result.ts";
import type { StudyInput } from "../../../src/shared/study/study.ts";
import { storeFileName } from "../../../src/main/store/database.ts";
import { createServices, type ServiceExtras } from "../../../src/main/services/createServices.ts";
import { dispatch } from "../../../src/main/services/dispatch.ts";
import type { DatasetCatalog } from "../../../src/main/services/experiments.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import type { LaunchTrainer, TrainerProcess } from "../../../src/main/hosting/process.ts";
import type { FakePlan } from "../../support/fakeTrainer.ts";
import { freshFolder, recordedLog } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const usable: DatasetCatalog = { problem: () => Promise.resolve(null), list: () => Promise.resolve([]) };

async function open(storeDir = freshFolder(), extras: ServiceExtras = {}, failing?: LaunchTrainer) {
  const log = recordedLog();
  const launch = nodeLauncher(processFile("fakeTrainer"));
  const launched: TrainerProcess[] = [];
  const launchTrainer = async () => {
    const process = await (failing ?? launch)();
    launched.push(process);
    return process;
  };
  const services = await createServices({ storeDir, host: "browser", version: "1.2.3", launchTrainer }, { datasets: usable, log, ...extras });
  onTestFinished(() => services.close());
  const ask = async <N extends RequestName>(name: N, input: RequestInput<N>): Promise<RequestOutput<N>> => {
    const reply = await dispatch(services, name, input, log);
    if (!reply.ok) throw new Error([reply.error.message, ...(reply.error.fields ?? []).map(({ path }) => path)].join(" | "));
    expect(contract.requests[name].output.parse(JSON.parse(JSON.stringify(reply.value)))).toEqual(reply.value);
    return reply.value as RequestOutput<N>;
  };
  const until = (study: string, status: StudySummary["status"]) =>
    vi.waitFor(
      async () => {
        const now = await ask("studies.get", { study });
        expect(now.status, now.reason ?? "").toBe(status);
        return now;
      },
      { interval: 10 },
    );
  return { services, ask, until, launched, log };
}

/** Heights 0 and 1, three step sizes, two seeds: 12 runs. */
function aStudy(plan: FakePlan, more: StudyInput = {}): StudyInput {
  return {
    name: JSON.stringify(plan),
    base: { tower: [{ optimizer: "sgd" }] },
    axes: [{ values: { kind: "list", values: [0.1, 1, 10] } }],
    heights: { values: [0, 1] },
    seeds: [0, 1],
    ...more,
  };
}

const statuses = ({ points }: StudyDetail) => points.map(({ status }) => status);
const counts = ({ total, finished, diverged, failed, pruned, running }: StudySummary) => ({ total, finished, diverged, failed, pruned, running });

describe("a study", () => {
  it("trains every run on reused trainers, and reports progress", async () => {
    const { services, ask, until, launched } = await open();
    const seen: StudySummary[] = [];
    const points: StudyPoint[] = [];
    services.on("study.changed", (study) => seen.push(study));
    services.on("study.advanced", ({ point }) => points.push(point));
    const begun = await ask("studies.start", { study: aStudy({ steps: 100, epochSteps: 50, divergeFrom: 10 }), workers: 2 });
    expect(begun).toMatchObject({ status: "running", total: 12 });
    const done = await until(begun.id, "finished");
    expect(counts(done)).toEqual({ total: 12, finished: 8, diverged: 4, failed: 0, pruned: 0, running: 0 });
    expect(done.reason).toBeNull();
    for (const point of done.points) {
      const diverged = point.values[0] === 10;
      expect(point).toMatchObject({ status: diverged ? "diverged" : "finished", attempts: 1, steps: diverged ? 20 : 100 });
      expect(point.evaluations.map(({ testError }) => testError)).toEqual(diverged ? [] : [point.seed + 1, point.seed + 0.5]);
      expect(point.trainingTime).toBeCloseTo(1.5 * point.steps, 6);
    }
    // A run each for 12 cells, but no process each.
    expect(launched.length).toBeLessThanOrEqual(3);
    await vi.waitFor(() => expect(seen.at(-1)).toMatchObject({ status: "finished", millisecondsLeft: null }));
    expect(new Set(points.map(({ key }) => key)).size).toBe(12);
    // The first seed of every point comes first.
    const order = [...new Set(points.map(({ key }) => key))];
    expect(order.slice(0, 6).every((key) => key.endsWith("s0"))).toBe(true);
    // And a point's heights side by side: two trainers, so neighbors may change places.
    expect(new Set(order.slice(0, 2).map((key) => key.slice(0, 2)))).toEqual(new Set(["h0", "h1"]));
    expect((await ask("runs.list", { study: begun.id })).every(({ study }) => study === begun.id)).toBe(true);
    expect(await ask("runs.list", { study: null })).toEqual([]);
    const trajectories = await ask("studies.trajectories", { study: begun.id, metric: "L0.alpha" });
    // Height 0 learns nothing and logs what could be learned all the same.
    expect(trajectories).toHaveLength(12);
    expect(trajectories[0]!.steps.at(-1)).toBe(99);
  });

  it("whose trainers cannot be launched stops and says why", async () => {
    const launchTrainer = () => {
      throw new Error("no more processes here");
    };
    const { ask, until } = await open(freshFolder(), {}, launchTrainer);
    const { id } = await ask("studies.start", { study: aStudy({}), workers: 2 });
    const ended = await until(id, "stopped");
    expect(ended.reason).toMatch(/runs in a row failed, the last one because: .*no more processes here/);
    expect(counts(ended)).toMatchObject({ failed: expect.any(Number) as number, finished: 0, running: 0 });
    expect(ended.failed).toBeGreaterThan(0);
  });

  it("can be paused as soon as it is listed", async () => {
    const { ask } = await open();
    const began = ask("studies.start", { study: aStudy({ steps: 3_000, every: 2 }), workers: null });
    // Looks again whenever the host has done something, so also while it measures what the study will take.
    const shown = async () => {
      for (;;) {
        const [study] = await ask("studies.list", {});
        if (study) return study.id;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const study = await shown();
    expect((await ask("studies.pause", { study })).status).toBe("paused");
    await began;
    expect((await ask("studies.get", { study })).status).toBe("paused");
    await ask("studies.stop", { study });
  });

  it("pauses, resumes, stops, and resumes again", async () => {
    const { ask, until } = await open();
    const { id: study } = await ask("studies.start", { study: aStudy({ steps: 3_000, every: 2 }), workers: 2 });
    // Long enough that both trainers are at work at once, though on a busy machine one begins long after the other.
    const training = () =>
      vi.waitFor(async () => {
        const now = await ask("studies.get", { study });
        expect(statuses(now).filter((status) => status === "running")).toHaveLength(2);
        return now;
      }, { interval: 10 });
    const first = await training();
    expect((await ask("studies.pause", { study })).status).toBe("paused");
    const paused = await ask("studies.get", { study });
    // On a busy machine a run may have ended between the look and the pause: what trains is paused, and nothing trains.
    expect(statuses(paused)).toContain("paused");
    expect(statuses(paused)).not.toContain("running");
    await delay(100);
    expect((await ask("studies.get", { study })).points).toEqual(paused.points);
    expect(await ask("studies.resume", { study })).toMatchObject({ status: "running" });
    await training();
    const stopped = await ask("studies.stop", { study });
    expect(stopped).toMatchObject({ status: "stopped", running: 0 });
    await expect(ask("studies.pause", { study })).rejects.toThrow("is stopped; only one that is running can be paused");
    await ask("studies.resume", { study });
    const done = await until(study, "finished");
    expect(counts(done)).toMatchObject({ finished: 12 });
    // What had begun was taken up, not repeated.
    const begun = first.points.filter(({ run }) => run !== null);
    for (const { key, run } of begun) expect(done.points.find((point) => point.key === key)).toMatchObject({ run, attempts: 1 });
  });

  it("retries a failed run a few times, then reports it, and retries again on request", async () => {
    const { ask, until } = await open();
    const { id: study } = await ask("studies.start", { study: aStudy({ steps: 50, failSeed: 1 }, { heights: null, axes: [], seeds: [0, 1, 2] }), workers: 1 });
    const done = await until(study, "finished");
    expect(done.reason).toBe("Not every run has a result: 1 failed.");
    expect(counts(done)).toMatchObject({ finished: 2, failed: 1 });
    // Taken up once, then begun anew.
    expect(done.points.find(({ seed }) => seed === 1)).toMatchObject({ status: "failed", attempts: 2, reason: "MNIST could not be read" });
    await ask("studies.retry", { study });
    const again = await until(study, "finished");
    expect(again.points.find(({ seed }) => seed === 1)!.attempts).toBe(3);
  });

  it("stops when everything fails", async () => {
    const { ask, until } = await open();
    const { id: study } = await ask("studies.start", { study: aStudy({ failAt: 20 }), workers: 2 });
    expect((await until(study, "stopped")).reason).toBe("6 runs in a row failed, the last one because: MNIST could not be read");
  });

  it("shows a deleted run as missing and retrains it only on request", async () => {
    const { ask, until } = await open();
    const { id: study } = await ask("studies.start", { study: aStudy({ steps: 30 }), workers: 2 });
    const { points } = await until(study, "finished");
    await ask("runs.delete", { runs: [points[3]!.run!] });
    expect((await ask("studies.get", { study })).points[3]).toMatchObject({ status: "missing", run: points[3]!.run });
    expect(await ask("studies.list", {})).toMatchObject([{ finished: 11, total: 12 }]);
    await expect(ask("studies.resume", { study })).rejects.toThrow("is finished; what failed or is missing can be trained again with a retry");
    await ask("studies.retry", { study });
    const again = await until(study, "finished");
    expect(again.points[3]).toMatchObject({ status: "finished", attempts: 2 });
    expect(again.points[3]!.run).not.toBe(points[3]!.run);
  });

  it("can be extended by values and seeds, and keeps its runs", async () => {
    const { ask, until } = await open();
    const plan = { steps: 30 };
    const { id: study } = await ask("studies.start", { study: aStudy(plan), workers: 2 });
    const { points } = await until(study, "finished");
    const more = aStudy(plan, { axes: [{ values: { kind: "list", values: [0.01, 0.1, 1, 10] } }], seeds: [0, 1, 5] });
    await ask("studies.extend", { study, definition: more });
    const done = await until(study, "finished");
    expect(counts(done)).toMatchObject({ total: 24, finished: 24 });
    for (const { key, run } of points) expect(done.points.find((point) => point.key === key)!.run).toBe(run);
    await expect(ask("studies.extend", { study, definition: aStudy(plan, { base: { tower: [{ optimizer: "sgd" }], batchSize: 64 } }) })).rejects.toThrow(
      "has runs that its new form trains otherwise (h0|L0.alpha=0.1|s0)",
    );
  });

  it("keeps the generator of its definition, also in definitions older than that setting", async () => {
    const folder = freshFolder();
    const first = await open(folder);
    const { id: study } = await first.ask("studies.start", { study: aStudy({ steps: 10 }), workers: 2 });
    const { study: begun } = await first.until(study, "finished");
    expect(begun.base.generator).toBe(2);
    await first.services.close();
    const db = new Database(join(folder, storeFileName));
    db.exec("UPDATE studies SET definition = json_remove(definition, '$.base.generator'); UPDATE runs SET experiment = json_remove(experiment, '$.generator')");
    db.close();
    const { ask, until } = await open(folder);
    await ask("studies.extend", { study, definition: aStudy({ steps: 10 }, { seeds: [0, 1, 5] }) });
    await until(study, "finished");
    const listed = await ask("runs.list", { deleted: false, study });
    const runs = await ask("runs.summaries", { runs: listed.map(({ id }) => id) });
    expect(runs).toHaveLength(18);
    expect(new Set(runs.map(({ experiment }) => experiment.generator))).toEqual(new Set([1]));
  });

  it("prunes by successive halving, by results and not by order", async () => {
    const { ask, until } = await open();
    const seeds = [5, 2, 7, 1, 6, 3, 0, 4];
    const halved = aStudy({ steps: 200, epochSteps: 50, every: 2 }, { heights: null, axes: [], seeds, base: { budget: { epochs: 4 } }, halving: { rungs: [1, 2] } });
    const { id: study } = await ask("studies.start", { study: halved, workers: 3 });
    const done = await until(study, "finished");
    const by = (status: string) => done.points.filter((point) => point.status === status).map(({ seed }) => seed).sort();
    // The fake trainer's test error grows with the seed.
    expect([by("finished"), by("pruned")]).toEqual([[0, 1], [2, 3, 4, 5, 6, 7]]);
    expect(counts(done)).toMatchObject({ finished: 2, pruned: 6 });
    expect(done.points.every(({ attempts }) => attempts === 1)).toBe(true);
  });

  it("prunes around a failing run, which is retried and then no longer counts", async () => {
    const { ask, until } = await open();
    const seeds = [3, 1, 0, 2];
    const halved = aStudy({ steps: 200, epochSteps: 50, every: 2, failSeed: 0 }, { heights: null, axes: [], seeds, base: { budget: { epochs: 4 } }, halving: { rungs: [2] } });
    const { id: study } = await ask("studies.start", { study: halved, workers: 2 });
    const done = await until(study, "finished");
    expect(Object.fromEntries(done.points.map(({ seed, status, attempts }) => [seed, [status, attempts]]))).toEqual({
      0: ["failed", 2], 1: ["finished", 1], 2: ["finished", 1], 3: ["pruned", 1],
    });
  });

  it("leaves a manually stopped run in the bin", async () => {
    const { ask, until } = await open();
    const { id: study } = await ask("studies.start", { study: aStudy({ steps: 300, every: 2 }), workers: 1 });
    const { points } = await vi.waitFor(async () => {
      const now = await ask("studies.get", { study });
      expect(now.points.some(({ status }) => status === "running")).toBe(true);
      return now;
    });
    const { run, key } = points.find(({ status }) => status === "running")!;
    await ask("runs.stop", { run: run! });
    await ask("studies.stop", { study });
    await ask("runs.delete", { runs: [run!] });
    await ask("studies.resume", { study });
    const done = await until(study, "finished");
    expect(done.points.find((point) => point.key === key)).toMatchObject({ status: "missing", run, attempts: 1 });
    expect(counts(done)).toMatchObject({ finished: 11 });
  });

  it("is reported to windows of another host as it progresses, without other studies", async () => {
    const folder = freshFolder();
    const here = await open(folder);
    const { id: other } = await here.ask("studies.start", { study: aStudy({ steps: 1 }, { name: "other", heights: null, axes: [], seeds: [0] }), workers: 1 });
    await here.until(other, "finished");
    const there = await open(folder);
    const told = new Map<string, StudySummary>();
    const changed = { runs: new Set<string>(), studies: new Set<string>() };
    there.services.on("study.changed", (study) => told.set(study.id, study));
    there.services.on("store.changed", ({ runs, studies }) => {
      for (const id of runs) changed.runs.add(id);
      for (const id of studies) changed.studies.add(id);
    });
    const { id: study } = await here.ask("studies.start", { study: aStudy({ steps: 1 }, { heights: null, axes: [] }), workers: 2 });
    await here.until(study, "finished");
    await vi.waitFor(() => expect(told.get(study)).toMatchObject({ status: "finished", finished: 2 }));
    expect([...told.keys()]).toEqual([study]);
    expect([...changed.studies]).toEqual([study]);
    const { points } = await there.ask("studies.get", { study });
    await vi.waitFor(() => expect(changed.runs).toEqual(new Set(points.map(({ run }) => run))));
    await here.ask("studies.rename", { study: other, name: "renamed" });
    await vi.waitFor(() => expect(told.get(other)?.name).toBe("renamed"));
  });

  it("is interrupted when its host closes, and completed by the next host", async () => {
    const folder = freshFolder();
    const today = await open(folder);
    const { id: study } = await today.ask("studies.start", { study: aStudy({ steps: 200, every: 2 }), workers: 2 });
    await vi.waitFor(async () => expect((await today.ask("studies.get", { study })).finished).toBeGreaterThan(1));
    await today.services.close();
    const tomorrow = await open(folder);
    const left = await tomorrow.ask("studies.get", { study });
    expect(left).toMatchObject({ status: "interrupted", reason: "Hypertower was closed." });
    await tomorrow.ask("studies.resume", { study });
    const done = await tomorrow.until(study, "finished");
    expect(counts(done)).toMatchObject({ finished: 12 });
    for (const { key, run } of left.points) if (run !== null) expect(done.points.find((point) => point.key === key)).toMatchObject({ run, attempts: 1 });
  });

  it("leaves capacity for a single run", async () => {
    const { ask, until } = await open(undefined, { places: 1 });
    const { id: study } = await ask("studies.start", { study: aStudy({ steps: 100, every: 2 }), workers: 1 });
    const single = await ask("runs.start", { experiment: { name: JSON.stringify({ steps: 20 }) } });
    await vi.waitFor(async () => expect((await ask("runs.get", { run: single.id })).status).toBe("finished"));
    expect((await ask("studies.get", { study })).finished).toBeLessThan(4);
    await until(study, "finished");
  });
});

describe("before a study starts", () => {
  it("its costs are measured once and determine the allocation", async () => {
    const folder = freshFolder();
    const { ask, launched } = await open(folder);
    const estimate = await ask("studies.estimate", { study: aStudy({}) });
    // The fake trainer is as much faster as it has threads, so places are worth the same; one thread each comes first.
    expect(estimate).toMatchObject({ runs: 12, threads: 1 });
    expect(estimate.duration).toBeGreaterThan(0);
    expect(estimate.disk).toBeGreaterThan(12 * 235 * 5 * 3 * 20);
    expect(estimate.diskFree).toBeGreaterThan(0);
    const before = launched.length;
    expect(await ask("studies.estimate", { study: aStudy({}) })).toMatchObject({ duration: estimate.duration });
    expect(launched).toHaveLength(before);
  });

  it("errors are named by field, and nothing is written", async () => {
    const { ask } = await open();
    const refused = (study: unknown) => expect(ask("studies.start", { study })).rejects;
    await refused({ seeds: [] }).toThrow("The study is not valid: seeds: seeds needs at least one seed. | seeds");
    await refused({ seeds: [1, 1] }).toThrow("| seeds.1");
    await expect(ask("studies.estimate", { study: { axes: [{ values: { kind: "grid", from: 0, to: 1, points: 3 } }] } })).rejects.toThrow("| axes.0.values.from");
    await expect(ask("studies.get", { study: "nope" })).rejects.toThrow(/^There is no study nope in \//);
    expect(await ask("studies.validate", { study: { seeds: [1, 1] } })).toEqual({ ok: false, errors: [{ path: "seeds.1", message: "seed 1 is there twice" }] });
    expect(await ask("studies.validate", { study: aStudy({}) })).toMatchObject({ ok: true, runs: 12 });
    expect(await ask("studies.list", {})).toEqual([]);
    expect(await ask("runs.list", {})).toEqual([]);
  });

  it("a full disk and missing data are named", async () => {
    const small = await open(undefined, { freeBytes: () => Promise.resolve(300e6) });
    const large = aStudy({}, { base: { budget: { epochs: 100_000 } } });
    await expect(small.ask("studies.start", { study: large, workers: 1 })).rejects.toThrow(/^The runs need about .* GB in .*hypertower\.sqlite, and 256 MB have to stay free, but its disk has only 300 MB left/);
    const missing = await open(undefined, { datasets: { ...usable, problem: () => Promise.resolve("its file is missing") } });
    await expect(missing.ask("studies.start", { study: aStudy({}), workers: 1 })).rejects.toThrow("The dataset mnist cannot be used: its file is missing");
    expect(await small.ask("studies.list", {})).toEqual([]);
    expect(await missing.ask("studies.list", {})).toEqual([]);
  });
});

describe("a study whose store cannot be written", () => {
  async function blocked(busyGrace: number) {
    const folder = freshFolder();
    const opened = await open(folder, { storeOptions: { busyTimeout: 0, busyGrace } });
    const { id } = await opened.ask("studies.start", { study: aStudy({ steps: 200 }), workers: 2 });
    await vi.waitFor(async () => expect((await opened.ask("studies.get", { study: id })).points.some(({ steps }) => steps > 0)).toBe(true));
    const other = new Database(join(folder, storeFileName));
    onTestFinished(() => void other.close());
    other.exec("BEGIN IMMEDIATE");
    return { ...opened, id, release: () => other.exec("ROLLBACK") };
  }

  it("is paused with its runs, and continues by itself", async () => {
    const { ask, until, id, release } = await blocked(0);
    expect((await until(id, "paused")).reason).toMatch(/^Paused: What the runs log cannot be written/);
    await expect(ask("studies.resume", { study: id })).rejects.toThrow("waits for the store and resumes by itself");
    release();
    const done = await until(id, "finished");
    expect(counts(done)).toEqual({ total: 12, finished: 12, diverged: 0, failed: 0, pruned: 0, running: 0 });
    expect(done.points.map(({ attempts }) => attempts)).toEqual(Array(12).fill(1));
  });

  it("stays paused when the user pauses it meanwhile", async () => {
    const { ask, until, id, release, services } = await blocked(0);
    await until(id, "paused");
    expect(await ask("studies.pause", { study: id })).toMatchObject({ status: "paused", reason: null });
    const recovered = new Promise<void>((resolve) => services.on("store.problem", ({ problem }) => problem ?? resolve()));
    release();
    await recovered;
    expect(await ask("studies.get", { study: id })).toMatchObject({ status: "paused", reason: null });
    await ask("studies.resume", { study: id });
    await until(id, "finished");
  });

  it("starts its next runs once they can be created, without being paused", async () => {
    const { ask, until, id, release } = await blocked(1e6);
    // A run that has begun ends meanwhile, and another would begin.
    await vi.waitFor(async () => expect((await ask("studies.get", { study: id })).finished).toBeGreaterThanOrEqual(1));
    expect(await ask("studies.get", { study: id })).toMatchObject({ status: "running", reason: null });
    release();
    expect(counts(await until(id, "finished"))).toMatchObject({ finished: 12, failed: 0 });
  });
});
