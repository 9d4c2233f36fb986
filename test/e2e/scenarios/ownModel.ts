/** A model of one's own is built from another layer by layer, mended where it does not fit, trained, and shown. */
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";
import { choose, configure, drawnAtLeast, expectStatus, train } from "./workbench.ts";

export async function ownModel({ page }: Harness): Promise<void> {
  await configure(page, { name: "own", trainExamples: 640, testExamples: 200, batchSize: 64, epochs: 1 });
  await choose(page, "model-kind", "Small CNN");
  await page.getByTestId("edit-by-layers").click();
  const rows = page.locator("[data-testid=layers] > li");
  const outputs = () => page.locator("[data-testid=layers] > li > article > .head .output").allInnerTexts();
  await expect.poll(outputs).toEqual(["→ 16 × 28 × 28", "→ 16 × 14 × 14", "→ 16 × 14 × 14", "→ 32 × 14 × 14", "→ 32 × 7 × 7", "→ 32 × 7 × 7", "→ 1568", "→ 10"]);
  expect(await page.getByTestId("model-parameters").innerText()).toBe("28,938");

  // The flatten layer is moved up by a key until the second convolution gets a vector: the fault stands at that layer.
  await page.getByTestId("layers-6-handle").press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.getByTestId("layers-3-kind").getByText("Flatten").waitFor();
  await page.getByTestId("error-model.layers.4").getByText("conv2d needs images (channels × height × width); it gets 3136").waitFor();
  await page.getByTestId("problem-count").waitFor();
  for (const _ of [1, 2, 3]) await page.keyboard.press("ArrowDown");
  await page.getByTestId("error-model.layers.4").waitFor({ state: "detached" });

  // The second convolution, its activation and pool give way to a block that fits what is there.
  for (const _ of [1, 2, 3]) await page.getByTestId("layers-3-remove").click();
  expect(await rows.count()).toBe(5);
  await page.getByTestId("add-layers").click();
  await page.getByTestId("add-layers-residual").click();
  await expect.poll(outputs).toEqual(["→ 16 × 28 × 28", "→ 16 × 14 × 14", "→ 16 × 14 × 14", "→ 16 × 14 × 14", "→ 3136", "→ 10"]);
  await page.getByTestId("layers-2-duplicate").click();
  await page.getByTestId("layers-4-remove").click();
  await page.getByTestId("layers-0-settings").click();
  await page.getByTestId("layers-0-channels").fill("4");
  await expect.poll(outputs).toEqual(["→ 4 × 28 × 28", "→ 4 × 14 × 14", "→ 4 × 14 × 14", "→ 4 × 14 × 14", "→ 784", "→ 10"]);

  // As JSON: a fault is named and changes nothing, what is right counts at once.
  await page.getByTestId("architecture-view").getByText("JSON").click();
  const json = page.getByTestId("model-json");
  const text = await json.inputValue();
  await json.fill(text.replace('"kernel": 5', '"kernel": 50'));
  await page.getByTestId("json-problems").getByText("layer 1 (conv2d), kernel: kernel must be at most 31").waitFor();
  const block = '{ "kind": "residual", "layers": [\n{ "kind": "conv2d", "channels": 4 },\n{ "kind": "relu" }\n] },';
  await json.fill(text.replace('{ "kind": "flatten"', `${block}\n{ "kind": "flatten"`).replace('"padding": 2', '"padding": 1'));
  await expect.poll(() => page.getByTestId("json-problems").innerText()).toBe("");
  await page.getByTestId("architecture-view").getByText("Layers").click();
  await expect.poll(outputs).toEqual(["→ 4 × 26 × 26", "→ 4 × 13 × 13", "→ 4 × 13 × 13", "→ 4 × 13 × 13", "→ 4 × 13 × 13", "→ 676", "→ 10"]);

  await train(page);
  await expectStatus(page, "finished");
  await drawnAtLeast(page, "loss-chart/loss", 10);
  expect(await page.getByTestId("evaluation-table").innerText()).toContain("%");
  await page.getByTestId("run-configuration").getByText("model.layers.4.layers.0.channels").waitFor();
}
