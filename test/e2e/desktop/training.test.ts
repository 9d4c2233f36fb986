/** The desktop app while runs are training: leaving it, and a trainer that dies. */
import type { Browser } from "playwright";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { configure, drawnAtLeast, expectStatus, findInHistory, train } from "../scenarios/workbench.ts";
import { storedSeries } from "../scenarios/store.ts";
import { sharedChromium } from "../support/chromium.ts";
import { startDesktopApp, type DesktopHarness } from "./harness.ts";

const loss = "loss-chart/loss";
let browser: Browser;
let harness: DesktopHarness;

beforeAll(async () => {
  browser = await sharedChromium();
});
beforeEach(async () => {
  harness = await startDesktopApp(browser);
});
afterEach(() => harness.close());

async function startRun(): Promise<string> {
  await configure(harness.page, { trainExamples: 2560, testExamples: 100, batchSize: 64, epochs: 5000 });
  const run = await train(harness.page);
  await drawnAtLeast(harness.page, loss, 20);
  return run;
}

async function trainerPids(): Promise<number[]> {
  return (await harness.app.call("trainers")) as number[];
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it("asks before it stops runs, and goes on when told to stay", async () => {
  const run = await startRun();
  const [trainer = 0] = await trainerPids();
  await harness.app.call("closeWindow");
  await expect.poll(() => harness.app.messageBoxes).toMatchObject([{ message: "1 run is still training.", buttons: ["Keep the Window Open", "Stop and Quit"] }]);
  const before = await drawnAtLeast(harness.page, loss, 20);
  await drawnAtLeast(harness.page, loss, before.total + 50);

  harness.app.press("Stop and Quit");
  void harness.app.call("quit");
  expect(await harness.app.process.exited, harness.log()).toBe(0);
  expect(harness.app.messageBoxes).toHaveLength(2);
  expect(lives(trainer)).toBe(false);
  expect(storedSeries(harness.storeDir, run, "loss").length).toBeGreaterThanOrEqual(before.total + 50);
});

it("outlives a trainer that dies, asks nobody when the system ends it, and closes at once when nothing is training", async () => {
  const run = await startRun();
  const seen = await drawnAtLeast(harness.page, loss, 50);
  for (const pid of await trainerPids()) process.kill(pid, "SIGKILL");
  await expectStatus(harness.page, "failed");
  expect(await harness.page.getByTestId("run-reason").innerText()).toMatch(/trainer/i);
  expect(storedSeries(harness.storeDir, run, "loss").length).toBeGreaterThanOrEqual(seen.total);

  // The next run trains as if nothing had been.
  const next = await startRun();
  await harness.restart();
  expect(harness.log()).not.toContain("killed");
  expect(harness.app.messageBoxes).toEqual([]);
  expect(await findInHistory(harness.page, next)).toMatch(/interrupted|stopped/i);

  void harness.app.call("closeWindow");
  expect(await harness.app.process.exited).toBe(0);
  expect(harness.app.messageBoxes).toEqual([]);
});
