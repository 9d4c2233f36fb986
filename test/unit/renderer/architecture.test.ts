/** An own architecture while it is composed: edits of its layers, and its JSON. */
import { describe, expect, it } from "vitest";
import { draftOf, experimentOf, parseDraft, serializeDraft, validateDraft } from "@/lib/draft.ts";
import { draftOfModel, factsOfLayers, insideOf, layersOf, modelOf, newLayer, placeFor, withDuplicate, withField, withKind, withMoved, withNewLayer } from "@/lib/modelDraft.ts";
import { layerInWords } from "@/lib/modelWords.ts";
import { experimentFile, readModel, writeModel } from "@/lib/modelJson.ts";
import { validateExperiment, type Experiment } from "@shared/experiment.ts";
import { model as modelSchema } from "@shared/models/schema.ts";
import { asSequential } from "@shared/models/architecture.ts";
import { dataShape } from "@shared/models/data.ts";
import { shapeText, values } from "@shared/models/shape.ts";

const mnist = { dataset: { kind: "mnist" } } as const;
const text = { dataset: { kind: "tiny-shakespeare" } } as const;
const own = {
  kind: "sequential",
  layers: [
    { kind: "conv2d", channels: 4, name: "first" },
    { kind: "residual", layers: [{ kind: "conv2d", channels: 4 }, { kind: "relu" }] },
    { kind: "flatten" },
    { kind: "linear" },
  ],
};
const recurrent = { kind: "sequential", layers: [{ kind: "embedding" }, { kind: "lstm", layers: 2, carry: true }, { kind: "linear" }], steps: 20 };
const attending = {
  kind: "sequential",
  layers: [
    { kind: "embedding", width: 8 },
    { kind: "positions", table: "sinusoidal" },
    { kind: "residual", layers: [{ kind: "layerNorm" }, { kind: "attention", heads: 2, causal: true, rotary: true }] },
    { kind: "gelu", approximate: "tanh" },
    { kind: "linear" },
  ],
  steps: 20,
};
const parsed = (model: unknown) => modelSchema.parse(model);

function valid(input: unknown): Experiment {
  const result = validateExperiment(input);
  if (!result.ok) throw new Error(result.errors[0]?.message);
  return result.experiment;
}

