import { describe, expect, it } from "vitest";
import { experiment, validateExperiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { findPreset, presets } from "../../../src/shared/presets.ts";
import { madeRobust, robustUpper } from "../../../src/shared/robust.ts";
import { expandStudy } from "../../../src/shared/study/expand.ts";
import { studyPresets } from "../../../src/shared/study/presets.ts";
import { validateStudy } from "../../../src/shared/study/study.ts";
import { trainHere } from "../../support/trainHere.ts";

const robust = (input: ExperimentInput) => {
  const result = madeRobust(experiment.parse(input));
  if (!result.ok) throw new Error(result.errors[0]!.message);
  return result.experiment;
};

describe("the robust preset", () => {
  it("puts one normalized level above the first, which learns its step size in log space and keeps the rest", () => {
    const { tower, guard } = robust({ tower: [{ optimizer: "adam", alpha: 1e-5, beta1: 0.8, groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", mu: 0.9 }] }, { optimizer: "adam" }, { optimizer: "sgd" }] });
    expect(guard.on).toBe(true);
    expect(tower).toHaveLength(2);
    expect(tower[0]).toMatchObject({ alpha: 1e-5, beta1: 0.8, learned: ["alpha"], alphaAs: "log", groups: [{ optimizer: "sgd", mu: 0.9, learned: ["alpha"], alphaAs: "log" }] });
    expect(tower[1]).toMatchObject(robustUpper);
  });

  it.each(presets.map((preset) => [preset.name, preset.experiment] as const))("fits the preset %s, and is made once", (_, input) => {
    const once = robust(input);
    expect(validateExperiment(once).ok).toBe(true);
    expect(madeRobust(once)).toEqual({ ok: true, experiment: once });
  });

  it("refuses a step size without a logarithm by name", () => {
    expect(madeRobust(experiment.parse({ tower: [{ optimizer: "sgd", alpha: 0 }] }))).toMatchObject({ ok: false, errors: [{ path: "tower.0.alpha", message: "SGD alpha is 0; in log space it must be greater than 0" }] });
  });

  it.each(studyPresets.filter(({ name }) => name.startsWith("robust-")))("is compared in the study $name", ({ study }) => {
    const checked = validateStudy(study);
    if (!checked.ok) throw new Error(checked.errors[0]!.message);
    const expanded = expandStudy(checked.study);
    expect(expanded.ok && expanded.cells.length).toBe(45);
  });

  it("learns the digits from a step size a thousand times too small, as the plain optimizer does not", async () => {
    const tower = [{ optimizer: "adam" as const, alpha: 1e-6 }];
    const base = { dataset: { kind: "digits" }, model: { kind: "mlp" as const, hidden: [32] }, batchSize: 32, budget: { epochs: 8 }, evaluation: { every: "end" as const }, tower };
    const errorOf = async (input: ExperimentInput) => (await trainHere(input)).evaluations.at(-1)!.testError!;
    expect(await errorOf(base)).toBeGreaterThan(80);
    expect(await errorOf({ ...base, tower: findPreset("robust")!.experiment.tower! })).toBeLessThan(20);
  });
});
