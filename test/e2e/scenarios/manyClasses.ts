/** A table with more classes than a byte can number is imported, and a run tells them apart. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";
import { choose, configure, drawnAtLeast, expectStatus, givePath, train } from "./workbench.ts";

const classes = 300;
const rowsOfEach = 4;

export async function manyClasses(harness: Harness): Promise<void> {
  const { page, storeDir } = harness;
  const path = join(storeDir, "species.csv");
  const rows = Array.from({ length: classes * rowsOfEach }, (_, i) => `${Math.floor((i % classes) / 20)},${i % 20},species ${i % classes}`);
  writeFileSync(path, ["row,column,kind", ...rows].join("\n"));
  await page.getByTestId("nav-datasets").click();
  await page.getByTestId("add-button").click();
  await givePath(harness, "add-path", path);
  await page.getByTestId("add-preview").click();
  await page.getByTestId("add-title").fill("Species");
  await page.getByTestId("add-create").click();
  await page.locator("[data-testid^='dataset-own/']", { hasText: "Species" }).getByText(`960 + 240 examples of 2 values, ${classes} classes`).waitFor();

  await configure(page, { name: "many", batchSize: 64, epochs: 2 });
  await choose(page, "dataset", "Species");
  await train(page);
  await expectStatus(page, "finished");
  const { points } = await drawnAtLeast(page, "loss-chart/loss", 30);
  // Guessing costs the logarithm of the number of classes.
  expect(points[0]![1]).toBeGreaterThan(4);
  expect(points[0]![1]).toBeLessThan(9);
  expect(points.at(-1)![1]).toBeLessThan(points[0]![1]);
  expect(await page.getByTestId("evaluation-table").innerText()).toContain("%");
}
