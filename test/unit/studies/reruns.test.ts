/** Stacks that rerun another: plain, from the values that each of its runs learned. The trainer is a fake that adds its steps to every hyperparameter. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { RequestInput, RequestName, RequestOutput } from "../../../src/shared/contract.ts";
import type { StudyPoint, StudySummary } from "../../../src/shared/study/result.ts";
import type { StudyInput } from "../../../src/shared/study/study.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import { dispatch } from "../../../src/main/services/dispatch.ts";
import type { DatasetCatalog } from "../../../src/main/services/experiments.ts";
import type { FakePlan } from "../../support/fakeTrainer.ts";
import { freshFolder, recordedLog } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const usable: DatasetCatalog = { problem: () => Promise.resolve(null), list: () => Promise.resolve([]) };

async function open(storeDir = freshFolder()) {
  const log = recordedLog();
  const launchTrainer = nodeLauncher(processFile("fakeTrainer"));
  const services = await createServices({ storeDir, host: "browser", version: "1.2.3", launchTrainer }, { datasets: usable, log });
  onTestFinished(() => services.close());
  const ask = async <N extends RequestName>(name: N, input: RequestInput<N>): Promise<RequestOutput<N>> => {
    const reply = await dispatch(services, name, input, log);
    if (!reply.ok) throw new Error([reply.error.message, ...(reply.error.fields ?? []).map(({ path, message }) => `${path}: ${message}`)].join(" | "));
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
  return { services, ask, until };
}

const sgd = { optimizer: "sgd" } as const;
const adam = { optimizer: "adam" } as const;

/** The rerun stands before the stack it reruns. */
const withReruns = (plan: FakePlan, more: StudyInput = {}): StudyInput => ({
  name: JSON.stringify(plan),
  stacks: [
    { name: "plain", tower: [sgd] },
    { name: "again", rerunOf: "tower" },
    { name: "tower", tower: [{ ...sgd, alpha: 0.5 }, sgd] },
  ],
  seeds: [0, 1],
  ...more,
});

const of = (points: readonly StudyPoint[], stack: string) => points.filter((point) => point.stack === stack);
const plan = { steps: 40, epochSteps: 20 };

