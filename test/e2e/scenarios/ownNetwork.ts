/** An ONNX file becomes a network: its summary, its picture, its nodes, and a run of it. */
import { join } from "node:path";
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";
import { drawnAtLeast, expectStatus, fillBase, givePath, train } from "./workbench.ts";

/** Two dense layers in Keras's names, for images of 8 × 8 laid out as vectors. */
const file = join(import.meta.dirname, "../../onnx/fixtures/mlp.keras.onnx");

export async function ownNetwork(harness: Harness): Promise<void> {
  const { page } = harness;
  await page.getByTestId("nav-networks").click();
  await page.getByText("No network yet").waitFor();
  await page.getByTestId("import-network").click();
  // A refused file keeps the dialog open; the keyboard stays in it, so that Escape closes it.
  await givePath(harness, "network-path", `${harness.storeDir}/missing.onnx`);
  await page.getByTestId("network-confirm").click();
  await page.getByTestId("network-problem").getByText("missing.onnx").waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("data-testid"))).toBe("network-path");
  await page.keyboard.press("Escape");
  await page.getByTestId("network-confirm").waitFor({ state: "hidden" });

  await page.getByTestId("import-network").click();
  await givePath(harness, "network-path", file);
  await page.getByTestId("network-name").fill("Tiny");
  await page.getByTestId("network-confirm").click();

  // The details open by themselves, with the picture; its modules close and open.
  const details = page.getByTestId("network-details");
  await details.getByText("2.37 kFLOP an example").waitFor();
  const picture = details.getByTestId("network-graph");
  const names = () => picture.locator("[data-box] .name").allTextContents().then((all) => all.sort());
  await picture.getByTestId("graph-close-all").click();
  await expect.poll(names).toEqual(["+ sequential_1", "Input", "Output"]);
  await picture.getByRole("button", { name: /^sequential_1,/ }).press("Enter");
  await expect.poll(names).toEqual(["+ dense_1", "+ dense_1_2", "Input", "Output", "− sequential_1"]);
  // What is found lies in a module, which opens.
  await picture.getByTestId("graph-search").fill("tanh");
  await expect.poll(() => picture.getByTestId("graph-matches").innerText()).toBe("1 found");
  await expect.poll(names).toEqual(["+ dense_1_2", "Add", "Input", "MatMul", "Output", "Tanh", "− dense_1", "− sequential_1"]);
  await details.getByText("Nodes", { exact: true }).click();
  await details.getByTestId("network-search").fill("tanh");
  await expect.poll(() => details.locator("tbody tr").allInnerTexts()).toEqual([expect.stringMatching(/^sequential_1\/dense_1\/Tanh\s+Tanh/)]);
  await page.keyboard.press("Escape");
  await details.waitFor({ state: "hidden" });

  const row = page.getByTestId("network-Tiny");
  await row.getByText("64 to 10, 1,210 parameters; output: logits").waitFor();
  expect(await row.getByTestId("fits").innerText()).toBe("Fits UCI digits");
  await row.getByTestId("train-network").click();
  await expect.poll(() => page.getByTestId("network").innerText()).toContain("Tiny");
  await fillBase(page, { name: "of a file", trainExamples: 640, testExamples: 200, batchSize: 64, epochs: 1 });
  await train(page);
  await expectStatus(page, "finished");
  await drawnAtLeast(page, "loss-chart/loss", 10);
  expect(await page.getByTestId("evaluation-table").innerText()).toContain("%");
}
