/** Imported networks as models that train. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readGraph } from "../../../src/core/graphs/describe.ts";
import { graphModel, type GraphModel } from "../../../src/core/graphs/model.ts";
import { batchOf, rows, tokensOf, type Activations } from "../../../src/core/models/activations.ts";
import { Random } from "../../../src/core/models/random.ts";
import { referenceEngine } from "../../../src/core/engines/reference/engine.ts";
import { sizeOf } from "../../../src/core/program/node.ts";
import { input, state } from "../../../src/core/program/operations/index.ts";
import { makeProgram } from "../../../src/core/program/program.ts";
import { weightsLayout } from "../../../src/shared/models/graph.ts";

const fixture = (name: string) => readGraph(readFileSync(new URL(`../../onnx/fixtures/${name}`, import.meta.url)), { folder: null });

interface Passed {
  readonly output: Float64Array;
  readonly shape: readonly number[];
  readonly buffers: Readonly<Record<string, Float64Array>>;
}

/** A forward pass at the file's weights; every mask keeps all but its first entry. */
async function pass(model: GraphModel, x: Activations, values: Float64Array, training: boolean): Promise<Passed> {
  const parameters = model.parameters.map(({ name, shape }) => state(name, shape));
  const buffers = Object.fromEntries(model.buffers.map(({ name, shape }) => [name, state(name, shape)]));
  const forward = model.forward(x, { parameters, buffers, training });
  const node = rows(forward.output);
  const program = makeProgram({ run: { outputs: {}, updates: { output: node, ...forward.buffers } } });
  const executable = await referenceEngine.compile(program, { threads: 1 });
  const random = new Random(1, "initialization", 2, 0);
  const declared = new Set(program.state.map(({ name }) => name));
  executable.restore(Object.fromEntries([...model.parameters.map((one) => [one.name, one.initialize(random)] as const), ...Object.entries(model.bufferValues)].filter(([name]) => declared.has(name))));
  const masks = Object.fromEntries(model.masks.map(({ name, shape }) => [name, new Uint8Array(x.batch * sizeOf(shape)).fill(1).fill(0, 0, 1)]));
  await executable.run("run", { x: values, ...masks });
  const { output, ...others } = await executable.state(["output", ...Object.keys(forward.buffers)]);
  return { output: output!, shape: node.shape, buffers: others };
}

const ramp = (length: number) => Float64Array.from({ length }, (_, i) => Math.sin(i));

