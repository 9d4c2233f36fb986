/** Attention, positions and group normalization as layers: names, sizes, and what does not fit. */
import { describe, expect, it } from "vitest";
import { validateExperiment } from "../../../src/shared/experiment.ts";
import { describeModel, parametersOf } from "../../../src/shared/models/architecture.ts";
import { attends } from "../../../src/shared/models/data.ts";
import { model as modelSchema } from "../../../src/shared/models/schema.ts";
import { values, type DataShape } from "../../../src/shared/models/shape.ts";
import { summarizeModel } from "../../../src/shared/models/summary.ts";

const rows: DataShape = { input: values(1, 28, 32), classes: 10 };
const parsed = (...layers: unknown[]) => modelSchema.parse({ kind: "sequential", layers });
const named = (...layers: unknown[]) => parametersOf(describeModel(parsed(...layers), rows)).map(({ name, shape }) => `${name} ${shape.join("x")}`);

describe("attention", () => {
  it("has the parameters of nn.MultiheadAttention, and those of normalized heads", () => {
    const ends = [{ kind: "lastStep" }, { kind: "linear", bias: false }];
    expect(named({ kind: "imageRows" }, { kind: "attention", headNorm: "rms" }, ...ends)).toEqual([
      "attention1.in_proj_weight 96x32",
      "attention1.in_proj_bias 96",
      "attention1.q_norm.weight 8",
      "attention1.k_norm.weight 8",
      "attention1.out_proj.weight 32x32",
      "attention1.out_proj.bias 32",
      "linear1.weight 10x32",
    ]);
    expect(named({ kind: "imageRows" }, { kind: "positions", table: "sinusoidal" }, { kind: "attention", bias: false }, ...ends)).toEqual([
      "attention1.in_proj_weight 96x32",
      "attention1.out_proj.weight 32x32",
      "linear1.weight 10x32",
    ]);
  });

  it("is summarized with its heads, its products and the scores that it keeps", () => {
    const summary = (heads: number) => summarizeModel({ model: parsed({ kind: "imageRows" }, { kind: "attention", heads, causal: true }, { kind: "lastStep" }, { kind: "linear" }), data: rows, batchSize: 1 });
    const [, layer] = summary(4).layers;
    expect(layer).toMatchObject({ title: "attention, 4 heads, causal", output: values(28, 32), parameters: 4 * 32 * 33, flops: 2 * (8 * 28 * 32 * 32 + 4 * 28 * 28 * 32) });
    expect(summary(8).memory - summary(4).memory).toBe(4 * 2 * 2 * 4 * 28 * 28);
  });

  it("makes a text model read blocks of the text, like a transformer", () => {
    expect(attends(parsed({ kind: "embedding", width: 8 }, { kind: "attention", causal: true }, { kind: "linear" }))).toBe(true);
    expect(attends(parsed({ kind: "embedding", width: 8 }, { kind: "linear" }))).toBe(false);
  });
});

describe("what does not fit is named with its layer", () => {
  const images = { kind: "mnist" };
  const text = { kind: "tiny-shakespeare" };
  const errors = (dataset: unknown, ...layers: unknown[]) => {
    const result = validateExperiment({ dataset, model: { kind: "sequential", layers } });
    return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
  };

  it.each<[string, unknown, unknown[], string]>([
    ["heads", images, [{ kind: "imageRows" }, { kind: "attention", heads: 3 }], "model.layers.1: attention has 3 heads, which do not divide the width of 28 × 28"],
    ["an odd head", images, [{ kind: "imageRows" }, { kind: "attention", heads: 4, rotary: true }], "model.layers.1: rotary positions turn pairs of values, and each head has 7"],
    ["an image", images, [{ kind: "attention" }], "model.layers.0: attention needs sequences (steps × width); it gets 1 × 28 × 28"],
    ["a text seen whole", text, [{ kind: "embedding" }, { kind: "attention" }, { kind: "linear" }], "model.layers.1: attention on a text must be causal"],
    ["groups", images, [{ kind: "conv2d", channels: 6 }, { kind: "groupNorm", groups: 4 }], "model.layers.1: groupNorm has 4 groups, which do not divide the 6 channels"],
    ["a sequence by channels", images, [{ kind: "imageRows" }, { kind: "groupNorm", groups: 4 }], "model.layers.1: groupNorm needs images or vectors"],
    ["a table", images, [{ kind: "positions", table: "none" }], "model.layers.0.table: table must be one of: learned, sinusoidal"],
    ["an approximation", images, [{ kind: "gelu", approximate: "fast" }], "model.layers.0.approximate: approximate must be one of: none, tanh"],
    ["symbols", text, [{ kind: "silu" }, { kind: "linear" }], "model.layers.0: symbols need an embedding or a recurrent layer first"],
  ])("%s", (_, dataset, layers, message) => {
    expect(errors(dataset, ...layers)[0]).toContain(message);
  });
});
