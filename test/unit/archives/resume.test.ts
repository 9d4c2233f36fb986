/** A run whose archive was made mid-way goes on elsewhere, exactly as if nothing had happened. */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect, it, onTestFinished, vi } from "vitest";
import type { ExperimentInput } from "../../../src/shared/experiment.ts";
import { isActive, type RunDetail } from "../../../src/shared/run.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import { everything } from "../../support/edition.ts";
import { freshFolder, recordedLog } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const experiment: ExperimentInput = { dataset: { kind: "mnist", trainExamples: 640, testExamples: 100 }, batchSize: 64, model: { hidden: [8] }, budget: { epochs: 60 }, engine: { kind: "onnx-cpu" } };

async function open() {
  const storeDir = freshFolder();
  const launchTrainer = nodeLauncher(processFile("trainer"));
  const services = await createServices({ storeDir, host: "browser", version: "0", launchTrainer }, { checkpointEvery: 20, log: recordedLog() });
  onTestFinished(() => services.close());
  const { handlers } = services;
  const get = (run: string) => Promise.resolve(handlers["runs.get"]({ run }));
  const until = (run: string, done: (run: RunDetail) => boolean) => vi.waitFor(async () => expect(done(await get(run))).toBe(true), { interval: 5 });
  return {
    services,
    handlers,
    until,
    async ended(run: string) {
      await until(run, ({ status }) => !isActive(status));
      const { status, steps, evaluations, hyperparameters, metrics } = await get(run);
      // All but the time of each step.
      const kept = metrics.map((name) => name !== "stepTime");
      return { status, steps, evaluations, hyperparameters, values: [...services.readSteps(run)].map(({ values }) => values.filter((_, i) => kept[i])) };
    },
  };
}

it.runIf(everything)("an archive of a running or a stopped run resumes from its checkpoint in another store, bit for bit", async () => {
  const [alone, here, there] = [await open(), await open(), await open()];
  const undisturbed = alone.ended((await alone.handlers["runs.start"]({ experiment })).id);
  const { id } = await here.handlers["runs.start"]({ experiment });
  const folder = freshFolder();
  const archive = async (name: string, remarks: string[]) => {
    const path = join(folder, name);
    await pipeline(Readable.from(here.services.exportArchive({ runs: [id], studies: [] }, (remark) => remarks.push(remark)).pieces), createWriteStream(path));
    return path;
  };
  await here.until(id, ({ epoch }) => epoch >= 10);
  const remarks: string[] = [];
  const running = await archive("running", remarks);
  expect(remarks).toEqual([expect.stringContaining("is being trained")]);
  await here.until(id, ({ epoch }) => epoch >= 20);
  await here.handlers["runs.stop"]({ run: id });
  const stopped = await archive("stopped", remarks);
  expect(remarks).toHaveLength(1);

  expect((await there.handlers["archives.import"]({ path: running })).runs).toMatchObject([{ as: id }]);
  const [{ as: second }] = (await there.handlers["archives.import"]({ path: stopped })).runs as unknown as [{ as: string }];
  expect(second).not.toBe(id);
  for (const run of [id, second]) {
    const { step, problem } = (await there.handlers["runs.resumption"]({ run }))!;
    expect(problem).toBeNull();
    expect(step).toBeGreaterThan(0);
    await there.handlers["runs.resume"]({ run, fromStart: false });
    expect(await there.ended(run)).toEqual(await undisturbed);
  }
  expect((await undisturbed).status).toBe("finished");
}, 180_000);
