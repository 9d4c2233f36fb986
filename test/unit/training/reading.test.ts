/** How a model reads one example: attention maps and predictions, beside a direct computation. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readGraph } from "../../../src/core/graphs/describe.ts";
import { graphModel } from "../../../src/core/graphs/model.ts";
import { blockFeed } from "../../../src/core/feeds/blockFeed.ts";
import { buildModel } from "../../../src/core/models/build.ts";
import type { Model } from "../../../src/core/models/model.ts";
import { Random } from "../../../src/core/models/random.ts";
import { attentionIn, recorded } from "../../../src/core/prediction/attention.ts";
import { readExample, type ReadExample } from "../../../src/core/prediction/reading.ts";
import { batchOf, tokensOf } from "../../../src/core/models/activations.ts";
import { input, state } from "../../../src/core/program/operations/index.ts";
import { experiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { describeModel } from "../../../src/shared/models/architecture.ts";
import { dataShape } from "../../../src/shared/models/data.ts";

const context = 6;
const heads = 2;
const width = 8;

const config = (engine: "reference" | "onnx-cpu"): ExperimentInput => ({
  dataset: { kind: "tiny-shakespeare", trainExamples: 400, testExamples: 100 },
  model: { kind: "transformer", layers: 2, heads, width, context, bias: true, dropout: 0.2 },
  batchSize: 2,
  budget: { epochs: 1 },
  engine: { kind: engine },
});

/** The tiny transformer with drawn weights, and a text of its symbols. */
function tiny(engine: "reference" | "onnx-cpu") {
  const of = experiment.parse(config(engine));
  const data = dataShape(of);
  const model = buildModel(describeModel(of.model, data));
  const random = new Random(3, "initialization", of.generator);
  // Larger than initial weights, so that attention is uneven.
  const weights = model.parameters.map(({ name, shape, initialize }) => ({ name, shape, values: initialize(random).map((value) => (name.includes("ln_") ? value : (name.includes("c_attn.weight") ? 60 : 8) * value)) }));
  const vocabulary = Array.from({ length: data.classes }, (_, i) => String.fromCharCode(33 + i));
  const codes = Uint8Array.from({ length: 500 }, (_, i) => (i * i + 3 * i) % data.classes);
  const text = { vocabulary, train: codes.subarray(0, 400), test: codes.subarray(400) };
  const read = (example: ReadExample) => readExample({ experiment: of, model, feedOf: (own) => Promise.resolve(blockFeed(text as never, of, own)), weights, example });
  return { read, weights: new Map(weights.map(({ name, values }) => [name, values])), text, vocabulary };
}

type Rows = number[][];

/** The transformer in plain loops: weights of attention by layer and head, and log probabilities. */
function direct(codes: readonly number[], w: ReadonlyMap<string, Float64Array>) {
  const at = (name: string) => w.get(name)!;
  const linear = (x: Rows, name: string): Rows => {
    const [weight, bias] = [at(`${name}.weight`), w.get(`${name}.bias`)];
    const into = weight.length / x[0]!.length;
    return x.map((row) => Array.from({ length: into }, (_, o) => row.reduce((sum, value, i) => sum + value * weight[o * row.length + i]!, bias?.[o] ?? 0)));
  };
  const norm = (x: Rows, name: string): Rows =>
    x.map((row) => {
      const mean = row.reduce((a, b) => a + b) / row.length;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
      return row.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * at(`${name}.weight`)[i]! + (w.get(`${name}.bias`)?.[i] ?? 0));
    });
  const softmax = (row: number[]) => {
    const largest = Math.max(...row);
    const powers = row.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((value) => value / sum);
  };
  const erf = (x: number) => {
    // Taylor series; arguments here are small.
    let [term, sum] = [x, x];
    for (let n = 1; n < 200; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  };
  const gelu = (x: number) => (Math.abs(x) > 8 ? Math.max(x, 0) : (x / 2) * (1 + erf(x / Math.SQRT2)));
  const added = (a: Rows, b: Rows): Rows => a.map((row, i) => row.map((value, j) => value + b[i]![j]!));
  let x: Rows = codes.map((code, step) => Array.from({ length: width }, (_, i) => at("transformer.wte.weight")[code * width + i]! + at("transformer.wpe.weight")[step * width + i]!));
  const maps: number[][] = [];
  for (const layer of [0, 1]) {
    const of = `transformer.h.${layer}`;
    const joined = linear(norm(x, `${of}.ln_1`), `${of}.attn.c_attn`);
    const each = width / heads;
    const mixed: Rows = codes.map(() => []);
    const map: number[] = [];
    for (let head = 0; head < heads; head++) {
      const part = (row: number[], which: number) => row.slice(which * width + head * each, which * width + (head + 1) * each);
      joined.forEach((row, query) => {
        const scores = joined.map((other, key) => (key > query ? -Infinity : part(row, 0).reduce((sum, value, i) => sum + value * part(other, 1)[i]!, 0) / Math.sqrt(each)));
        const weights = softmax(scores);
        map.push(...weights);
        mixed[query]!.push(...Array.from({ length: each }, (_, i) => weights.reduce((sum, weight, key) => sum + weight * part(joined[key]!, 2)[i]!, 0)));
      });
    }
    maps.push(map);
    x = added(x, linear(mixed, `${of}.attn.c_proj`));
    x = added(x, linear(linear(norm(x, `${of}.ln_2`), `${of}.mlp.c_fc`).map((row) => row.map(gelu)), `${of}.mlp.c_proj`));
  }
  const last = norm(x, "transformer.ln_f");
  const table = at("transformer.wte.weight");
  const logits = last.map((row) => Array.from({ length: table.length / width }, (_, symbol) => row.reduce((sum, value, i) => sum + value * table[symbol * width + i]!, 0)));
  return { maps, logp: logits.flatMap((row) => softmax(row).map(Math.log)) };
}