describe("a stack that reruns another", () => {
  it("trains each run with a plain optimizer at the values learned by the run of the same seed, once that has ended", async () => {
    const { ask, until } = await open();
    const { id, total } = await ask("studies.start", { study: withReruns(plan), workers: 2 });
    expect(total).toBe(6);
    const done = await until(id, "finished");
    expect(done).toMatchObject({ reason: null, finished: 6, skipped: 0 });
    const runs = await ask("runs.summaries", { runs: done.points.map(({ run }) => run!) });
    for (const seed of [0, 1]) {
      const [again] = of(done.points, "again").filter((point) => point.seed === seed);
      const run = runs.find((one) => one.id === again!.run)!;
      const source = of(done.points, "tower").find((point) => point.seed === seed)!;
      expect(run.experiment).toMatchObject({ seed, tower: [{ optimizer: "sgd", alpha: 40.5 }], name: `${JSON.stringify(plan)}, again, seed ${seed}` });
      expect(run.experiment.tower).toHaveLength(1);
      const sourceRun = runs.find((one) => one.id === source.run)!;
      expect(run.startedAt).toBeGreaterThanOrEqual(sourceRun.finishedAt!);
    }
  });

  it("is skipped with a reason when the source run diverged or its values fit no optimizer, and the study ends", async () => {
    const { services, ask, until } = await open();
    const told: StudyPoint[] = [];
    services.on("study.advanced", ({ point }) => told.push(point));
    const stacks = [
      { name: "adam", tower: [adam, sgd] },
      { name: "adam again", rerunOf: "adam" },
      { name: "wild", tower: [{ ...sgd, alpha: 9 }, sgd] },
      { name: "wild again", rerunOf: "wild" },
    ];
    const { id } = await ask("studies.start", { study: withReruns({ ...plan, divergeFrom: 5 }, { stacks, seeds: [3] }), workers: 2 });
    const done = await until(id, "finished");
    expect(done).toMatchObject({ total: 4, finished: 1, diverged: 1, skipped: 2, running: 0 });
    expect(done.reason).toContain("2 skipped");
    expect(of(done.points, "adam again")).toMatchObject([{ status: "skipped", run: null, reason: expect.stringContaining("no optimizer can start") as string }]);
    expect(of(done.points, "wild again")).toMatchObject([{ status: "skipped", reason: expect.stringContaining("diverged") as string }]);
    expect(new Set(told.filter(({ status }) => status === "skipped").map(({ stack }) => stack))).toEqual(new Set(["adam again", "wild again"]));
    expect(await ask("studies.list", {})).toMatchObject([{ skipped: 2 }]);
  });

  it("waits for a stopped source run, and starts when another host has completed it", async () => {
    const folder = freshFolder();
    const first = await open(folder);
    const { id } = await first.ask("studies.start", { study: withReruns({ steps: 60, every: 30 }, { seeds: [0] }), workers: 1 });
    await first.ask("studies.stop", { study: id });
    await vi.waitFor(async () => expect((await first.ask("studies.get", { study: id })).running).toBe(0), { interval: 10 });
    expect(of((await first.ask("studies.get", { study: id })).points, "again")[0]!.status).toBe("waiting");
    await first.services.close();
    const { ask, until } = await open(folder);
    await ask("studies.resume", { study: id });
    const done = await until(id, "finished");
    expect(done).toMatchObject({ finished: 3 });
    const run = await ask("runs.get", { run: of(done.points, "again")[0]!.run! });
    expect(run.experiment.tower).toMatchObject([{ alpha: 60.5 }]);
  });

  it("waits while its source run has failed, and starts after a retry of a deleted run", async () => {
    const { ask, until } = await open();
    const { id } = await ask("studies.start", { study: withReruns(plan, { seeds: [0] }), workers: 2 });
    const done = await until(id, "finished");
    const runs = [...of(done.points, "tower"), ...of(done.points, "again")].map(({ run }) => run!);
    await ask("runs.delete", { runs });
    await ask("studies.retry", { study: id });
    await vi.waitFor(async () => expect(await ask("studies.get", { study: id })).toMatchObject({ status: "finished", finished: 3 }), { interval: 10 });
    const again = of((await ask("studies.get", { study: id })).points, "again")[0]!;
    expect(runs).not.toContain(again.run);
    const failing = await ask("studies.start", { study: withReruns({ ...plan, failSeed: 0 }, { seeds: [0], stacks: [{ name: "tower", tower: [sgd, sgd] }, { name: "again", rerunOf: "tower" }] }), workers: 1 });
    const ended = await until(failing.id, "finished");
    expect(ended.reason).toContain("1 failed");
    expect(of(ended.points, "again")[0]!.status).toBe("waiting");
  });

  it("can be added to a study with runs, with seeds of a single stack", async () => {
    const { ask, until } = await open();
    const [, , tower] = withReruns(plan).stacks!;
    const { id } = await ask("studies.start", { study: withReruns(plan, { stacks: [tower!], seeds: [0] }), workers: 2 });
    const before = await until(id, "finished");
    const { study } = before;
    await ask("studies.extend", { study: id, definition: { ...study, stacks: [{ ...study.stacks![0]!, seeds: [0, 5] }, { name: "again", rerunOf: "tower" }] } });
    const done = await until(id, "finished");
    expect(done.points.map(({ stack, seed, status }) => [stack, seed, status])).toEqual([["tower", 0, "finished"], ["tower", 5, "finished"], ["again", 0, "finished"], ["again", 5, "finished"]]);
    expect(done.points[0]!.run).toBe(before.points[0]!.run);
    await expect(ask("studies.extend", { study: id, definition: { ...study, stacks: [...done.study.stacks!.slice(0, 1), { name: "other", tower: [sgd, adam] }, { name: "again", rerunOf: "other" }] } })).rejects.toThrow(/trains otherwise/);
  });
});
