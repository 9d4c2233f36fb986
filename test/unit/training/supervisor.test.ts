import { fork } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { isActive, type RunSummary } from "../../../src/shared/run.ts";
import { LaunchingTrainer } from "../../../src/main/hosting/launchingTrainer.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import type { FromTrainer } from "../../../src/main/trainer/messages.ts";
import type { LaunchTrainer, Trainer } from "../../../src/main/hosting/process.ts";
import { Supervisor, type SupervisorOptions } from "../../../src/main/hosting/supervisor.ts";
import { tickLength, Watchdog } from "../../../src/main/hosting/watchdog.ts";
import type { FakePlan } from "../../support/fakeTrainer.ts";
import { aRun, openStore } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const fakeTrainer = processFile("fakeTrainer");

/** A supervisor over a fresh store; everything it starts is gone when the test is over. */
function supervise({ launch = nodeLauncher(fakeTrainer), places = 2, ...options }: Partial<SupervisorOptions> & { readonly launch?: LaunchTrainer; readonly places?: number } = {}) {
  const store = openStore();
  const changes: RunSummary[] = [];
  const trainers: LaunchingTrainer[] = [];
  const supervisor = new Supervisor({
    log: store,
    onChange: (run) => changes.push(run),
    onEvaluation: () => undefined,
    ...options,
    machine: {
      places,
      hasFreeCore: (threads) => threads < 2,
      startTrainer: () => {
        const trainer = new LaunchingTrainer(launch);
        trainers.push(trainer);
        return trainer;
      },
    },
  });
  onTestFinished(() => supervisor.close());

  const start = (plan: FakePlan = {}) => {
    const run = aRun({ name: JSON.stringify(plan) });
    store.createRun(run);
    supervisor.start(run);
    return run.id;
  };
  const status = (id: string) => supervisor.get(id)?.status ?? store.getRun(id)?.status;
  const reaches = (id: string, wanted: string) => vi.waitFor(() => expect(status(id)).toBe(wanted), { interval: 5 });
  const gone = (id: string) => vi.waitFor(() => expect(supervisor.get(id)).toBeUndefined(), { interval: 5 });
  const steps = (id: string) => [...store.readSteps(id)];
  const kinds = (id: string) => store.getRun(id)!.events.map((e) => e.kind);
  return { store, supervisor, changes, trainers, start, status, reaches, gone, steps, kinds };
}

/** Ticks of watchdogs, by hand. */
function handTicks() {
  const all = new Set<() => void>();
  const ticks = (tick: () => void) => {
    all.add(tick);
    return () => all.delete(tick);
  };
  const tick = (times: number) => {
    for (let i = 0; i < times; i++) for (const one of [...all]) one();
  };
  return { watch: { ticks, silence: 4 * tickLength, loading: 9 * tickLength }, tick, count: () => all.size };
}

/** A trainer that does nothing, and the listeners to what it would say. */
function idleTrainer() {
  const said = new Set<(message: FromTrainer) => void>();
  const idle: Trainer = {
    pid: undefined,
    launched: Promise.resolve(true),
    send: () => undefined,
    onMessage: (listener) => (said.add(listener), () => undefined),
    onExit: () => () => undefined,
    kill: () => undefined,
  };
  return { said, idle };
}

