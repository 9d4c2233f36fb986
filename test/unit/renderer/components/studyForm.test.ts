import { flushPromises, type VueWrapper } from "@vue/test-utils";
import { expect, it } from "vitest";
import StudyForm from "@/components/studyForm/StudyForm.vue";
import { errorsByField, readList, studyOfExperiment, validateStudyDraft, type StudyDraft } from "@/lib/studyDraft.ts";
import { maxLevels } from "@shared/tower.ts";
import { byTestid, choose, click, hasTestid, mountForm, optionsOf, type } from "./support.ts";
import { draftFrom } from "./samples.ts";

const draft = () => studyOfExperiment(draftFrom({ tower: [{ optimizer: "adam" }, { optimizer: "sgd" }] }));
function check(now: StudyDraft): ReadonlyMap<string, string> {
  const found = validateStudyDraft(now);
  return found.ok ? new Map() : errorsByField(found.errors);
}
const form = (initial: StudyDraft = draft(), props: Record<string, unknown> = {}) => mountForm(StudyForm, initial, { props: { study: null, ...props }, check });
const segment = async (wrapper: VueWrapper, testid: string, label: string) => {
  const item = byTestid(wrapper, testid).findAll("label").find((found) => found.text() === label);
  await item!.get("input").setValue(true);
  await flushPromises();
};
const errorAt = (wrapper: VueWrapper, testid: string) => {
  const field = byTestid(wrapper, testid);
  expect(field.attributes("aria-invalid"), testid).toBe("true");
  return wrapper.get(`#${CSS.escape(field.attributes("aria-describedby")!)}`).text();
};

it("spaces an axis as asked, and shows its values", async () => {
  const { wrapper, value } = form();
  await type(wrapper, "axis-0-from", "1e-4");
  await type(wrapper, "axis-0-to", "1");
  await type(wrapper, "axis-0-points", "3");
  expect(value().axes[0]).toMatchObject({ kind: "grid", scale: "log", from: 1e-4, to: 1, points: 3 });
  expect(byTestid(wrapper, "axis-preview").text()).toContain("3 values: 1e-4, 0.01, 1");
  await segment(wrapper, "axis-0-scale", "Linear");
  expect(byTestid(wrapper, "axis-preview").text()).toContain("1e-4, 0.5, 1");
});

it("turns a range into a list of the same values, and reads the list as people write it", async () => {
  const { wrapper, value } = form();
  await type(wrapper, "axis-0-points", "2");
  await segment(wrapper, "axis-0-kind", "List");
  const field = byTestid(wrapper, "axis-0-list").element as HTMLInputElement;
  expect(readList(field.value)).toEqual([value().axes[0]!.from, value().axes[0]!.to]);
  await type(wrapper, "axis-0-list", "1e-3 0.01,0.1");
  expect(byTestid(wrapper, "axis-preview").text()).toContain("3 values: 0.001, 0.01, 0.1");
  await type(wrapper, "axis-0-list", "1e-3, much");
  expect(errorAt(wrapper, "axis-0-list")).toMatch(/must be a number/);
  expect(hasTestid(wrapper, "axis-preview")).toBe(false);
});

it("asks for a seed where values are drawn", async () => {
  const { wrapper, value } = form();
  expect(hasTestid(wrapper, "axis-0-seed")).toBe(false);
  await segment(wrapper, "axis-0-kind", "Random");
  await type(wrapper, "axis-0-seed", "7");
  expect(value().axes[0]).toMatchObject({ kind: "random", seed: 7 });
  await segment(wrapper, "axis-0-kind", "Quasi-random");
  expect(hasTestid(wrapper, "axis-0-seed")).toBe(false);
});

it.each([
  ["axis-0-points", "0", /points must be at least 1/],
  ["axis-0-points", "1.5", /whole number/],
  ["axis-0-from", "-1", /.+/],
  ["axis-0-to", "", /to must be a number/],
])("says what is wrong with %s = %j, at the axis", async (field, text, message) => {
  const { wrapper } = form();
  await type(wrapper, field, text);
  expect(byTestid(wrapper, "axis-0").findAll("[role=alert]").map((error) => error.text()).join()).toMatch(message);
});

it("adds axes up to four, each on something that does not vary yet, and removes them", async () => {
  const { wrapper, value } = form();
  for (let i = 0; i < 3; i++) await click(wrapper, "add-axis");
  const keys = value().axes.map(({ level, hyperparameter }) => `${level}.${hyperparameter}`);
  expect(new Set(keys).size).toBe(4);
  expect(byTestid(wrapper, "add-axis").attributes("disabled")).toBeDefined();
  await click(wrapper, "axis-1-remove");
  expect(value().axes.map(({ level, hyperparameter }) => `${level}.${hyperparameter}`)).toEqual([keys[0], keys[2], keys[3]]);
  expect(byTestid(wrapper, "add-axis").attributes("disabled")).toBeUndefined();
});

it("gives another hyperparameter a range of its own, the same one on another level the range that was typed", async () => {
  const { wrapper, value } = form();
  await type(wrapper, "axis-0-from", "1e-7");
  const pick = async (label: string) => {
    const option = optionsOf(wrapper, "axis-0-hyperparameter").find(({ dataset }) => dataset["testid"] === label);
    option!.click();
    await flushPromises();
  };
  await pick("axis-0-1-alpha");
  expect(value().axes[0]).toMatchObject({ level: 1, hyperparameter: "alpha", from: 1e-7 });
  await pick("axis-0-0-beta1");
  expect(value().axes[0]).toMatchObject({ level: 0, hyperparameter: "beta1", scale: "linear", from: 0.5, to: 0.99 });
});

