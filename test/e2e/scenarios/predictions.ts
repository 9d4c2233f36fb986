/** A run is evaluated by steps, keeps its best weights, and its predictions are looked at cell by cell. */
import { readFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { expect } from "vitest";
import { parseNpy } from "../../../src/core/datasets/formats/npy.ts";
import { savedBy, type Harness } from "../support/harness.ts";
import { choose, configure, expectStatus, train } from "./workbench.ts";

export async function predictions(harness: Harness): Promise<void> {
  const { page } = harness;
  await configure(page, { name: "predicts", trainExamples: 3000, testExamples: 400, batchSize: 100, epochs: 2 });
  await page.getByTestId("evaluate").click();
  await page.getByRole("option", { name: "Every … steps", exact: true }).click();
  await page.getByTestId("evaluate-steps").fill("25");
  await train(page);
  await expectStatus(page, "finished");
  expect(await page.getByTestId("evaluation-table").locator("tbody tr").count()).toBe(3);
  await choose(page, "evaluation-metric", "Accuracy");
  expect(await page.getByTestId("evaluation-table").locator("thead").innerText()).toContain("Test accuracy");

  const panel = page.getByTestId("predictions");
  await panel.scrollIntoViewIfNeeded();
  await panel.getByTestId("kept").getByText(/step \d+, epoch [\d.]+: test error [\d.]+ %/).waitFor();
  const matrix = panel.getByTestId("confusion-matrix");
  await matrix.waitFor();
  const counts = await matrix.locator("tbody button").evaluateAll((cells) => cells.map((cell) => [cell.getAttribute("data-testid"), Number(cell.querySelector(".count")?.textContent ?? "0")] as const));
  expect(counts).toHaveLength(100);
  expect(counts.reduce((sum, [, count]) => sum + count, 0)).toBe(400);

  // The cell with the most mistakes shows just those.
  const mistakes = counts.filter(([id]) => !/-(\d)-\1$/.test(id ?? "")).sort(([, a], [, b]) => b - a);
  const [id, most] = mistakes[0]!;
  await panel.getByTestId(id!).click();
  await panel.getByTestId("sample-count").getByText(new RegExp(`^${most} of ${most} examples of \\d, predicted as \\d$`)).waitFor();
  await expect.poll(() => panel.getByTestId("samples").locator("canvas").count()).toBe(most);
  await panel.getByTestId("sample-cell").click();
  await panel.getByTestId("sample-order").getByText("By class").click();
  await panel.getByTestId("sample-count").getByText("24 of 400 test examples").waitFor();

  const weightsAs = async (format: string) => {
    await panel.getByTestId("export-weights").click();
    return savedBy(harness, () => page.getByTestId(`export-weights-${format}`).click());
  };
  const file = await weightsAs("npz");
  expect(file.name).toMatch(/^predicts-.*-weights-best\.npz$/);
  const arrays = Object.entries(unzipSync(readFileSync(file.path)));
  expect(arrays.map(([name, bytes]) => [name, parseNpy(bytes, name).shape])).toContainEqual(["layer1.weight.npy", [128, 784]]);
  const model = await weightsAs("onnx");
  expect(model.name).toMatch(/^predicts-.*-model-best\.onnx$/);
  expect(readFileSync(model.path).includes("probabilities")).toBe(true);
}
