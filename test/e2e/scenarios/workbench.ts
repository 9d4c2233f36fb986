/** What a person does in the workbench, by the names the page gives its controls. */
import type { Page } from "playwright";
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";

export interface DrawnSeries {
  points: [step: number, value: number][];
  drawn: number;
  total: number;
  /** Where on the page the points are. */
  places?: [x: number, y: number][];
}

/** Milliseconds that a trainer may take on a busy machine to start and train a little. */
export const trainingTime = 120_000;

interface WorkbenchWindow {
  hypertowerCharts: Readonly<Record<string, () => DrawnSeries>>;
}

export interface Settings {
  readonly name?: string;
  readonly trainExamples?: number;
  readonly testExamples?: number;
  readonly batchSize?: number;
  readonly epochs?: number;
  readonly seed?: number;
}

/** Fills in the form of the new experiment; what is not named stays as it is. */
export async function configure(page: Page, settings: Settings): Promise<void> {
  await page.getByTestId("nav-new").click();
  await fillBase(page, settings);
}

/** The same fields, wherever they are. */
export async function fillBase(page: Page, settings: Settings): Promise<void> {
  const limits = page.getByTestId("dataset-limits");
  const fewer = page.getByTestId("train-examples");
  await limits.or(fewer).first().waitFor();
  if (await limits.isVisible()) await limits.click();
  const fields = {
    "experiment-name": settings.name,
    "train-examples": settings.trainExamples,
    "test-examples": settings.testExamples,
    "batch-size": settings.batchSize,
    epochs: settings.epochs,
    seed: settings.seed,
  };
  for (const [testId, value] of Object.entries(fields)) {
    if (value !== undefined) await page.getByTestId(testId).fill(String(value));
  }
}

/** Chooses from a list by what it shows. */
export async function choose(page: Page, testId: string, label: string): Promise<void> {
  await page.getByTestId(testId).click();
  await page.getByRole("option", { name: label, exact: true }).click();
}

/** Names a file as a person does in this kind of window: typed in a browser, chosen in the desktop app. */
export async function givePath({ page, choosePath }: Harness, testId: string, path: string): Promise<void> {
  if (!choosePath) return page.getByTestId(testId).fill(path);
  await choosePath(path);
  await page.getByTestId(`${testId}-choose`).click();
  await expect.poll(() => page.getByTestId(testId).inputValue()).toBe(path);
}

/** Presses Train; returns the new run's id once its page is there. */
export async function train(page: Page): Promise<string> {
  await page.getByTestId("experiment-start").click();
  await page.waitForURL(/#\/runs\/[^/]+$/);
  return /#\/runs\/([^/?]+)$/.exec(page.url())?.[1] ?? "";
}

/** The data that a chart draws now; null while there is no such chart. */
export function drawn(page: Page, key: string): Promise<DrawnSeries | null> {
  return page.evaluate((name) => (window as unknown as WorkbenchWindow).hypertowerCharts[name]?.() ?? null, key);
}

/** Waits until a chart stands on at least so many logged values, and returns its data. */
export async function drawnAtLeast(page: Page, key: string, total: number): Promise<DrawnSeries> {
  let series: DrawnSeries | null = null;
  await expect
    .poll(
      async () => {
        series = await drawn(page, key);
        return series?.total ?? 0;
      },
      { timeout: trainingTime, message: `values in ${key}` },
    )
    .toBeGreaterThanOrEqual(total);
  return series as unknown as DrawnSeries;
}

export async function expectStatus(page: Page, status: string): Promise<void> {
  await expect.poll(() => page.getByTestId("run-status").first().innerText(), { timeout: trainingTime }).toMatch(new RegExp(status, "i"));
}

/** Opens the list of runs and waits for the run's row. */
export async function findInHistory(page: Page, run: string): Promise<string> {
  await page.getByTestId("nav-runs").click();
  const row = page.getByTestId(`run-row-${run}`);
  await row.waitFor();
  return row.innerText();
}
