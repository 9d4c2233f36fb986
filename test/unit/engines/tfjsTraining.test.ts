/** Whole runs on TensorFlow.js: evaluated, guarded, left and taken up again, in processes that end in order. */
import { describe, expect, it } from "vitest";
import type { Saver, Captured } from "../../../src/core/checkpoint/saver.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../../src/core/checkpoint/file.ts";
import type { FromTrainer } from "../../../src/main/trainer/messages.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { experiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { presentEngines } from "../../support/engines.ts";
import { trainHere } from "../../support/trainHere.ts";
import { processFile } from "../../support/processes.ts";

const kinds = (["tfjs-wasm", "tfjs-cpu", "tfjs-node"] as const).filter((kind) => presentEngines.includes(kind));

const small: ExperimentInput = {
  dataset: { trainExamples: 320, testExamples: 100 },
  model: { hidden: [8] },
  batchSize: 64,
  budget: { epochs: 2 },
  tower: [{ optimizer: "adam" }, { optimizer: "rmsProp" }, { optimizer: "sgd", alpha: 1e-3, mu: 0.5 }],
  seed: 3,
};
/** A step size that throws the weights out. */
const wild: ExperimentInput = {
  ...small,
  model: { hidden: [8], activation: "relu", outputActivation: "identity" },
  batchSize: 16,
  tower: [{ optimizer: "sgd", alpha: 0.05 }, { optimizer: "sgd", alpha: 1e6 }],
  guard: { on: true, every: 10 },
};

describe.each(kinds)("%s", (kind) => {
  it("evaluates as ONNX Runtime does", async () => {
    const [ours, theirs] = [await trainHere({ ...small, engine: { kind } }), await trainHere(small)];
    expect(ours.evaluations.map(({ step, testError }) => [step, testError])).toEqual(theirs.evaluations.map(({ step, testError }) => [step, testError]));
    for (const [i, { trainLoss, testLoss }] of ours.evaluations.entries()) {
      expect(trainLoss).toBeCloseTo(theirs.evaluations[i]!.trainLoss!, 4);
      expect(testLoss).toBeCloseTo(theirs.evaluations[i]!.testLoss!, 4);
    }
  });

  it.each([["plain", small], ["guarded", wild]])("goes on from a checkpoint file as if it had never stopped: %s", async (_, of) => {
    const config = { ...of, engine: { kind } };
    const files: Buffer[] = [];
    const everyStep: Saver = {
      due: true,
      save: (captured: Captured) => Promise.resolve(void files.push(encodeCheckpoint({ run: "r", experiment: "e", engine: kind, savedAt: 1, ...captured }))),
    };
    const whole = await trainHere(config, undefined, everyStep);
    if (of === wild) expect(whole.rollbacks.length).toBeGreaterThan(0);
    for (const at of [1, 5, 8]) {
      const rest = await trainHere(config, decodeCheckpoint(files[at]!));
      expect(rest.steps).toEqual(whole.steps.slice(at));
      expect(rest.rollbacks).toEqual(whole.rollbacks.filter(([step]) => step >= at));
      expect(rest.end).toEqual(whole.end);
      expect(rest.state).toEqual(whole.state);
    }
  });

  it("trains in a process of its own, says where, and ends in order", async () => {
    const trainer = await nodeLauncher(processFile("trainer"))();
    const messages: FromTrainer[] = [];
    trainer.onMessage((message) => void messages.push(message));
    trainer.send({ type: "start", experiment: experiment.parse({ ...small, engine: { kind } }) });
    expect(await new Promise<{ code: number | null }>((resolve) => trainer.onExit(resolve))).toMatchObject({ code: 0 });
    expect(messages.find(({ type }) => type === "ended")).toMatchObject({ outcome: "finished", step: 10 });
    expect(JSON.stringify(messages.find(({ type }) => type === "started"))).toContain(kind === "tfjs-node" ? "TensorFlow" : kind === "tfjs-wasm" ? "WebAssembly" : "JavaScript");
  });
});
