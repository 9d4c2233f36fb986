/** How long a run trained: without pauses, without the time it lay stopped, kept as of the last commit. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ActiveRun, type ActiveRunHooks, type Beginning } from "../../../src/main/hosting/activeRun.ts";
import type { Trainer } from "../../../src/main/hosting/process.ts";
import { closeConnections, openConnections, storeFileName } from "../../../src/main/store/database.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import type { Store } from "../../../src/main/store/store.ts";
import { StudyRunner } from "../../../src/main/studies/runner.ts";
import type { RunControls } from "../../../src/main/studies/runnerOptions.ts";
import type { StoredStudy } from "../../../src/main/store/studies.ts";
import type { FromTrainer } from "../../../src/main/trainer/messages.ts";
import type { RunSummary } from "../../../src/shared/run.ts";
import { trainedUntil } from "../../../src/shared/study/result.ts";
import { expandStudy } from "../../../src/shared/study/expand.ts";
import { study as studySchema } from "../../../src/shared/study/study.ts";
import { trainedText } from "../../../src/shared/trainedTime.ts";
import { describe as described } from "../../../src/main/headless/commands/show.ts";
import { json } from "../../../src/main/reports/tables.ts";
import { anEnvironment, aRun, freshFolder, openStore, rowsOf } from "../../support/storeFixtures.ts";

const minutes = (count: number) => count * 60_000;

let clock = 0;
const pass = (milliseconds: number) => (clock += milliseconds);
beforeEach(() => {
  clock = 5_000;
  vi.spyOn(performance, "now").mockImplementation(() => clock);
});
afterEach(() => vi.restoreAllMocks());

/** A run with a trainer whose messages the test sends. */
function training(store: Store, run: RunSummary, beginning: Beginning) {
  let tell: (message: FromTrainer) => void = () => undefined;
  const trainer: Trainer = {
    pid: 1,
    launched: Promise.resolve(true),
    send: () => undefined,
    onMessage: (listener) => {
      tell = listener;
      return () => undefined;
    },
    onExit: () => () => undefined,
    kill: () => undefined,
  };
  const ignore = () => undefined;
  const hooks: ActiveRunHooks = { log: store, checkpoints: undefined, onChange: ignore, onEvaluation: ignore, onLeaseLost: ignore, onGone: ignore };
  const active = new ActiveRun(run, beginning, { ...hooks, watch: { ticks: () => () => undefined } });
  active.launch(() => trainer);
  tell({ type: "started", device: "a processor", environment: anEnvironment, metrics: ["loss", "stepTime"], totalSteps: run.totalSteps });
  return { active, tell: (message: FromTrainer) => tell(message) };
}

const rows = (firstStep: number): FromTrainer => ({ type: "rows", rows: rowsOf([[1], [2]], firstStep), progress: { samplesPerSecond: 1, secondsLeft: 1, epoch: 0 } });
const stopped: FromTrainer = { type: "ended", outcome: "stopped", reason: null, step: 1, hyperparameters: {} };

/** Five minutes, a night, another five minutes, of which the host loses those after the last commit. */
function afterANight(store: Store): RunSummary {
  const run = aRun();
  store.createRun(run);
  const first = training(store, run, "new");
  pass(minutes(3));
  first.tell(rows(0));
  pass(minutes(2));
  first.tell(stopped);
  pass(minutes(480));
  const queued: RunSummary = { ...store.getRun(run.id)!, status: "queued", finishedAt: null };
  expect(store.requeueRun(queued)).toBe(true);
  const again = training(store, queued, "firstStep");
  pass(minutes(5));
  again.tell({ type: "alive" });
  store.flush();
  pass(minutes(1));
  return store.getRun(run.id)!;
}

describe("the time a run trained", () => {
  it("is null before it has started", () => {
    const store = openStore();
    store.createRun(aRun({}, { id: "r" }));
    expect(store.getRun("r")!.trained).toBeNull();
    expect(trainedText(null)).toBe("–");
  });

  it("leaves out the night between a stop and a resume, and is known as of the last commit", () => {
    expect(afterANight(openStore()).trained).toEqual({ milliseconds: minutes(10), from: "clock" });
  });

  it("leaves out pauses", () => {
    const store = openStore();
    const run = aRun();
    store.createRun(run);
    const { tell } = training(store, run, "new");
    pass(minutes(2));
    tell({ type: "paused" });
    pass(minutes(60));
    expect(store.getRun(run.id)!.trained!.milliseconds).toBe(minutes(2));
    tell({ type: "resumed" });
    pass(minutes(1));
    tell(stopped);
    expect(store.getRun(run.id)!.trained!.milliseconds).toBe(minutes(3));
  });

  it("is what the command line and the exported table say", () => {
    const store = openStore();
    const run = store.getRun(afterANight(store).id)!;
    const text = described({ ...run, startedAt: 0, finishedAt: minutes(490), steps: 1200 });
    expect(text).toMatch(/^trained for\s+10 min 00 s$/m);
    expect(text).toMatch(/^speed\s+2 steps per second$/m);
    expect(JSON.parse([...json(run, [])].join(""))).toMatchObject({ run: { trained: { milliseconds: minutes(10), from: "clock" } } });
  });
});

