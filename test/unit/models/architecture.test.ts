import { describe, expect, it } from "vitest";
import { validateExperiment } from "../../../src/shared/experiment.ts";
import { asSequential, describeModel, flatLayers, parameterCount, parametersOf } from "../../../src/shared/models/architecture.ts";
import { model as modelSchema, modelKinds, type ModelKind } from "../../../src/shared/models/schema.ts";
import { values, type DataShape } from "../../../src/shared/models/shape.ts";
import { summarizeModel } from "../../../src/shared/models/summary.ts";

const mnist: DataShape = { input: values(1, 28, 28), classes: 10 };
const cifar: DataShape = { input: values(3, 32, 32), classes: 10 };
const text = (steps: number): DataShape => ({ input: { kind: "tokens", shape: [steps], vocabulary: 65 }, classes: 65 });
const describeAs = (model: unknown, data: DataShape) => describeModel(modelSchema.parse(model), data);

describe("published sizes", () => {
  it.each<[number, number]>([
    // He et al. 2016, Table 6: 0.27, 0.46, 0.66, 0.85 million.
    [20, 269_722],
    [32, 464_154],
    [44, 658_586],
    [56, 853_018],
  ])("ResNet-%i on CIFAR-10 has %i parameters", (depth, count) => {
    const layers = describeAs({ kind: "resnet", depth }, cifar);
    expect(parameterCount(layers)).toBe(count);
    const weighted = flatLayers(layers).filter(({ layer }) => layer.kind === "conv2d" || layer.kind === "linear");
    expect(weighted).toHaveLength(depth);
  });

  it("the paper's character RNN: two LSTM layers of 128, as PyTorch counts them", () => {
    const layers = describeAs({ kind: "charRnn", embedding: 0 }, text(50));
    expect(parameterCount(layers)).toBe(4 * 128 * (65 + 128 + 2) + 4 * 128 * (128 + 128 + 2) + 128 * 65 + 65);
  });

  it("names parameters as PyTorch does", () => {
    const names = (model: unknown, data: DataShape) => parametersOf(describeAs(model, data)).map(({ name }) => name);
    expect(names({}, mnist)).toEqual(["layer1.weight", "layer1.bias", "layer2.weight", "layer2.bias"]);
    expect(names({ kind: "resnet", depth: 8 }, cifar)).toContain("layer2.0.bn1.weight");
    expect(names({ kind: "cnn", hidden: [9] }, mnist)).toEqual(
      ["conv1", "conv2", "fc1", "fc2"].flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]),
    );
    expect(names({ kind: "charRnn", layers: 1 }, text(3))).toEqual([
      "embedding.weight",
      "rnn.weight_ih_l0",
      "rnn.weight_hh_l0",
      "rnn.bias_ih_l0",
      "rnn.bias_hh_l0",
      "decoder.weight",
      "decoder.bias",
    ]);
  });
});