describe("a trainer that does not answer any more", () => {
  it("is ended after its time, the run failed with the reason, and the engine is told of", async () => {
    const { watch, tick, count } = handTicks();
    const told: unknown[] = [];
    const { store, supervisor, start, gone, steps } = supervise({ watch, onEngineFailure: (run, reason, kind) => told.push([run.id, reason, kind]) });
    const id = start({ hangAt: 50 });
    await vi.waitFor(() => expect(supervisor.get(id)!.steps).toBe(50));
    tick(4);
    expect(supervisor.get(id)!.status).toBe("running");
    tick(1);
    expect(supervisor.get(id)!.status).toBe("failed");
    await gone(id);
    expect(store.getRun(id)).toMatchObject({ status: "failed", steps: 50, reason: "The trainer was ended because it did not answer for 25 s, after steps of 0.0015 s at most: its engine, or the driver of its device, hangs." });
    expect(steps(id)).toHaveLength(50);
    expect(told).toEqual([[id, "it did not answer for 25 s, after steps of 0.0015 s at most", "silence"]]);
    expect(count()).toBe(0);
  });

  it("has longer before its first step", async () => {
    const { watch, tick } = handTicks();
    const { store, supervisor, start, reaches, gone, trainers } = supervise({ watch });
    const id = start({ neverStarts: true });
    await trainers[0]!.launched;
    tick(9);
    expect(supervisor.get(id)!.status).toBe("queued");
    tick(1);
    await reaches(id, "failed");
    await gone(id);
    expect(store.getRun(id)!.reason).toContain("it did not answer for 50 s, before its first step");
  });

  it("is left alone while it is paused, and has its time anew afterwards", async () => {
    const { watch, tick } = handTicks();
    const { supervisor, start, reaches } = supervise({ watch });
    const id = start({ steps: 1e9 });
    await vi.waitFor(() => expect(supervisor.get(id)!.steps).toBeGreaterThan(0));
    await supervisor.pause(id);
    await reaches(id, "paused");
    tick(1_000);
    expect(supervisor.get(id)!.status).toBe("paused");
    await supervisor.resume(id);
    await reaches(id, "running");
    tick(4);
    expect(supervisor.get(id)!.status).toBe("running");
  });
});

it("a step may take fifty times as long as the slowest before it", () => {
  let tick: () => void = () => undefined;
  const silences: unknown[] = [];
  const watchdog = new Watchdog({ silence: tickLength, ticks: (one) => ((tick = one), () => undefined) });
  watchdog.watch(() => false, (...silence) => silences.push(silence));
  watchdog.stepped(tickLength);
  watchdog.stepped(1);
  for (let i = 0; i < 40; i++) tick();
  watchdog.heard();
  for (let i = 0; i < 50; i++) tick();
  expect(silences).toEqual([]);
  tick();
  expect(silences).toEqual([[51 * tickLength, tickLength]]);
});

it("trainers are told whether their threads leave a core over, and again when that changes", async () => {
  const told: (readonly [number, boolean])[] = [];
  let count = 0;
  const { supervisor, start, reaches, gone } = supervise({
    launch: async () => {
      const trainer = await nodeLauncher(fakeTrainer)();
      const number = count++;
      return { ...trainer, send: (message) => (message.type === "coreFree" && told.push([number, message.free]), trainer.send(message)) };
    },
  });
  const first = start({ steps: 1e9, every: 20 });
  await vi.waitFor(() => expect(told).toEqual([[0, true]]));
  const second = start({ steps: 1e9, every: 20 });
  await vi.waitFor(() => expect(told.slice(1)).toEqual([[0, false], [1, false]]));
  await reaches(first, "running");
  void supervisor.pause(first);
  await reaches(first, "paused");
  expect(told.slice(3)).toEqual([[1, true]]);
  void supervisor.resume(first);
  await reaches(first, "running");
  expect(told.slice(4)).toEqual([[1, false]]);
  void supervisor.stop(second);
  await gone(second);
  expect(told.slice(5)).toEqual([[0, true]]);
});

