/** Imported networks: what experiments record of them, whether they fit data, their files, and the models they give. */
import { readdirSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Random } from "../../../src/core/models/random.ts";
import { decodeNetwork, encodeNetwork, hashOf } from "../../../src/core/networks/file.ts";
import { loadNetwork, networkFile, networksFolder, readNetworkFile } from "../../../src/core/networks/folder.ts";
import { modelOf } from "../../../src/core/networks/model.ts";
import { networkFilesIn, removePendingNetworks, writePending } from "../../../src/core/networks/stored.ts";
import { validateExperiment } from "../../../src/shared/experiment.ts";
import { describedModel, weightCount } from "../../../src/shared/models/described.ts";
import { inputForm, requireFit, type NetworkFacts } from "../../../src/shared/models/network.ts";
import { values, type DataShape } from "../../../src/shared/models/shape.ts";
import { summarizeModel } from "../../../src/shared/models/summary.ts";
import type { ModelConfigOf } from "../../../src/shared/models/schema.ts";
import { fixture, placeFixture } from "../../support/networks.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

const tiny = fixture("tiny");
const symbols = fixture("symbols");
const digits: DataShape = { input: values(1, 8, 8), classes: 10 };
const text = (vocabulary: number): DataShape => ({ input: { kind: "tokens", shape: [16], vocabulary }, classes: vocabulary });
const graph = (changes: Partial<ModelConfigOf<"graph">> = {}): ModelConfigOf<"graph"> => ({ kind: "graph", network: tiny.hash, start: "file", facts: tiny.facts, ...changes });

describe("what is recorded of a network", () => {
  it("is its input, output, layers with parameters under their own names, and cost", () => {
    expect(tiny.facts).toMatchObject({ input: { kind: "values", shape: [1, 8, 8] }, output: [10], meaning: "logits", batch: null });
    expect(tiny.facts.layers.map(({ name, title, output }) => [name, title, output])).toEqual([["conv", "Conv 3 × 3", [4, 8, 8]], ["bn", "BatchNormalization", [4, 8, 8]], ["fc", "Gemm", [10]]]);
    expect(describedModel(graph(), digits).parameters.map(({ name }) => name)).toEqual(["conv.weight", "conv.bias", "bn.weight", "bn.bias", "fc.weight", "fc.bias"]);
    expect(weightCount(describedModel(graph(), digits))).toBe(40 + 8 + 650);
    // 2 x 9 products for each of 4 x 64 places; 2 x 64 for each of 10 outputs.
    expect(tiny.facts.layers.map(({ flops }) => flops)).toEqual([4608, 0, 1280]);
    expect(summarizeModel({ model: graph(), data: digits, batchSize: 10 }).flops).toBe(10 * (2 * 4608 + 3 * 1280));
  });

  it("is the steps and the vocabulary of a network of symbols", () => {
    expect(symbols.facts).toMatchObject({ input: { kind: "tokens", steps: 16, vocabulary: 65 }, output: [16, 65], meaning: "nextSymbols" });
  });
});

describe("a network fits data", () => {
  it.each<[string, readonly number[], readonly number[], ReturnType<typeof inputForm>]>([
    ["the same shape", [3, 32, 32], [3, 32, 32], "same"],
    ["channels last", [32, 32, 3], [3, 32, 32], "channelsLast"],
    ["a vector", [784], [1, 28, 28], "reshaped"],
    ["without the one channel", [28, 28], [1, 28, 28], "reshaped"],
    ["another size", [3, 32, 32], [1, 28, 28], null],
    ["another order of as many numbers", [28, 3, 28], [3, 28, 28], null],
  ])("%s", (_, network, example, form) => expect(inputForm(network, example)).toBe(form));

  it.each<[string, ModelConfigOf<"graph">, DataShape, string]>([
    ["images of another size", graph(), { input: values(1, 28, 28), classes: 10 }, "the network tiny takes 1 × 8 × 8; the examples are 1 × 28 × 28"],
    ["more classes", graph(), { ...digits, classes: 100 }, "the network tiny has 10 outputs; the data has 100 classes"],
    ["a quantity", graph(), { ...digits, classes: 1 }, "the network tiny gives logits of the classes; the data asks for a quantity: set model.output to quantity"],
    ["classes for a quantity", graph({ output: "quantity" }), digits, "the network tiny predicts a quantity; the data has 10 classes: set model.output to logits, logProbabilities or probabilities"],
    ["a text", graph(), text(65), "the network tiny takes 1 × 8 × 8 numbers; the data is a text, which needs a network that takes symbols"],
    ["numbers", graph({ facts: symbols.facts }), digits, "the network symbols takes symbols; the data has numbers: choose a text"],
    ["more symbols", graph({ facts: symbols.facts }), text(66), "the network symbols knows 65 symbols; the text has 66"],
    ["other steps", graph({ facts: symbols.facts, steps: 20 }), text(65), "model.steps is 20; the network symbols takes 16 symbols at a time"],
    ["no network", graph({ facts: undefined, network: "mine" }), digits, "there is no imported network mine here: import it first (hypertower models lists what there is)"],
    ["no name", graph({ facts: undefined, network: "" }), digits, "model.network is empty: name an imported network (hypertower models lists what there is)"],
  ])("or says how it does not: %s", (_, config, data, message) => expect(() => requireFit(config, data)).toThrow(message));

  it("of fewer symbols than it knows", () => expect(() => requireFit(graph({ facts: symbols.facts }), text(40))).not.toThrow());

  it("in an experiment, whose groups name its parameters", () => {
    const of = (model: unknown, groups: unknown[] = []) => validateExperiment({ dataset: { kind: "digits" }, model, batchSize: 16, tower: [{ optimizer: "adam", groups }] });
    expect(of(graph()).ok).toBe(true);
    expect(of(graph(), [{ name: "norm", match: ["bn.*"], frozen: true }]).ok).toBe(true);
    expect(of(graph(), [{ name: "norm", match: ["norm.*"] }])).toMatchObject({ ok: false, errors: [{ path: "tower.0.groups.0.match" }] });
    expect(of(graph({ facts: { ...tiny.facts, batch: 8 } }))).toMatchObject({ ok: false, errors: [{ path: "batchSize", message: expect.stringMatching(/^batchSize is 16; the file of this network is fixed to batches of 8: set batchSize to 8/) as string }] });
    expect(of({ kind: "graph" })).toEqual({ ok: false, errors: [{ path: "model.network", message: "model.network is empty: name an imported network (hypertower models lists what there is)" }] });
    expect(of({ ...graph(), start: "anywhere" })).toEqual({ ok: false, errors: [{ path: "model.start", message: "model.start must be one of: file, fresh" }] });
  });
});

