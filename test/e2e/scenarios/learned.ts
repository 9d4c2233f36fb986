/** What a run learned is of use elsewhere: as a file, and as the start of a plain run. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { readShared } from "../../../src/shared/sharing.ts";
import { savedBy, type Harness } from "../support/harness.ts";
import { storedSeries } from "./store.ts";
import { configure, drawnAtLeast, expectStatus, findInHistory, train } from "./workbench.ts";

async function downloaded(harness: Harness, item: string): Promise<{ name: string; text: string }> {
  const { name, path } = await savedBy(harness, async () => {
    await harness.page.getByTestId("export-button").click();
    await harness.page.getByTestId(item).click();
  });
  return { name, text: readFileSync(path, "utf8") };
}

export async function learned(harness: Harness): Promise<void> {
  const { page, storeDir } = harness;
  await configure(page, { name: "learns", trainExamples: 1280, testExamples: 200, batchSize: 64, epochs: 2 });
  const run = await train(page);
  await expectStatus(page, "finished");

  const table = await downloaded(harness, "export-csv");
  expect(table.name).toBe(`learns-${run}-schedule.csv`);
  const rows = table.text.trimEnd().split("\n").filter((line) => !line.startsWith("#")).map((line) => line.split(","));
  const alpha = rows[0]?.indexOf("L0.alpha") ?? -1;
  for (const { step, value } of storedSeries(storeDir, run, "L0.alpha")) expect(rows[step + 1]?.[alpha]).toBe(String(value));
  const last = rows.at(-1)?.[alpha] ?? "";
  const code = await downloaded(harness, "export-pytorch");
  expect(code.name).toBe(`learns-${run}-pytorch.py`);
  expect(code.text).toContain(`lr=${last}`);

  // Made by the host while it is saved: every step, as the store has it.
  const steps = await downloaded(harness, "report-steps");
  expect(steps.name).toBe(`learns-${run}-steps.csv`);
  const [head = "", ...logged] = steps.text.trimEnd().split("\n");
  const column = head.split(",").indexOf("loss");
  expect(logged.map((line) => line.split(",")[column])).toEqual(storedSeries(storeDir, run, "loss").map(({ value }) => String(value)));
  const report = await downloaded(harness, "report-html");
  expect(readShared(report.text)).toMatchObject({ ok: true, kind: "experiment", value: { name: "learns" } });

  await page.getByTestId("rerun-button").click();
  await page.waitForURL((url) => !url.hash.includes(run));
  await expectStatus(page, "finished");
  expect(await page.getByTestId("run-title").innerText()).toBe("learns, plain at the learned values");
  expect(await page.getByTestId("rerun-button").count()).toBe(0);
  const plain = /#\/runs\/([^/?]+)$/.exec(page.url())?.[1] ?? "";
  const constant = storedSeries(storeDir, plain, "L0.alpha").map(({ value }) => String(value));
  expect(constant).toHaveLength(40);
  expect(new Set(constant)).toEqual(new Set([last]));

  // The two runs over one another: as many values as the store has, and other ones.
  for (const id of [run, plain]) expect(await findInHistory(page, id)).toMatch(/finished/i);
  for (const id of [run, plain]) await page.getByTestId(`select-${id}`).click();
  await page.getByTestId("compare-button").click();
  await page.waitForURL(/#\/compare/);
  const [first, second] = [await drawnAtLeast(page, "compare-chart/learns", 40), await drawnAtLeast(page, "compare-chart/learns, plain at the learned values", 40)];
  expect([first.total, second.total]).toEqual([40, 40]);
  expect(first.points).not.toEqual(second.points);
}