describe("runs of a version that did not measure it", () => {
  it("have it from start to end where they were never interrupted, else from step times, else at most", () => {
    const folder = freshFolder();
    closeConnections(openConnections(folder, migrations.slice(0, 7)));
    const old = new Database(join(folder, storeFileName));
    const { experiment, hyperparameters } = aRun();
    const run = old.prepare(
      `INSERT INTO runs (id, name, status, stack, seed, engine, created_at, started_at, finished_at, total_steps, hyperparameters, experiment, study)
       VALUES (?, 'old', ?, 'SGD', 0, 'reference', 1, ?, ?, 10, ?, ?, NULL)`,
    );
    const add = (id: string, status: string, start: number | null, end: number | null) => run.run(id, status, start, end, JSON.stringify(hyperparameters), JSON.stringify(experiment));
    add("whole", "finished", 1_000, 61_000);
    add("resumed", "finished", 1_000, minutes(480));
    add("unlogged", "stopped", 1_000, minutes(480));
    add("queued", "interrupted", null, null);
    const event = old.prepare("INSERT INTO run_events (run, at, step, kind, message) VALUES (?, 2000, 0, ?, '')");
    event.run("resumed", "resumed");
    event.run("unlogged", "paused");
    event.run("whole", "started");
    const metric = old.prepare("INSERT INTO metrics (run, name, position, count, last_step) VALUES ('resumed', 'stepTime', 0, 3, 2)").run().lastInsertRowid;
    [1_000, 2_000.4, null].forEach((value, step) => old.prepare("INSERT INTO series_values (metric, step, value) VALUES (?, ?, ?)").run(metric, step, value));
    old.prepare("INSERT INTO studies (id, name, status, created_at, started_at, finished_at, total, workers, definition) VALUES ('s', 's', 'finished', 1, 1000, 61000, 1, 1, ?)").run(JSON.stringify(studySchema.parse({})));
    old.close();
    const store = openStore(folder);
    const trained = Object.fromEntries(store.listRuns().map(({ id, trained }) => [id, trained]));
    expect(trained).toEqual({
      whole: { milliseconds: 60_000, from: "clock" },
      resumed: { milliseconds: 3_000, from: "steps" },
      unlogged: { milliseconds: minutes(480) - 1_000, from: "span" },
      queued: null,
    });
    expect(["whole", "resumed", "unlogged", "queued"].map((id) => trainedText(trained[id]!))).toEqual(["1 min", "≈ 3 s", "at most 7 h 59 min", "–"]);
    // Whether a study stood still was not kept.
    expect(store.studies.get("s")!.trained).toEqual({ milliseconds: 60_000, from: "span" });
  });
});

describe("the time a study trained", () => {
  const never = () => new Promise<never>(() => undefined);
  const controls: RunControls = { start: never, resume: never, cohort: never as never, pause: never, stop: never, unpause: () => undefined,
      live: () => undefined, left: never };
  const study = studySchema.parse({ axes: [{ values: { kind: "list", values: [0.1] } }] });

  function studyRunner(store: Store) {
    const stored: StoredStudy = {
      id: "s", name: "s", status: "running", reason: null, study, createdAt: 1, startedAt: 1, finishedAt: null, deletedAt: null, total: 1, workers: 1, trained: null, runningSince: null,
    };
    store.studies.create(stored);
    const ignore = () => undefined;
    const save = (of: StoredStudy) => store.studies.save(of);
    const expanded = expandStudy(study);
    if (!expanded.ok) throw new Error("the study is not valid");
    return new StudyRunner({ stored, cells: expanded.cells, known: [], controls, expected: null, save, markPruned: () => true, onChange: ignore, onAdvance: ignore });
  }

  it("leaves out what it stood still", async () => {
    const store = openStore();
    const runner = studyRunner(store);
    await runner.run();
    pass(minutes(5));
    await runner.pause();
    pass(minutes(480));
    await runner.run();
    const { runningSince } = store.studies.get("s")!;
    expect(trainedUntil(store.studies.get("s")!, runningSince! + 1_000)).toEqual({ milliseconds: minutes(5) + 1_000, from: "clock" });
    pass(minutes(5));
    runner.leave();
    expect(store.studies.get("s")).toMatchObject({ trained: { milliseconds: minutes(10), from: "clock" }, runningSince: null });
  });

  it("goes on to the last thing its runs wrote where its process was killed", async () => {
    const store = openStore();
    await studyRunner(store).run();
    store.createRun(aRun({}, { id: "r", study: "s" }));
    const file = new Database(join(store.path));
    const { since } = file.prepare<[], { since: number }>("SELECT running_since AS since FROM studies").get()!;
    file.prepare("UPDATE runs SET heartbeat_at = ?").run(since + minutes(7));
    file.close();
    expect(store.studies.markInterrupted(() => true)).toEqual(["s"]);
    expect(store.studies.get("s")).toMatchObject({ status: "interrupted", trained: { milliseconds: minutes(7) }, runningSince: null });
  });
});
