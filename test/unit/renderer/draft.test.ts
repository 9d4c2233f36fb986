import { expect, it } from "vitest";
import { defaultDraft, draftOf, parseDraft, sameExperiment, serializeDraft, validateDraft } from "@/lib/draft.ts";
import { isDraftModel, layersOf, newLayer, newModel, placeFor } from "@/lib/modelDraft.ts";
import { validateExperiment, type Experiment } from "@shared/experiment.ts";
import { layerKinds } from "@shared/models/layers.ts";
import { modelKinds } from "@shared/models/schema.ts";

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
  draft.model = { ...draft.model, hidden: [128, ""] };
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

it("carries every kind of model through the form, and a visit", () => {
  const models: unknown[] = [
    { kind: "linear", initialization: "zeros" },
    { kind: "cnn", channels: [8], kernel: 3, batchNorm: true },
    { kind: "resnet", depth: 8, width: 4 },
    { kind: "sequential", layers: [{ kind: "conv2d", channels: 3 }, { kind: "relu" }, { kind: "flatten" }, { kind: "linear" }] },
  ];
  for (const model of models) {
    const experiment = valid({ model });
    const again = parseDraft(serializeDraft(draftOf(experiment)));
    expect(again && validateDraft(again)).toEqual({ ok: true, experiment });
  }
});

it("forgets a remembered model whose form has other fields", () => {
  const draft = defaultDraft();
  for (const model of [{ kind: "mlp", hidden: [3] }, { kind: "gone" }, { kind: "sequential", layers: [{ kind: "conv2d" }] }, { ...draft.model, hidden: 3 }]) {
    expect(parseDraft(JSON.stringify({ ...draft, model }))).toBeUndefined();
  }
});

it("starts every kind of model and layer with a form that validates", () => {
  for (const kind of modelKinds) expect(isDraftModel(newModel(kind)), kind).toBe(true);
  for (const kind of layerKinds) expect(isDraftModel({ kind: "sequential", layers: [newLayer(kind)] }), kind).toBe(true);
});

it("puts a new layer where it most likely belongs", () => {
  const layers = layersOf(newModel("sequential"));
  expect(layers.map(({ kind }) => kind)).toEqual(["flatten", "linear"]);
  expect(placeFor(layers, "conv2d")).toBe(0);
  expect(placeFor(layers, "relu")).toBe(1);
  expect(placeFor([newLayer("imageRows"), newLayer("gru")], "lastStep")).toBe(2);
});
