/** Trainers whose processes take their time, never come, or cannot be launched. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { RunSummary } from "../../../src/shared/run.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import type { TrainerProcess } from "../../../src/main/hosting/process.ts";
import { Supervisor, type SupervisorOptions } from "../../../src/main/hosting/supervisor.ts";
import { TrainerPool } from "../../../src/main/hosting/trainerPool.ts";
import { tickLength } from "../../../src/main/hosting/watchdog.ts";
import type { FromTrainer, ToTrainer } from "../../../src/main/trainer/messages.ts";
import type { FakePlan } from "../../support/fakeTrainer.ts";
import { aRun, openStore } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const launch = nodeLauncher(processFile("fakeTrainer"));

/** A supervisor whose trainers are launched when the test says so, and a record of what they were sent. */
function supervise(options: Partial<SupervisorOptions> = {}) {
  const store = openStore();
  const launches: PromiseWithResolvers<undefined>[] = [];
  const trainers: TrainerProcess[] = [];
  const sent: ToTrainer[][] = [];
  const pool = new TrainerPool({
    launch: async () => {
      const asked = Promise.withResolvers<undefined>();
      launches.push(asked);
      await asked.promise;
      const trainer = await launch();
      trainers.push(trainer);
      const messages: ToTrainer[] = [];
      sent.push(messages);
      return { ...trainer, send: (message) => (messages.push(message), trainer.send(message)) };
    },
  });
  const supervisor = new Supervisor({ machine: { startTrainer: pool.start, places: 1, hasFreeCore: () => false }, log: store, onChange: () => undefined, onEvaluation: () => undefined, ...options });
  onTestFinished(async () => {
    for (const { resolve } of launches) resolve(undefined);
    await supervisor.close();
    await pool.close();
  });
  const queue = (plan: FakePlan = {}): RunSummary => {
    const run = aRun({ name: JSON.stringify(plan) });
    store.createRun(run);
    return run;
  };
  const start = (plan: FakePlan = {}) => supervisor.start(queue(plan)).id;
  const stored = (id: string) => store.getRun(id)!;
  const status = (id: string) => supervisor.get(id)?.status ?? stored(id).status;
  const reaches = (id: string, wanted: string) => vi.waitFor(() => expect(status(id)).toBe(wanted), { interval: 5 });
  const kinds = (id: string) => stored(id).events.map(({ kind }) => kind);
  const hasEnded = ({ pid }: TrainerProcess) => vi.waitFor(() => expect(() => process.kill(pid!, 0)).toThrow(), { interval: 5 });
  return { store, pool, supervisor, launches, trainers, sent, queue, start, stored, status, reaches, kinds, hasEnded };
}

