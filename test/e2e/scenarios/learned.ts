/** What a run learned is of use elsewhere: as a file, and as the start of a plain run. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright";
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";
import { storedSeries } from "./store.ts";
import { configure, expectStatus, train } from "./workbench.ts";

async function downloaded(page: Page, format: string): Promise<{ name: string; text: string }> {
  const download = page.waitForEvent("download");
  await page.getByTestId("export-button").click();
  await page.getByTestId(`export-${format}`).click();
  const file = await download;
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), "utf8") };
}

export async function learned({ page, storeDir }: Harness): Promise<void> {
  await configure(page, { name: "learns", trainExamples: 1280, testExamples: 200, batchSize: 64, epochs: 2 });
  const run = await train(page);
  await expectStatus(page, "finished");

  const table = await downloaded(page, "csv");
  expect(table.name).toBe(`learns-${run}-schedule.csv`);
  const rows = table.text.trimEnd().split("\n").filter((line) => !line.startsWith("#")).map((line) => line.split(","));
  const alpha = rows[0]?.indexOf("L0.alpha") ?? -1;
  for (const { step, value } of storedSeries(storeDir, run, "L0.alpha")) expect(rows[step + 1]?.[alpha]).toBe(String(value));
  const last = rows.at(-1)?.[alpha] ?? "";
  const code = await downloaded(page, "pytorch");
  expect(code.name).toBe(`learns-${run}-pytorch.py`);
  expect(code.text).toContain(`lr=${last}`);

  await page.getByTestId("rerun-button").click();
  await page.waitForURL((url) => !url.hash.includes(run));
  await expectStatus(page, "finished");
  expect(await page.getByTestId("run-title").innerText()).toBe("learns, plain at the learned values");
  expect(await page.getByTestId("rerun-button").count()).toBe(0);
  const plain = /#\/runs\/([^/?]+)$/.exec(page.url())?.[1] ?? "";
  const constant = storedSeries(storeDir, plain, "L0.alpha").map(({ value }) => String(value));
  expect(constant).toHaveLength(40);
  expect(new Set(constant)).toEqual(new Set([last]));
}
