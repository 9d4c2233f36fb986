/** The window by itself: what does not need a real trainer or store to be tried. */
import { readFileSync } from "node:fs";
import type { Locator, Page } from "playwright";
import { beforeEach, expect, it } from "vitest";
import { validateExperiment } from "../../../src/shared/experiment.ts";
import { choose, drawn, drawnAtLeast } from "../scenarios/workbench.ts";
import { divergingName, refusedName } from "../../support/pretendTraining.ts";
import { windowOfEachTest, type Window } from "./harness.ts";
import { everything } from "../../support/edition.ts";

const opened = windowOfEachTest();
let window: Window;
beforeEach(() => {
  window = opened();
});

const at = (testId: string) => window.page.getByTestId(testId);
const stack = () => at("experiment-title").innerText();

/** Presses the mouse on a handle, again where the page moved it away at that moment. */
async function grab(page: Page, handle: Locator): Promise<void> {
  await expect
    .poll(async () => {
      await page.mouse.up();
      await handle.hover();
      await page.mouse.down();
      return page.locator(".sortable-chosen").count();
    })
    .toBe(1);
}

it("composes a tower by menu, keyboard, mouse and height", async () => {
  const { page } = window;
  // A tall window: dragging must not depend on where the page happens to be scrolled.
  await page.setViewportSize({ width: 1280, height: 2400 });
  await expect.poll(stack).toBe("Adam / SGD(1e-5)");
  await at("add-level").click();
  await at("add-level-adamBaydin").click();
  await expect.poll(stack).toBe("Adam / SGD(1e-5) / Adam^α");

  // The focus goes along with the level.
  await at("stack-level-2").locator(".handle").focus();
  await page.keyboard.press("ArrowDown");
  await expect.poll(stack).toBe("Adam / Adam^α / SGD(1e-5)");
  await page.keyboard.press("ArrowDown");
  await expect.poll(stack).toBe("Adam^α / Adam / SGD(1e-5)");

  await grab(page, at("stack-level-2").locator(".handle"));
  const order = () => page.locator("[data-level-id]").evaluateAll((items) => items.map((item) => item.getAttribute("data-level-id")));
  const [dragged, ...others] = await order();
  for (const [passed, other] of others.entries()) {
    // One level at a time: while levels slide to their new places, none moves again.
    await expect
      .poll(async () => {
        const box = await page.locator(`[data-level-id="${other ?? ""}"]`).boundingBox();
        if (!box) throw new Error("a level is not on the page");
        await page.mouse.move(box.x + 80, box.y + box.height * 0.6);
        await page.mouse.move(box.x + 80, box.y + box.height * 0.7);
        return (await order()).indexOf(dragged ?? null);
      })
      .toBeGreaterThanOrEqual(passed + 1);
  }
  await page.mouse.up();
  await expect.poll(stack).toBe("SGD(1e-5) / Adam^α / Adam");

  await at("stack-level-1-remove").click();
  await at("stack-level-1-duplicate").click();
  await expect.poll(stack).toBe("SGD(1e-5) / Adam / Adam");
  await at("tower-height").fill("49");
  await expect.poll(stack).toBe("SGD(1e-5) / Adam ×49");
});

