/** Configure, train, watch it live, pause, resume, stop, take up again; find it again after a reload and after a restart. */
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";
import { storedSeries } from "./store.ts";
import { configure, drawn, drawnAtLeast, expectStatus, findInHistory, train } from "./workbench.ts";

const loss = "loss-chart/loss";

export async function liveRun(harness: Harness): Promise<void> {
  await configure(harness.page, { name: "A long look", trainExamples: 2560, testExamples: 500, batchSize: 64, epochs: 5000 });
  const run = await train(harness.page);
  await expectStatus(harness.page, "running");

  // Points arrive while it trains, and what is drawn is the data.
  const early = await drawnAtLeast(harness.page, loss, 20);
  const later = await drawnAtLeast(harness.page, loss, early.total + 50);
  expect(later.drawn).toBe(later.points.length);
  expect(later.points.every(([, value]) => value > 0 && value < 10)).toBe(true);
  expect(later.points.map(([step]) => step)).toEqual([...later.points.map(([step]) => step)].sort((a, b) => a - b));
  const alpha = await drawnAtLeast(harness.page, "chart-L0.alpha/L0.alpha", 50);
  expect(alpha.points[0]?.[1]).toBeCloseTo(0.001, 3);
  expect(new Set(alpha.points.map(([, value]) => value)).size).toBeGreaterThan(10);

  // Paused, nothing more arrives; resumed, it goes on where it was.
  await harness.page.getByTestId("pause-button").click();
  await expectStatus(harness.page, "paused");
  // What was on its way arrives; half a second later it is the same.
  await expect
    .poll(async () => {
      const before = await drawn(harness.page, loss);
      await harness.page.waitForTimeout(500);
      return ((await drawn(harness.page, loss))?.total ?? 0) - (before?.total ?? 0);
    })
    .toBe(0);
  const paused = await drawn(harness.page, loss);
  await harness.page.getByTestId("resume-button").click();
  await expectStatus(harness.page, "running");
  await drawnAtLeast(harness.page, loss, (paused?.total ?? 0) + 50);

  await harness.page.getByTestId("stop-button").click();
  await expectStatus(harness.page, "stopped");
  // A stop is no end: it goes on from where it was stopped, and its log too.
  const before = storedSeries(harness.storeDir, run, "loss").length;
  await expect.poll(() => harness.page.getByTestId("resume-ended-button").innerText()).toBe("Resume");
  await harness.page.getByTestId("resume-ended-button").click();
  await expectStatus(harness.page, "running");
  await drawnAtLeast(harness.page, loss, before + 50);
  await harness.page.getByTestId("stop-button").click();
  await expectStatus(harness.page, "stopped");
  const stored = storedSeries(harness.storeDir, run, "loss");
  expect(stored.length).toBeGreaterThan(100);
  expect(stored.map(({ step }) => step)).toEqual(stored.map((_, index) => index));
  const final = await drawnAtLeast(harness.page, loss, stored.length);
  expect(final.total).toBe(stored.length);
  const values = new Map(stored.map(({ step, value }) => [step, value]));
  for (const [step, value] of final.points) expect(values.get(step)).toBe(value);

  // It is in the history, also for a page that starts anew, and for a workbench that does.
  expect(await findInHistory(harness.page, run)).toContain("A long look");
  await harness.page.reload();
  expect(await findInHistory(harness.page, run)).toMatch(/stopped/i);
  await harness.restart();
  await findInHistory(harness.page, run);
  await harness.page.getByTestId(`run-row-${run}`).click();
  await expectStatus(harness.page, "stopped");
  expect((await drawnAtLeast(harness.page, loss, stored.length)).points).toEqual(final.points);
}