describe("a run", () => {
  it("is trained to its end with every step, evaluation and final value stored", async () => {
    const evaluated: unknown[] = [];
    const { store, start, gone, steps, kinds, changes } = supervise({ onEvaluation: (run, e) => evaluated.push([run, e]) });
    const id = start({ steps: 200, evaluateAt: 100 });
    await gone(id);
    const run = store.getRun(id)!;
    expect(run).toMatchObject({ status: "finished", reason: null, steps: 200, totalSteps: 200, device: "a fake device", testError: 3.5 });
    expect(run.environment?.gitCommit).toBe("abc");
    expect(run.loss).toBe(1 / 200);
    expect(run.hyperparameters.map((h) => h.value)).toEqual(run.hyperparameters.map((h) => h.initial + 200));
    expect(steps(id).map((s) => s.values[0])).toEqual(Array.from({ length: 200 }, (_, i) => 1 / (1 + i)));
    const evaluation = { step: 100, epoch: 1, trainLoss: 0.5, testLoss: null, testError: 3.5 };
    expect(run.evaluations).toEqual([evaluation]);
    expect(evaluated).toEqual([[id, evaluation]]);
    expect(kinds(id)).toEqual(["started", "finished"]);
    expect(run.startedAt).toBeGreaterThanOrEqual(run.createdAt);
    expect(run.finishedAt).toBeGreaterThanOrEqual(run.startedAt!);
    // What crosses to the window must survive JSON.
    for (const change of changes) expect(JSON.parse(JSON.stringify(change))).toEqual(change);
    expect(changes.at(-1)!.status).toBe("finished");
  });

  it("can be paused, resumed and stopped, its steps kept", async () => {
    const { supervisor, start, reaches, gone, steps, kinds, store } = supervise();
    const id = start({ steps: 1e9 });
    await reaches(id, "running");
    await vi.waitFor(() => expect(supervisor.get(id)!.steps).toBeGreaterThan(0));
    const paused = await supervisor.pause(id);
    expect(paused).toMatchObject({ status: "paused", samplesPerSecond: null });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(supervisor.get(id)!.steps).toBe(paused.steps);
    expect((await supervisor.resume(id)).status).toBe("running");
    await vi.waitFor(() => expect(supervisor.get(id)!.steps).toBeGreaterThan(paused.steps));
    const stopped = await supervisor.stop(id);
    expect(stopped.status).toBe("stopped");
    await gone(id);
    expect(steps(id)).toHaveLength(stopped.steps);
    expect(kinds(id)).toEqual(["started", "paused", "resumed", "stopped"]);
    expect(store.getRun(id)!.reason).toBeNull();
  });

  it("commits the evaluations that it finds at once together, and tells of each", async () => {
    const { said, idle } = idleTrainer();
    const flushes: number[] = [];
    const evaluated: number[] = [];
    const store = openStore();
    const counted = new Proxy(store, { get: (of, name: keyof typeof store) => (name === "flush" ? () => (flushes.push(evaluated.length), of.flush()) : typeof of[name] === "function" ? (of[name] as () => unknown).bind(of) : of[name]) });
    const supervisor = new Supervisor({ machine: { places: 1, hasFreeCore: () => true, startTrainer: () => idle }, log: counted, onChange: () => undefined, onEvaluation: (_run, { step }) => evaluated.push(step) });
    const run = aRun({});
    store.createRun(run);
    supervisor.start(run);
    const steps = Array.from({ length: 30 }, (_, i) => i);
    for (const step of steps) for (const listener of said) listener({ type: "evaluation", evaluation: { step, epoch: 1 + step, trainLoss: 0.5, testLoss: null, testError: 3 } });
    await vi.waitFor(() => expect(evaluated).toEqual(steps));
    expect(flushes).toEqual([0]);
    expect(store.getRun(run.id)!.evaluations).toHaveLength(30);
  });

  it("tells of evaluations once they are committed, not before", async () => {
    const { said, idle } = idleTrainer();
    const evaluated: number[] = [];
    const store = openStore();
    let isFull = true;
    const log = new Proxy(store, { get: (of, name: keyof typeof store) => (name === "flush" ? () => !isFull && of.flush() : typeof of[name] === "function" ? (of[name] as () => unknown).bind(of) : of[name]) });
    const changes: number[] = [];
    const supervisor = new Supervisor({ machine: { places: 1, hasFreeCore: () => true, startTrainer: () => idle }, log, onChange: ({ testError }) => changes.push(testError ?? NaN), onEvaluation: (_run, { step }) => evaluated.push(step) });
    const run = aRun({});
    store.createRun(run);
    supervisor.start(run);
    for (const listener of said) listener({ type: "evaluation", evaluation: { step: 7, epoch: 1, trainLoss: 0.5, testLoss: null, testError: 3 } });
    await vi.waitFor(() => expect(changes).toContain(3));
    expect(evaluated).toEqual([]);
    isFull = false;
    store.flush();
    expect(evaluated).toEqual([7]);
  });

  it("that diverges ends with the step and the reason", async () => {
    const { start, gone, store } = supervise();
    const id = start({ divergeAt: 57 });
    await gone(id);
    const run = store.getRun(id)!;
    expect(run).toMatchObject({ status: "diverged", reason: "loss is NaN at step 57", steps: 60 });
    expect(run.hyperparameters[0]!.value).toBeNull();
    expect(run.events.at(-1)).toMatchObject({ kind: "diverged", step: 57, message: "loss is NaN at step 57" });
  });

  it("whose trainer crashes has failed, with the last output as reason and all steps kept", async () => {
    const { start, gone, store, steps } = supervise();
    const id = start({ crashAt: 50 });
    await gone(id);
    const run = store.getRun(id)!;
    expect(run.status).toBe("failed");
    expect(run.reason).toMatch(/^The trainer process was ended by SIGABRT; its last output:\n/);
    expect(run.reason).toContain("native code gave up");
    expect(run.steps).toBe(50);
    expect(steps(id)).toHaveLength(50);
  });

  it("whose trainer is killed from outside has failed", async () => {
    const { start, reaches, gone, store, trainers } = supervise();
    const id = start({ steps: 1e9 });
    await reaches(id, "running");
    process.kill(trainers[0]!.pid!, "SIGKILL");
    await gone(id);
    expect(store.getRun(id)).toMatchObject({ status: "failed", reason: "The trainer process was ended by SIGKILL (as systems do when memory runs out)." });
  });

  it("whose trainer says that it failed shows why", async () => {
    const { start, gone, store } = supervise();
    const id = start({ failAt: 30 });
    await gone(id);
    expect(store.getRun(id)).toMatchObject({ status: "failed", reason: "MNIST could not be read", steps: 30 });
  });

  it("whose trainer leaves out a step has failed, with the steps before it", async () => {
    const { start, gone, store, steps } = supervise();
    const id = start({ skipAt: 20 });
    await gone(id);
    expect(store.getRun(id)!.reason).toBe("rows start at step 21; the next step to log is 20");
    expect(steps(id)).toHaveLength(20);
  });

  it("whose trainer cannot be started has failed", async () => {
    const missing = supervise({ launch: nodeLauncher("/nowhere/trainer.js") });
    const id = missing.start();
    await missing.gone(id);
    expect(missing.store.getRun(id)!.reason).toMatch(/exited with code 1; its last output:[^]*Cannot find module/);

    const throwing: LaunchTrainer = () => {
      throw new Error("no more processes");
    };
    const refused = supervise({ launch: throwing });
    const other = refused.start();
    await refused.gone(other);
    expect(refused.store.getRun(other)).toMatchObject({
      status: "failed",
      reason: "The trainer process could not be started: no more processes",
    });
  });

  it("whose trainer a signal ends after the stop was asked for has stopped", async () => {
    const { start, supervisor, reaches, gone, store, trainers } = supervise({ stopWithin: 60_000, answerWithin: 0 });
    const id = start({ steps: 1e9, ignoreStop: true });
    await reaches(id, "running");
    // As Ctrl+C does to a trainer that was just launched and does not ignore it yet.
    await supervisor.stop(id);
    process.kill(trainers[0]!.pid!, "SIGINT");
    await gone(id);
    expect(store.getRun(id)).toMatchObject({ status: "stopped", reason: null });
  });

  it("whose trainer does not stop is stopped all the same", async () => {
    const { start, supervisor, reaches, gone, store, trainers } = supervise({ stopWithin: 50, answerWithin: 5_000 });
    const id = start({ steps: 1e9, ignoreStop: true });
    await reaches(id, "running");
    expect((await supervisor.stop(id)).status).toBe("stopped");
    await gone(id);
    expect(store.getRun(id)!.reason).toMatch(/did not stop within 0.05 s/);
    expect(() => process.kill(trainers[0]!.pid!, 0)).toThrow();
  });
});

