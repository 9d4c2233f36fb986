import { flushPromises, type VueWrapper } from "@vue/test-utils";
import { expect, it } from "vitest";
import { VueDraggable } from "vue-draggable-plus";
import TowerEditor from "@/components/tower/TowerEditor.vue";
import TowerLevel from "@/components/tower/TowerLevel.vue";
import { newLevel, toTower, type DraftLevel } from "@/lib/towerEdits.ts";
import { fieldErrors } from "@shared/experiment.ts";
import { optimizerNames, optimizerSpec } from "@shared/optimizers.ts";
import { maxLevels, tower } from "@shared/tower.ts";
import { byTestid, choose, chooseFrom, click, hasTestid, mountForm, mountPart, optionsOf, type } from "./support.ts";

function errorsOf(levels: DraftLevel[]): ReadonlyMap<string, string> {
  const parsed = tower.safeParse(toTower(levels));
  return new Map(parsed.success ? [] : fieldErrors(parsed.error).map(({ path, message }) => [path === "" ? "tower" : `tower.${path}`, message]));
}

const editor = (levels: DraftLevel[], parameters = ["layer1.weight", "layer1.bias"]) => mountForm(TowerEditor, levels, { props: { weights: "mlp 128", parameters }, check: errorsOf });
const optimizers = (levels: DraftLevel[]) => levels.map(({ optimizer }) => optimizer);
const tool = (wrapper: VueWrapper, label: string) => wrapper.get(`button[aria-label="${label}"]`);
const heading = (wrapper: VueWrapper, level: number) => byTestid(wrapper, `stack-level-${level}`).attributes("aria-label");

it("draws the top level first, and says what each level moves", () => {
  const { wrapper } = editor([newLevel("adam"), newLevel("sgd"), newLevel("sgd")]);
  expect(wrapper.findAll("article").map((level) => level.attributes("aria-label"))).toEqual([
    "Level 2, SGD, moves α of level 1",
    "Level 1, SGD, moves α, β₁, β₂ of level 0",
    "Level 0, Adam, moves the weights",
  ]);
  expect(wrapper.get(".weights").text()).toContain("mlp 128");
});

it("adds a level on top, of any form that the paper names", async () => {
  const { wrapper, value } = editor([newLevel("adam")]);
  await chooseFrom(wrapper, "add-level", "add-level-rmsPropAlpha");
  expect(optimizers(value())).toEqual(["adam", "rmsProp"]);
  await chooseFrom(wrapper, "add-level", "add-level-sgdPerParam");
  // One group for each of what the level below learns.
  expect(value()[2]!.groups.map(({ name }) => name)).toEqual(["alpha"]);
  expect(value()[2]!.frozen).toBe(true);
});

it("removes any level but the only one", async () => {
  const { wrapper, value } = editor([newLevel("adam"), newLevel("sgd")]);
  await click(wrapper, "stack-level-0-remove");
  expect(optimizers(value())).toEqual(["sgd"]);
  expect(byTestid(wrapper, "stack-level-0-remove").attributes("disabled")).toBeDefined();
  await click(wrapper, "stack-level-0-remove");
  expect(value()).toHaveLength(1);
});

it("moves levels by button and by key, not beyond the ends", async () => {
  const { wrapper, value } = editor([newLevel("adam"), newLevel("sgd"), newLevel("rmsProp")]);
  expect(tool(wrapper, "Move level 2 up").attributes("disabled")).toBeDefined();
  expect(tool(wrapper, "Move level 0 down").attributes("disabled")).toBeDefined();
  await tool(wrapper, "Move level 0 up").trigger("click");
  expect(optimizers(value())).toEqual(["sgd", "adam", "rmsProp"]);
  const moved = value()[1]!.id;
  await wrapper.get(`[data-level-id="${moved}"] .handle`).trigger("keydown", { key: "ArrowDown" });
  await flushPromises();
  expect(optimizers(value())).toEqual(["adam", "sgd", "rmsProp"]);
  // The handle keeps the focus, so that the key can be pressed again.
  expect(document.activeElement?.closest("[data-level-id]")?.getAttribute("data-level-id")).toBe(String(moved));
});

it("takes the order of a drag, whose list has the top first", async () => {
  const { wrapper, value } = editor([newLevel("adam"), newLevel("sgd"), newLevel("rmsProp")]);
  const [bottom, middle, top] = value();
  wrapper.getComponent(VueDraggable).vm.$emit("update:modelValue", [middle, top, bottom]);
  await flushPromises();
  expect(optimizers(value())).toEqual(["adam", "rmsProp", "sgd"]);
});

it("duplicates a level with its values, right above it", async () => {
  const { wrapper, value } = editor([newLevel("adam", { alpha: 0.5 }), newLevel("sgd")]);
  await click(wrapper, "stack-level-0-duplicate");
  expect(optimizers(value())).toEqual(["adam", "adam", "sgd"]);
  expect(value()[1]!.values["alpha"]).toBe(0.5);
  expect(new Set(value().map(({ id }) => id)).size).toBe(3);
});

it("grows and shrinks by its height, and keeps the tower while the height is half typed", async () => {
  const { wrapper, value } = editor([newLevel("adam"), newLevel("sgd", { alpha: 0.3 })]);
  await type(wrapper, "tower-height", "4");
  expect(optimizers(value())).toEqual(["adam", "sgd", "sgd", "sgd", "sgd"]);
  expect(value()[4]!.values["alpha"]).toBe(0.3);
  for (const text of ["", "-1", "1.5", "x"]) {
    await type(wrapper, "tower-height", text);
    expect(value(), text).toHaveLength(5);
  }
  await type(wrapper, "tower-height", "0");
  expect(optimizers(value())).toEqual(["adam"]);
});

