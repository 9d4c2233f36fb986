/** Whether the window keeps up with a run of many evaluations: epochs of 40 steps, evaluated after each. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { everything } from "../../support/edition.ts";
import { storedSeries } from "../scenarios/store.ts";
import { configure, drawn, expectStatus, train } from "../scenarios/workbench.ts";
import { findElectron, startElectronApp, type ElectronHarness } from "./harness.ts";

/** When the window is measured, in seconds of training. */
const moments = [15, 30, 45, 60];
const found = findElectron();
let harness: ElectronHarness;

/** Milliseconds until the page answers. */
async function answerTime(): Promise<number> {
  const begun = performance.now();
  await harness.page.evaluate("1");
  return performance.now() - begun;
}

const onChart = async (): Promise<number> => (await drawn(harness.page, "loss-chart/loss"))?.total ?? 0;

if ("path" in found) {
  describe.runIf(everything)("a run of many evaluations in Electron", () => {
    beforeEach(async () => {
      harness = await startElectronApp(found.path);
      harness.page.setDefaultTimeout(120_000);
    });
    afterEach(() => harness.close());

    it("is followed by its chart", async () => {
      await configure(harness.page, { name: "many evaluations", trainExamples: 2560, testExamples: 100, batchSize: 64, epochs: 20_000 });
      const run = await train(harness.page);
      await expectStatus(harness.page, "running");
      const stored = (metric = "loss") => storedSeries(harness.storeDir, run, metric).length;
      const begun = performance.now();
      let followed = 0;
      for (const second of moments) {
        await delay(Math.max(0, begun + second * 1000 - performance.now()));
        const answered = await answerTime();
        const [chart, steps] = [await onChart(), stored()];
        followed = chart / steps;
        const passed = Math.round((performance.now() - begun) / 1000);
        console.log(`${passed} s: the page answers after ${answered.toFixed(0)} ms; ${chart} of ${steps} steps on the chart, ${Math.floor(steps / 40)} evaluations`);
      }
      await harness.page.getByTestId("stop-button").click();
      await expectStatus(harness.page, "stopped");
      await expect.poll(onChart, { timeout: 10_000 }).toBe(stored());
      // Less than half when each evaluation was sent, sorted in and drawn by itself.
      expect(followed).toBeGreaterThan(0.8);
    });
  });
} else {
  it.skip(`a run of many evaluations in Electron: ${found.problem}`);
}