describe("the line", () => {
  it("holds runs until a place is free; they can be paused, resumed and stopped in it", async () => {
    const { start, status, reaches, supervisor, store, trainers, gone } = supervise({ places: 1 });
    const [first, second, third, fourth] = [start({ steps: 1e9 }), start({ steps: 10 }), start({ steps: 10 }), start({ steps: 10 })];
    await reaches(first, "running");
    expect([second, third, fourth].map(status)).toEqual(["queued", "queued", "queued"]);
    expect(trainers).toHaveLength(1);
    expect((await supervisor.pause(second)).status).toBe("paused");
    expect((await supervisor.stop(third)).status).toBe("stopped");
    await supervisor.stop(first);
    await reaches(fourth, "finished");
    await gone(fourth);
    expect(status(second)).toBe("paused");
    await supervisor.resume(second);
    await gone(second);
    expect(store.getRun(second)!.status).toBe("finished");
    expect(store.getRun(third)).toMatchObject({ reason: "Stopped before it started.", startedAt: null });
    expect(trainers).toHaveLength(3);
  });
});

describe("a paused run", () => {
  it("leaves its place to the next in line", async () => {
    const { start, status, reaches, supervisor, gone } = supervise({ places: 1 });
    const [first, second] = [start({ steps: 1e9 }), start({ steps: 10 })];
    await reaches(first, "running");
    expect(status(second)).toBe("queued");
    await supervisor.pause(first);
    await gone(second);
    expect(status(second)).toBe("finished");
    expect(status(first)).toBe("paused");
  });
});

