/** A small study is made, watched to its end, pointed at, opened down to a run, extended, and there again after a restart. */
import type { Page } from "playwright";
import { expect } from "vitest";
import type { Harness } from "../support/harness.ts";
import { fillBase, drawn, drawnAtLeast, trainingTime } from "./workbench.ts";

const line = (height: number) => `headline-chart/height ${height}`;

async function expectFinished(page: Page, runs: number): Promise<void> {
  await expect.poll(() => page.getByTestId("stat-finished").innerText(), { timeout: trainingTime }).toBe(String(runs));
  await page.locator("[data-testid=study-status][data-status=finished]").waitFor();
}

export async function study(harness: Harness): Promise<void> {
  const { page } = harness;
  await page.getByTestId("nav-studies").click();
  await page.getByTestId("first-study").click();
  await page.getByTestId("study-name").fill("Small");
  await page.getByTestId("edit-base").click();
  await fillBase(page, { trainExamples: 640, testExamples: 200, batchSize: 64, epochs: 1 });
  await page.getByTestId("axis-0-from").fill("1e-3");
  await page.getByTestId("axis-0-to").fill("0.1");
  await page.getByTestId("axis-0-points").fill("x");
  await expect.poll(() => page.getByTestId("problem-count").innerText()).toContain("1 field");
  await page.getByTestId("study-start").click();
  expect(await page.getByTestId("axis-0-points").getAttribute("aria-invalid")).toBe("true");
  await page.getByTestId("axis-0-points").fill("2");
  expect(await page.getByTestId("axis-0").getByTestId("axis-preview").innerText()).toContain("0.001, 0.1");
  await page.getByTestId("seed-count").fill("1");
  await expect.poll(() => page.getByTestId("study-title").innerText()).toBe("4 runs");
  await expect.poll(() => page.getByTestId("study-facts").innerText(), { timeout: trainingTime }).toMatch(/about .* at a time/);

  await page.getByTestId("study-start").click();
  await page.waitForURL(/#\/studies\/(?!new)[^/]+$/);
  await expectFinished(page, 4);
  const plain = await drawnAtLeast(page, line(0), 2);
  expect(plain.points.map(([x]) => x)).toEqual([0.001, 0.1]);
  expect(plain.points.every(([, error]) => error > 0 && error < 100)).toBe(true);
  await expect.poll(() => page.getByTestId("verdict").innerText()).toMatch(/single seed/);

  // The table's pointer shows the chart's point, and the chart's lights the table's row.
  const rows = page.locator("[data-testid^=point-row-]");
  // The pointer may still rest where it started the study, which is where the row is now: it has to come to it.
  await page.mouse.move(0, 0);
  await rows.nth(0).hover();
  const tip = page.getByTestId("headline-chart").locator(".chart-tooltip");
  await expect.poll(() => tip.innerText()).toMatch(/α = 0\.001/);
  await page.mouse.move(0, 0);
  const [x, y] = (await drawn(page, line(1)))?.places?.[1] ?? [0, 0];
  await page.mouse.move(x - 3, y);
  await page.mouse.move(x, y);
  await expect.poll(() => tip.innerText()).toMatch(/α = 0\.1, height 1/);
  await expect.poll(() => page.locator("[data-testid=point-table] .lit").innerText()).toMatch(/height 1\s+0\.1/);

  // One run stands behind the point: a click opens it, and the way back is marked.
  await page.mouse.click(x, y);
  await page.waitForURL(/#\/runs\//);
  await drawnAtLeast(page, "loss-chart/loss", 10);
  await page.getByTestId("back").click();
  await expectFinished(page, 4);

  await page.getByTestId("extend-study").click();
  await page.getByTestId("seed-count").fill("2");
  await expect.poll(() => page.getByTestId("extend-title").innerText()).toBe("4 more runs");
  await page.getByTestId("extend-start").click();
  await expectFinished(page, 8);
  await drawnAtLeast(page, line(0), 4);
  await page.getByRole("tab", { name: /^Trajectories/ }).click();
  await page.getByTestId("trajectories-chart").waitFor();

  const found = page.url();
  await harness.restart();
  await harness.page.goto(new URL(new URL(found).hash, harness.page.url()).href);
  await expectFinished(harness.page, 8);
  expect((await drawnAtLeast(harness.page, line(0), 4)).points[0]?.[0]).toBe(0.001);
  // History shows the runs of studies only when it is asked to.
  await harness.page.getByTestId("nav-runs").click();
  await harness.page.getByTestId("study-runs-toggle").click();
  await expect.poll(() => harness.page.getByTestId("history-count").innerText()).toBe("8 runs");
}
