/** Train two towers to the end and lay their curves over one another. */
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";
import { configure, drawnAtLeast, expectStatus, findInHistory, train } from "./workbench.ts";

const steps = 40;

export async function twoRuns(harness: Harness): Promise<void> {
  const { page } = harness;
  await configure(page, { name: "first", trainExamples: 1280, testExamples: 200, batchSize: 64, epochs: 2, seed: 1 });
  const first = await train(page);
  await expectStatus(page, "finished");
  await drawnAtLeast(page, "loss-chart/loss", steps);

  // The second one starts from the first one's configuration, and gets a tower one level higher.
  await page.getByTestId("duplicate-run-button").click();
  await expect.poll(() => page.getByTestId("train-examples").inputValue()).toBe("1280");
  await page.getByTestId("add-level").click();
  await page.getByTestId("add-level-sgd").click();
  await page.getByTestId("stack-level-2").waitFor();
  await configure(page, { name: "second", seed: 2 });
  const second = await train(page);
  await expectStatus(page, "finished");
  expect(await page.getByTestId("run-stack").innerText()).toMatch(/^Adam \/ SGD\(1e-5\) \/ /);
  const secondLoss = await drawnAtLeast(page, "loss-chart/loss", steps);
  expect(await page.getByTestId("evaluation-table").innerText()).toMatch(/%/);

  for (const run of [first, second]) expect(await findInHistory(page, run)).toMatch(/finished/i);
  for (const run of [first, second]) await page.getByTestId(`select-${run}`).click();
  await page.getByTestId("compare-button").click();
  await page.waitForURL(/#\/compare/);
  const curves = [await drawnAtLeast(page, "compare-chart/first", steps), await drawnAtLeast(page, "compare-chart/second", steps)];
  expect(curves.map(({ total }) => total)).toEqual([steps, steps]);
  expect(curves[1]?.points).toEqual(secondLoss.points);
  expect(curves[0]?.points).not.toEqual(curves[1]?.points);
  const differences = await page.getByTestId("compare-table").innerText();
  expect(differences).toMatch(/seed/i);
}