describe("a network's file", () => {
  it("gives back what was written, and the same bytes for the same network", () => {
    const read = decodeNetwork(tiny.file);
    expect(read.description).toEqual(tiny.network.description);
    expect([...read.tensors].map(([name, { data }]) => [name, [...data]])).toEqual(tiny.network.description.initializers.map(({ name }) => [name, [...tiny.network.tensors.get(name)!.data]]));
    expect(hashOf(encodeNetwork(read))).toBe(tiny.hash);
  });

  it("is refused where it is cut off, something else or damaged", async () => {
    expect(() => decodeNetwork(tiny.file.subarray(0, -8))).toThrow(/it has \d+ bytes instead of/);
    expect(() => decodeNetwork(Buffer.from("something else entirely"))).toThrow("it is not a network's file of Hypertower");
    const folder = freshFolder();
    placeFixture(folder, tiny);
    expect(networkFilesIn(folder)).toEqual([tiny.hash]);
    const path = networkFile(networksFolder(folder), tiny.hash);
    writeFileSync(path, Buffer.concat([tiny.file.subarray(0, -1), Buffer.of(tiny.file.at(-1)! ^ 1)]));
    await expect(readNetworkFile(networksFolder(folder), tiny.hash)).rejects.toThrow(/is damaged: its SHA-256 is not its name/);
    await expect(loadNetwork(networksFolder(folder), symbols.hash)).rejects.toThrow(/is not here: .* is missing; import it again/);
    expect(() => networkFile(folder, "../../etc")).toThrow("is not the SHA-256 of a network");
  });

  it("is not written where its bytes are not what the hash says, and what dead processes left is removed", () => {
    const folder = freshFolder();
    expect(() => writePending(folder, symbols.hash, [tiny.file])).toThrow(/its SHA-256 is not its name/);
    expect(readdirSync(networksFolder(folder))).toEqual([]);
    writeFileSync(`${networksFolder(folder)}/${tiny.hash}.999999999.pending`, "half");
    removePendingNetworks(folder);
    expect(readdirSync(networksFolder(folder))).toEqual([]);
  });
});

describe("the model of a network", () => {
  const initial = async (start: "file" | "fresh", seed: number) => {
    const folder = freshFolder();
    placeFixture(folder, tiny);
    const model = await modelOf(graph({ start }), digits, networksFolder(folder));
    const random = new Random(seed, "initialization", 2);
    return { ...Object.fromEntries(model.parameters.map(({ name, initialize }) => [name, [...initialize(random)]])), ...Object.fromEntries(model.buffers.map((buffer) => [buffer.name, typeof buffer.initial === "number" ? [buffer.initial] : [...buffer.initial]])) };
  };
  const ofFile = (name: string) => [...tiny.network.tensors.get(name)!.data];

  it("begins with the file's weights and statistics", async () => {
    const begun = await initial("file", 1);
    for (const [name, list] of Object.entries(begun)) expect(list, name).toEqual(ofFile(name));
    expect(Object.keys(begun)).toContain("bn.running_mean");
  });

  it("or with fresh ones by the seed, within PyTorch's bounds of each layer type", async () => {
    const [one, same, other] = [await initial("fresh", 1), await initial("fresh", 1), await initial("fresh", 2)];
    expect(one).toEqual(same);
    expect(one["fc.weight"]).not.toEqual(other["fc.weight"]);
    expect(one["fc.weight"]).not.toEqual(ofFile("fc.weight"));
    // Kaiming-uniform with a = sqrt(5) is uniform within 1 / sqrt(fan in).
    expect(Math.max(...one["fc.weight"]!.map(Math.abs))).toBeLessThanOrEqual(1 / 8);
    expect(Math.max(...one["conv.weight"]!.map(Math.abs))).toBeLessThanOrEqual(1 / 3);
    expect([one["bn.weight"], one["bn.bias"]]).toEqual([[1, 1, 1, 1], [0, 0, 0, 0]]);
    expect(new Set(one["bn.running_mean"])).toEqual(new Set([0]));
  });

  it("is refused where the experiment records other parameters than the file has", async () => {
    const folder = freshFolder();
    placeFixture(folder, tiny);
    const layers = tiny.facts.layers.map((layer) => ({ ...layer, parameters: layer.parameters.map((parameter) => ({ ...parameter, name: parameter.name.replace("fc", "out") })) }));
    const lying: NetworkFacts = { ...tiny.facts, layers };
    await expect(modelOf(graph({ facts: lying }), digits, networksFolder(folder))).rejects.toThrow("the experiment records another network than the file of tiny: out.weight is 10 × 64 in the experiment and missing in the file; choose the network again");
    await expect(modelOf(graph(), digits)).rejects.toThrow("no store has been opened");
  });
});
