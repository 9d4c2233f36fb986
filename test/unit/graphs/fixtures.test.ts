/** Files of PyTorch's exporters and of Keras, with the loss and gradients that those libraries computed. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readBatch } from "../../../src/core/graphs/batchFile.ts";
import { checkGraph } from "../../../src/core/graphs/check.ts";
import { readGraph } from "../../../src/core/graphs/describe.ts";
import { loadEngine } from "../../../src/core/engines/index.ts";

const folder = new URL("../../onnx/fixtures/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder));
const files = readdirSync(folder).filter((name) => name.endsWith(".onnx"));

function fixture(file: string) {
  const [network, exporter] = file.split(".") as [string, string];
  const graph = readGraph(read(file), { folder: null });
  return { ...graph, batch: readBatch(read(exporter === "keras" ? `${network}.keras.npz` : `${network}.npz`)), exporter };
}

describe("a network's loss and gradients", () => {
  it.each(files)("are those of its library: %s", async (file) => {
    const { description, tensors, warnings, batch, exporter } = fixture(file);
    const check = await checkGraph(description, tensors, batch, await loadEngine.reference());
    // Keras's are float32, and PyTorch's hardsigmoid has 1/6 as float32.
    expect(check.largestRelativeDifference).toBeLessThan(exporter === "keras" ? 1e-6 : file.startsWith("mobilenet") ? 1e-7 : 1e-12);
    expect(check.missing).toEqual([]);
    expect(Object.keys(check.gradients).length).toBe([...batch.keys()].filter((name) => name.startsWith("grad.")).length);
    // PyTorch's exporter folds buffers of constants into others; nothing else is to be warned of.
    expect(warnings.every((warning) => warning.includes("folded from others"))).toBe(true);
  });

  it.each(["cnn.whole.onnx", "lstm.old.onnx", "gpt-fused-tied.old.onnx"])("are the same in float32 on ONNX Runtime: %s", async (file) => {
    const { description, tensors, batch } = fixture(file);
    const check = await checkGraph(description, tensors, batch, await loadEngine["onnx-cpu"]());
    expect(check.largestRelativeDifference).toBeLessThan(1e-5);
  });

  it("differ where a gradient is another one", async () => {
    const { description, tensors, batch } = fixture("mlp.old.onnx");
    const bias = batch.get("grad.3.bias")!;
    const wrong = new Map(batch).set("grad.3.bias", { ...bias, data: bias.data.map((value, i) => (i === 0 ? value + 0.01 : value)) });
    const check = await checkGraph(description, tensors, wrong, await loadEngine.reference());
    expect(check.gradients["3.bias"]!.relativeDifference).toBeGreaterThan(1e-3);
    expect(check.gradients["1.weight"]!.relativeDifference).toBeLessThan(1e-12);
  });

  it("name what the batch lacks or has too much", async () => {
    const { description, tensors, batch } = fixture("mlp.old.onnx");
    const engine = await loadEngine.reference();
    const without = new Map([...batch].filter(([name]) => name !== "y"));
    await expect(checkGraph(description, tensors, without, engine)).rejects.toThrow('the batch has no array "y"');
    const more = new Map(batch).set("grad.missing.weight", { shape: [3, 3], kind: "float", double: true, data: new Float64Array(9) });
    expect((await checkGraph(description, tensors, more, engine)).missing).toEqual(["missing.weight"]);
    const wrongClasses = new Map(batch).set("y", { shape: [4], kind: "int", double: true, data: Float64Array.of(0, 1, 2, 10) });
    await expect(checkGraph(description, tensors, wrongClasses, engine)).rejects.toThrow("the class 10, and the output has 10 classes");
    const wrongShape = new Map(batch).set("x", { shape: [4, 64], kind: "float", double: true, data: new Float64Array(256) });
    await expect(checkGraph(description, tensors, wrongShape, engine)).rejects.toThrow("x has the shape [4, 64]");
  });
});

describe("a file's description", () => {
  it("finds roles, the batch axis and the meaning of the output", () => {
    const { description } = fixture("cnn.whole.onnx");
    expect(description.initializers.filter(({ role }) => role === "parameter").map(({ name }) => name)).toEqual(["0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias", "5.weight", "5.bias", "9.weight", "9.bias", "10.weight", "10.bias", "12.weight", "12.bias"]);
    expect(description.initializers.filter(({ role }) => role === "statistics").map(({ name }) => name)).toEqual(["1.running_mean", "1.running_var", "5.running_mean", "5.running_var", "10.running_mean", "10.running_var"]);
    expect(description.input).toMatchObject({ batchAxis: 0, batch: null });
    expect(description.output.meaning).toBe("logits");
    expect(fixture("mlp.old.onnx").description.output.meaning).toBe("logProbabilities");
    expect(fixture("lstm.old.onnx").description.output.meaning).toBe("nextSymbols");
    expect(fixture("gru.default.onnx").description.input).toMatchObject({ batch: null, rebuilt: 3 });
  });

  it("tells the modules of nodes", () => {
    const modules = (file: string) => new Set(fixture(file).description.nodes.map(({ module }) => module));
    expect(modules("gpt-fused-tied.old.onnx")).toContain("h.0.attn");
    expect(modules("cnn.whole.onnx")).toContain("12");
  });

  it("gives parameters their names back that PyTorch's exporter merged or folded", () => {
    const names = ({ description }: ReturnType<typeof fixture>) => description.initializers.filter(({ role }) => role === "parameter").map(({ name }) => name);
    expect(names(fixture("gru.default.onnx")).sort()).toEqual(["embed.weight", "head.bias", "head.weight", "rnn.bias_hh_l0", "rnn.bias_ih_l0", "rnn.weight_hh_l0", "rnn.weight_ih_l0"]);
    expect(names(fixture("gru-folded.static.onnx"))).toEqual(expect.arrayContaining(["r.weight_ih_l0", "r.bias_hh_l1", "h.weight"]));
    expect(names(fixture("llama.default.onnx"))).toEqual(expect.arrayContaining(["norm1.weight", "norm2.weight", "norm.weight", "head.weight"]));
  });
});
