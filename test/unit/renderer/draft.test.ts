import { expect, it } from "vitest";
import { defaultDraft, draftOf, parseDraft, sameExperiment, serializeDraft, validateDraft, weightCount } from "@/lib/draft.ts";
import { validateExperiment, type Experiment } from "@shared/experiment.ts";

function valid(input: unknown): Experiment {
  const result = validateExperiment(input);
  if (!result.ok) throw new Error(result.errors[0]?.message);
  return result.experiment;
}

it("carries an experiment through the form unchanged", () => {
  const experiment = valid({ name: "a", tower: [{ optimizer: "adam", beta2: 0.99 }, { optimizer: "sgd", mu: 0.5 }], model: { hidden: [64, 32] }, seed: 7 });
  expect(validateDraft(draftOf(experiment))).toEqual({ ok: true, experiment });
});

it("starts from the seed example", () => {
  expect(validateDraft(defaultDraft())).toEqual({ ok: true, experiment: valid({}) });
});

it("keeps half-typed text across a visit, and reports it at its field", () => {
  const draft = defaultDraft();
  draft.batchSize = "1e";
  draft.model.hidden = [128, ""];
  const again = parseDraft(serializeDraft(draft));
  expect(again?.batchSize).toBe("1e");
  const result = again && validateDraft(again);
  expect(result?.ok === false && result.errors.map(({ path }) => path).sort()).toEqual(["batchSize", "model.hidden.1"]);
});

it("names the field of a hyperparameter outside its domain", () => {
  const draft = draftOf(valid({ tower: [{ optimizer: "adam" }, { optimizer: "sgd" }] }));
  draft.levels = draft.levels.map((level, i) => (i === 0 ? { ...level, values: { ...level.values, beta1: 1 } } : level));
  const result = validateDraft(draft);
  expect(result.ok).toBe(false);
  expect(!result.ok && result.errors).toMatchObject([{ path: "tower.0.beta1", message: expect.stringContaining("strictly between 0 and 1") as string }]);
});

it("reads nothing from damaged storage", () => {
  for (const text of ["", "{", "null", "{}", '{"levels":[]}', serializeDraft(defaultDraft()).replace('"adam"', '"gone"')]) {
    expect(parseDraft(text)).toBeUndefined();
  }
});

it("tells experiments apart whatever their names", () => {
  const a = draftOf(valid({ name: "a" }));
  expect(sameExperiment(a, draftOf(valid({ name: "b" })))).toBe(true);
  expect(sameExperiment(a, draftOf(valid({ name: "a", seed: 1 })))).toBe(false);
  expect(sameExperiment(a, parseDraft(serializeDraft(a)) ?? defaultDraft())).toBe(true);
});

it("counts weights and biases", () => {
  expect(weightCount(784, [128], 10)).toBe(101_770);
  expect(weightCount(784, [], 10)).toBe(7850);
  expect(weightCount(784, ["x"], 10)).toBeUndefined();
  expect(weightCount(784, [0], 10)).toBeUndefined();
});
