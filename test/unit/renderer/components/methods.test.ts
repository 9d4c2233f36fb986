/** Studies of methods in the window: the form that chooses them, and the picture and table of their results. */
import { flushPromises, type VueWrapper } from "@vue/test-utils";
import { expect, it } from "vitest";
import StudyChart from "@/components/charts/StudyChart.vue";
import HeadlinePanel from "@/components/study/HeadlinePanel.vue";
import MethodsResult from "@/components/study/MethodsResult.vue";
import StudyForm from "@/components/studyForm/StudyForm.vue";
import { useStudyView } from "@/composables/useStudyView.ts";
import { errorsByField, parseStudyDraft, studyDraftOf, studyOfExperiment, validateStudyDraft, type StudyDraft } from "@/lib/studyDraft.ts";
import { commonMethods } from "@shared/study/methodPresets.ts";
import { expandStudy } from "@shared/study/expand.ts";
import type { StudyPoint } from "@shared/study/result.ts";
import { sensitivityOf } from "@shared/study/sensitivity.ts";
import type { Study, StudyInput } from "@shared/study/study.ts";
import { makePoint, makeStudy } from "../../../support/studyPoints.ts";
import { draftFrom } from "./samples.ts";
import { byTestid, choose, click, hasTestid, mountForm, mountPart, type } from "./support.ts";

const blank = () => studyOfExperiment(draftFrom({ tower: [{ optimizer: "adam" }] }));
const check = (draft: StudyDraft): ReadonlyMap<string, string> => {
  const found = validateStudyDraft(draft);
  return found.ok ? new Map() : errorsByField(found.errors);
};
/** The study that a draft comes to. */
function studyIn(draft: StudyDraft): Study {
  const found = validateStudyDraft(draft);
  if (!found.ok) throw new Error(found.errors.map(({ path, message }) => `${path}: ${message}`).join("; "));
  return found.study;
}
const segment = async (wrapper: VueWrapper, testid: string, label: string) => {
  await byTestid(wrapper, testid).findAll("label").find((found) => found.text() === label)!.get("input").setValue(true);
  await flushPromises();
};
async function form(draft: StudyDraft = blank()) {
  const mounted = mountForm(StudyForm, draft, { props: { study: null, workers: "" }, check });
  await segment(mounted.wrapper, "compares", "Methods");
  return mounted;
}
const names = (draft: StudyDraft) => draft.methods.list.map(({ name }) => name);

it("starts with the whole catalogue, from which methods are taken and to which they return", async () => {
  const { wrapper, value } = await form();
  const all = commonMethods().map(({ name }) => name);
  expect(names(value())).toEqual(all);
  expect(studyIn(value())).toMatchObject({ axes: [], heights: null, stacks: null, methods: { factors: { kind: "grid", scale: "log", from: 1e-4, to: 1e4, points: 9 } } });
  await click(wrapper, "catalogue-Prodigy");
  expect(byTestid(wrapper, "catalogue-Prodigy").attributes("aria-pressed")).toBe("false");
  await click(wrapper, "remove-method-0");
  expect(names(value())).toEqual(all.slice(1).filter((name) => name !== "Prodigy"));
  await click(wrapper, "catalogue-Prodigy");
  expect(names(value()).at(-1)).toBe("Prodigy");
  // Fields of the axes, towers and stacks are no part of it.
  for (const other of ["add-axis", "tower-examples", "stacks"]) expect(hasTestid(wrapper, other), other).toBe(false);
});

it("multiplies every default by the same factors, given as decades or listed", async () => {
  const { wrapper, value } = await form();
  await type(wrapper, "factor-decades", "4");
  await type(wrapper, "factor-points", "5");
  expect(byTestid(wrapper, "axis-preview").text()).toContain("5 values: 0.01, 0.1, 1, 10, 100");
  expect(studyIn(value()).methods?.factors).toMatchObject({ from: 0.01, to: 100, points: 5 });
  await type(wrapper, "factor-points", "4");
  expect(wrapper.text()).toMatch(/factors lack 1, the published default/);
  await type(wrapper, "factor-points", "5");
  await segment(wrapper, "factors-by", "List");
  expect(byTestid(wrapper, "factor-list").element).toHaveProperty("value", "0.01, 0.1, 1, 10, 100");
  await type(wrapper, "factor-list", "0.1 1 x");
  expect(byTestid(wrapper, "factor-list").attributes("aria-invalid")).toBe("true");
  await type(wrapper, "factor-list", "0.1, 1");
  expect(studyIn(value()).methods?.factors).toEqual({ kind: "list", values: [0.1, 1] });
  await segment(wrapper, "factors-by", "Decades");
  await type(wrapper, "factor-decades", "none");
  expect(byTestid(wrapper, "factor-decades").attributes("aria-invalid")).toBe("true");
});

