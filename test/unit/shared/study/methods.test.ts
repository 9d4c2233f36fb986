import { describe, expect, test } from "vitest";
import { cohortsOf } from "../../../../src/shared/study/cohorts.ts";
import { countRuns, expandStudy } from "../../../../src/shared/study/expand.ts";
import { knobsOf, namedKnob, startingHyperparameter } from "../../../../src/shared/study/methods.ts";
import { trainingRanks } from "../../../../src/shared/study/order.ts";
import { method as methodSchema, study as studySchema, validateStudy, type StudyInput } from "../../../../src/shared/study/study.ts";
import { makeStudy } from "../../../support/studyPoints.ts";

const two = (extra: Partial<NonNullable<StudyInput["methods"]>> = {}): StudyInput => ({
  methods: {
    factors: { kind: "grid", from: 1e-2, to: 1e2, points: 5 },
    list: [
      { name: "Prodigy", tower: [{ optimizer: "prodigy" }] },
      { name: "tower", tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }], knobs: [{ level: 1, hyperparameter: "alpha" }] },
    ],
    ...extra,
  },
  seeds: [0, 1],
});

const cellsOf = (input: StudyInput) => {
  const expansion = expandStudy(makeStudy(input));
  if (!expansion.ok) throw new Error(JSON.stringify(expansion.errors));
  return expansion.cells;
};

const errorsOf = (input: StudyInput) => {
  const expansion = expandStudy(makeStudy(input));
  return expansion.ok ? [] : expansion.errors;
};

describe("the runs of a study of methods", () => {
  const cells = cellsOf(two());
  const alphasOf = (name: string, level: number) => cells.filter(({ stack, seed }) => stack === name && seed === 0).map(({ experiment }) => (experiment.tower[level] as { alpha: number }).alpha);

  test("are each method's starting value, then each knob alone, at the same factors of the published default", () => {
    expect(cells).toHaveLength(2 * (5 + 5 + 4));
    expect(countRuns(makeStudy(two()))).toBe(cells.length);
    const prodigy = cells.filter(({ stack, seed }) => stack === "Prodigy" && seed === 0);
    expect(prodigy.map(({ experiment }) => (experiment.tower[0] as unknown as { d0: number }).d0)).toEqual([1e-8, 1e-7, 1e-6, 1e-5, 1e-4]);
    expect(alphasOf("tower", 0)).toEqual([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e-3, 1e-3, 1e-3, 1e-3]);
    expect(alphasOf("tower", 1)).toEqual([1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-7, 1e-6, 1e-4, 1e-3]);
    expect(cells.find(({ key }) => key === "tower|L1.alpha x0.01|s1")?.values).toEqual([1, 0.01]);
  });

  test("have keys that do not change when another knob or factor is added", () => {
    const more = new Set(cellsOf(two({
      factors: { kind: "grid", from: 1e-4, to: 1e4, points: 9 },
      list: [...two().methods!.list.slice(0, 1), { ...two().methods!.list[1]!, knobs: [{ level: 0, hyperparameter: "beta1", published: 1e-5 }, { level: 1, hyperparameter: "alpha" }] }],
    })).map(({ key }) => key));
    expect(cells.filter(({ key }) => !more.has(key))).toEqual([]);
  });

  test("are ranked for training and grouped into cohorts like those of heights", () => {
    const study = makeStudy(two());
    const ranks = trainingRanks(study, cells);
    expect(ranks.size).toBe(cells.length);
    expect(ranks.get("Prodigy|x1|s0")).toBeLessThan(ranks.get("Prodigy|x0.1|s0")!);
    expect(cohortsOf(cells, study.seeds, 100).flat()).toHaveLength(cells.length);
  });
});

test("the starting value is the one an optimizer is known by", () => {
  expect((["sgd", "adam", "prodigy", "dAdaptSgd", "dog", "lDog", "muon"] as const).map((optimizer) => startingHyperparameter({ optimizer }))).toEqual(["alpha", "alpha", "d0", "d0", "firstMove", "firstMove", "alpha"]);
  expect(startingHyperparameter({ optimizer: "adam", mechanic: true })).toBe("sInit");
  const tuned = methodSchema.parse({ name: "Mechanic", tower: [{ optimizer: "sgd", alpha: 1, mechanic: true }] });
  expect(namedKnob(tuned, knobsOf(tuned)[0])).toMatchObject({ path: "L0.sInit", published: 1e-8 });
  const method = makeStudy(two()).methods!.list[1]!;
  expect(knobsOf(method).map((knob) => namedKnob(method, knob))).toMatchObject([{ path: "L0.alpha", published: 1e-3, words: "step size" }, { path: "L1.alpha", published: 1e-5, words: "step size of level 1" }]);
});

test("what contradicts itself is named", () => {
  const [prodigy, tower] = two().methods!.list as [{ name: string; tower: [{ optimizer: "prodigy" }] }, NonNullable<StudyInput["methods"]>["list"][number]];
  expect(errorsOf({ ...two(), axes: [{ values: { kind: "list", values: [1] } }] })).toMatchObject([{ path: "axes", message: expect.stringContaining("leave out axes") as string }]);
  expect(errorsOf({ ...two(), heights: { values: [0] } })).toMatchObject([{ path: "methods", message: expect.stringContaining("not both") as string }]);
  expect(errorsOf(two({ factors: { kind: "list", values: [0.1, 10] } }))).toMatchObject([{ path: "methods.factors", message: expect.stringContaining("lack 1") as string }]);
  expect(errorsOf(two({ factors: { kind: "list", values: [-1, 1] } }))).toMatchObject([{ path: "methods.factors", message: expect.stringContaining("greater than 0") as string }]);
  expect(errorsOf(two({ factors: { kind: "grid", from: 0, to: 1, points: 3 } }))).toMatchObject([{ path: "methods.factors.from", message: expect.stringContaining("log scale") as string }]);
  expect(errorsOf(two({ list: [prodigy, prodigy] }))).toMatchObject([{ path: "methods.list.1.name" }]);
  expect(errorsOf(two({ list: [{ ...tower, knobs: [{ level: 2, hyperparameter: "alpha" }] }] }))).toMatchObject([{ path: "methods.list.0.knobs.0", message: "there is no level 2 in tower, whose levels are 0 to 1" }]);
  expect(errorsOf(two({ list: [{ ...tower, knobs: [{ level: 1, hyperparameter: "d0" }] }] }))).toMatchObject([{ message: expect.stringContaining("SGD, level 1 of tower, has no d0; it has: alpha") as string }]);
  expect(errorsOf(two({ list: [{ ...tower, knobs: [{ level: 0, hyperparameter: "alpha" }] }] }))).toMatchObject([{ message: "tower sweeps L0.alpha already" }]);
  expect(errorsOf(two({ list: [{ ...tower, knobs: [{ level: 1, hyperparameter: "mu" }] }] }))).toMatchObject([{ message: expect.stringContaining("set published") as string }]);
  expect(errorsOf(two({ list: [{ ...tower, knobs: [{ level: 0, hyperparameter: "beta1" }] }] }))).toMatchObject([{ message: "L0.beta1 of tower would be 9; allowed: strictly between 0 and 1" }]);
  const nameless = validateStudy({ methods: { list: [] } });
  expect(nameless.ok ? [] : nameless.errors).toMatchObject([{ path: "methods.list" }]);
});

test("definitions older than methods still open", () => {
  const { methods: _, ...older } = makeStudy({ heights: { values: [0, 1] } });
  expect(studySchema.parse(JSON.parse(JSON.stringify(older))).methods).toBeNull();
});