describe("holding", () => {
  it("pauses what trains, with the reason, and starts nothing until a person goes on", async () => {
    const { start, status, reaches, supervisor } = supervise({ places: 1 });
    const [first, second] = [start({ steps: 1e9 }), start({ steps: 1e9 })];
    await reaches(first, "running");
    supervisor.holdAll("the disk is full");
    await reaches(first, "paused");
    expect(supervisor.get(first)!.reason).toBe("the disk is full");
    await supervisor.pause(first);
    expect(status(second)).toBe("queued");
    expect(await supervisor.resume(first)).toMatchObject({ status: "running", reason: null });
    await supervisor.stop(first);
    await reaches(second, "running");
  });
});

describe("closing", () => {
  it("stops what can be stopped, kills the rest, and leaves no run active and no process alive", async () => {
    const { start, reaches, supervisor, store, trainers } = supervise({ closeWithin: 300, places: 3 });
    const runs = {
      willing: start({ steps: 1e9 }),
      deaf: start({ steps: 1e9, ignoreStop: true }),
      starting: start({ neverStarts: true, ignoreStop: true }),
      queued: start(),
    };
    await reaches(runs.willing, "running");
    await reaches(runs.deaf, "running");
    await supervisor.close();
    const of = (id: string) => store.getRun(id)!;
    expect(of(runs.willing)).toMatchObject({ status: "stopped", reason: "Hypertower was closed." });
    expect(of(runs.deaf)).toMatchObject({ status: "interrupted" });
    expect(of(runs.deaf).steps).toBe([...store.readSteps(runs.deaf)].length);
    expect(of(runs.starting)).toMatchObject({ status: "interrupted" });
    expect(of(runs.queued)).toMatchObject({ status: "stopped", reason: "Hypertower was closed." });
    expect(store.listRuns().some((run) => isActive(run.status))).toBe(false);
    for (const { pid } of trainers) expect(() => process.kill(pid!, 0)).toThrow();
  });
});

describe("a trainer", () => {
  it("ends when the process that started it does", async () => {
    const parent = fork(processFile("trainerParent"), [fakeTrainer], { execArgv: [] });
    const [trainerPid] = (await once(parent, "message")) as [number];
    parent.kill("SIGKILL");
    await vi.waitFor(() => expect(() => process.kill(trainerPid, 0)).toThrow());
  });
});