it("sweeps the other knobs where asked: a tower's upper step size unless others are chosen", async () => {
  const { wrapper, value } = await form();
  const knobsOf = (name: string) => studyIn(value()).methods!.list.find((method) => method.name === name)!.knobs.map(({ level, hyperparameter }) => `L${level}.${hyperparameter}`);
  expect(knobsOf("Adam / SGD")).toEqual([]);
  await byTestid(wrapper, "sweep-knobs").get("input").trigger("change");
  await flushPromises();
  expect(knobsOf("Adam / SGD")).toEqual(["L1.alpha"]);
  const at = names(value()).indexOf("Adam / SGD");
  expect(byTestid(wrapper, `method-${at}`).text()).toContain("also swept: α of level 1");
  await click(wrapper, `edit-method-${at}`);
  // Decay rates between 0 and 1 cannot be multiplied by 10,000.
  expect(hasTestid(wrapper, `method-${at}-knob-L0.beta1`)).toBe(false);
  await click(wrapper, `method-${at}-knob-L1.alpha`);
  expect(knobsOf("Adam / SGD")).toEqual([]);
  await click(wrapper, `method-${at}-knob-L1.alpha`);
  expect(knobsOf("Adam / SGD")).toEqual(["L1.alpha"]);
});

it("edits a method: name, tower, starting value and its published default, with errors at their fields", async () => {
  const { wrapper, value } = await form();
  await click(wrapper, "add-method");
  const at = value().methods.list.length - 1;
  expect(names(value())[at]).toBe("My method");
  await type(wrapper, `method-${at}-name`, "Adam, slow");
  await type(wrapper, "stack-level-0-alpha", "1e-5");
  await choose(wrapper, `method-${at}-start`, "α, step size");
  await type(wrapper, `method-${at}-published`, "1e-3");
  expect(studyIn(value()).methods!.list[at]).toMatchObject({ name: "Adam, slow", tower: [{ alpha: 1e-5 }], start: { level: 0, hyperparameter: "alpha", published: 1e-3 } });
  await type(wrapper, "stack-level-0-beta1", "2");
  expect(byTestid(wrapper, "stack-level-0-beta1").attributes("aria-invalid")).toBe("true");
  await click(wrapper, `edit-method-${at}`);
  expect(byTestid(wrapper, `method-${at}`).get("[role=alert]").text()).toMatch(/beta1|β₁|between 0 and 1/);
  await click(wrapper, `copy-method-${at}`);
  expect(names(value())[at + 1]).toBe("Adam, slow, copy");
  await type(wrapper, `method-${at + 1}-name`, "Adam, slow");
  await type(wrapper, "stack-level-0-beta1", "0.9");
  await click(wrapper, `remove-method-${at}`);
  expect(check(value())).toEqual(new Map());
});

it("forgets the knobs of levels that are gone", async () => {
  const { wrapper, value } = await form();
  await byTestid(wrapper, "sweep-knobs").get("input").trigger("change");
  await flushPromises();
  const at = names(value()).indexOf("Adam / SGD");
  await click(wrapper, `edit-method-${at}`);
  await type(wrapper, "tower-height", "0");
  expect(value().methods.list[at]!.knobs).toEqual([]);
  expect(check(value())).toEqual(new Map());
});

const compared: StudyInput = {
  name: "Compared",
  base: { dataset: { trainExamples: 6000 } },
  methods: {
    factors: { kind: "list", values: [0.1, 1, 10] },
    list: [
      { name: "SGD", tower: [{ optimizer: "sgd", alpha: 0.1 }] },
      { name: "Prodigy", tower: [{ optimizer: "prodigy" }] },
      { name: "Adam / SGD", tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }], knobs: [{ level: 1, hyperparameter: "alpha" }] },
    ],
  },
  seeds: [0, 1],
};

it("carries a study of methods through the form unchanged, and remembers what was typed", () => {
  const inputs: StudyInput[] = [compared, { ...compared, methods: { list: commonMethods() } }, { methods: { factors: { kind: "grid", from: 0.1, to: 10, points: 3 }, list: [{ name: "Adam", tower: [{ optimizer: "adam" }], start: { level: 0, hyperparameter: "alpha", published: 0.01 } }] } }];
  for (const input of inputs) {
    const study = makeStudy(input);
    const again = parseStudyDraft(JSON.stringify(studyDraftOf(study)));
    expect(again && studyIn(again)).toEqual(study);
  }
  const { methods: _, ...earlier } = blank();
  expect(parseStudyDraft(JSON.stringify(earlier))?.methods.list).toEqual([]);
});

