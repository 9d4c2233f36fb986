/** WebGPU agrees with the reference on a machine without a graphics card too: on SwiftShader, which takes its time. */
import { swiftShader } from "../support/softwareGraphics.ts";
import { describe, expect, it } from "vitest";
import { loadEngine } from "../../src/main/engines/index.ts";
import { referenceEngine } from "../../src/main/engines/reference/engine.ts";
import type { OpName } from "../../src/main/program/node.ts";
import { operations } from "../../src/main/program/operations/index.ts";
import { samples } from "../support/operationSamples.ts";
import { difference } from "../support/difference.ts";
import { operationTolerance, resultOf, trained, trainingTolerance } from "../support/parity.ts";
import { level, smallProblem } from "../support/problems.ts";

describe.skipIf(swiftShader === null)("onnx-webgpu", { timeout: 180_000 }, async () => {
  const engine = swiftShader === null ? referenceEngine : await loadEngine["onnx-webgpu"]();

  it.each(Object.keys(operations) as OpName[])("%s", async (op) => {
    for (const { what, inputs, result } of samples[op]) {
      const [ours, expected] = [await resultOf(engine, inputs, result), await resultOf(referenceEngine, inputs, result)];
      expect(difference(ours, expected), what).toBeLessThan(operationTolerance);
    }
  });

  it("trains as the reference does, and says on what", async () => {
    const levels = [level("adam", { groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1, mu: 0.9 }] }), level("sgd", { alpha: 1e-5 })];
    const [ours, reference] = [await trained(engine, levels, 8), await trained(referenceEngine, levels, 8)];
    expect(difference(ours.losses, reference.losses)).toBeLessThan(trainingTolerance);
    expect(difference(ours.hyperparameters, reference.hyperparameters)).toBeLessThan(trainingTolerance);
    expect(ours.evaluation["errors"]).toBe(reference.evaluation["errors"]);
    for (const [name, expected] of Object.entries(reference.state)) expect(difference(ours.state[name]!, expected), name).toBeLessThan(20 * trainingTolerance);
    expect(engine.describe({ threads: 1 })).toMatchObject({ device: expect.stringMatching(/swiftshader/i) as string, driver: expect.stringMatching(/\d/) as string, precision: "float32" });
  });

  it("goes on from a state bit for bit, and a frozen layer stays", async () => {
    const { training, initialState, batchSize, batch } = smallProblem([level("adam", { freeze: "layer1.*" }), level("sgd", { alpha: 1e-5 })]);
    const one = await engine.compile(training.program, { threads: 1 });
    one.restore(initialState);
    await one.run(`begin@${batchSize}`, batch(0));
    await one.run(`step@${batchSize}`, batch(1));
    const other = await engine.compile(training.program, { threads: 1 });
    other.restore(await one.state());
    for (const t of [2, 3]) expect(await other.run(`step@${batchSize}`, batch(t))).toEqual(await one.run(`step@${batchSize}`, batch(t)));
    const [first, second] = [await one.state(), await other.state()];
    expect(second).toEqual(first);
    await one.dispose();
    await other.dispose();
  });
});
