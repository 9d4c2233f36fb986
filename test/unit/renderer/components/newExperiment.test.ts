import { flushPromises } from "@vue/test-utils";
import { beforeEach, expect, it } from "vitest";
import NewExperimentPage from "@/pages/NewExperimentPage.vue";
import { useApp } from "@/stores/app.ts";
import { useDraft } from "@/stores/draft.ts";
import { presets } from "@shared/presets.ts";
import type { RunSummary } from "@shared/run.ts";
import { byTestid, choose, click, deferred, emptyRouter, hasTestid, mountPart, onPage, optionsOf, services, type } from "./support.ts";
import { datasetOf, ownTable, runOf } from "./samples.ts";

const datasets = [datasetOf("mnist"), datasetOf("iris"), datasetOf("tiny-shakespeare"), ownTable(), ownTable({ kind: "own/broken", title: "Broken", problem: "flowers.csv is gone" })];

beforeEach(() => {
  services.answer("app.info", () => ({ version: "1.0.0", host: "desktop", platform: "linux", cpu: "a processor", cores: 8, storePath: "/store", storeDamage: null, storeProblem: null }));
  services.answer("experiments.presets", () => presets.map(({ name, title, description, experiment }) => ({ name, title, description, experiment })));
  services.answer("studies.presets", () => []);
  services.answer("datasets.list", () => datasets);
});

async function page(path = "/", list = datasets) {
  services.answer("datasets.list", () => list);
  const router = emptyRouter();
  await router.push(path);
  await useApp().load();
  const wrapper = mountPart(NewExperimentPage, { router });
  await flushPromises();
  return { wrapper, router, draft: () => useDraft().draft };
}
type Wrapper = Awaited<ReturnType<typeof page>>["wrapper"];

/** A run that starts when the test lets it. */
function starting() {
  const { promise, resolve } = deferred<RunSummary>();
  services.answer("runs.start", () => promise);
  return { letStart: async () => (resolve(runOf("new")), flushPromises()) };
}
const press = (wrapper: Wrapper) => click(wrapper, "experiment-start");

it("takes a preset over whole, marks it, and offers the draft back", async () => {
  const { wrapper, draft } = await page();
  const preset = presets[1]!;
  await type(wrapper, "epochs", "77");
  await click(wrapper, `preset-${preset.name}`);
  expect(byTestid(wrapper, `preset-${preset.name}`).attributes("aria-pressed")).toBe("true");
  expect(draft().epochs).not.toBe(77);
  await type(wrapper, "seed", "4242");
  expect(byTestid(wrapper, `preset-${preset.name}`).attributes("aria-pressed")).toBe("false");
  onPage("undo-button").click();
  await flushPromises();
  expect(draft().epochs).toBe(77);
});

it("starts the run it describes, and goes to it", async () => {
  const { wrapper, router } = await page();
  await type(wrapper, "experiment-name", "mine");
  await type(wrapper, "epochs", "3");
  await type(wrapper, "seed", "7");
  await choose(wrapper, "stack-level-0-optimizer", "RMSProp");
  const { letStart } = starting();
  await press(wrapper);
  expect(services.inputs("runs.start")).toMatchObject([{ experiment: { name: "mine", seed: 7, budget: { epochs: 3 }, tower: [{ optimizer: "rmsProp" }, {}] } }]);
  expect(router.currentRoute.value.path).toBe("/");
  await letStart();
  expect(router.currentRoute.value.path).toBe("/runs/new");
});

it("starts one run, however often the button and the keys are pressed", async () => {
  const { wrapper } = await page();
  const { letStart } = starting();
  await byTestid(wrapper, "experiment-start").trigger("click");
  await byTestid(wrapper, "experiment-start").trigger("click");
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true }));
  await flushPromises();
  expect(services.inputs("runs.start")).toHaveLength(1);
  await letStart();
});

it("starts by Ctrl+Enter, not by Enter alone", async () => {
  await page();
  starting();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  await flushPromises();
  expect(services.inputs("runs.start")).toHaveLength(0);
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true }));
  await flushPromises();
  expect(services.inputs("runs.start")).toHaveLength(1);
});

it("sends nothing while a field is wrong, counts such fields, and leads to the first", async () => {
  const { wrapper } = await page();
  await type(wrapper, "epochs", "0");
  expect(byTestid(wrapper, "problem-count").text()).toMatch(/^1 field needs/);
  await type(wrapper, "seed", "-1");
  expect(byTestid(wrapper, "problem-count").text()).toMatch(/^2 fields need/);
  await press(wrapper);
  expect(services.inputs("runs.start")).toHaveLength(0);
  expect(document.activeElement).toBe(byTestid(wrapper, "epochs").element);
  await type(wrapper, "epochs", "1");
  await type(wrapper, "seed", "1");
  expect(hasTestid(wrapper, "problem-count")).toBe(false);
});

it("shows what the services refuse, at the field too, until it is mended", async () => {
  const { wrapper, router } = await page();
  services.refuse("runs.start", "the experiment is not valid", [{ path: "batchSize", message: "batchSize must fit the memory" }]);
  await press(wrapper);
  expect(byTestid(wrapper, "start-error").text()).toContain("the experiment is not valid");
  expect(wrapper.get('[data-field="batchSize"] [role=alert]').text()).toBe("batchSize must fit the memory");
  expect(document.activeElement).toBe(byTestid(wrapper, "batch-size").element);
  expect(router.currentRoute.value.path).toBe("/");
  await type(wrapper, "batch-size", "50");
  expect(wrapper.find('[data-field="batchSize"] [role=alert]').exists()).toBe(false);
  // It can be tried again.
  const { letStart } = starting();
  await press(wrapper);
  expect(hasTestid(wrapper, "start-error")).toBe(false);
  await letStart();
});

