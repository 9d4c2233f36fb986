import { expect, it } from "vitest";
import { defaultDraft, draftOf } from "@/lib/draft.ts";
import { axisChoices, defaultStudyDraft, errorsByField, parseStudyDraft, previewAxis, readList, sameStudy, studyDraftOf, studyOfExperiment, validateStudyDraft } from "@/lib/studyDraft.ts";
import { validateExperiment } from "@shared/experiment.ts";
import { validateStudy, type Study, type StudyInput } from "@shared/study/study.ts";

function valid(input: StudyInput): Study {
  const result = validateStudy(input);
  if (!result.ok) throw new Error(result.errors[0]?.message);
  return result.study;
}

const sgd = { optimizer: "sgd" } as const;
const grid = { level: 0, hyperparameter: "alpha", values: { kind: "grid", scale: "log", from: 1e-8, to: 100, points: 11 } } as const;

it("carries a study through the form unchanged, whatever it varies", () => {
  const studies: StudyInput[] = [
    { name: "a", base: { tower: [sgd] }, axes: [grid], heights: { values: [0, 1, 2, 3], rule: { kind: "figure4b" } }, seeds: [0, 1, 2] },
    { base: { tower: [{ optimizer: "adam" }, sgd] }, axes: [{ level: 1, hyperparameter: "alpha", values: { kind: "list", values: [1e-7, 0.5] } }], seeds: [3, 9] },
    { base: { tower: [sgd] }, axes: [grid, { hyperparameter: "mu", values: { kind: "random", scale: "linear", from: 0, to: 0.9, points: 4, seed: 5 } }], halving: { rungs: [1, 3], keep: 0.25 } },
    { base: { tower: [{ optimizer: "adam" }] }, axes: [grid], heights: { values: [1, 2], rule: { kind: "fixed", alphas: [1e-5, 1e-9] }, upper: sgd, upperAt: { "2": { optimizer: "adam", beta1: 0.8 } } } },
    { stacks: [{ name: "plain", tower: [sgd], epochs: 30 }, { name: "tower", tower: [sgd, sgd], seeds: [2, 5], against: "plain" }, { name: "again", rerunOf: "tower", against: "plain" }] },
    { base: { tower: [sgd] }, axes: [{ hyperparameter: "alpha", values: { kind: "quasiRandom", from: 1e-3, to: 1, points: 8 } }] },
  ];
  for (const input of studies) {
    const study = valid(input);
    expect(validateStudyDraft(studyDraftOf(study))).toMatchObject({ ok: true, study });
  }
});

it("counts runs, and remembers half-typed text", () => {
  const draft = studyDraftOf(valid({ base: { tower: [sgd] }, axes: [grid], heights: { values: [0, 1, 2, 3] }, seeds: [0, 1, 2] }));
  expect(validateStudyDraft(draft)).toMatchObject({ ok: true, runs: 132 });
  draft.axes[0]!.to = "1e";
  draft.heights.alphas = "1e-3, x";
  const again = parseStudyDraft(JSON.stringify(draft));
  expect(again?.axes[0]?.to).toBe("1e");
  expect(again && validateStudyDraft(again)).toMatchObject({ ok: false, errors: [{ path: "axes.0.values.to" }] });
  expect(again && sameStudy(draft, again)).toBe(true);
  for (const text of ["", "{", "null", JSON.stringify(defaultDraft()), JSON.stringify(draft).replace('"sgd"', '"gone"')]) expect(parseStudyDraft(text)).toBeUndefined();
});

it("starts from an experiment: its step size under heights 0 and 1, its own levels above", () => {
  const result = validateExperiment({ name: "mine", tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }], seed: 4 });
  if (!result.ok) throw new Error("not valid");
  const found = validateStudyDraft(studyOfExperiment(draftOf(result.experiment)));
  expect(found).toMatchObject({ ok: true, runs: 20, study: { name: "Study of mine", heights: { values: [0, 1], rule: { kind: "base" } } } });
  expect(found.ok && found.study.base.tower).toEqual(result.experiment.tower);
  expect(validateStudyDraft(defaultStudyDraft()).ok).toBe(true);
});

it("puts each error at a field that shows it", () => {
  const draft = studyDraftOf(valid({ base: { tower: [sgd] }, axes: [grid], heights: { values: [0, 1] } }));
  draft.base.batchSize = "many";
  draft.axes[0]!.kind = "list";
  draft.axes[0]!.list = "0.1 0.2 nothing";
  draft.seeds = { by: "list", count: 1, list: "1, 1.5" };
  const first = validateStudyDraft(draft);
  const errors = errorsByField(first.ok ? [] : first.errors);
  expect([...errors.keys()]).toEqual(expect.arrayContaining(["batchSize", "axes.0.values.values", "seeds"]));
  draft.seeds = { by: "count", count: 0, list: "" };
  const second = validateStudyDraft(draft);
  expect(errorsByField(second.ok ? [] : second.errors).get("seeds")).toMatch(/from 1 to 1000/);
});

it("names what contradicts itself", () => {
  const draft = studyDraftOf(valid({ base: { tower: [sgd, sgd] }, axes: [{ ...grid, level: 1 }], heights: { values: [0, 1], rule: { kind: "base" } } }));
  expect(validateStudyDraft(draft)).toMatchObject({ ok: false, errors: [{ path: "axes.0.level" }] });
});

it("previews an axis while another cannot be read", () => {
  const draft = studyDraftOf(valid({ base: { tower: [sgd] }, axes: [{ ...grid, values: { ...grid.values, from: 0.01, to: 1, points: 3 } }, { hyperparameter: "mu", values: { kind: "list", values: [0, 0.9] } }] }));
  expect(previewAxis(draft, 0)).toEqual([0.01, 0.1, 1]);
  draft.axes[1]!.list = "oh";
  expect(previewAxis(draft, 0)).toEqual([0.01, 0.1, 1]);
  expect(previewAxis(draft, 1)).toBeUndefined();
});

it("offers what the levels have, those the heights add included", () => {
  const draft = studyDraftOf(valid({ base: { tower: [{ optimizer: "adam" }] }, axes: [grid], heights: { values: [0, 2], upper: { optimizer: "rmsProp" }, rule: { kind: "base" } } }));
  const names = (level: number) => axisChoices(draft).filter((choice) => choice.level === level).map(({ spec }) => spec.name);
  expect(names(0)).toContain("beta2");
  expect(names(2)).toContain("gamma");
  expect(names(3)).toEqual([]);
});

it("reads lists as people write them", () => {
  expect(readList(" 1e-3, 0.01;0.1\n1 ")).toEqual([0.001, 0.01, 0.1, 1]);
  expect(readList("1e-3, x")).toEqual([0.001, "x"]);
  expect(readList("")).toEqual([]);
});
