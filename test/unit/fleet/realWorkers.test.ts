/** A study trained by real workers over a shared folder has the numbers of one that was trained on this machine. */
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { StudyDetail } from "../../../src/shared/study/result.ts";
import type { StudyInput } from "../../../src/shared/study/study.ts";
import { storeFileName } from "../../../src/main/store/database.ts";
import { checkStoreRows } from "../../../src/main/store/verify/storeCheck.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import type { Services } from "../../../src/main/services/services.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { FolderFleet } from "../../../src/main/fleet/folder/folderFleet.ts";
import { FolderSource } from "../../../src/main/fleet/folder/source.ts";
import { Worker } from "../../../src/main/fleet/worker/worker.ts";
import { machine, version } from "../../support/fleet/units.ts";
import { everything } from "../../support/edition.ts";
import { freshFolder, recordedLog } from "../../support/storeFixtures.ts";

const launchTrainer = nodeLauncher(new URL("../../../src/main/trainer/trainer.ts", import.meta.url));

/** Two step sizes, one of which diverges, and two seeds, at two heights. */
const aStudy = (epochs: number): StudyInput => ({
  name: "At a fleet",
  base: { dataset: { kind: "iris", trainExamples: 120, testExamples: 30 }, model: { hidden: [4] }, batchSize: 4, budget: { epochs }, tower: [{ optimizer: "sgd", weightDecay: 0.1 }], engine: { kind: "onnx-cpu", threads: 1 } },
  axes: [{ values: { kind: "list", values: [0.1, 1e12] } }],
  heights: { values: [0, 1], rule: { kind: "fixed", alphas: [1e-3] } },
  seeds: [0, 1],
});

async function open(shared: string, storeDir = freshFolder()) {
  const services = await createServices(
    { storeDir, host: "browser", version, launchTrainer },
    { log: recordedLog(), checkpointEvery: 100, openFleet: () => FolderFleet.open(shared), fleet: { lookEvery: 20, moment: 300, segments: 16 } },
  );
  onTestFinished(() => services.close());
  return { services, storeDir };
}

function work(shared: string, id: string): Worker {
  const worker = new Worker({
    source: new FolderSource({ root: shared, lookEvery: 10, claimEvery: 20 }),
    id,
    found: { machine: { ...machine, host: id }, problems: new Map() },
    launch: launchTrainer,
    places: 1,
    spoolFolder: freshFolder(),
    spool: { closeAfter: 50 },
    say: () => undefined,
  });
  onTestFinished(async () => {
    worker.leave("the test is over");
    await worker.done;
  });
  return worker;
}

const until = (services: Services, id: string, holds: (study: StudyDetail) => boolean) =>
  vi.waitFor(
    async () => {
      const now = await services.handlers["studies.get"]({ study: id });
      expect(holds(now), `${now.status} ${now.points.map(({ status, steps, reason }) => `${status} ${steps} ${reason ?? ""}`).join("; ")}`).toBe(true);
      return now;
    },
    { timeout: 100_000, interval: 20 },
  );
const finished = ({ status }: StudyDetail) => status === "finished";

const logged = (services: Services, { points }: StudyDetail) =>
  points.map(({ key, run, status, steps, hyperparameters, evaluations }) => ({ key, status, steps, hyperparameters, evaluations, rows: [...services.readSteps(run!)].map(({ step, values }) => [step, ...values.filter((_, column) => column !== 1)]) }));

const trained = async (services: Services, on: string, epochs: number, more: { cohort?: number } = {}) =>
  until(services, (await services.handlers["studies.start"]({ study: aStudy(epochs), workers: on === "local" ? 2 : 8, on, unitTime: 1, ...more })).id, finished);

describe("real workers", { timeout: 200_000 }, () => {
  it.runIf(everything)("train a study as this machine does", async () => {
    const shared = freshFolder();
    const { services, storeDir } = await open(shared);
    work(shared, "node1");
    const there = await trained(services, "queue", 2);
    const here = await trained(services, "local", 2);
    expect(there).toMatchObject({ finished: here.finished, diverged: here.diverged, failed: 0 });
    expect(logged(services, there)).toEqual(logged(services, here));
    await services.close();
    expect((await checkStoreRows(join(storeDir, storeFileName))).findings).toEqual([]);
  });

  it.runIf(everything)("train cohorts, go on where others left, stop and pause, and outlast the host", async () => {
    const shared = freshFolder();
    const first = await open(shared);
    const one = work(shared, "node1");
    const { id } = await first.services.handlers["studies.start"]({ study: aStudy(150), workers: 8, on: "queue", unitTime: 1, cohort: 2 });
    await until(first.services, id, ({ points }) => points.some(({ status, steps }) => status === "running" && steps > 200));
    await first.services.close();
    one.leave("node1 goes down");
    await one.done;
    work(shared, "node2");
    work(shared, "node3");
    const { services, storeDir } = await open(shared, first.storeDir);
    await services.fleets.attach();
    await until(services, id, ({ points }) => points.some(({ status, steps }) => status === "running" && steps > 1_000));
    await services.handlers["studies.pause"]({ study: id });
    await until(services, id, ({ points }) => points.every(({ status }) => status !== "running" && status !== "queued"));
    await services.handlers["studies.resume"]({ study: id });
    await until(services, id, ({ points }) => points.some(({ status }) => status === "running"));
    await services.handlers["studies.stop"]({ study: id });
    await until(services, id, ({ points }) => points.every(({ status }) => status !== "running" && status !== "queued"));
    await services.handlers["studies.resume"]({ study: id });
    const there = await until(services, id, finished);
    expect(there.failed).toBe(0);
    const here = await trained(services, "local", 150, { cohort: 2 });
    expect(logged(services, there)).toEqual(logged(services, here));
    expect(services.fleets.list().flatMap(({ units }) => units)).toEqual([]);
    await services.close();
    expect((await checkStoreRows(join(storeDir, storeFileName))).findings).toEqual([]);
  });
});
