import type { VueWrapper } from "@vue/test-utils";
import { expect, it } from "vitest";
import LevelGroups from "@/components/tower/LevelGroups.vue";
import SettingsFields from "@/components/tower/SettingsFields.vue";
import { levelLocation } from "@/components/tower/settingsLocation.ts";
import { duplicateLevel, fromTower, learnedNames, newLevel, toTower, type DraftLevel } from "@/lib/towerEdits.ts";
import { optionsOf as optionsOfOptimizer } from "@shared/levelOptions.ts";
import { level as levelSchema } from "@shared/tower.ts";
import { defineComponent, h, ref } from "vue";
import { byTestid, choose, click, hasTestid, mountPart, type } from "./support.ts";

/** A component that tells how a level changes, with the level it changes. */
function editing(component: object, initial: DraftLevel, props: Record<string, unknown>, errors = new Map<string, string>()) {
  const level = ref(initial);
  const name = component === LevelGroups ? "level" : "settings";
  const host = defineComponent({
    setup: () => () => h(component, { ...props, [name]: level.value, onChange: (how: (level: DraftLevel) => DraftLevel) => (level.value = how(level.value)) }),
  });
  return { wrapper: mountPart(host, { errors: () => errors }), level: () => level.value };
}

const options = (level: DraftLevel, index: number, isTop = false, errors?: Map<string, string>) =>
  editing(SettingsFields, level, { place: levelLocation(index), isTop, options: optionsOfOptimizer(level.optimizer) }, errors);
const groups = (level: DraftLevel, index = 0, names = ["layer1.weight", "layer1.bias", "layer2.bias"], errors?: Map<string, string>) =>
  editing(LevelGroups, level, { index, isTop: false, names }, errors);

const badge = (wrapper: VueWrapper, testid: string) => byTestid(wrapper, testid).find(".count");

it("opens options on demand, those that are set at once, and counts them", async () => {
  const plain = options(newLevel("adam"), 1);
  expect(hasTestid(plain.wrapper, "stack-level-1-clipValue")).toBe(false);
  expect(badge(plain.wrapper, "stack-level-1-options").exists()).toBe(false);
  await click(plain.wrapper, "stack-level-1-options");
  await type(plain.wrapper, "stack-level-1-clipValue", "2");
  expect(plain.level().options["clipValue"]).toBe(2);
  expect(badge(plain.wrapper, "stack-level-1-options").text()).toBe("1");
  await type(plain.wrapper, "stack-level-1-clipValue", "");
  expect(plain.level().options["clipValue"]).toBe("");
  expect(badge(plain.wrapper, "stack-level-1-options").exists()).toBe(false);

  const set = options(newLevel("adam", {}, { options: { amsgrad: true } }), 1);
  expect(hasTestid(set.wrapper, "stack-level-1-amsgrad")).toBe(true);
});

it("offers the level of the weights nothing that concerns moving hyperparameters", async () => {
  const [bottom, upper] = [options(newLevel("sgd"), 0), options(newLevel("sgd"), 1)];
  await click(bottom.wrapper, "stack-level-0-options");
  await click(upper.wrapper, "stack-level-1-options");
  for (const name of ["warmUp", "every", "until", "maxChange", "horizon"]) {
    expect(hasTestid(bottom.wrapper, `stack-level-0-${name}`), name).toBe(false);
    expect(hasTestid(upper.wrapper, `stack-level-1-${name}`), name).toBe(true);
  }
});

it("offers to normalize hypergradients on every upper level, and to look ahead on the first of them", async () => {
  const [bottom, first, second] = [0, 1, 2].map((level) => options(newLevel("sgd"), level));
  for (const name of ["normalized", "lookahead"]) expect(hasTestid(bottom!.wrapper, `stack-level-0-${name}`)).toBe(false);
  for (const { wrapper } of [first!, second!]) await wrapper.get('[data-testid$="-options"]').trigger("click");
  expect(hasTestid(second!.wrapper, "stack-level-2-normalized")).toBe(true);
  expect(hasTestid(second!.wrapper, "stack-level-2-lookahead")).toBe(false);
  await byTestid(first!.wrapper, "stack-level-1-normalized").get("input").trigger("change");
  await type(first!.wrapper, "stack-level-1-lookahead", "4");
  expect(first!.level().options).toMatchObject({ normalized: true, lookahead: 4 });
});