it("says how many steps it is, and the tower's name, which stays while a number is typed", async () => {
  const { wrapper } = await page();
  await type(wrapper, "batch-size", "600");
  await type(wrapper, "epochs", "1");
  expect(byTestid(wrapper, "experiment-facts").text()).toBe("100 steps in one epoch");
  await type(wrapper, "epochs", "2");
  expect(byTestid(wrapper, "experiment-facts").text()).toBe("200 steps: 2 epochs of 100");
  const title = byTestid(wrapper, "experiment-title").text();
  await type(wrapper, "stack-level-0-alpha", "1e");
  expect(byTestid(wrapper, "experiment-title").text()).toBe(title);
});

it("offers published data and the user's own, but not what does not read", async () => {
  const { wrapper, draft } = await page();
  expect(optionsOf(wrapper, "dataset").map(({ textContent }) => textContent.trim())).toEqual(["MNIST", "Iris", "Tiny Shakespeare", "Flowers"]);
  await choose(wrapper, "dataset", "Flowers");
  expect(draft().dataset).toMatchObject({ kind: "own/flowers", facts: { title: "Flowers", trainExamples: 120 } });
  expect(wrapper.get('[data-field="batchSize"] .hint').text()).toMatch(/Flowers has 120 training examples/);
  expect(hasTestid(wrapper, "problem-count")).toBe(false);
});

it("says why data cannot be used, where it is chosen and where the run would start", async () => {
  const { wrapper } = await page("/", [datasetOf("mnist", { problem: "train.gz is damaged" }), ...datasets.slice(1)]);
  expect(byTestid(wrapper, "dataset-problem").text()).toContain("train.gz is damaged");
  expect(byTestid(wrapper, "start-blocked").text()).toMatch(/^MNIST/);
});

it("asks for limits and a share held out on demand, and shows them when one is wrong", async () => {
  const { wrapper, draft } = await page();
  expect(hasTestid(wrapper, "train-examples")).toBe(false);
  await click(wrapper, "dataset-limits");
  await type(wrapper, "train-examples", "700");
  await type(wrapper, "validation", "0.95");
  expect(wrapper.get('[data-field="dataset.validation"] [role=alert]').text()).not.toBe("");
  await type(wrapper, "validation", "0.2");
  expect(draft().dataset).toMatchObject({ trainExamples: 700, validation: 0.2 });
  expect(hasTestid(wrapper, "augment-crop")).toBe(true);
  await choose(wrapper, "dataset", "Iris");
  expect(hasTestid(wrapper, "augment-crop")).toBe(false);
});

it("asks for the steps between evaluations where these go by steps", async () => {
  const { wrapper } = await page();
  expect(hasTestid(wrapper, "evaluate-steps")).toBe(false);
  await choose(wrapper, "evaluate", "Every … steps");
  await type(wrapper, "evaluate-steps", "0");
  expect(wrapper.get('[data-field="evaluation.every"] [role=alert]').text()).not.toBe("");
  await choose(wrapper, "evaluate", "At the end only");
  expect(hasTestid(wrapper, "problem-count")).toBe(false);
});

it("draws a seed, which is valid", async () => {
  const { wrapper, draft } = await page();
  const before = draft().seed;
  await wrapper.get('button[aria-label="Draw a seed at random"]').trigger("click");
  expect(draft().seed).not.toBe(before);
  expect(hasTestid(wrapper, "problem-count")).toBe(false);
});

it("makes a tower safe by one switch, and takes back only what that filled in", async () => {
  const { wrapper, draft } = await page();
  const toggle = () => byTestid(wrapper, "safe-switch").get("input").trigger("change").then(flushPromises);
  const changes = () => draft().levels.map(({ options }) => options["maxChange"]);
  expect(changes()).toEqual(["", ""]);
  await toggle();
  expect(draft().guard.on).toBe(true);
  expect(changes()).toEqual(["", 0.03]);
  expect(hasTestid(wrapper, "guard-patience") || wrapper.findAll('[data-testid^="guard-"]').length > 1).toBe(true);
  await toggle();
  expect(draft().guard.on).toBe(false);
  expect(changes()).toEqual(["", ""]);
});

it("makes a tower robust by one button", async () => {
  const { wrapper, draft } = await page();
  await byTestid(wrapper, "make-robust").trigger("click");
  expect(draft().levels).toMatchObject([{ optimizer: "adam", learned: ["alpha"], options: { alphaAs: "log" } }, { optimizer: "sgd", learned: [], options: { normalized: true } }]);
  expect(draft().guard.on).toBe(true);
});

it("starts from a run, and says when that cannot be read", async () => {
  services.answer("runs.get", ({ run }) => ({ ...runOf(run, {}, { seed: 99, tower: [{ optimizer: "adaGrad" }] }), evaluations: [], events: [], weights: [] }) as never);
  const { wrapper, router, draft } = await page("/?from=abc");
  expect(draft()).toMatchObject({ seed: 99, levels: [{ optimizer: "adaGrad" }] });
  expect(router.currentRoute.value.fullPath).toBe("/");
  services.refuse("runs.get", "there is no run gone");
  await router.push("/?from=gone");
  await flushPromises();
  expect(byTestid(wrapper, "start-error").text()).toContain("there is no run gone");
});

it("remembers the draft over visits", async () => {
  const first = await page();
  await type(first.wrapper, "seed", "314");
  expect(JSON.parse(localStorage.getItem("hypertower.draft")!)).toMatchObject({ seed: 314 });
});

it("goes on to a study of the draft", async () => {
  const { wrapper, router } = await page();
  await click(wrapper, "study-of-draft");
  expect(router.currentRoute.value.fullPath).toBe("/studies/new?base=draft");
});