describe("what does not fit is named with its field", () => {
  const errors = (model: unknown) => {
    const result = validateExperiment({ model });
    return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
  };
  const layers = (...list: unknown[]) => ({ kind: "sequential", layers: list });

  it.each<[string, unknown, string]>([
    ["kind", { kind: "perceptron" }, "model.kind: model.kind must be one of: mlp, linear, cnn, resnet, charRnn, transformer, sequential"],
    ["no object", 7, "model: model must be an object"],
    ["a field of another model", { kind: "linear", hidden: [3] }, "model.hidden: there is no field named hidden"],
    ["a text model on images", { kind: "charRnn" }, "model.kind: model.kind is charRnn, which needs a text; the data is 1 × 28 × 28"],
    ["a depth in between", { kind: "resnet", depth: 21 }, "model.depth: model.depth must be one of: 8, 14, 20, 32, 44, 56"],
    ["too many pools", { kind: "cnn", channels: [8, 8, 8, 8, 8] }, "model.channels.4: maxPool has windows of 2 × 2; it gets 8 × 1 × 1"],
    ["an even kernel", { kind: "cnn", kernel: 4 }, "model.kernel: model.kernel must be one of: 1, 3, 5, 7"],
    ["a kind of layer", layers({ kind: "dense" }), "model.layers.0.kind: kind must be one of: linear, conv2d"],
    ["a layer's field", layers({ kind: "conv2d", channels: 0 }), "model.layers.0.channels: channels must be at least 1"],
    ["an image where a vector belongs", layers({ kind: "linear" }), "model.layers.0: linear needs vectors or sequences"],
    ["a vector where an image belongs", layers({ kind: "flatten" }, { kind: "maxPool" }), "model.layers.1: maxPool needs images (channels × height × width); it gets 784"],
    ["a kernel that is too large", layers({ kind: "conv2d", channels: 2, kernel: 31, padding: 1 }), "model.layers.0: conv2d has a kernel of 31 × 31; with a padding of 1 it gets 30 × 30"],
    ["a kernel that a dilation makes too large", layers({ kind: "conv2d", channels: 2, kernel: [3, 9], dilation: [1, 4], padding: [1, 0, 1, 2] }), "model.layers.0: conv2d has a kernel of 3 × 9 dilated to 3 × 33; with a padding of 1, 0, 1, 2 it gets 30 × 30"],
    ["groups that do not divide", layers({ kind: "conv2d", channels: 4, groups: 2 }), "model.layers.0: conv2d has 2 groups, which must divide its 4 channels and the 1 it gets"],
    ["three sides of a kernel", layers({ kind: "conv2d", channels: 2, kernel: [3, 3, 3] }), "model.layers.0.kernel: kernel must be a whole number from 1 to 31, or 2 of them: [height, width]"],
    ["a side of a kernel", layers({ kind: "conv2d", channels: 2, kernel: [3, 0] }), "model.layers.0.kernel: kernel must be at least 1"],
    ["a padding of half a pixel", layers({ kind: "conv2d", channels: 2, padding: [1, 0.5, 1, 1] }), "model.layers.0.padding: padding must be a whole number"],
    ["a stride of a pool", layers({ kind: "maxPool", stride: "none" }), 'model.layers.0.stride: stride must be a whole number from 1 to 64, or 2 of them: [height, width], or "size"'],
    ["a pool's padding", layers({ kind: "maxPool", size: [2, 3], padding: 2 }), "model.layers.0: maxPool has a padding of 2, which must be below its windows of 2 × 3"],
    ["a padded pool that is too large", layers({ kind: "avgPool", size: 32, padding: 1 }), "model.layers.0: avgPool has windows of 32 × 32; with a padding of 1 it gets 1 × 28 × 28"],
    ["an image where a sequence belongs", layers({ kind: "conv1d", channels: 2 }), "model.layers.0: conv1d needs sequences"],
    ["too few steps", layers({ kind: "imageRows" }, { kind: "conv1d", channels: 2, kernel: 9, dilation: 4, padding: [1, 0] }), "model.layers.1: conv1d has a kernel of 9 dilated to 33; with a padding of 1, 0 it gets 29 steps"],
    ["output padding", layers({ kind: "convTranspose2d", channels: 2, outputPadding: [0, 2] }), "model.layers.0: convTranspose2d has an output padding of 0, 2, which must be below the stride of 2"],
    ["padding that leaves nothing", layers({ kind: "flatten" }, { kind: "linear" }, { kind: "convTranspose2d", channels: 2 }), "model.layers.2: convTranspose2d needs images"],
    ["symbols there are none of", layers({ kind: "embedding" }), "model.layers.0: embedding needs symbols; it gets 1 × 28 × 28"],
    ["another number of classes", layers({ kind: "flatten" }, { kind: "linear", width: 9 }), "model.layers: the model ends in 9; the data asks for 10"],
    ["nothing to learn", layers({ kind: "globalAvgPool" }, { kind: "identity" }), "model.layers: the model ends in 1; the data asks for 10"],
    ["a state carried along shuffled images", layers({ kind: "imageRows" }, { kind: "gru", carry: true }, { kind: "lastStep" }, { kind: "linear" }), "model.layers.1.carry: a hidden state is carried"],
    ["no layers", layers(), "model.layers: at least 1 layer"],
    ["a layer inside a block", layers({ kind: "residual", layers: [{ kind: "relu" }, { kind: "conv2d", channels: 2, kernel: 40 }] }), "model.layers.0.layers.1.kernel: kernel must be at most 31"],
    ["a block in a block", layers({ kind: "residual", layers: [{ kind: "residual", layers: [] }] }), "model.layers.0.layers.0.kind: kind must be one of: linear, conv2d"],
    ["an empty block", layers({ kind: "residual", layers: [] }), "model.layers.0.layers: at least 1 layer"],
    ["a shape inside a block", layers({ kind: "residual", layers: [{ kind: "flatten" }, { kind: "maxPool" }] }), "model.layers.0.layers.1: maxPool needs images"],
    ["a block that cannot be added", layers({ kind: "flatten" }, { kind: "residual", layers: [{ kind: "linear", width: 9 }] }, { kind: "linear" }), "model.layers.1: a residual block makes 9 of 784"],
    ["a carried state in a block", layers({ kind: "imageRows" }, { kind: "residual", layers: [{ kind: "gru", hidden: 28, carry: true }] }, { kind: "lastStep" }, { kind: "linear" }), "model.layers.1.layers.0.carry: a hidden state is carried"],
    ["a name that is taken", layers({ kind: "flatten", name: "linear1" }, { kind: "linear" }), "model.layers.1.name: an earlier layer is named linear1 already"],
    ["a name with a blank", layers({ kind: "flatten", name: "my layer" }, { kind: "linear" }), "model.layers.0.name: name must begin with a letter"],
    ["an unknown scheme", { kind: "linear", initialization: "he" }, "model.initialization: initialization must be one of: default, kaiming_uniform"],
  ])("%s", (_, model, message) => {
    const found = errors(model);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  it("images are what a CNN and a ResNet need, whatever their settings", () => {
    for (const kind of ["cnn", "resnet"]) {
      const result = validateExperiment({ dataset: { kind: "iris" }, model: { kind } });
      expect(!result.ok && result.errors).toEqual([{ path: "model.kind", message: `model.kind is ${kind}, which needs images; the data is 4 values` }]);
    }
  });

  it("a model without a kind is an MLP, as before", () => {
    const result = validateExperiment({ model: { hidden: [3] } });
    expect(result.ok && result.experiment.model).toMatchObject({ kind: "mlp", hidden: [3], activation: "tanh" });
  });

  it("every kind's defaults stand, on the data they are for", () => {
    const layered = modelKinds.filter((kind) => kind !== "graph");
    for (const kind of layered) expect(parameterCount(describeAs({ kind }, kind === "charRnn" ? text(50) : kind === "transformer" ? text(64) : mnist)), kind).toBeGreaterThan(100);
  });
});

describe("layer by layer", () => {
  it.each<[string, unknown, DataShape]>([
    ["an MLP", { hidden: [30, 20], outputActivation: "identity" }, mnist],
    ["a CNN", { kind: "cnn", batchNorm: true, hidden: [9] }, mnist],
    ["ResNet-56, the deepest", { kind: "resnet", depth: 56 }, cifar],
    ["a character RNN", { kind: "charRnn", cell: "gru", steps: 7 }, text(7)],
    ["a transformer", { kind: "transformer", context: 9, dropout: 0.1, zLoss: 1e-4 }, text(9)],
    ["a transformer with other options", { kind: "transformer", context: 9, norm: "rms", activation: "swiglu", tied: false, bias: true, qkNorm: true }, text(9)],
    ["a linear model", { kind: "linear", initialization: "orthogonal" }, cifar],
  ])("%s has the same parameters, shapes and beginnings", (_, given, data) => {
    const config = modelSchema.parse(given);
    const own = modelSchema.parse(JSON.parse(JSON.stringify(asSequential(config, data))));
    expect(own.kind).toBe("sequential");
    const facts = (of: typeof config) => flatLayers(describeModel(of, data)).map(({ name, input, output, parameters, buffers }) => ({ name, input, output, parameters, buffers }));
    expect(facts(own)).toEqual(facts(config));
  });

  it("an own architecture stays as it is, with its steps", () => {
    const own = modelSchema.parse({ kind: "sequential", layers: [{ kind: "embedding" }, { kind: "lstm", carry: true }, { kind: "linear" }], steps: 12 });
    expect(asSequential(own, text(12))).toBe(own);
  });
});

describe("summaries", () => {
  it("counts the operations of products: forward, weights' gradients, inputs' gradients but the first layer's", () => {
    const { layers, flops, parameters } = summarizeModel({ model: modelSchema.parse({}), data: mnist, batchSize: 256 });
    expect(parameters).toBe(101_770);
    expect(flops).toBe(2 * 256 * (2 * 784 * 128 + 3 * 128 * 10));
    expect(layers.map(({ name }) => name)).toEqual(["flatten", "layer1", "activation1", "layer2", "activation2"]);
  });

  it("knows a convolution's operations", () => {
    const { layers } = summarizeModel({ model: modelSchema.parse({ kind: "cnn", channels: [4, 8], kernel: 3 }), data: mnist, batchSize: 2 });
    const of = (name: string) => layers.find((layer) => layer.name === name)!;
    expect(of("conv1")).toMatchObject({ output: values(4, 28, 28), parameters: 40, flops: 2 * 2 * 2 * 9 * 4 * 784 });
    expect(of("conv2").flops).toBe(2 * 3 * 2 * 4 * 9 * 8 * 196);
  });

  it("of a ResNet-20 has two values in memory for each that a convolution or a relu answers", () => {
    const cifar: DataShape = { input: values(3, 32, 32), classes: 10 };
    const { memory, parameters } = summarizeModel({ model: modelSchema.parse({ kind: "resnet" }), data: cifar, batchSize: 128 });
    // Of 19 convolutions, each with a relu behind it, 7 answer 16 x 32 x 32, 6 half as much and 6 a quarter; then 64 means and 10 scores.
    const answers = 2 * (7 * 16_384 + 6 * 8_192 + 6 * 4_096) + 64 + 10;
    // Weights and gradients twice, the settled weights twice: a plain SGD keeps no slots.
    expect(memory).toBe(4 * (6 * parameters + 128 * (3 * 1_024 + 2 * answers)));
  });

  it("grows with the batch in activations only", () => {
    const memory = (batchSize: number, kind: ModelKind) =>
      summarizeModel({ model: modelSchema.parse({ kind }), data: kind === "charRnn" ? text(50) : mnist, batchSize }).memory;
    for (const kind of ["cnn", "resnet", "charRnn"] as const) {
      const [one, two, three] = [memory(10, kind), memory(20, kind), memory(30, kind)];
      expect(three - two).toBeCloseTo(two - one, 0);
      expect(two).toBeGreaterThan(one);
    }
  });
});
