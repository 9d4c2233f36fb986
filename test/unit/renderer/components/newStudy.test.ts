import { flushPromises } from "@vue/test-utils";
import { beforeEach, expect, it, vi } from "vitest";
import NewStudyPage from "@/pages/NewStudyPage.vue";
import { useApp } from "@/stores/app.ts";
import { useStudyDraft } from "@/stores/studyDraft.ts";
import type { RequestOutput } from "@shared/contract.ts";
import { studyPresets } from "@shared/study/presets.ts";
import type { StudySummary } from "@shared/study/result.ts";
import { byTestid, click, deferred, emptyRouter, hasTestid, mountPart, onPage, services, type } from "./support.ts";
import { datasetOf, runOf } from "./samples.ts";

const estimate = (changes: Partial<RequestOutput<"studies.estimate">> = {}): RequestOutput<"studies.estimate"> => ({
  runs: 20, workers: 2, threads: 1, cohort: 1, duration: 120_000, disk: 1e8, diskFree: 1e10, ...changes,
});

beforeEach(() => {
  services.answer("app.info", () => ({ version: "1.0.0", host: "desktop", platform: "linux", cpu: "a processor", cores: 8, storePath: "/store", storeDamage: null, storeProblem: null }));
  services.answer("experiments.presets", () => []);
  services.answer("studies.presets", () => studyPresets.map(({ name, title, description, study }) => ({ name, title, description, study })));
  services.answer("datasets.list", () => [datasetOf("mnist"), datasetOf("iris")]);
  services.answer("studies.estimate", () => estimate());
});

async function page(path = "/studies/new") {
  const router = emptyRouter();
  await router.push(path);
  await useApp().load();
  const wrapper = mountPart(NewStudyPage, { router });
  await flushPromises();
  return { wrapper, router, draft: () => useStudyDraft().draft };
}
/** Lets the form rest until it is measured. */
const rest = () => vi.advanceTimersByTimeAsync(1000);
const started = (id: string) => ({ id, deletedAt: null, createdAt: 1, status: "running" }) as unknown as StudySummary;

it("counts the runs of the product, and says what they cost once the form has rested", async () => {
  const { wrapper } = await page();
  await type(wrapper, "axis-0-points", "3");
  await type(wrapper, "seed-count", "4");
  expect(byTestid(wrapper, "study-title").text()).toBe("24 runs");
  expect(byTestid(wrapper, "study-facts").text()).toMatch(/^3 values × 2 heights × 4 seeds · duration not measured yet/);
  expect(services.inputs("studies.estimate")).toHaveLength(0);
  await rest();
  expect(services.inputs("studies.estimate")).toHaveLength(1);
  expect(byTestid(wrapper, "study-facts").text()).toMatch(/about 2 min.*2 at a time/);
});

it("estimates for as many runs at a time as were asked for", async () => {
  const { wrapper } = await page();
  services.answer("studies.estimate", ({ workers }) => estimate({ workers: workers ?? 2, duration: 240_000 / (workers ?? 2) }));
  await rest();
  expect(byTestid(wrapper, "study-facts").text()).toMatch(/about 2 min.*2 at a time/);
  await type(wrapper, "workers", "1");
  await rest();
  expect(services.inputs("studies.estimate").at(-1)).toMatchObject({ workers: 1 });
  expect(byTestid(wrapper, "study-facts").text()).toMatch(/about 4 min.*1 at a time/);
});

it("says why it cannot be measured", async () => {
  const { wrapper } = await page();
  services.refuse("studies.estimate", "the dataset is not here");
  await rest();
  expect(byTestid(wrapper, "study-facts").text()).toContain("the dataset is not here");
});

it("says that the disk will not hold it", async () => {
  const { wrapper } = await page();
  services.answer("studies.estimate", () => estimate({ disk: 2e10, diskFree: 1e9 }));
  await rest();
  expect(byTestid(wrapper, "start-blocked").text()).toMatch(/Needs 20 GB of disk space; 1 GB are free/);
});

it("starts the study that it describes, once, and goes to it", async () => {
  const { wrapper, router } = await page();
  await type(wrapper, "study-name", "mine");
  await type(wrapper, "workers", "3");
  await type(wrapper, "seed-count", "1");
  const answer = deferred<StudySummary>();
  services.answer("studies.start", () => answer.promise);
  await byTestid(wrapper, "study-start").trigger("click");
  await click(wrapper, "study-start");
  expect(services.inputs("studies.start")).toMatchObject([{ workers: 3, study: { name: "mine", seeds: [0], heights: { values: [0, 1] } } }]);
  answer.resolve(started("s1"));
  await flushPromises();
  expect(router.currentRoute.value.path).toBe("/studies/s1");
});

