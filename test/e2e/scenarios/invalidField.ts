/** A value outside its domain is named beside its field, and nothing is trained until it is put right. */
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";
import { configure, train } from "./workbench.ts";

export async function invalidField({ page }: Harness): Promise<void> {
  await configure(page, { name: "careful", trainExamples: 640, testExamples: 100, batchSize: 64, epochs: 1 });
  const beta = page.getByTestId("stack-level-0-beta1");
  await beta.fill("1");
  const error = page.getByTestId("error-tower.0.beta1");
  await error.waitFor();
  expect(await error.innerText()).toMatch(/1/);
  expect(await beta.getAttribute("aria-invalid")).toBe("true");

  await page.getByTestId("experiment-start").click();
  expect(await page.getByTestId("problem-count").innerText()).toContain("1 field");
  expect(page.url()).not.toContain("/runs/");
  await page.getByTestId("nav-runs").click();
  expect(await page.getByTestId("empty-state").innerText()).toMatch(/no runs/i);

  await page.getByTestId("nav-new").click();
  await beta.fill("0.95");
  await error.waitFor({ state: "detached" });
  await train(page);

  // A copy of the run starts from its configuration.
  await page.getByTestId("duplicate-run-button").click();
  await expect.poll(() => page.getByTestId("train-examples").inputValue()).toBe("640");
  expect(await beta.inputValue()).toBe("0.95");
}
