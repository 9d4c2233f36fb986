/** Why the runs of a study trained on their engine. */
import { expect, it, onTestFinished, vi } from "vitest";
import { createServices } from "../../../src/main/services/createServices.ts";
import type { Services } from "../../../src/main/services/services.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import type { StudyInput } from "../../../src/shared/study/study.ts";
import { freshFolder } from "../../support/storeFixtures.ts";
import { processFile } from "../../support/processes.ts";

const datasets = { problem: () => Promise.resolve(null), list: () => Promise.resolve([]) };

async function open(storeDir: string): Promise<Services> {
  const launchTrainer = nodeLauncher(processFile("fakeTrainer"));
  const services = await createServices({ storeDir, host: "browser", version: "0", launchTrainer }, { datasets });
  onTestFinished(() => services.close());
  return services;
}

const aStudy = (more: StudyInput): StudyInput => ({
  name: JSON.stringify({ steps: 30 }),
  axes: [{ values: { kind: "list", values: [0.1, 1] } }],
  heights: null,
  ...more,
});

/** Waits for a study to finish; how many runs it has, and every reason that they record. */
async function whys({ handlers }: Services, study: string) {
  const { points } = await vi.waitFor(
    async () => {
      const now = await handlers["studies.get"]({ study });
      expect(now.status, now.reason ?? "").toBe("finished");
      return now;
    },
    { interval: 20 },
  );
  const reasons = await Promise.all(points.map(async ({ run }) => (await handlers["runs.get"]({ run: run! })).environment?.engine?.why));
  return { runs: points.length, reasons: new Set(reasons) };
}

it("is the reason of the study's choice, also after another host resumes it, or that the study names the engine", async () => {
  const folder = freshFolder();
  const base: StudyInput["base"] = { tower: [{ optimizer: "sgd" }], engine: "auto" };
  const first = await open(folder);
  const { id: study } = await first.handlers["studies.start"]({ study: aStudy({ base }), workers: 2 });
  const reasons = new Set(["chosen for the whole study: HYPERTOWER_ENGINE names it"]);
  expect(await whys(first, study)).toEqual({ runs: 2, reasons });
  await first.close();

  const second = await open(folder);
  await second.handlers["studies.extend"]({ study, definition: aStudy({ base, seeds: [0, 1] }) });
  expect(await whys(second, study)).toEqual({ runs: 4, reasons });
  const named = await second.handlers["studies.start"]({ study: aStudy({ base: { tower: [{ optimizer: "sgd" }] } }), workers: 2 });
  expect(await whys(second, named.id)).toEqual({ runs: 2, reasons: new Set(["named by the study"]) });
});