it.each([["0"], ["257"], ["1.5"], ["many"]])("refuses %s runs at the same time, and starts nothing", async (workers) => {
  const { wrapper } = await page();
  await type(wrapper, "workers", workers);
  expect(byTestid(wrapper, "problem-count").text()).toMatch(/^1 field/);
  expect(wrapper.get('[data-field="workers"] [role=alert]').text()).toMatch(/1 to 256/);
  await click(wrapper, "study-start");
  expect(services.inputs("studies.start")).toEqual([]);
  expect(document.activeElement).toBe(byTestid(wrapper, "workers").element);
});

it("shows what the services refuse, at its field, until it is edited", async () => {
  const { wrapper } = await page();
  services.refuse("studies.start", "the study is not valid", [{ path: "axes.0.values.points", message: "too many points" }]);
  await click(wrapper, "study-start");
  expect(byTestid(wrapper, "start-error").text()).toContain("the study is not valid");
  expect(byTestid(wrapper, "axis-0").get("[role=alert]").text()).toBe("too many points");
  await type(wrapper, "axis-0-points", "2");
  expect(byTestid(wrapper, "axis-0").find("[role=alert]").exists()).toBe(false);
});

it("takes a preset over whole, marks it, and offers the draft back", async () => {
  const { wrapper, draft } = await page();
  const [preset] = studyPresets;
  await type(wrapper, "seed-count", "9");
  await click(wrapper, `preset-${preset!.name}`);
  expect(byTestid(wrapper, `preset-${preset!.name}`).attributes("aria-pressed")).toBe("true");
  expect(draft().seeds.count).not.toBe(9);
  onPage("undo-button").click();
  await flushPromises();
  expect(draft().seeds.count).toBe(9);
  expect(byTestid(wrapper, `preset-${preset!.name}`).attributes("aria-pressed")).toBe("false");
});

it("keeps the base closed until it is asked for, or wrong", async () => {
  const { wrapper } = await page();
  expect(byTestid(wrapper, "base-summary").text()).not.toBe("");
  expect(hasTestid(wrapper, "epochs")).toBe(false);
  await click(wrapper, "edit-base");
  expect(hasTestid(wrapper, "seed")).toBe(false);
  await type(wrapper, "epochs", "0");
  expect(byTestid(wrapper, "problem-count").text()).toMatch(/^1 field/);
  await click(wrapper, "edit-base");
  expect(hasTestid(wrapper, "epochs")).toBe(false);
  // What the services refuse of the base opens it.
  await click(wrapper, "edit-base");
  await type(wrapper, "epochs", "1");
  await click(wrapper, "edit-base");
  services.refuse("studies.start", "the study is not valid", [{ path: "base.budget.epochs", message: "too many epochs" }]);
  await click(wrapper, "study-start");
  expect(wrapper.get('[data-field="budget.epochs"] [role=alert]').text()).toBe("too many epochs");
});

it("begins with a run, and says when that cannot be read", async () => {
  services.answer("runs.get", ({ run }) => runOf(run, { name: "best so far" }, { tower: [{ optimizer: "adaGrad" }] }) as never);
  const { wrapper, router, draft } = await page("/studies/new?run=abc");
  expect(draft()).toMatchObject({ name: "Study of best so far", base: { levels: [{ optimizer: "adaGrad" }] } });
  expect(router.currentRoute.value.fullPath).toBe("/studies/new");
  services.refuse("studies.get", "there is no study gone");
  await router.push("/studies/new?study=gone");
  await flushPromises();
  expect(byTestid(wrapper, "start-error").text()).toContain("there is no study gone");
});

it("begins with a preset by its name, and says when there is none of it", async () => {
  const [, second] = studyPresets;
  const { wrapper, router } = await page(`/studies/new?preset=${second!.name}`);
  expect(byTestid(wrapper, `preset-${second!.name}`).attributes("aria-pressed")).toBe("true");
  await router.push("/studies/new?preset=none");
  await flushPromises();
  expect(byTestid(wrapper, "start-error").text()).toContain("no preset named none");
});
