import { expect, it } from "vitest";
import { batchHint, defaultDraft, draftOf, parseDraft, sameExperiment, serializeDraft, validateDraft, withDataset, type Draft } from "@/lib/draft.ts";
import type { DatasetInfo } from "@shared/datasets.ts";
import { draftOfModel, isDraftModel, layersOf, newLayer, newModel, placeFor } from "@/lib/modelDraft.ts";
import { validateExperiment, type Experiment } from "@shared/experiment.ts";
import { layerKinds } from "@shared/models/layers.ts";
import { findPreset } from "@shared/presets.ts";
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

it("keeps the steps of an epoch of random blocks, and leaves them out where there are none", () => {
  const experiment = valid(findPreset("gpt-mini")!.experiment);
  const draft = draftOf(experiment);
  expect(validateDraft(draft)).toEqual({ ok: true, experiment });
  expect(validateDraft({ ...draft, stepsPerEpoch: "" })).toMatchObject({ ok: true, experiment: { budget: { epochs: 8 } } });
  for (const changed of [{ ...draft, shuffle: false }, { ...draft, model: newModel("charRnn"), levels: defaultDraft().levels }, withDataset({ ...draft, levels: defaultDraft().levels }, mnist)]) {
    const result = validateDraft(changed);
    expect(result.ok && result.experiment.budget).toEqual({ epochs: 8 });
  }
});

it("starts from the seed example, on whichever engine is fastest", () => {
  expect(validateDraft(defaultDraft())).toEqual({ ok: true, experiment: valid({ engine: "auto", generator: 2 }) });
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

it("completes remembered layers of a version with fewer settings", () => {
  expect(isDraftModel({ kind: "sequential", steps: 50, layers: [{ kind: "maxPool", size: 2, id: 1 }] })).toBe(true);
  const { layers } = draftOfModel({ kind: "sequential", steps: 50, layers: [{ kind: "maxPool", size: 3, id: 1 }] } as unknown as Parameters<typeof draftOfModel>[0]);
  expect(layers).toMatchObject([{ kind: "maxPool", size: 3, stride: "size", padding: 0 }]);
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

const info = (changes: Partial<DatasetInfo>): DatasetInfo => ({
  kind: "iris", title: "Iris", task: "classification", trainExamples: 120, testExamples: 30, exampleShape: [4], classNames: ["a", "b", "c"], classes: 3, own: false, source: "", licence: null,
  downloadBytes: null, removable: false, bytesHere: 0, problem: null, ...changes,
});
const mnist = info({ kind: "mnist", title: "MNIST", trainExamples: 60_000, testExamples: 10_000, exampleShape: [1, 28, 28], classNames: [..."0123456789"], classes: 10 });
const notes = info({ kind: "own/notes-1", title: "Notes", own: true, task: "text", trainExamples: 9_001, testExamples: 1_001, exampleShape: [], classNames: [], classes: 30 });

it("brings a batch size that nobody typed down to the data, says so, and up again", () => {
  const start = defaultDraft();
  expect(batchHint(start, "MNIST")).toBeNull();
  const iris = withDataset(start, info({}));
  expect(iris.batchSize).toBe(16);
  expect(validateDraft(iris).ok).toBe(true);
  expect(batchHint(iris, "Iris")).toBe("Lowered from 256: Iris has 120 training examples.");
  const again = parseDraft(serializeDraft(iris))!;
  expect(withDataset(again, mnist)).toMatchObject({ batchSize: 256, usualBatch: 256 });
  // Of a text a batch has rows of 50 characters, for testing as well.
  const text = withDataset(iris, notes);
  expect(text).toMatchObject({ batchSize: 16, model: { kind: "charRnn" } });
  expect(validateDraft(text).ok).toBe(true);
  expect(batchHint(text, "Notes")).toBe("Lowered from 256: Notes has 9,001 training characters.");
  expect(withDataset({ ...start, dataset: { ...start.dataset, validation: 0.5 } }, info({})).batchSize).toBe(8);
});

it("a model that cannot learn the data chosen next gives way to the usual one; layers of one's own stay", () => {
  const start = defaultDraft();
  const cnn = draftOf(valid({ model: { kind: "cnn" } }));
  expect(withDataset(cnn, mnist).model.kind).toBe("cnn");
  expect(withDataset(cnn, info({})).model.kind).toBe("mlp");
  expect(withDataset(cnn, notes).model.kind).toBe("charRnn");
  expect(withDataset(withDataset(start, notes), mnist).model.kind).toBe("mlp");
  const own = draftOf(valid({ model: { kind: "sequential" } }));
  expect(withDataset(own, notes).model).toEqual(own.model);
});

it("never changes a batch size that was typed", () => {
  const typed: Draft = { ...defaultDraft(), batchSize: 200, usualBatch: null };
  const iris = withDataset(parseDraft(serializeDraft(typed))!, info({}));
  expect(iris).toMatchObject({ batchSize: 200, usualBatch: null });
  expect(batchHint(iris, "Iris")).toBeNull();
  const result = validateDraft(iris);
  expect(!result.ok && result.errors).toMatchObject([{ path: "batchSize", message: "batchSize is 200, which is larger than dataset.trainExamples, 120" }]);
});

it("reads a draft of a version that did not tell whether the batch size was typed", () => {
  const { usualBatch: _usualBatch, ...older } = defaultDraft();
  expect(parseDraft(JSON.stringify(older))).toMatchObject({ batchSize: 256, usualBatch: 256 });
  expect(parseDraft(JSON.stringify({ ...older, batchSize: "many" }))).toMatchObject({ batchSize: "many", usualBatch: null });
});

it("an experiment that leaves the batch size open gets one that fits its data", () => {
  expect(valid({}).batchSize).toBe(256);
  // What fits stays as it always was.
  expect(valid({ dataset: { trainExamples: 256 } }).batchSize).toBe(256);
  expect(valid({ dataset: { trainExamples: 255 } }).batchSize).toBe(32);
  expect(valid({ dataset: { kind: "iris" } }).batchSize).toBe(16);
  expect(valid({ dataset: { kind: "iris", validation: 0.9 } }).batchSize).toBe(2);
  expect(valid({ dataset: { kind: "tiny-shakespeare", testExamples: 400 }, model: { kind: "charRnn", steps: 20 } }).batchSize).toBe(16);
  expect(validateExperiment({ dataset: { kind: "iris" }, batchSize: 256 })).toMatchObject({ ok: false, errors: [{ path: "batchSize" }] });
});