const distance = (a: ArrayLike<number>, b: readonly number[]) => b.reduce((largest, value, i) => Math.max(largest, Math.abs(value - a[i]!)), 0);

describe("the attention of a transformer", () => {
  it.each([["reference", 1e-6], ["onnx-cpu", 1e-4]] as const)("is that of a direct computation, as are its predictions: %s", async (engine, tolerance) => {
    const { read, weights, text } = tiny(engine);
    const found = await read({ from: "text", set: "test", position: 11 });
    const codes = [...text.test.subarray(11, 11 + context)];
    const { maps, logp } = direct(codes, weights);
    expect({ codes: found.codes, next: found.next, length: found.length }).toEqual({ codes, next: text.test[11 + context], length: 100 });
    expect(found.maps.map(({ name, heads: count, queries, keys, causal }) => [name, count, queries, keys, causal])).toEqual([0, 1].map((layer) => [`transformer.h.${layer}.attn`, 2, 6, 6, true]));
    expect(distance(found.scores, logp)).toBeLessThan(20 * tolerance);
    for (const [layer, { weights: own }] of found.maps.entries()) {
      expect(distance(own, maps[layer]!)).toBeLessThan(tolerance);
      for (let row = 0; row < heads * context; row++) {
        const of = own.subarray(row * context, (row + 1) * context);
        expect(of.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
        expect([...of.subarray((row % context) + 1)].every((weight) => weight === 0)).toBe(true);
      }
      // Weights that differ from head to head and are no mere averages.
      expect(Math.max(...own.subarray(5 * context, 6 * context))).toBeGreaterThan(0.25);
    }
  });

  it("of a text of one's own has its symbols only, of a long one the last", async () => {
    const { read, weights, vocabulary } = tiny("reference");
    const typed = vocabulary[4]! + vocabulary[9]! + vocabulary[2]!;
    const found = await read({ from: "typed", text: typed });
    expect(found).toMatchObject({ codes: [4, 9, 2], next: null, length: null });
    expect(found.scores).toHaveLength(3 * found.width);
    expect(distance(found.maps[1]!.weights, direct([4, 9, 2], weights).maps[1]!)).toBeLessThan(1e-6);
    expect((await read({ from: "typed", text: "$".repeat(20) + typed })).codes).toEqual([3, 3, 3, 4, 9, 2]);
  });

  it("at the end of the text ends with it", async () => {
    const found = await tiny("reference").read({ from: "text", set: "test", position: 97 });
    expect(found.codes).toHaveLength(3);
    expect(found).toMatchObject({ next: null, maps: [{ queries: 3 }, { queries: 3 }] });
  });

  it("of what is not there is refused in words", async () => {
    const { read } = tiny("reference");
    await expect(read({ from: "text", set: "test", position: 100 })).rejects.toThrow("position 100 is beyond the test text, which has 100 symbols; allowed: 0 to 99");
    await expect(read({ from: "text", set: "validation", position: 0 })).rejects.toThrow("the data has no validation text; the run was made with test");
    await expect(read({ from: "example", index: 0 })).rejects.toThrow("the model reads a text; choose a position in it or type one");
    await expect(read({ from: "typed", text: "\u4e00" })).rejects.toThrow(/does not contain "一"/);
  });
});

describe("attention in other models", () => {
  const found = (model: Model, tokens: boolean, shape: readonly number[]) => {
    const { model: own, modules } = recorded(model);
    const x = tokens ? tokensOf(input("symbols", [1, ...shape], "int32")) : batchOf(input("features", [1, ...shape]));
    const parameters = own.parameters.map(({ name, shape: size }) => state(name, size));
    const buffers = Object.fromEntries(own.buffers.map(({ name, shape: size }) => [name, state(name, size)]));
    const { output } = own.forward(x, { parameters, buffers, training: false });
    return attentionIn(output.node, modules()).map(({ name, weights }) => `${name} ${weights.shape.join("x")}`);
  };
  const imported = (file: string, tokens: boolean, shape: readonly number[]) => {
    const { description, tensors } = readGraph(readFileSync(new URL(`../../onnx/fixtures/${file}`, import.meta.url)), { folder: null });
    return found(graphModel(description, tensors), tokens, shape);
  };

  it("is found in attention layers, by the layer's name", () => {
    const of = experiment.parse({ dataset: { kind: "mnist" }, model: { kind: "sequential", layers: [{ kind: "imageRows" }, { kind: "attention", heads: 4 }, { kind: "lastStep" }, { kind: "linear" }] } });
    expect(found(buildModel(describeModel(of.model, dataShape(of))), false, [1, 28, 28])).toEqual(["attention1 1x4x28x28"]);
    const plain = experiment.parse({ dataset: { kind: "mnist" }, model: { hidden: [8] } });
    expect(found(buildModel(describeModel(plain.model, dataShape(plain))), false, [1, 28, 28])).toEqual([]);
  });

  it.each<[string, boolean, number[], string[]]>([
    ["gpt-fused-tied.old.onnx", true, [8], ["h.0.attn 1x2x8x8"]],
    ["vit-postnorm.old.onnx", false, [3, 8, 8], ["encoder.0.self_attn 1x3x5x5"]],
    ["cnn.whole.onnx", false, [1, 12, 12], []],
  ])("is found in an imported network, by its module: %s", (file, tokens, shape, expected) => {
    expect(imported(file, tokens, shape)).toEqual(expected);
  });
});
