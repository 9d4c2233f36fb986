/** Parameters under several names, and inputs beside the examples. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readBatch } from "../../../src/core/graphs/batchFile.ts";
import { checkGraph } from "../../../src/core/graphs/check.ts";
import { readGraph, type ReadOptions } from "../../../src/core/graphs/describe.ts";
import { filledInputs } from "../../../src/core/graphs/fill.ts";
import { alikeParameters, statedTies, tiedGraph } from "../../../src/core/graphs/ties.ts";
import type { GraphTensor } from "../../../src/core/graphs/tensors.ts";
import { referenceEngine } from "../../../src/core/engines/reference/engine.ts";
import { factsOf } from "../../../src/core/networks/facts.ts";
import { remarksOf } from "../../../src/shared/models/network.ts";
import { tiedNames } from "../../../src/shared/models/tied.ts";
import type { GraphInitializer, GraphValue } from "../../../src/shared/models/graph.ts";

const bytes = (name: string) => readFileSync(new URL(`../../onnx/fixtures/${name}`, import.meta.url));
/** The file with two equal arrays, without the metadata that say that they are one. */
const apart = () => Buffer.from(bytes("gpt-apart.old.onnx").toString("latin1").replace("hypertower.tied", "hypertower.none"), "latin1");
const parametersOf = ({ description }: ReturnType<typeof readGraph>) => description.initializers.filter(({ role }) => role === "parameter").map(({ name }) => name);
const read = (file: Uint8Array, options: Partial<ReadOptions> = {}) => readGraph(file, { folder: null, ...options });

describe("tied parameters", () => {
  it("are one where the file's metadata say so, with PyTorch's gradient: the sum", async () => {
    const graph = read(bytes("gpt-apart.old.onnx"));
    expect(parametersOf(graph)).toContain("wte.weight");
    expect(parametersOf(graph)).not.toContain("lm_head.weight");
    expect(graph.description.tied).toEqual({ "lm_head.weight": "wte.weight" });
    const check = await checkGraph(graph.description, graph.tensors, readBatch(bytes("gpt-apart.npz")), referenceEngine);
    expect(check.largestRelativeDifference).toBeLessThan(1e-12);
    const facts = factsOf("gpt", graph);
    expect(tiedNames({ kind: "graph", network: "0", start: "file", facts }, { input: { kind: "tokens", shape: [8], vocabulary: 13 }, classes: 13 })).toEqual({ "lm_head.weight": "wte.weight" });
    expect(remarksOf(facts)).toEqual(["lm_head.weight and wte.weight are one parameter."]);
  });

  it("train apart where nothing says so, which the summary remarks with the way out", async () => {
    const graph = read(apart());
    expect(parametersOf(graph)).toEqual(expect.arrayContaining(["wte.weight", "lm_head.weight"]));
    const [remark] = remarksOf(factsOf("gpt", graph));
    expect(remark).toMatch(/^(\S+) and (\S+) have the same values, and train apart. If they are one parameter, import the file again with --tie (\2=\1); in the window write \3\.$/);
    const gradients = (graphOf: typeof graph) => checkGraph(graphOf.description, graphOf.tensors, readBatch(bytes("gpt-apart.npz")), referenceEngine);
    expect((await gradients(graph)).largestRelativeDifference).toBeGreaterThan(1e-3);
    expect((await gradients(read(apart(), { ties: { "lm_head.weight": "wte.weight" } }))).largestRelativeDifference).toBeLessThan(1e-12);
  });

  it("are refused where an array is missing or they differ", () => {
    const tie = (ties: Record<string, string>) => () => read(apart(), { ties });
    expect(tie({ "head.weight": "embed.weight" })).toThrow(/"head.weight" cannot be tied to "embed.weight": the file has neither of them; its arrays are .*wte.weight/);
    expect(tie({ "ln_f.weight": "wte.weight" })).toThrow('"ln_f.weight" cannot be tied to "wte.weight": their shapes are [8] and [13, 8]; one parameter has one shape');
    expect(tie({ "ln_f.weight": "ln_f.bias" })).toThrow('"ln_f.weight" cannot be tied to "ln_f.bias": their values differ');
    expect(tie({ a: "b", b: "a" })).toThrow("is tied to itself");
    expect(tie({ "wte.weight": "wte.weight" })).toThrow("is tied to itself");
    expect(() => statedTies({ "hypertower.tied": "[1]" })).toThrow("the file's metadata hypertower.tied must be a JSON object of names by names");
    expect(() => statedTies({ "hypertower.tied": "{" })).toThrow("hypertower.tied must be a JSON object");
  });

  it("may be transposed, and have a name that the file does not have", () => {
    const tensor = (shape: number[], data: number[]): GraphTensor => ({ dtype: "float32", shape, data: Float32Array.from(data) });
    const tensors = new Map([["a", tensor([2, 3], [1, 2, 3, 4, 5, 6])], ["b", tensor([3, 2], [1, 4, 2, 5, 3, 6])]]);
    const initializers = [...tensors].map(([name, { shape }]): GraphInitializer => ({ name, dtype: "float32", shape: [...shape], role: "parameter" }));
    expect(alikeParameters(initializers, tensors)).toEqual([["a", "b"]]);
    const node = { name: "", module: "", operator: "MatMul", domain: "", inputs: ["x", "b"], outputs: ["y"], attributes: {} };
    const { graph, names } = tiedGraph({ inputs: [], outputs: [], initializers, nodes: [node] }, tensors, { b: "a", c: "b" });
    expect(graph.nodes.map(({ operator, inputs }) => [operator, inputs])).toEqual([["Transpose", ["a"]], ["MatMul", ["x", "tied#1"]]]);
    expect(graph.initializers.map(({ name }) => name)).toEqual(["a"]);
    expect(names).toEqual({ b: "a", c: "a" });
  });
});

