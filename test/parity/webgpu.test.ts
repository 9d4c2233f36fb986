/** WebGPU agrees with the reference on a machine without a graphics card too: on SwiftShader, which takes its time. */
import { everything } from "../support/edition.ts";
import { swiftShader } from "../support/softwareGraphics.ts";
import { describe, expect, it } from "vitest";
import { loadEngine } from "../../src/core/engines/index.ts";
import { referenceEngine } from "../../src/core/engines/reference/engine.ts";
import type { OpName } from "../../src/core/program/node.ts";
import { gather, input, operations } from "../../src/core/program/operations/index.ts";
import { makeProgram } from "../../src/core/program/program.ts";
import { modelCases } from "../support/modelProblems.ts";
import { modelAgreement, operationDifference, stackAgreement, tolerances, trained } from "../support/parity.ts";
import { level, smallProblem } from "../support/problems.ts";
import { stacks } from "../support/stacks.ts";

/** Every optimizer is in one of them. ONNX Runtime takes ten seconds to compile each here. */
const fewStacks = {
  "onnx-webgpu": everything ? ["groups with optimizers of their own"] : [],
  "tfjs-webgpu": everything ? ["SGD with momentum / SGD", "AdaGrad / RMSProp / SGD", "every option", "groups with optimizers of their own"] : [],
};
const fewModels = {
  "onnx-webgpu": everything ? ["CNN with batch normalization, Adam / SGD", "LSTM on one-hot symbols, SGD / SGD"] : [],
  "tfjs-webgpu": everything ? ["CNN with batch normalization, Adam / SGD", "LSTM on one-hot symbols, SGD / SGD"] : [],
};
/** One of each way a kernel walks its data. */
const fewOperations: readonly OpName[] = ["add", "matmul", "reduceSum", "gather", "maxPool2d"];
const someOperations = everything ? (Object.keys(operations) as OpName[]) : fewOperations;
const why = swiftShader === null ? ": skipped, for libvk_swiftshader.so or libvulkan.so.1 is not here (on Debian: apt-get install chromium libvulkan1)" : "";

describe.skipIf(swiftShader === null).each(["onnx-webgpu", "tfjs-webgpu"] as const)(`%s on SwiftShader${why}`, async (kind) => {
  const engine = swiftShader === null ? referenceEngine : await loadEngine[kind]();

  it.each(someOperations)("%s", async (op) => {
    expect(await operationDifference(engine, op)).toBeLessThan(tolerances.operation);
  });

  it.each(fewStacks[kind])("8 steps of %s", async (name) => {
    const { values, state } = await stackAgreement(engine, stacks[name]!, 8);
    expect(values).toBeLessThan(tolerances.stack);
    expect(state).toBeLessThan(tolerances.stackState);
  });

  it.each(fewModels[kind])("3 steps of %s", async (name) => {
    const { values, state } = await modelAgreement(engine, modelCases[name]!, 3);
    expect(values).toBeLessThan(tolerances.model);
    expect(state).toBeLessThan(tolerances.modelState);
  });

  it("refuses an index outside the table, where the device would not", async () => {
    const program = makeProgram({ run: { outputs: {}, updates: { result: gather(input("table", [3, 2]), input("i", [2], "int32")) } } });
    const executable = await engine.compile(program, { threads: 1 });
    await expect(executable.run("run", { table: new Float64Array(6), i: Int32Array.of(0, 3) })).rejects.toThrow("run: input i is 3 at 1; allowed: whole numbers from 0 to 2");
    await executable.dispose();
  });

  it("says on what it runs", () => {
    expect(engine.describe({ threads: 1 })).toMatchObject({ device: expect.stringMatching(/swiftshader/i) as string, precision: "float32" });
  });

  it.runIf(everything && kind === "tfjs-webgpu")("trains to the same bits again", async () => {
    const levels = stacks["groups with optimizers of their own"]!;
    expect(await trained(engine, levels, 8)).toEqual(await trained(engine, levels, 8));
  });

  it.runIf(everything || kind === "tfjs-webgpu")("goes on from a state bit for bit, and a frozen layer stays", async () => {
    // SwiftShader compiles Adam's kernels for many seconds; momentum has a slot to go on from too.
    const first = everything ? level("adam", { freeze: "layer1.*" }) : level("sgd", { mu: 0.9, freeze: "layer1.*" });
    const { training, initialState, batchSize, batch } = smallProblem([first, level("sgd", { alpha: 1e-5 })]);
    const one = await engine.compile(training.program, { threads: 1 });
    one.restore(initialState);
    await one.run(`begin@${batchSize}`, batch(0));
    await one.run(`step@${batchSize}`, batch(1));
    const other = await engine.compile(training.program, { threads: 1 });
    other.restore(await one.state());
    for (const t of [2, 3]) expect(await other.run(`step@${batchSize}`, batch(t))).toEqual(await one.run(`step@${batchSize}`, batch(t)));
    expect(await other.state()).toEqual(await one.state());
    await one.dispose();
    await other.dispose();
  });
});