describe("layers while they are edited", () => {
  const layers = layersOf(draftOfModel(parsed(own)));

  it.each([[own, mnist], [recurrent, text], [attending, text]])("a model and its blocks come through the form and a visit unchanged", (model, { dataset }) => {
    const experiment = valid({ model, dataset, batchSize: 64 });
    const draft = draftOf(experiment);
    expect(validateDraft(draft)).toEqual({ ok: true, experiment });
    const again = parseDraft(serializeDraft(draft));
    expect(again && validateDraft(again)).toEqual({ ok: true, experiment });
    expect(again && experimentOf(again)).toEqual(experimentOf(draft));
  });

  it("every layer is somebody of its own, and stays so when it is moved, edited or replaced", () => {
    const ids = layers.map(({ id }) => id);
    expect(new Set([...ids, ...layers.flatMap(insideOf).map(({ id }) => id)]).size).toBe(6);
    expect(withMoved(layers, 0, 2).map(({ id }) => id)).toEqual([ids[1], ids[2], ids[0], ids[3]]);
    expect(withMoved(layers, 0, -1)).toEqual(layers);
    expect(withMoved(layers, 3, 4)).toEqual(layers);
    expect(withField(layers, 0, "channels", "1e")[0]).toMatchObject({ id: ids[0], channels: "1e" });
    expect(withKind(layers, 0, "maxPool")[0]).toEqual({ id: ids[0], kind: "maxPool", name: "first", size: 2, stride: "size", padding: 0 });
  });

  it("a copy has no name and no identity of its original, inside a block either", () => {
    const copied = withDuplicate(withDuplicate(layers, 1), 0);
    expect(copied).toHaveLength(6);
    expect(copied[1]).toMatchObject({ kind: "conv2d", channels: 4 });
    expect(copied[1]).not.toHaveProperty("name");
    const all = [...copied, ...copied.flatMap(insideOf)].map(({ id }) => id);
    expect(new Set(all).size).toBe(all.length);
  });

  it("a new block fits what goes in, and only one layer answers the classes", () => {
    const kinds = (block: ReturnType<typeof newLayer>) => insideOf(block).map(({ kind }) => kind);
    expect(kinds(newLayer("residual", values(7, 9, 9)))).toEqual(["conv2d", "batchNorm", "relu", "conv2d", "batchNorm"]);
    expect(insideOf(newLayer("residual", values(7, 9, 9)))[3]).toMatchObject({ channels: 7 });
    expect(insideOf(newLayer("residual", values(30)))[2]).toMatchObject({ kind: "linear", width: 30 });
    expect(insideOf(newLayer("residual", values(5, 12)))[0]).toMatchObject({ kind: "linear", width: 12 });
    const place = placeFor(layers, "linear");
    expect(place).toBe(3);
    expect(withNewLayer(layers, "linear", place)[3]).toMatchObject({ width: 128 });
    expect(withNewLayer([], "linear", 0)[0]).toMatchObject({ width: "classes" });
  });

  it("knows what fits up to the first layer that does not", () => {
    const shapes = (model: unknown) => Object.fromEntries([...factsOfLayers(draftOfModel(parsed(model)), dataShape(mnist))].map(([path, { output }]) => [path, shapeText(output)]));
    expect(shapes(own)).toEqual({
      "model.layers.0": "4 × 28 × 28",
      "model.layers.1.layers.0": "4 × 28 × 28",
      "model.layers.1.layers.1": "4 × 28 × 28",
      "model.layers.1": "4 × 28 × 28",
      "model.layers.2": "3136",
      "model.layers.3": "10",
    });
    expect(shapes({ kind: "sequential", layers: [{ kind: "maxPool" }, { kind: "residual", layers: [{ kind: "relu" }, { kind: "linear" }] }, { kind: "relu" }] })).toEqual({
      "model.layers.0": "1 × 14 × 14",
      "model.layers.1.layers.0": "1 × 14 × 14",
    });
    const typing = draftOfModel(parsed(own));
    expect([...factsOfLayers({ ...typing, layers: withField(layersOf(typing), 2, "name", "no blanks") }, dataShape(mnist)).keys()].at(-1)).toBe("model.layers.1");
  });

  it("says what sets a layer apart", () => {
    expect(layerInWords(newLayer("conv2d"))).toBe("16 channels, 3 × 3, padding 1");
    expect(layerInWords({ ...newLayer("conv2d"), kernel: [1, 7], stride: [1, 2], padding: [0, 3, 0, 3], dilation: 2, groups: 4 })).toBe("16 channels, 1 × 7, stride 1 × 2, padding 0, 3, 0, 3, dilation 2, 4 groups");
    expect(layerInWords(newLayer("conv1d"))).toBe("16 channels, 3 steps, padding 1");
    expect(layerInWords(newLayer("convTranspose2d"))).toBe("16 channels, 2 × 2, stride 2, padding 0");
    expect(layerInWords(newLayer("maxPool"))).toBe("2 × 2");
    expect(layerInWords({ ...newLayer("avgPool"), size: 3, stride: 2, padding: 1 })).toBe("3 × 3, stride 2, padding 1");
    expect(layerInWords(layersOf(draftOfModel(parsed(recurrent)))[1]!)).toBe("64 units, 2 layers, state carried");
    expect(layerInWords({ ...newLayer("linear"), bias: false, initialization: "zeros" })).toBe("one per class, no bias, zeros");
  });
});