it("compares the heights that are chosen, in order, any other by its number", async () => {
  const { wrapper, value } = form();
  await click(wrapper, "height-3");
  await click(wrapper, "height-0");
  expect(value().heights.values).toEqual([1, 3]);
  await click(wrapper, "height-2");
  expect(value().heights.values).toEqual([1, 2, 3]);
  await click(wrapper, "height-2");
  const other = byTestid(wrapper, "height-other");
  await other.setValue("12");
  await other.trigger("keydown", { key: "Enter" });
  expect(value().heights.values).toEqual([1, 3, 12]);
  expect(byTestid(wrapper, "height-12").attributes("aria-pressed")).toBe("true");
  await other.setValue(String(maxLevels));
  await other.trigger("keydown", { key: "Enter" });
  expect(value().heights.values).toEqual([1, 3, 12]);
  expect(other.classes()).toContain("invalid");
});

it("wants at least one height", async () => {
  const { wrapper } = form();
  await click(wrapper, "height-0");
  await click(wrapper, "height-1");
  expect(wrapper.get('[data-field="heights.values"] [role=alert]').text()).not.toBe("");
});

it("begins fixed step sizes with some, and says what is wrong with them", async () => {
  const { wrapper, value } = form();
  await click(wrapper, "rule-fixed");
  expect(value().heights).toMatchObject({ rule: "fixed", alphas: "1e-5, 1e-9" });
  expect(byTestid(wrapper, "rule-fixed").attributes("aria-checked")).toBe("true");
  await type(wrapper, "rule-alphas", "1e-5, x");
  expect(errorAt(wrapper, "rule-alphas")).not.toBe("");
  await click(wrapper, "rule-equal");
  expect(hasTestid(wrapper, "rule-alphas")).toBe(false);
  expect(value().heights.alphas).toBe("1e-5, x");
});

it("chooses the optimizer of the levels above, for all heights or for one", async () => {
  const { wrapper, value } = form();
  await choose(wrapper, "upper-level", "RMSProp^α");
  expect(value().heights.upper).toMatchObject({ optimizer: "rmsProp", learned: ["alpha"] });
  await click(wrapper, "upper-at-open");
  expect(hasTestid(wrapper, "upper-at-0")).toBe(false);
  await choose(wrapper, "upper-at-1", "Adam");
  expect(value().heights.upperAt["1"]).toMatchObject({ optimizer: "adam" });
  await choose(wrapper, "upper-at-1", "As chosen above");
  expect(value().heights.upperAt).toEqual({});
});

it("compares stacks with names, the base's tower or what it was when it was added", async () => {
  const { wrapper, value } = form();
  await segment(wrapper, "compares", "Named stacks");
  expect(wrapper.findAll("[role=alert]").length).toBeGreaterThan(0);
  await wrapper.get('input[aria-label="Name of the stack"]').setValue("mine");
  await click(wrapper, "add-stack");
  await click(wrapper, "add-stack");
  expect(value().stacks.map(({ name }) => name)).toEqual(["mine", "Adam / SGD"]);
  expect(check(value())).toEqual(new Map());
  await wrapper.get('button[aria-label="Leave out mine"]').trigger("click");
  expect(value().stacks.map(({ name }) => name)).toEqual(["Adam / SGD"]);
});

it("shows a tower of every height, from the last valid form", async () => {
  const found = validateStudyDraft(draft());
  if (!found.ok) throw new Error("not valid");
  const { wrapper } = form(draft(), { study: found.study });
  const text = byTestid(wrapper, "tower-examples").findAll("dd").map((example) => example.text());
  expect(text).toHaveLength(2);
  expect(text[1]).toMatch(/^Adam.* \/ SGD/);
  await segment(wrapper, "compares", "One tower");
  expect(hasTestid(wrapper, "tower-examples")).toBe(false);
});

it("counts seeds or names them, and refuses what is neither", async () => {
  const { wrapper, value } = form();
  const runs = () => {
    const found = validateStudyDraft(value());
    return found.ok ? found.runs : null;
  };
  const before = runs()!;
  await type(wrapper, "seed-count", "6");
  expect(runs()).toBe(before * 3);
  for (const text of ["0", "1001", "x"]) {
    await type(wrapper, "seed-count", text);
    expect(errorAt(wrapper, "seed-count"), text).toMatch(/whole number from 1 to 1000/);
  }
  await segment(wrapper, "seeds-by", "Which");
  await type(wrapper, "seed-list", "3 5 9");
  expect(runs()).toBe(before * 1.5);
  await type(wrapper, "seed-list", "3, -1");
  expect(errorAt(wrapper, "seed-list")).toMatch(/from 0 to 4294967295/);
});

it("asks for rungs once hopeless runs are to be stopped, and for the runs at once only where these can be chosen", async () => {
  const { wrapper, value } = form(draft(), { workers: undefined });
  expect(hasTestid(wrapper, "workers")).toBe(false);
  expect(hasTestid(wrapper, "halving-rungs")).toBe(false);
  await byTestid(wrapper, "halving").get("input").trigger("change");
  await type(wrapper, "halving-rungs", "0");
  expect(value().halving).toMatchObject({ on: true, rungs: "0" });
  expect(errorAt(wrapper, "halving-rungs")).not.toBe("");
  await type(wrapper, "halving-keep", "2");
  expect(errorAt(wrapper, "halving-keep")).not.toBe("");
  await byTestid(wrapper, "study-safe").get("input").trigger("change");
  expect(value().safe).toBe(true);
  expect(hasTestid(form(draft(), { workers: "" }).wrapper, "workers")).toBe(true);
});