it("offers a horizon to the level above the weights' alone, and higher up where it is set", async () => {
  const [first, second, set] = [options(newLevel("sgd"), 1), options(newLevel("sgd"), 2), options(newLevel("sgd", {}, { options: { horizon: 0.5 } }), 2)];
  await click(first.wrapper, "stack-level-1-options");
  await click(second.wrapper, "stack-level-2-options");
  await type(first.wrapper, "stack-level-1-horizon", "0.9");
  expect(first.level().options["horizon"]).toBe(0.9);
  expect(hasTestid(second.wrapper, "stack-level-2-horizon")).toBe(false);
  expect(hasTestid(set.wrapper, "stack-level-2-horizon")).toBe(true);
});

it("shows the settings of Mechanic once it is on, and writes them only then", async () => {
  const { wrapper, level } = options(newLevel("sgd"), 0);
  await click(wrapper, "stack-level-0-options");
  const own = ["sInit", "sDecay", "sLogEps", "mechanicBetas", "mechanicUpdates"];
  const shown = () => own.filter((name) => hasTestid(wrapper, `stack-level-0-${name}`));
  expect(shown()).toEqual([]);
  const toggle = () => wrapper.get('[data-testid="stack-level-0-mechanic"] input').trigger("change");
  await toggle();
  expect(shown()).toEqual(own);
  await type(wrapper, "stack-level-0-sInit", "1e-4");
  await type(wrapper, "stack-level-0-mechanicBetas", "0.9, 0.99 most");
  await wrapper.get('[data-field="tower.0.sInit"] button.el-button').trigger("click");
  expect(toTower([level()])[0]).toMatchObject({ mechanic: true, sInit: 1e-4, mechanicBetas: [0.9, 0.99, "most"], learned: ["alpha", "mu", "sInit"] });
  expect(learnedNames(level())).toEqual(["alpha", "sInit"]);
  await type(wrapper, "stack-level-0-mechanicBetas", "0.9, 0.99");
  expect(fromTower([levelSchema.parse(toTower([level()])[0])])[0]).toMatchObject({ options: { mechanic: true, mechanicBetas: "0.9, 0.99" }, values: { sInit: 1e-4 } });

  await toggle();
  expect(shown()).toEqual([]);
  expect(toTower([level()])[0]).toMatchObject({ mechanic: false, sInit: 1e-8, learned: ["alpha", "mu"] });
  expect(learnedNames(level())).toEqual(["alpha"]);
  expect(badge(wrapper, "stack-level-0-options").exists()).toBe(false);
});

it("offers Mechanic to the level of the weights alone, and only where it can tune the optimizer", async () => {
  for (const [optimizer, index, offered] of [["adam", 0, true], ["adam", 1, false], ["prodigy", 0, false]] as const) {
    const { wrapper } = options(newLevel(optimizer), index);
    await click(wrapper, `stack-level-${index}-options`);
    expect(hasTestid(wrapper, `stack-level-${index}-mechanic`), `${optimizer} on level ${index}`).toBe(offered);
  }
  const tuned = newLevel("sgd", { sInit: 1e-4 }, { options: { mechanic: true } });
  expect(toTower(duplicateLevel([tuned], 0)).map(({ mechanic, sInit }) => [mechanic, sInit])).toEqual([[true, 1e-4], [false, 1e-8]]);
});

it("sets choices and switches", async () => {
  const { wrapper, level } = options(newLevel("adam"), 0);
  await click(wrapper, "stack-level-0-options");
  await choose(wrapper, "stack-level-0-alphaAs", "in log space");
  await wrapper.get('[data-testid="stack-level-0-amsgrad"] input').trigger("change");
  expect(level().options).toMatchObject({ alphaAs: "log", amsgrad: true });
});

it("lets weight decay be learned, where a level stands above", async () => {
  const { wrapper, level } = options(newLevel("adam"), 0);
  await click(wrapper, "stack-level-0-options");
  const button = () => wrapper.get('[data-field="tower.0.weightDecay"] button.el-button');
  await button().trigger("click");
  expect(level().learned).toContain("weightDecay");
  await button().trigger("click");
  expect(level().learned).not.toContain("weightDecay");
  const top = options(newLevel("adam"), 2, true);
  await click(top.wrapper, "stack-level-2-options");
  expect(top.wrapper.find('[data-field="tower.2.weightDecay"] button.el-button').exists()).toBe(false);
});

it("bounds what is learned; a bound of nothing is none", async () => {
  const { wrapper, level } = options(newLevel("sgd"), 0);
  await click(wrapper, "stack-level-0-options");
  const [least, largest] = wrapper.findAll('[data-field="tower.0.bounds.alpha"] input');
  await largest!.setValue("0.1");
  expect(level().bounds).toEqual({ alpha: ["", 0.1] });
  await least!.setValue("1e-5");
  expect(level().bounds).toEqual({ alpha: [1e-5, 0.1] });
  await least!.setValue("");
  await largest!.setValue("");
  expect(level().bounds).toEqual({});
  const constant = options(newLevel("sgd", {}, { learned: [] }), 0);
  await click(constant.wrapper, "stack-level-0-options");
  expect(constant.wrapper.find('[data-field="tower.0.bounds.alpha"]').exists()).toBe(false);
});

