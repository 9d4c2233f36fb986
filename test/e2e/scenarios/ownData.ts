/** A table of one's own is looked at, imported with its gap filled, looked at again and removed. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";
import { choose, givePath } from "./workbench.ts";

export async function ownData(harness: Harness): Promise<void> {
  const { page, storeDir } = harness;
  const path = join(storeDir, "flowers.csv");
  writeFileSync(path, ["length,colour,kind", "5.1,red,rose", ",red,rose", "6.3,blue,iris", "5.8,blue,iris", "7.1,white,lily"].join("\n"));
  await page.getByTestId("nav-datasets").click();
  await page.getByTestId("dataset-mnist").waitFor();
  expect(await page.getByTestId("dataset-mnist").getAttribute("data-state")).toBe("ready");

  await page.getByTestId("add-button").click();
  const ragged = join(storeDir, "ragged.csv");
  writeFileSync(ragged, "1,2\n1,2,3\n");
  await givePath(harness, "add-path", ragged);
  await page.getByTestId("add-preview").click();
  await page.getByTestId("add-problem").getByText("line 2: 3 values, but the first row has 2").waitFor();
  await givePath(harness, "add-path", path);
  await page.getByTestId("add-preview").click();
  await page.getByTestId("csv-columns").getByText("1 missing").waitFor();
  await page.getByTestId("add-title").fill("Flowers");
  await page.getByTestId("add-create").click();
  await page.getByTestId("add-problem").getByText("line 3, column length: the value is missing").waitFor();
  await page.getByTestId("add-dataset").getByText("Report an error").click();
  await page.getByRole("option", { name: "Fill with the column mean" }).click();
  await page.getByTestId("add-dataset").getByText("Fill with the column mean").waitFor();
  await page.getByTestId("add-create").click();

  const row = page.locator("[data-testid^='dataset-own/']", { hasText: "Flowers" });
  await row.getByText("4 + 1 examples of 4 values, 3 classes").waitFor();
  await row.getByTestId("preview-button").click();
  const preview = page.getByTestId("dataset-preview");
  await preview.getByTestId("class-balance").getByText("lily").waitFor();
  expect(await preview.getByTestId("sample-table").locator("tbody tr").count()).toBe(4);
  await page.keyboard.press("Escape");
  await preview.waitFor({ state: "hidden" });

  // Its few rows need a smaller batch, and the form says so; one that was typed stays.
  await page.getByTestId("nav-new").click();
  await choose(page, "dataset", "Flowers");
  await page.getByText("Lowered from 256: Flowers has 4 training examples.").waitFor();
  expect(await page.getByTestId("batch-size").inputValue()).toBe("1");
  await page.getByTestId("batch-size").fill("3");
  await choose(page, "dataset", "MNIST");
  expect(await page.getByTestId("batch-size").inputValue()).toBe("3");
  await page.getByTestId("nav-datasets").click();

  await row.getByTestId("remove-button").click();
  await page.getByRole("button", { name: "Remove", exact: true }).last().click();
  await row.waitFor({ state: "detached" });
}
