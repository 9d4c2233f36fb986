/** TensorFlow.js as an engine: nothing leaks, a rerun is the same to the bit, what is not there is named. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { loadEngine } from "../../../src/core/engines/index.ts";
import { missingEngines, presentEngines } from "../../support/engines.ts";
import { level, smallProblem } from "../../support/problems.ts";

const kinds = (["tfjs-wasm", "tfjs-cpu", "tfjs-node"] as const).filter((kind) => presentEngines.includes(kind));

describe.each(kinds)("%s", (kind) => {
  async function train(steps: number, each: (t: number) => void) {
    const engine = await loadEngine[kind]();
    const { training, initialState, batchSize, batch } = smallProblem([level("adam"), level("sgd", { alpha: 1e-5 })]);
    const executable = await engine.compile(training.program, { threads: 1 });
    executable.restore(initialState);
    const losses: number[] = [];
    for (let t = 0; t < steps; t++) {
      losses.push((await executable.run(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)))["loss"]!);
      each(t);
    }
    return { losses, executable };
  }

  it("holds as many tensors after 1,000 steps as after two, and none when it is disposed", async () => {
    const before = tf.memory().numTensors;
    const counts: number[] = [];
    const { executable } = await train(1000, () => counts.push(tf.memory().numTensors));
    expect(new Set(counts.slice(2)).size).toBe(1);
    await executable.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("trains to the same bits again", async () => {
    const [one, other] = [await train(50, () => undefined), await train(50, () => undefined)];
    expect(other.losses).toEqual(one.losses);
    expect(await other.executable.state()).toEqual(await one.executable.state());
    await Promise.all([one.executable.dispose(), other.executable.dispose()]);
  });
});

it("an engine that is not there says what is missing", () => {
  for (const { kind, problem } of missingEngines) expect(problem).toMatch(new RegExp(`^The engine ${kind} cannot be used here: .{20,}`));
  expect(presentEngines).toEqual(expect.arrayContaining(["onnx-cpu", "reference", "tfjs-wasm", "tfjs-cpu"]));
});