it("composes an architecture by mouse and by files, takes it back, and says what a step takes", async () => {
  const { page } = window;
  await page.setViewportSize({ width: 1280, height: 1600 });
  await choose(page, "model-kind", "Small CNN");
  await at("edit-by-layers").click();
  await at("step-time").getByText("1.5 ms").waitFor();
  const words = () => page.locator("[data-testid=layers] > li > article > .head .words").allInnerTexts();
  await expect.poll(words).toEqual(["conv1: 16 channels, 5 × 5, padding 2", "pool1: 2 × 2", "activation1", "conv2: 32 channels, 5 × 5, padding 2", "pool2: 2 × 2", "activation2", "flatten", "fc1: one per class"]);

  await grab(page, at("layers-2-handle"));
  const order = () => page.locator("[data-testid=layers] > li").evaluateAll((items) => items.map((item) => item.getAttribute("data-layer-id")));
  const [, passed, dragged] = await order();
  await expect
    .poll(async () => {
      const box = await page.locator(`[data-layer-id="${passed ?? ""}"]`).boundingBox();
      if (!box) throw new Error("a layer is not on the page");
      await page.mouse.move(box.x + 80, box.y + box.height * 0.4);
      await page.mouse.move(box.x + 80, box.y + box.height * 0.3);
      return (await order()).indexOf(dragged ?? null);
    })
    .toBe(1);
  await page.mouse.up();
  await expect.poll(async () => (await words()).slice(0, 3)).toEqual(["conv1: 16 channels, 5 × 5, padding 2", "activation1", "pool1: 2 × 2"]);

  await at("architecture-view").getByText("JSON").click();
  const saving = page.waitForEvent("download");
  await at("json-save").click();
  const saved = readFileSync(await (await saving).path(), "utf8");
  const result = validateExperiment(JSON.parse(saved));
  expect(result.ok && result.experiment.model).toMatchObject({ kind: "sequential", layers: [{ name: "conv1" }, { name: "activation1" }, { name: "pool1" }, {}, {}, {}, {}, {}] });
  const file = (text: string) => at("json-file").setInputFiles({ name: "model.json", mimeType: "application/json", buffer: Buffer.from(text) });
  await file('[{ "kind": "flatten" },\n{ "kind": "linear", "width": 0 }]');
  await at("json-problems").getByText("layer 2 (linear), width: width must be").waitFor();
  expect(await at("json-problems").innerText()).toContain("line 2");
  await file('{ "model": { "kind": "mlp", "hidden": [7] }, "seed": 3 }');
  await at("architecture-view").getByText("Layers").click();
  await expect.poll(words).toEqual(["flatten", "layer1: 7 wide", "activation1", "layer2: one per class", "activation2"]);

  await at("undo-button").click();
  await at("architecture").waitFor({ state: "detached" });
  expect(await at("model-kind").innerText()).toContain("Small CNN");
});

it.runIf(everything)("remembers what was typed, even what is not valid, and can undo a preset", async () => {
  await at("stack-level-0-beta1").fill("1e");
  await window.page.reload();
  expect(await at("stack-level-0-beta1").inputValue()).toBe("1e");
  expect(await at("error-tower.0.beta1").innerText()).toMatch(/must be a number/);
  await at("preset-plain-adam").click();
  await expect.poll(stack).toBe("Adam");
  await at("undo-button").click();
  await expect.poll(() => at("stack-level-0-beta1").inputValue()).toBe("1e");
});

it.runIf(everything)("shows at its field what only the services refuse, and takes it back with the next edit", async () => {
  await at("experiment-name").fill(refusedName);
  await at("experiment-start").click();
  await expect.poll(() => window.page.locator('[data-field="batchSize"]').innerText()).toContain("refused here");
  expect(await at("start-error").innerText()).toContain("refused");
  await at("batch-size").fill("128");
  await expect.poll(() => window.page.locator('[data-field="batchSize"]').innerText()).not.toContain("refused");
});

it("trains by keyboard, follows the run, and loses no point when the connection drops", async () => {
  const { page } = window;
  await at("epochs").fill("400");
  await page.keyboard.press("Control+Enter");
  const first = await drawnAtLeast(page, "loss-chart/loss", 50);
  await page.getByText("Hypergradients", { exact: true }).click();
  await drawnAtLeast(page, "chart-L0.alpha.hypergradient/L0.alpha.hypergradient", first.total);

  await window.dropConnections();
  // More than what was on its way: these come over the new connection.
  const dropped = await drawn(page, "loss-chart/loss");
  await drawnAtLeast(page, "loss-chart/loss", dropped!.total + 300);
  await at("connection-banner").waitFor({ state: "detached" });
  await at("stop-button").click();
  await page.locator("[data-testid=run-status][data-status=stopped]").waitFor();
  const steps = Number((await at("stat-step").innerText()).replaceAll(",", ""));
  const last = await drawnAtLeast(page, "loss-chart/loss", steps);
  expect(last.total).toBe(steps);
  expect(last.drawn).toBe(last.points.length);
  expect(await at("loss-chart-count").innerText()).toContain(`of ${steps.toLocaleString("en-US")} points drawn`);
});

it("explains a divergence", async () => {
  const run = window.services.start({ name: divergingName });
  await window.page.goto(new URL(`/#/runs/${run.id}`, window.page.url()).href);
  window.services.advance(run.id, 400);
  expect(await at("run-reason").innerText()).toBe("The loss became NaN at step 300.");
});

