/** Studies of named stacks in the window: the table of their results, and the form that lists them. */
import { createPinia, setActivePinia } from "pinia";
import { mount } from "@vue/test-utils";
import { beforeEach, expect, it } from "vitest";
import StacksPanel from "@/components/study/StacksPanel.vue";
import StacksEditor from "@/components/studyForm/StacksEditor.vue";
import { studyDraftOf, studyOf, type DraftStack } from "@/lib/studyDraft.ts";
import { sensitivityOf } from "@shared/study/sensitivity.ts";
import { makePoint, makeStudy } from "../../../support/studyPoints.ts";

beforeEach(() => setActivePinia(createPinia()));

const study = makeStudy({
  stacks: [
    { name: "SGD", tower: [{ optimizer: "sgd" }] },
    { name: "tower", tower: [{ optimizer: "sgd" }, { optimizer: "sgd" }], epochs: 30, against: "SGD" },
    { name: "again", rerunOf: "tower", against: "SGD" },
  ],
  seeds: [0, 1, 2],
});
const errors: Record<string, number> = { SGD: 9, tower: 5, again: 6 };
const points = study.stacks!.flatMap(({ name }, i) =>
  study.seeds.map((seed) => ({ ...makePoint(i % 2, [], seed, name === "again" && seed === 2 ? { status: "skipped" } : name === "tower" && seed === 1 ? {} : { error: errors[name]! + 0.1 * seed }), stack: name })),
);

it("shows each stack with its interval, and how it does against the one it names", async () => {
  const mounted = mount(StacksPanel, { props: { study, sensitivity: sensitivityOf(study, points) } });
  const cells = (row: number) => mounted.findAll(`[data-testid="stack-row-${row}"] td`).map((cell) => cell.text());
  expect(mounted.get("thead").text()).toContain("Test error (%) ± SE");
  expect(cells(0)).toEqual(["SGD", "5", "3", "9.10 ± 0.06", expect.stringMatching(/^8\.\d\d to 9\.\d\d$/), "", "", "", ""]);
  // A diverged run counts as the worst, a skipped one not at all.
  expect(cells(1)).toEqual(["towerSGD / SGD", "30", "3", expect.stringContaining("33.4") as string, expect.any(String), "SGD", expect.stringMatching(/^-24\.\d+ \(/), "2 of 3", "1 diverged"]);
  expect(cells(2).slice(0, 4)).toEqual(["againplain at what tower learned", "30", "2 of 3", "6.05 ± 0.05"]);
  expect(cells(2).slice(5)).toEqual(["SGD", expect.stringMatching(/^3\.05 \(/), "2 of 2", "1 skipped"]);
  const names = () => mounted.findAll("tbody .name").map((name) => name.text());
  expect(names()).toEqual(["SGD", "tower", "again"]);
  await mounted.get('[data-testid="stack-order"] input[value="best"], [data-testid="stack-order"] label:last-of-type input').setValue(true);
  expect(names()).toEqual(["again", "SGD", "tower"]);
});

it("adds a rerun below its stack, and takes it into the study", async () => {
  const draft = studyDraftOf(study);
  const mounted = mount(StacksEditor, { props: { modelValue: draft.stacks.slice(0, 2), base: draft.base.levels, "onUpdate:modelValue": (stacks: DraftStack[]) => mounted.setProps({ modelValue: stacks }) } });
  // A plain optimizer learns nothing that could be rerun.
  expect(mounted.find('[data-testid="add-rerun-0"]').exists()).toBe(false);
  await mounted.get('[data-testid="add-rerun-1"]').trigger("click");
  const stacks = mounted.props("modelValue");
  expect(stacks.map(({ name, rerunOf, against }) => [name, rerunOf, against])).toEqual([["SGD", null, null], ["tower", null, "SGD"], ["tower, plain at the learned values", "tower", "SGD"]]);
  expect(mounted.text()).toContain("plain at what tower learned");
  expect(mounted.find('[data-testid="add-rerun-1"]').exists()).toBe(false);
  expect(studyOf({ ...draft, stacks })).toMatchObject({ stacks: [{}, {}, { tower: null, rerunOf: "tower" }] });
});