const study = makeStudy(compared);
/** Test errors: SGD works at its default alone, Prodigy everywhere, the tower up to its default. */
const errors: Record<string, readonly number[]> = { SGD: [40, 5, 60], Prodigy: [4, 3.8, 3.9], "Adam / SGD": [3, 3.1, 9] };
function pointsOf(of: Study): StudyPoint[] {
  const expansion = expandStudy(of);
  if (!expansion.ok) throw new Error("not valid");
  return expansion.cells.map(({ key, height, stack = "", values, seed }) => {
    const [start = 1, knob = 1] = values;
    const error = knob === 1 ? errors[stack]![[0.1, 1, 10].indexOf(start)]! : knob > 1 ? 50 : 3.4;
    return { ...makePoint(height, values, seed, stack === "SGD" && start === 10 && seed === 1 ? { error: null } : { error: error + 0.1 * seed, stepTime: stack === "SGD" ? 1 : 2 }), key, stack };
  });
}
const points = pointsOf(study);

const result = () => mountPart(MethodsResult, { props: { study, sensitivity: sensitivityOf(study, points) }, stubs: ["StudyChart"] });
const rowTexts = (wrapper: VueWrapper, id: string) => byTestid(wrapper, `method-row-${id}`).findAll("td").map((cell) => cell.text());

it("shows each method with rank, defaults and intervals, and below it the range of its other knob", () => {
  const wrapper = result();
  const rows = wrapper.findAll("tbody tr").map((row) => row.attributes("data-testid"));
  // The widest usable range first; a knob follows its method.
  expect(rows).toEqual(["method-row-1", "method-row-2", "method-row-2-L1.alpha", "method-row-0"]);
  const prodigy = rowTexts(wrapper, "1");
  expect(prodigy[0]).toMatch(/^1/);
  expect(prodigy[1]).toBe("ProdigyProdigy");
  expect(prodigy[2]).toBe("d₀ = 1e-6");
  expect(prodigy[3]).toMatch(/^≥ 2\.0/);
  expect(rowTexts(wrapper, "2-L1.alpha").slice(0, 4)).toEqual(["", expect.stringContaining("α of level 1"), "α = 1e-5", expect.stringMatching(/^≥ 1\.\d/)]);
  expect(rowTexts(wrapper, "0").at(-1)).toBe("1 diverged");
  expect(wrapper.text()).toContain("another knob over the same factors");
});

it("orders the methods by what is asked, and leads to the best run of each", async () => {
  const wrapper = result();
  await choose(wrapper, "rank-by", "Time per step");
  expect(wrapper.findAll("tbody tr")[0]!.attributes("data-testid")).toBe("method-row-0");
  await choose(wrapper, "rank-by", "Best test error");
  expect(wrapper.findAll("tbody tr")[0]!.attributes("data-testid")).toBe("method-row-2");
  const best = points.find(({ stack, values, seed }) => stack === "Adam / SGD" && values[0] === 0.1 && values[1] === 1 && seed === 0)!;
  const link = byTestid(wrapper, "method-row-2").get("a");
  expect(link.attributes("href")).toBe(`/runs/${best.run}`);
  expect(link.text()).toBe("× 0.1");
});

it("has no times, and says why, where runs trained as one program", () => {
  const together = { ...study, cohort: 4 };
  const timed = result();
  const shared = mountPart(MethodsResult, { props: { study: together, sensitivity: sensitivityOf(together, points) }, stubs: ["StudyChart"] });
  const heads = (wrapper: VueWrapper) => wrapper.findAll("th").map((cell) => cell.text());
  expect(heads(timed)).toContainEqual(expect.stringContaining("Time per step"));
  expect(heads(shared).join()).not.toContain("Time per step");
  expect([timed.text(), shared.text()]).toEqual([expect.not.stringContaining("by time"), expect.stringContaining("not compared by time, because up to 4 runs were trained as one program")]);
});

it("draws the error against factors of the defaults, or against the starting values", async () => {
  useStudyView().absolute.value = false;
  const wrapper = mountPart(HeadlinePanel, { props: { shown: [{ id: "s", title: "Compared", study, points }], axis: 0, fixed: {} }, stubs: ["PointTable", "StudyChart"] });
  await flushPromises();
  const chart = () => wrapper.getComponent(StudyChart);
  const drawn = (name: string) => chart().props("lines")!.find((line) => line.name === name)!.points.map(([x]) => x);
  expect(drawn("Prodigy")).toEqual([0.1, 1, 10]);
  expect(drawn("Adam / SGD")).toEqual([0.1, 1, 10]);
  await segment(wrapper, "methods-axis", "Starting value");
  expect(drawn("Prodigy")).toEqual([1e-7, 1e-6, 1e-5]);
  expect(drawn("SGD")).toEqual([0.01, 0.1, 1]);
  expect(chart().props("label")).toContain("a line for each of 3 methods");
});