describe("a model as JSON", () => {
  it.each([[own, mnist], [recurrent, text], [asSequential(parsed({ kind: "resnet", depth: 8 }), dataShape(mnist)), mnist]])("is read as it was written, as a model, in its file and as a list", (given, choice) => {
    const model = parsed(given);
    const written = writeModel(modelOf(draftOfModel(model)));
    expect(readModel(written, choice)).toEqual({ model, problems: [] });
    const file = experimentFile(modelOf(draftOfModel(model)), choice.dataset.kind);
    expect(readModel(file, choice)).toEqual({ model, problems: [] });
    expect(valid({ ...(JSON.parse(file) as object), batchSize: 64 }).model).toEqual(model);
    if (model.kind === "sequential" && model.steps === undefined) expect(readModel(JSON.stringify(model.layers), choice)).toEqual({ model, problems: [] });
  });

  it("a layer stands on a line of its own", () => {
    expect(writeModel(modelOf(draftOfModel(parsed(own)))).split("\n").filter((line) => line.includes('"kind"'))).toHaveLength(7);
  });

  it("another kind of model is taken over layer by layer", () => {
    expect(readModel('{ "kind": "mlp", "hidden": [5] }', mnist).model?.layers.map(({ name }) => name)).toEqual(["flatten", "layer1", "activation1", "layer2", "activation2"]);
  });

  const problems = (source: string, choice: Parameters<typeof readModel>[1] = mnist) => readModel(source, choice).problems.map(({ line, where, message }) => `${line} | ${where} | ${message}`);

  it.each<[string, string, string]>([
    ["no JSON", '{\n  "kind": "sequential",\n  "layers": [ { "kind" "relu" } ]\n}', "3 |  | this is not JSON: colon expected"],
    ["a field", '{\n  "kind": "sequential",\n  "layers": [\n    { "kind": "relu" },\n    { "kind": "conv2d", "channels": 0 }\n  ]\n}', "5 | layer 2 (conv2d), channels | channels must be at least 1"],
    ["a field that is missing", '[\n  { "kind": "conv2d" }\n]', "2 | layer 1 (conv2d), channels | channels must be a whole number from 1 to 2048"],
    ["a field there is none of", '[\n  { "kind": "relu", "slope": 2 }\n]', "2 | layer 1 (relu), slope | there is no field named slope"],
    ["a field inside a block", '[\n  { "kind": "residual", "layers": [\n    { "kind": "relu" },\n    { "kind": "maxPool", "size": "big" } ] }\n]', "4 | layer 1 (residual), layer 2 (maxPool), size | size must be a whole number from 1 to 64, or 2 of them: [height, width]"],
    ["the whole", "7", "1 |  | model must be an object"],
    ["a model inside an experiment", '{\n  "seed": 3,\n  "model": {\n    "kind": "cnn",\n    "kernel": 4 }\n}', "5 | kernel | model.kernel must be one of: 1, 3, 5, 7"],
  ])("%s that is wrong is named with its line", (_, source, message) => {
    expect(problems(source)).toEqual([message]);
    expect(readModel(source, mnist).model).toBeNull();
  });

  it("a kind there is none of is answered with all there are", () => {
    expect(problems('[ { "kind": "dense" } ]')[0]).toMatch(/^1 \| layer 1 \(dense\), kind \| kind must be one of: linear, .*, residual$/);
  });

  it("a shape that does not fit is named, and no obstacle", () => {
    const source = '[\n  { "kind": "flatten" },\n  { "kind": "maxPool" },\n  { "kind": "linear" }\n]';
    expect(problems(source)).toEqual(["3 | layer 2 (maxPool) | maxPool needs images (channels × height × width); it gets 784"]);
    expect(readModel(source, mnist).model?.layers).toHaveLength(3);
  });

  it("a kind of model that cannot learn the data is none for it", () => {
    expect(readModel('{ "kind": "cnn" }', text)).toMatchObject({ model: null, problems: [{ line: 1, where: "kind" }] });
  });
});