describe("inputs beside the examples", () => {
  const value = (name: string, shape: (number | string)[] = ["batch", 8]): GraphValue => ({ name, dtype: "int64", shape });

  it("are filled in where HuggingFace's exports have them", () => {
    const { description } = read(bytes("encoder.old.onnx"));
    expect(description.input.name).toBe("input_ids");
    expect(description.filled).toEqual([{ name: "attention_mask", with: "ones" }, { name: "token_type_ids", with: "zeros" }, { name: "position_ids", with: "positions" }]);
    expect(remarksOf(factsOf("encoder", read(bytes("encoder.fixed.onnx"))))).toEqual(["The input attention_mask is filled with ones.", "The input token_type_ids is filled with zeros.", "The input position_ids is filled with positions, from 0 on."]);
    expect(remarksOf(factsOf("lstm", read(bytes("lstm.fixed.onnx"))))).toEqual(["The file was fixed to batches of 3; the network was rebuilt for any batch size."]);
  });

  it("are filled in as asked, and else refused by name", () => {
    const [tokens, mask] = [value("tokens"), value("mask")];
    expect(() => filledInputs([tokens, mask], {}, new Map())).toThrow("the network has 2 inputs that the data must give: tokens (int64 [batch, 8]), mask (int64 [batch, 8]); 1 is allowed. Masks of ones, zeros and positions are filled in: say which with --fill NAME=ones, zeros or positions.");
    expect(filledInputs([tokens, mask], { mask: "ones" }, new Map())).toMatchObject({ input: tokens, filled: [{ name: "mask", with: "ones" }] });
    expect(() => filledInputs([tokens], { other: "ones" }, new Map())).toThrow('there is no input "other" to fill; the output depends on tokens');
    expect(() => filledInputs([tokens], { tokens: "ones" }, new Map())).toThrow("none of the inputs tokens takes the examples");
    expect(() => filledInputs([tokens, value("mask", ["n"])], { mask: "ones" }, new Map())).toThrow("its size n is none of tokens (int64 [batch, 8])");
  });
});