describe("a run whose trainer is on its way", () => {
  it("waits for it, and is trained to its end", async () => {
    const { start, status, launches, reaches, stored } = supervise();
    const id = start({ steps: 20 });
    expect([status(id), launches.length]).toEqual(["queued", 1]);
    launches[0]!.resolve(undefined);
    await reaches(id, "finished");
    expect(stored(id).steps).toBe(20);
  });

  it("ends as stopped at once when it is stopped, frees its place, and never begins", async () => {
    const { start, supervisor, launches, reaches, stored, kinds, trainers, sent, hasEnded } = supervise();
    const [first, second] = [start({ steps: 1e9 }), start({ steps: 10 })];
    expect(launches).toHaveLength(1);
    expect(await supervisor.stop(first)).toMatchObject({ status: "stopped", reason: "Stopped before it started." });
    expect(supervisor.get(first)).toBeUndefined();
    // The next in line has its place.
    expect(launches).toHaveLength(2);
    launches[0]!.resolve(undefined);
    await vi.waitFor(() => expect(trainers).toHaveLength(1));
    await hasEnded(trainers[0]!);
    expect(sent[0]).toEqual([]);
    launches[1]!.resolve(undefined);
    await reaches(second, "finished");
    expect(stored(first)).toMatchObject({ status: "stopped", startedAt: null, steps: 0 });
    expect(kinds(first)).toEqual(["stopped"]);
  });

  it("is paused at once, leaves its place, and begins when it is resumed", async () => {
    const { start, supervisor, launches, reaches, stored, kinds } = supervise();
    const [first, second] = [start({ steps: 30 }), start({ steps: 10 })];
    expect((await supervisor.pause(first)).status).toBe("paused");
    expect(launches).toHaveLength(2);
    launches[0]!.resolve(undefined);
    launches[1]!.resolve(undefined);
    await reaches(second, "finished");
    expect(supervisor.get(first)!.status).toBe("paused");
    await supervisor.resume(first);
    launches[2]?.resolve(undefined);
    await reaches(first, "finished");
    expect(stored(first).steps).toBe(30);
    expect(kinds(first)).toEqual(["paused", "resumed", "started", "finished"]);
  });

  it("fails with the reason when it cannot be launched, and leaves its place", async () => {
    const told: unknown[] = [];
    const { start, launches, reaches, stored, supervisor } = supervise({ onEngineFailure: (...failure) => told.push(failure) });
    const [first, second] = [start({ steps: 10 }), start({ steps: 10 })];
    launches[0]!.reject(new Error("the other machine does not answer"));
    await reaches(first, "failed");
    expect(supervisor.get(first)).toBeUndefined();
    expect(stored(first).reason).toBe("The trainer process could not be started: the other machine does not answer");
    launches[1]!.resolve(undefined);
    await reaches(second, "finished");
    expect(told).toEqual([]);
  });

  it("fails when it is not there in time, which is no fault of its engine", async () => {
    let tick: () => void = () => undefined;
    const told: unknown[] = [];
    const { start, status, stored } = supervise({ watch: { loading: tickLength, ticks: (one) => ((tick = one), () => undefined) }, onEngineFailure: (...failure) => told.push(failure) });
    const id = start();
    tick();
    expect(status(id)).toBe("queued");
    tick();
    expect(stored(id)).toMatchObject({ status: "failed", reason: "The trainer process was not there after 10 s." });
    expect(told).toEqual([]);
  });

  it("is given up when another process takes it", async () => {
    const { start, supervisor, launches, trainers, sent, hasEnded, stored } = supervise();
    const id = start();
    supervisor.leaseLost(id, 0);
    expect(supervisor.get(id)).toBeUndefined();
    launches[0]!.resolve(undefined);
    await vi.waitFor(() => expect(trainers).toHaveLength(1));
    await hasEnded(trainers[0]!);
    expect(sent[0]).toEqual([]);
    expect(stored(id).status).toBe("queued");
  });
});

describe("a cohort whose trainer is on its way", () => {
  const three = (supervised: ReturnType<typeof supervise>) => {
    const cohort = supervised.supervisor.cohort(4);
    const ids = [0, 1, 2].map((number) => supervised.supervisor.start(supervised.queue({ steps: 1e9 }), "new", { cohort, number: number + 1 }).id);
    cohort.complete();
    return ids as [string, string, string];
  };

  it("begins without those that were stopped or paused meanwhile", async () => {
    const supervised = supervise({ answerWithin: 1, closeWithin: 1 });
    const { supervisor, launches, sent, status } = supervised;
    const [first, second, third] = three(supervised);
    await supervisor.stop(first);
    await supervisor.pause(second);
    expect([first, second, third].map(status)).toEqual(["stopped", "paused", "queued"]);
    launches[0]!.resolve(undefined);
    await vi.waitFor(() => expect(sent[0]?.some(({ type }) => type === "startCohort")).toBe(true));
    const orders = sent[0]!.filter(({ type }) => type !== "coreFree");
    expect(orders).toMatchObject([{ type: "startCohort", size: 4, members: [{ seat: 3 }] }]);
    // The member that is left is the process's first, whatever its seat.
    await supervisor.stop(third);
    expect(sent[0]!.at(-1)).toEqual({ type: "member", member: 0, message: { type: "stop" } });
  });

  it("fails as a whole when it cannot be launched", async () => {
    const supervised = supervise();
    const ids = three(supervised);
    supervised.launches[0]!.reject(new Error("no more processes"));
    for (const id of ids) {
      await supervised.reaches(id, "failed");
      expect(supervised.stored(id).reason).toBe("The trainer process could not be started: no more processes");
    }
  });
});

describe("a host that closes", () => {
  it("waits for trainers on their way, and ends them", async () => {
    const { start, supervisor, pool, launches, trainers, stored } = supervise();
    const id = start();
    await supervisor.close();
    expect(stored(id)).toMatchObject({ status: "stopped", reason: "Hypertower was closed." });
    let closed = false;
    const closing = pool.close(60_000).then(() => (closed = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(false);
    launches[0]!.resolve(undefined);
    await closing;
    expect(() => process.kill(trainers[0]!.pid!, 0)).toThrow();
    const late: FromTrainer[] = [];
    const refused = pool.start();
    refused.onMessage((message) => late.push(message));
    expect(await refused.launched).toBe(false);
  });

  it("does not wait for ever for one that never comes", async () => {
    const { start, supervisor, pool } = supervise();
    start();
    await supervisor.close();
    await pool.close(1);
  });
});