it.runIf(everything)("renames, deletes with undo, and restores from the bin", async () => {
  const { page, services } = window;
  const run = services.start({ name: "first" });
  services.set(run.id, "stopped", null);
  await page.goto(new URL(`/#/runs/${run.id}`, page.url()).href);
  await at("rename-button").click();
  await at("rename-input").fill("second");
  await page.keyboard.press("Enter");
  await expect.poll(() => at("run-title").innerText()).toBe("second");

  await at("delete-run-button").click();
  await at("undo-button").click();
  await at(`run-row-${run.id}`).waitFor();
  await at(`select-${run.id}`).click();
  await at("delete-button").click();
  await at(`run-row-${run.id}`).waitFor({ state: "detached" });
  await at("bin-toggle").click();
  await at(`select-${run.id}`).click();
  await at("restore-button").click();
  await expect.poll(() => services.runs.get(run.id)?.summary.deletedAt).toBeNull();
});

it("lists thousands of runs, and overlays two picked by filter", async () => {
  const { page, services } = window;
  for (let i = 0; i < 3000; i++) services.set(services.start({ name: `trial-${i}`, seed: i }).id, "finished", null);
  await at("nav-runs").click();
  await expect.poll(() => at("history-count").innerText()).toBe("3,000 runs");
  // Virtualized: the page holds what can be seen, not three thousand rows.
  expect(await page.locator("[data-testid^=run-row-]").count()).toBeLessThan(60);
  await at("history-filter").fill("trial-299");
  await expect.poll(() => at("history-count").innerText()).toBe("11 of 3,000 runs");
  await page.locator("[data-testid^=select-run]").nth(0).click();
  await page.locator("[data-testid^=select-run]").nth(1).click();
  await at("compare-button").click();
  await at("compare-chart").waitFor();
  expect(await at("compare-legend").locator("li").count()).toBe(2);
  expect(await page.locator('[data-testid=compare-table] [data-field="seed"]').count()).toBe(1);
  expect(await drawn(page, "compare-chart/nothing")).toBeNull();
});

it("compares all runs of a study: grouped by configuration, against a baseline, and what matters", async () => {
  const { page, services } = window;
  const { id } = services.studies.start({
    name: "Figure",
    base: { tower: [{ optimizer: "sgd" }] },
    axes: [{ values: { kind: "list", values: [1e-6, 1e-4, 1e-2, 1] } }],
    heights: { values: [0, 1] },
    seeds: [0, 1, 2],
  });
  services.studies.advance(id, 24);
  await page.goto(new URL(`/#/studies/${id}`, page.url()).href);
  await at("compare-study").click();
  await page.waitForURL(/#\/compare/);
  const legend = at("compare-legend").locator("li");
  await expect.poll(() => legend.count()).toBe(8);
  expect(await legend.first().innerText()).toMatch(/3 runs, seeds 0, 1, 2/);
  expect(await legend.first().innerText()).toMatch(/^height 0/);

  // The address keeps the baseline, the table measures against it.
  const table = at("compare-table");
  expect(await table.locator(".delta").count()).toBe(0);
  await legend.nth(2).locator("[data-testid^=pin-]").click();
  await expect.poll(() => page.url()).toContain("pin=");
  await expect.poll(() => table.locator(".delta").count()).toBeGreaterThan(7);
  expect(await table.locator("tr.base").innerText()).toContain("baseline");
  await page.reload();
  await expect.poll(() => table.locator("tr.base").count()).toBe(1);

  // Sorted by the error, the worst come last; singly there are 24.
  await table.locator('th[data-field="testError"] button').click();
  const errors = async () => (await table.locator("tbody tr").evaluateAll((rows) => rows.map((row) => (row as HTMLTableRowElement).cells[2]?.innerText ?? ""))).map((text) => (text.startsWith("diverged") ? 90 : Number.parseFloat(text)));
  await expect.poll(async () => (await errors()).every((error, i, all) => i === 0 || all[i - 1]! <= error)).toBe(true);
  await at("compare-group").click();
  await expect.poll(() => table.locator("tbody tr").count()).toBe(24);
  await expect.poll(() => at("importance").innerText()).toMatch(/α of level 0[^]*levels above × α of level 0[^]*the rest/);
  await at("parallel-chart").waitFor();

  await legend.first().getByRole("button", { name: /^Remove/ }).click();
  await expect.poll(() => table.locator("tbody tr").count()).toBe(23);
  await at(`compare-study-${id}`).locator(".el-tag__close").click();
  await expect.poll(() => page.getByText("Nothing to compare yet").count()).toBe(1);
});
