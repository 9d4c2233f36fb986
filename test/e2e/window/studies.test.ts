/** The pages of studies by themselves, on studies that only pretend to train. */
import { beforeEach, expect, it } from "vitest";
import { studyPresets } from "../../../src/shared/study/presets.ts";
import { refusedStudy } from "../../support/pretendStudies.ts";
import { drawn, drawnAtLeast } from "../scenarios/workbench.ts";
import { windowOfEachTest, type Window } from "./harness.ts";
import { everything } from "../../support/edition.ts";

const opened = windowOfEachTest();
let window: Window;
beforeEach(() => {
  window = opened();
  window.services.runsPerTick = 0;
});

const at = (testId: string) => window.page.getByTestId(testId);
const visit = (path: string) => window.page.goto(new URL(`/#${path}`, window.page.url()).href);
const preset = (name: string) => studyPresets.find((one) => one.name === name)!.study;
const start = (name: string, extra: object = {}) => window.services.studies.start({ ...preset(name), ...extra }).id;

it("composes a study: preset with undo, axes, heights, stacks; what was typed is kept", async () => {
  await visit("/studies/new");
  const title = () => at("study-title").innerText();
  await expect.poll(title).toBe("20 runs");
  await at("preset-figure4a").click();
  await expect.poll(title).toBe("132 runs");
  await expect.poll(() => at("tower-examples").innerText()).toContain("SGD(0.001) / SGD(0.001)");
  await at("undo-button").click();
  await expect.poll(title).toBe("20 runs");

  await at("height-2").click();
  await expect.poll(title).toBe("30 runs");
  await at("add-axis").click();
  await at("axis-1-remove").waitFor();
  await at("axis-1").getByText("List", { exact: true }).click();
  await at("axis-1-list").fill("0.8, 0.9, oh");
  await expect.poll(() => at("problem-count").innerText()).toContain("1 field");
  await window.page.reload();
  expect(await at("axis-1-list").inputValue()).toBe("0.8, 0.9, oh");
  expect(await at("axis-1-list").getAttribute("aria-invalid")).toBe("true");
  await at("axis-1-list").fill("0.8, 0.9");
  await expect.poll(title).toBe("60 runs");
  await expect.poll(() => at("study-facts").innerText()).toContain("5 values × 2 values × 3 heights × 2 seeds · about");

  // An axis on a level that a height does not have is named at its field.
  await at("axis-0-hyperparameter").click();
  await at("axis-0-1-alpha").click();
  await expect.poll(() => window.page.getByText(/there is no level 1 at height 0/).count()).toBe(1);
  await at("compares").getByText("One tower").click();
  await expect.poll(title).toBe("20 runs");

  // Every method of the catalogue, from nine factors of its published default, with two seeds.
  await at("compares").getByText("Methods", { exact: true }).click();
  await expect.poll(title).toBe("216 runs");
  await at("catalogue-Prodigy").click();
  await at("factor-points").fill("5");
  await expect.poll(title).toBe("110 runs");
  await expect.poll(() => at("study-facts").innerText()).toContain("5 values × 11 methods × 2 seeds · about");
});

it.runIf(everything)("shows at its field what only the services refuse, and takes it back with the next edit", async () => {
  await visit("/studies/new");
  await at("study-name").fill(refusedStudy);
  await at("study-start").click();
  await expect.poll(() => window.page.locator('[data-field="seeds"]').innerText()).toContain("refused here");
  expect(await at("start-error").innerText()).toContain("refused");
  await at("seed-count").fill("3");
  await expect.poll(() => window.page.locator('[data-field="seeds"]').innerText()).not.toContain("refused");
});

it.runIf(everything)("takes its base from a run", async () => {
  const run = window.services.start({ name: "mine", tower: [{ optimizer: "rmsProp" }], batchSize: 128 });
  await visit(`/runs/${run.id}`);
  await at("study-of-run").click();
  await expect.poll(() => at("base-summary").innerText()).toContain("RMSProp");
  expect(await at("base-summary").innerText()).toContain("batches of 128");
  expect(await at("study-name").inputValue()).toBe("Study of mine");
});

it.runIf(everything)("lists studies: found by words, renamed, deleted with undo, restored from the bin", async () => {
  const [first, second] = [start("figure4a"), start("table1")];
  window.services.studies.advance(first, 1000);
  await visit("/studies");
  await expect.poll(() => at("study-count").innerText()).toBe("2 studies");
  await at("study-filter").fill("32 stacks");
  await at(`study-row-${first}`).waitFor({ state: "detached" });
  await at("study-filter").fill("");
  await at(`rename-${first}`).click();
  await window.page.locator(".el-message-box input").fill("renamed");
  await window.page.getByRole("button", { name: "Rename", exact: true }).click();
  await expect.poll(() => at(`study-row-${first}`).innerText()).toContain("renamed");

  // One that is under way cannot go to the bin.
  await at(`select-${second}`).click();
  expect(await at("delete-button").isDisabled()).toBe(true);
  await at(`select-${second}`).click();
  await at(`select-${first}`).click();
  await at("delete-button").click();
  await at(`study-row-${first}`).waitFor({ state: "detached" });
  await at("undo-button").click();
  await at(`study-row-${first}`).waitFor();
  await at(`select-${first}`).click();
  await at("delete-button").click();
  await at("bin-toggle").click();
  await at(`select-${first}`).click();
  await at("restore-button").click();
  await expect.poll(() => window.services.studies.studies.get(first)?.summary.deletedAt).toBeNull();
});