it("says what is wrong with an option at the option", async () => {
  const { wrapper } = options(newLevel("sgd", {}, { options: { clipValue: -1 } }), 0, false, new Map([["tower.0.clipValue", "clipValue must be greater than 0"]]));
  expect(wrapper.get('[data-field="tower.0.clipValue"] [role=alert]').text()).toBe("clipValue must be greater than 0");
  expect(byTestid(wrapper, "stack-level-0-clipValue").attributes("aria-invalid")).toBe("true");
});

it("adds groups under free names, changes and removes them", async () => {
  const { wrapper, level } = groups(newLevel("adam", { alpha: 0.2 }));
  expect(hasTestid(wrapper, "stack-level-0-add-group")).toBe(false);
  await click(wrapper, "stack-level-0-groups");
  await click(wrapper, "stack-level-0-add-group");
  await click(wrapper, "stack-level-0-add-group");
  expect(level().groups.map(({ name, optimizer, values }) => [name, optimizer, values["alpha"]])).toEqual([["group1", "adam", 0.2], ["group2", "adam", 0.2]]);
  await type(wrapper, "stack-level-0-group-1-name", "biases");
  await choose(wrapper, "stack-level-0-group-1-match", "*.bias");
  await choose(wrapper, "stack-level-0-group-1-optimizer", "SGD");
  await type(wrapper, "stack-level-0-group-1-alpha", "0.7");
  expect(level().groups[1]).toMatchObject({ name: "biases", match: ["*.bias"], optimizer: "sgd", values: { alpha: 0.7 } });
  expect(level().groups[0]).toMatchObject({ name: "group1", match: [], optimizer: "adam", values: { alpha: 0.2 } });
  expect(level().values["alpha"]).toBe(0.2);
  await click(wrapper, "stack-level-0-group-0-remove");
  expect(level().groups.map(({ name }) => name)).toEqual(["biases"]);
});

it("says what a group holds and what is left, the first group that matches having it", () => {
  const { wrapper } = groups(newLevel("adam", {}, { groups: [{ optimizer: "sgd", name: "biases", match: ["*.bias"] }, { optimizer: "sgd", name: "first", match: ["layer1.*"] }] }));
  expect(byTestid(wrapper, "stack-level-0-group-0").text()).toContain("layer1.bias, layer2.bias");
  expect(byTestid(wrapper, "stack-level-0-group-1").text()).toContain("layer1.weight");
  expect(byTestid(wrapper, "stack-level-0-group-1").text()).not.toContain("layer1.bias");
  expect(wrapper.get(".list > .help:last-child").text()).toContain("nothing");
});

it("freezes a group, whose settings are then not asked for, and the rest", async () => {
  const { wrapper, level } = groups(newLevel("adam", {}, { groups: [{ optimizer: "sgd", name: "biases", match: ["*.bias"] }] }));
  await wrapper.get('[data-testid="stack-level-0-group-0-frozen"] input').trigger("change");
  expect(level().groups[0]!.frozen).toBe(true);
  expect(hasTestid(wrapper, "stack-level-0-group-0-alpha")).toBe(false);
  expect(hasTestid(wrapper, "stack-level-0-group-0-optimizer")).toBe(false);
  await wrapper.get('[data-testid="stack-level-0-frozen"] input').trigger("change");
  expect(level().frozen).toBe(true);
});

it("makes one group for each of what it moves", async () => {
  const { wrapper, level } = groups(newLevel("sgd"), 1, ["alpha", "beta1"]);
  await click(wrapper, "stack-level-1-groups");
  await click(wrapper, "stack-level-1-one-each");
  expect(level().groups.map(({ name, match }) => [name, ...match])).toEqual([["alpha", "alpha"], ["beta1", "beta1"]]);
  expect(level().frozen).toBe(true);
});

it("says what is wrong with a group", () => {
  const errors = new Map([["tower.0.groups.0.match", "biases matches nothing"], ["tower.0.groups", "too many groups"]]);
  const { wrapper } = groups(newLevel("adam", {}, { groups: [{ optimizer: "sgd", name: "biases", match: ["*.x"] }] }), 0, undefined, errors);
  expect(wrapper.findAll("[role=alert]").map((error) => error.text())).toEqual(["biases matches nothing", "too many groups"]);
});