it("offers no further level where the tower has as many as it may", async () => {
  const props = { weights: "mlp 128", parameters: [] };
  const { wrapper, set } = mountForm(TowerEditor, Array.from({ length: maxLevels }, () => newLevel("sgd")), { props, stubs: ["TowerLevel"] });
  const canCopy = () => wrapper.findAllComponents(TowerLevel).map((level) => level.props("canCopy"));
  expect(byTestid(wrapper, "add-level").attributes("disabled")).toBeDefined();
  expect(canCopy().every((can) => !can)).toBe(true);
  await set([newLevel("sgd")]);
  expect(byTestid(wrapper, "add-level").attributes("disabled")).toBeUndefined();
  expect(canCopy()).toEqual([true]);

  const level = { level: newLevel("sgd"), index: 0, isTop: true, isOnly: true, moves: "moves the weights", names: [] };
  const copies = [true, false].map((can) => byTestid(mountPart(TowerLevel, { props: { ...level, canCopy: can } }), "stack-level-0-duplicate"));
  expect(copies.map((button) => button.attributes("disabled") !== undefined)).toEqual([false, true]);
});

it("changes the optimizer of a level, and keeps what was set", async () => {
  const { wrapper, value } = editor([newLevel("adam", { alpha: 0.25 }), newLevel("sgd")]);
  expect(optionsOf(wrapper, "stack-level-0-optimizer").map(({ textContent }) => textContent.trim())).toEqual(optimizerNames.map((name) => optimizerSpec(name).label));
  await choose(wrapper, "stack-level-0-optimizer", "RMSProp");
  expect(optimizers(value())).toEqual(["rmsProp", "sgd"]);
  expect(value()[0]!.values).toMatchObject({ alpha: 0.25, gamma: 0.99 });
  expect(heading(wrapper, 1)).toBe("Level 1, SGD, moves α, γ of level 0");
});

it("learns a hyperparameter or holds it constant, on any level but the top one", async () => {
  const { wrapper, value } = editor([newLevel("adam"), newLevel("sgd")]);
  expect(byTestid(wrapper, "stack-level-0-beta1-learned").attributes("aria-pressed")).toBe("true");
  await click(wrapper, "stack-level-0-beta1-learned");
  expect(value()[0]!.learned).toEqual(["alpha", "beta2"]);
  expect(byTestid(wrapper, "stack-level-0-beta1-learned").text()).toBe("constant");
  expect(heading(wrapper, 1)).toContain("moves α, β₂ of level 0");
  await click(wrapper, "stack-level-0-logEps-learned");
  expect(value()[0]!.learned).toEqual(["alpha", "beta2", "logEps"]);
  expect(hasTestid(wrapper, "stack-level-1-alpha-learned")).toBe(false);
});

it("says that momentum of 0 stays off, and offers to learn it once it is not", async () => {
  const { wrapper, value } = editor([newLevel("sgd"), newLevel("sgd")]);
  expect(hasTestid(wrapper, "stack-level-0-mu-learned")).toBe(false);
  expect(wrapper.get('[data-field="tower.0.mu"]').text()).toContain("off at 0");
  await type(wrapper, "stack-level-0-mu", "0.9");
  expect(byTestid(wrapper, "stack-level-0-mu-learned").text()).toBe("learned");
  expect(value()[0]!.values["mu"]).toBe(0.9);
});

it.each([
  ["alpha", "-1", /alpha.*0 or more/],
  ["alpha", "much", /alpha/],
  ["beta1", "1", /beta1.*strictly between 0 and 1/],
  ["logEps", "1", /logEps.*from -30 to 0/],
])("says what is wrong with %s = %s, at the field", async (name, text, message) => {
  const { wrapper, value } = editor([newLevel("adam"), newLevel("sgd")]);
  await type(wrapper, `stack-level-0-${name}`, text);
  const field = byTestid(wrapper, `stack-level-0-${name}`);
  expect(field.attributes("aria-invalid")).toBe("true");
  const error = wrapper.get(`#${field.attributes("aria-describedby") ?? ""}`);
  expect(error.attributes("role")).toBe("alert");
  expect(error.text()).toMatch(message);
  // What was typed is kept for the person to mend.
  expect((field.element as HTMLInputElement).value).toBe(text);
  await type(wrapper, `stack-level-0-${name}`, name === "logEps" ? "-7" : "0.5");
  expect(wrapper.findAll("[role=alert]")).toHaveLength(0);
  expect(value()[0]!.values[name]).toBe(name === "logEps" ? -7 : 0.5);
});

it("hints at a level that has nothing to move", async () => {
  const { wrapper } = editor([newLevel("sgd"), newLevel("sgd")]);
  expect(hasTestid(wrapper, "tower-hint")).toBe(false);
  await click(wrapper, "stack-level-0-alpha-learned");
  expect(byTestid(wrapper, "tower-hint").text()).toMatch(/^Level 0 .* learns nothing/);
  expect(heading(wrapper, 1)).toContain("has nothing to move");
});

it("offers Muon, which is for matrices, on the first level alone", async () => {
  const { wrapper } = editor([newLevel("adam"), newLevel("sgd")]);
  const names = (level: number) => optionsOf(wrapper, `stack-level-${level}-optimizer`).map(({ textContent }) => textContent.trim());
  await click(wrapper, "stack-level-1-optimizer");
  expect(names(1)).toEqual(optimizerNames.filter((name) => name !== "muon").map((name) => optimizerSpec(name).label));
  expect(names(0)).toContain("Muon");
  await click(wrapper, "add-level");
  expect(document.querySelector('[data-testid="add-level-nAdam"]')).not.toBeNull();
  expect(document.querySelector('[data-testid="add-level-muon"]')).toBeNull();
});