it("follows a study while its runs end; pauses, resumes, retries, stops it", async () => {
  const id = start("figure4a");
  await visit(`/studies/${id}`);
  await expect.poll(() => at("headline").innerText()).toContain("Points");
  expect(await at("active-studies").innerText()).toContain("0 %");
  window.services.studies.advance(id, 33);
  await drawnAtLeast(window.page, "headline-chart/height 0", 33);
  expect((await drawn(window.page, "headline-chart/height 1"))?.total).toBe(0);
  window.services.studies.fail(id, 40, "the trainer ended with code 137");
  await at("retry-study").click();
  await at("retry-study").waitFor({ state: "detached" });
  await at("pause-study").click();
  await window.page.locator("[data-testid=study-status][data-status=paused]").waitFor();
  await at("resume-study").click();
  window.services.studies.advance(id, 1000);
  await window.page.locator("[data-testid=study-status][data-status=finished]").waitFor();
  await drawnAtLeast(window.page, "headline-chart/height 3", 33);
  // Three seeds that scatter as these do cannot tell, once the choice among three heights is allowed for.
  await expect.poll(() => at("verdict").innerText()).toMatch(/^Three levels make no clear difference/);
  expect(await at("numbers-table").locator("tbody tr").count()).toBe(4);
  await at("active-studies").waitFor({ state: "detached" });
});

it("opens a point down to its runs, and looks at it by other metrics and beside another study", async () => {
  const [id, other] = [start("figure4a"), start("figure4a-quick", { name: "the other" })];
  for (const one of [id, other]) window.services.studies.advance(one, 1000);
  await visit(`/studies/${id}`);
  const line = "headline-chart/height 0";
  const final = await drawnAtLeast(window.page, line, 33);
  await at("study-metric").click();
  await window.page.getByRole("option", { name: "Test loss" }).click();
  await expect.poll(async () => (await drawn(window.page, line))?.points).not.toEqual(final.points);

  const rows = window.page.locator("[data-testid^=point-row-]");
  await rows.nth(2).click();
  const runs = window.page.locator("[data-testid^=run-row-]");
  await expect.poll(() => runs.count()).toBe(3);
  await at("add-beside").click();
  await window.page.getByRole("option", { name: "the other" }).click();
  await at(`beside-${other}`).waitFor();
  expect(window.page.url()).toContain(`beside=${other}`);
  await runs.first().getByRole("link").click();
  await window.page.waitForURL(/#\/runs\//);
  await at("back").click();
  await at(`headline-chart`).waitFor();
});

it("draws a heat map of two axes, trajectories, and every run in a table that holds what can be seen", async () => {
  const id = start("figure4a-quick", {
    axes: [
      { hyperparameter: "alpha", values: { kind: "grid", from: 1e-4, to: 1, points: 5 } },
      { hyperparameter: "mu", values: { kind: "list", values: [0, 0.9] } },
    ],
    seeds: Array.from({ length: 10 }, (_, seed) => seed),
  });
  window.services.studies.advance(id, 2000);
  await visit(`/studies/${id}`);
  await window.page.getByRole("tab", { name: "Heat map" }).click();
  await at("heat-map").locator("canvas").waitFor();
  await window.page.getByRole("tab", { name: "Trajectories" }).click();
  await at("trajectories-chart").locator("canvas").waitFor();
  await window.page.getByRole("tab", { name: "Runs (400)" }).click();
  await window.page.locator("[data-testid^=study-run-]").first().waitFor();
  expect(await window.page.locator("[data-testid^=study-run-]").count()).toBeLessThan(60);
  await at("fix-1").click();
  await window.page.getByRole("option", { name: "= 0.9" }).click();
  await expect.poll(async () => (await drawn(window.page, "headline-chart/height 0"))?.total).toBe(50);
});

it("extends a study by seeds, and says what comes", async () => {
  const id = start("figure4a-quick");
  window.services.studies.advance(id, 1000);
  await visit(`/studies/${id}/extend`);
  await expect.poll(() => at("extend-title").innerText()).toBe("Nothing changes yet");
  await at("height-3").click();
  await expect.poll(() => at("extend-title").innerText()).toBe("11 runs left out");
  await at("height-3").click();
  await at("seed-count").fill("2");
  await expect.poll(() => at("extend-title").innerText()).toBe("44 more runs");
  await at("extend-start").click();
  await expect.poll(() => at("stat-finished").innerText()).not.toBe("88");
  window.services.studies.advance(id, 1000);
  await drawnAtLeast(window.page, "headline-chart/height 0", 22);
});
