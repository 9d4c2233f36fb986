/** The workbench is killed while it trains: the run is there again, marked, with every step that was seen. */
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";
import { storedSeries } from "./store.ts";
import { configure, drawnAtLeast, expectStatus, findInHistory, train } from "./workbench.ts";

export async function crash(harness: Harness): Promise<void> {
  await configure(harness.page, { name: "cut short", trainExamples: 2560, testExamples: 100, batchSize: 64, epochs: 5000 });
  const run = await train(harness.page);
  const seen = await drawnAtLeast(harness.page, "loss-chart/loss", 100);

  await harness.restart("killed");
  expect(await findInHistory(harness.page, run)).toMatch(/interrupted/i);
  await harness.page.getByTestId(`run-row-${run}`).click();
  await expectStatus(harness.page, "interrupted");
  const stored = storedSeries(harness.storeDir, run, "loss");
  expect(stored.length).toBeGreaterThanOrEqual(seen.total);
  const values = new Map(stored.map(({ step, value }) => [step, value]));
  for (const [step, value] of seen.points) expect(values.get(step)).toBe(value);
  await drawnAtLeast(harness.page, "loss-chart/loss", stored.length);

  // It can go on, from its checkpoint if it had lived long enough for one.
  await harness.page.getByTestId("resume-ended-button").click();
  await expectStatus(harness.page, "running");
  await drawnAtLeast(harness.page, "loss-chart/loss", stored.length + 50);
}
