/** Small models at given weights against PyTorch in float64: losses, gradients, buffers. record.py and record_transformer.py wrote the files. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { InputValue } from "../../../src/core/engines/engine.ts";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import { buildModel } from "../../../src/core/models/build.ts";
import { gradients } from "../../../src/core/program/gradients.ts";
import { state } from "../../../src/core/program/operations/index.ts";
import { makeProgram } from "../../../src/core/program/program.ts";
import { classification } from "../../../src/core/tasks/classification.ts";
import { languageModelling } from "../../../src/core/tasks/languageModelling.ts";
import { asSequential, describeModel } from "../../../src/shared/models/architecture.ts";
import { textSteps, zLossOf } from "../../../src/shared/models/data.ts";
import { model as modelSchema, type ModelConfig } from "../../../src/shared/models/schema.ts";
import { values, type DataShape } from "../../../src/shared/models/shape.ts";

const numbers = z.array(z.number());
const named = z.record(z.string(), numbers);
const result = { loss: z.number(), gradients: named, buffers: named };
const common = { torch: z.string(), model: z.unknown(), batch: z.number(), weights: named };
const imageFile = z.strictObject({
  ...common,
  shape: numbers,
  classes: z.number(),
  batches: z.array(z.strictObject({ features: numbers, labels: numbers, ...result })),
  evaluation: z.number(),
});
const textFile = z.strictObject({
  ...common,
  vocabulary: z.number(),
  batches: z.array(z.strictObject({ symbols: numbers, targets: numbers, ...result })),
});

/** Relative to the largest entry: a hundred roundings of float64 or so. */
const tolerance = 1e-12;

function expectClose(found: ArrayLike<number>, expected: readonly number[], what: string): void {
  expect(found.length, what).toBe(expected.length);
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
  const worst = expected.reduce((largest, value, i) => Math.max(largest, Math.abs(value - found[i]!)), 0);
  expect(worst / scale, what).toBeLessThan(tolerance);
}

function taskOf(file: z.output<typeof imageFile> | z.output<typeof textFile>, written: (config: ModelConfig, data: DataShape) => ModelConfig) {
  const config: ModelConfig = modelSchema.parse(file.model);
  const build = (data: DataShape) => buildModel(describeModel(written(config, data), data));
  if ("shape" in file) return classification({ model: build({ input: values(...file.shape), classes: file.classes }), exampleShape: file.shape, scale: 1 / 255 });
  const steps = textSteps(config);
  return languageModelling({ model: build({ input: { kind: "tokens", shape: [steps], vocabulary: file.vocabulary }, classes: file.vocabulary }), steps, zLoss: zLossOf(config) });
}

const ways: [string, (config: ModelConfig, data: DataShape) => ModelConfig][] = [
  ["as they are", (config) => config],
  // Through its JSON, as it is kept and edited.
  ["layer by layer", (config, data) => modelSchema.parse(JSON.parse(JSON.stringify(asSequential(config, data))))],
];

const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".json"));

describe.each(ways)("models agree with PyTorch, %s", (_, written) => {
  it("has files", () => expect(files.length).toBeGreaterThan(3));

  it.each(files)("%s", (name) => {
    const file = z.union([imageFile, textFile]).parse(JSON.parse(readFileSync(join(import.meta.dirname, name), "utf8")));
    const task = taskOf(file, written);
    expect(task.parameters.map((p) => p.name)).toEqual(Object.keys(file.weights));

    const nodes = task.parameters.map((p) => state(p.name, p.shape));
    const { loss, buffers } = task.loss(nodes, file.batch);
    const toWeights = gradients(loss, nodes);
    const program = makeProgram({
      run: { outputs: { loss }, updates: { ...buffers, ...Object.fromEntries(toWeights.map((node, i) => [`gradient ${i}`, node])) } },
      evaluate: task.metrics(nodes, file.batch),
    });
    const engine = new ReferenceExecutable(program);
    engine.restore(Object.fromEntries(Object.entries(file.weights).map(([key, list]) => [key, Float64Array.from(list)])));
    for (const { name, shape } of program.state) {
      const initial = task.buffers[name];
      if (initial !== undefined) engine.restore({ [name]: new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(initial as number) });
    }

    file.batches.forEach((batch, i) => {
      const inputs: Record<string, InputValue> =
        "features" in batch
          ? { features: Uint8Array.from(batch.features), labels: Uint8Array.from(batch.labels) }
          : { symbols: Int32Array.from(batch.symbols), targets: Int32Array.from(batch.targets), carry: Float64Array.of(i) };
      expectClose([engine.runNow("run", inputs)["loss"]!], [batch.loss], `loss ${i}`);
      const found = engine.stateNow();
      task.parameters.forEach((p, k) => expectClose(found[`gradient ${k}`]!, batch.gradients[p.name]!, `gradient of ${p.name}, batch ${i}`));
      for (const [key, list] of Object.entries(batch.buffers)) expectClose(found[key]!, list, `${key}, batch ${i}`);
    });
    if ("evaluation" in file) {
      const last = file.batches.at(-1)!;
      const sums = engine.runNow("evaluate", { features: Uint8Array.from(last.features), labels: Uint8Array.from(last.labels) });
      expectClose([sums["loss"]!], [file.evaluation], "loss in evaluation");
    }
  });
});
