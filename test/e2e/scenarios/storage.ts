/** Backs up, empties the bin, restores the backup at the next start, and checks the store. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";
import { storedSeries } from "./store.ts";
import { configure, expectStatus, findInHistory, train, trainingTime } from "./workbench.ts";

export async function storage(harness: Harness): Promise<void> {
  await configure(harness.page, { name: "Kept in a backup", trainExamples: 640, testExamples: 200, batchSize: 64, epochs: 1 });
  const run = await train(harness.page);
  await expectStatus(harness.page, "finished");
  const steps = storedSeries(harness.storeDir, run, "loss");

  await harness.page.getByTestId("nav-storage").click();
  await harness.page.getByTestId("backup-button").click();
  await harness.page.getByTestId("backup").first().waitFor();

  // Deleted and erased, with everything that belongs to it.
  await findInHistory(harness.page, run);
  await harness.page.getByTestId(`run-row-${run}`).click();
  await harness.page.getByTestId("delete-run-button").click();
  await harness.page.getByTestId("nav-storage").click();
  await harness.page.getByTestId("empty-bin").click();
  await harness.page.getByRole("button", { name: "Erase for good" }).click();
  await expect.poll(() => harness.page.getByTestId("space-bin").innerText()).toContain("empty");
  expect(storedSeries(harness.storeDir, run, "loss")).toEqual([]);
  expect(readdirSync(join(harness.storeDir, "weights")).filter((name) => name.startsWith(run))).toEqual([]);

  // The backup brings the steps back at the next start; the present store is set aside.
  await harness.page.getByTestId("restore-button").last().click();
  await harness.page.getByRole("button", { name: "Restore at the next start" }).click();
  await harness.page.getByTestId("notice-restore").waitFor();
  await harness.restart();
  expect(await findInHistory(harness.page, run)).toContain("Kept in a backup");
  expect(storedSeries(harness.storeDir, run, "loss")).toEqual(steps);
  expect(existsSync(join(harness.storeDir, "set-aside"))).toBe(true);

  await harness.page.getByTestId("nav-storage").click();
  await harness.page.getByTestId("check-button").click();
  await expect.poll(() => harness.page.getByTestId("health-state").innerText(), { timeout: trainingTime }).toMatch(/Sound|warning/);
}