describe("an imported network as a model", () => {
  it("trains with the batch's statistics and dropout, and evaluates with the running ones", async () => {
    const { description, tensors } = fixture("cnn.whole.onnx");
    const model = graphModel(description, tensors);
    expect(model.masks).toEqual([{ name: "8.mask", shape: [32], p: 0.3 }]);
    const x = batchOf(input("x", [5, 1, 12, 12]));
    const values = ramp(5 * 144);
    const trained = await pass(model, x, values, true);
    const evaluated = await pass(model, x, values, false);
    const kept = await pass(graphModel(description, tensors, { dropout: false }), x, values, true);
    expect(trained.shape).toEqual([5, 10]);
    expect(trained.output).not.toEqual(evaluated.output);
    expect(trained.output).not.toEqual(kept.output);
    expect(Object.keys(trained.buffers)).toEqual(["1.running_mean", "1.running_var", "5.running_mean", "5.running_var", "10.running_mean", "10.running_var"]);
    expect(trained.buffers["1.running_mean"]).not.toEqual(model.bufferValues["1.running_mean"]);
    expect(evaluated.buffers).toEqual({});
  });

  it("takes flat examples as images, and images with the channels first for a network that has them last", async () => {
    const flat = fixture("cnn.whole.onnx");
    const model = graphModel(flat.description, flat.tensors, { dropout: false });
    const values = ramp(2 * 144);
    const asImages = await pass(model, batchOf(input("x", [2, 1, 12, 12])), values, false);
    expect((await pass(model, batchOf(input("x", [2, 144])), values, false)).output).toEqual(asImages.output);

    const last = fixture("unet.keras.onnx");
    const keras = graphModel(last.description, last.tensors, { raw: true });
    const channelsLast = ramp(2 * 16 * 16 * 3);
    const channelsFirst = new Float64Array(channelsLast.length);
    for (let n = 0; n < 2; n++) for (let i = 0; i < 256; i++) for (let c = 0; c < 3; c++) channelsFirst[(n * 3 + c) * 256 + i] = channelsLast[(n * 256 + i) * 3 + c]!;
    const given = await pass(keras, batchOf(input("x", [2, 16, 16, 3])), channelsLast, false);
    expect((await pass(keras, batchOf(input("x", [2, 3, 16, 16])), channelsFirst, false)).output).toEqual(given.output);
    expect(() => model.forward(batchOf(input("x", [2, 3, 12, 12])), { parameters: model.parameters.map(({ name, shape }) => state(name, shape)), buffers: {}, training: false })).toThrow();
  });

  it("reads symbols and predicts the next one at every position", async () => {
    const { description, tensors } = fixture("gpt-fused-tied.old.onnx");
    const model = graphModel(description, tensors);
    const { shape } = await pass(model, tokensOf(input("x", [3, 8], "int32")), Float64Array.from({ length: 24 }, (_, i) => i % 13), false);
    expect(shape).toEqual([3, 8, 13]);
  });

  it.each(["encoder", "lstm"])("is the same from a file that is fixed to a batch size: %s", async (name) => {
    const [open, fixed] = [fixture(`${name}.old.onnx`), fixture(`${name}.fixed.onnx`)];
    expect(fixed.description.input.batch).toBe(null);
    expect(fixed.description.inputs[0]!.shape).toEqual(["batch", 8]);
    for (const batch of [1, 3, 5]) {
      const x = tokensOf(input("x", [batch, 8], "int32"));
      const values = Float64Array.from({ length: batch * 8 }, (_, i) => (i * 7) % 11);
      const [a, b] = [await pass(graphModel(open.description, open.tensors), x, values, true), await pass(graphModel(fixed.description, fixed.tensors), x, values, true)];
      expect(b.shape).toEqual(a.shape);
      b.output.forEach((value, i) => expect(value).toBeCloseTo(a.output[i]!, 12));
    }
  });

  it("calculates smaller and larger batches in pieces of the size that a file is fixed to, where it cannot be rebuilt", async () => {
    const { description, tensors } = fixture("cnn.whole.onnx");
    const open = graphModel(description, tensors, { dropout: false });
    const fixed = graphModel({ ...description, input: { ...description.input, batch: 4 } }, tensors, { dropout: false });
    expect([open.batch, fixed.batch]).toEqual([undefined, 4]);
    for (const batch of [1, 4, 7, 9]) {
      const x = batchOf(input("x", [batch, 1, 12, 12]));
      const values = ramp(batch * 144);
      expect((await pass(fixed, x, values, false)).output).toEqual((await pass(open, x, values, false)).output);
    }
    const parameters = fixed.parameters.map(({ name, shape }) => state(name, shape));
    const buffers = Object.fromEntries(fixed.buffers.map(({ name, shape }) => [name, state(name, shape)]));
    expect(() => fixed.forward(batchOf(input("x", [1000, 1, 12, 12])), { parameters, buffers, training: false })).toThrow("the network takes batches of exactly 4 examples, and 1000 are too many at once; at most 512 are allowed");
  });

  it("begins with fresh weights of each layer's kind", () => {
    const { description, tensors } = fixture("cnn.whole.onnx");
    const model = graphModel(description, tensors, { start: "fresh" });
    const random = new Random(3, "initialization", 2, 0);
    const fresh = Object.fromEntries(model.parameters.map((one) => [one.name, one.initialize(random)]));
    expect(fresh["1.weight"]!.every((value) => value === 1)).toBe(true);
    expect(fresh["1.bias"]!.every((value) => value === 0)).toBe(true);
    const bound = 1 / Math.sqrt(32);
    expect(fresh["9.weight"]!.every((value) => Math.abs(value) <= bound)).toBe(true);
    expect(Math.max(...fresh["9.weight"]!)).toBeGreaterThan(0.8 * bound);
    expect(fresh["9.bias"]!.every((value) => Math.abs(value) <= bound)).toBe(true);
    expect(model.bufferValues["1.running_var"]!.every((value) => value === 1)).toBe(true);
  });
});

describe("the weights of a network", () => {
  it("lie one behind the other, each at a multiple of 8 bytes", () => {
    const one = (dtype: "float32" | "float64" | "int64", shape: number[]) => ({ name: "a", dtype, shape, role: "parameter" as const });
    expect(weightsLayout([one("float32", [3]), one("float64", [2]), one("int64", []), one("float32", [0])])).toEqual({ offsets: [0, 16, 32, 40], bytes: 40 });
  });
});
