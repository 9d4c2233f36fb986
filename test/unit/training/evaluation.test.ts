/** When a run is evaluated, and which weights it keeps of it. */
import { writeFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { evaluationCount, experiment, validateExperiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { isBetter } from "../../../src/shared/kept.ts";
import type { Evaluation } from "../../../src/shared/run.ts";
import type { Captured, Saver } from "../../../src/core/checkpoint/saver.ts";
import { CheckpointError } from "../../../src/core/checkpoint/container.ts";
import { trajectoryOf } from "../../../src/core/checkpoint/owner.ts";
import { decodeWeights, encodeWeights, type NamedArray, type Weights } from "../../../src/core/weights/file.ts";
import { WeightsFolder } from "../../../src/main/hosting/weights/folder.ts";
import { freshFolder } from "../../support/storeFixtures.ts";
import { trainHere } from "../../support/trainHere.ts";

/** 10 steps an epoch. */
const small: ExperimentInput = {
  dataset: { trainExamples: 500, testExamples: 200 },
  model: { hidden: [8] },
  batchSize: 50,
  budget: { epochs: 2 },
  tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-4 }],
  engine: { kind: "onnx-cpu" },
};

describe("the order of examples", () => {
  const still: ExperimentInput = { ...small, tower: [{ optimizer: "sgd", alpha: 0 }] };
  const losses = async (of: ExperimentInput, from?: Captured, saver?: Saver) => (await trainHere({ ...still, ...of }, from, saver)).steps.map(([, loss]) => loss!);

  it("is another in every epoch, or the one in which they stand", async () => {
    const [shuffled, asTheyStand, first] = await Promise.all([losses({}), losses({ shuffle: false }), losses({ shuffle: false, dataset: { trainExamples: 50, testExamples: 200 } })]);
    expect(shuffled.slice(0, 10)).not.toEqual(shuffled.slice(10));
    expect(asTheyStand.slice(0, 10)).toEqual(asTheyStand.slice(10));
    expect(new Set(asTheyStand).size).toBe(10);
    expect(asTheyStand[0]).toBe(first[0]);
  });

  it("goes on from a checkpoint in the middle of an epoch", async () => {
    let at: Captured | undefined;
    const saver: Saver = { due: true, save: (captured) => Promise.resolve(void (captured.position.step === 15 && (at = captured))) };
    const whole = await losses({ shuffle: false }, undefined, saver);
    expect(await losses({ shuffle: false }, at)).toEqual(whole.slice(15));
  });
});

describe("the schedule", () => {
  const every = (of: ExperimentInput["evaluation"]) => trainHere({ ...small, evaluation: of });

  it("changes when a run is evaluated, and nothing else", async () => {
    const [usual, often, once] = await Promise.all([every(undefined), every({ every: 7 }), every({ every: "end" })]);
    expect(usual.evaluations.map(({ step }) => step)).toEqual([10, 20]);
    expect(often.evaluations.map(({ step }) => step)).toEqual([7, 14, 20]);
    expect(once.evaluations.map(({ step }) => step)).toEqual([20]);
    for (const other of [often, once]) {
      expect(other.steps).toEqual(usual.steps);
      expect(other.end).toEqual(usual.end);
      expect(other.evaluations.at(-1)).toMatchObject({ testLoss: usual.evaluations[1]!.testLoss, testError: usual.evaluations[1]!.testError });
    }
    for (const { every: of, count } of [{ every: "epoch", count: 2 }, { every: 7, count: 3 }, { every: "end", count: 1 }, { every: 1, count: 20 }, { every: 99, count: 1 }] as const) {
      expect(evaluationCount(experiment.parse({ ...small, evaluation: { every: of } }))).toBe(count);
    }
  });

  it("means the training loss over the steps since the evaluation before", async () => {
    const { steps, evaluations } = await every({ every: 7 });
    const mean = (from: number, to: number) => steps.slice(from, to).reduce((sum, [, loss]) => sum + loss! * 50, 0) / (50 * (to - from));
    expect(evaluations.map(({ trainLoss }) => trainLoss)).toEqual([mean(0, 7), mean(7, 14), mean(14, 20)]);
  });

  it("goes on as planned from a checkpoint in the middle of an epoch", async () => {
    const whole = await every({ every: 4 });
    let at: Captured | undefined;
    const saver: Saver = { due: true, save: (captured) => Promise.resolve(void (captured.position.step === 15 && (at = captured))) };
    await trainHere({ ...small, evaluation: { every: 4 } }, undefined, saver);
    const rest = await trainHere({ ...small, evaluation: { every: 4 } }, at);
    expect(at!.position.evaluated).toBe(12);
    expect(rest.evaluations).toEqual(whole.evaluations.filter(({ step }) => step > 12));
  });

  it("is refused by name where it is none", () => {
    for (const wrong of [0, -1, 1.5, "never", null]) {
      const result = validateExperiment({ evaluation: { every: wrong } });
      expect(result.ok === false && result.errors).toEqual([{ path: "evaluation.every", message: expect.stringContaining("must be epoch, end, or a whole number of steps") as string }]);
    }
  });
});

const evaluation = (step: number, testError: number | null, testLoss: number | null = 1): Evaluation => ({ step, epoch: step / 10, trainLoss: 0.5, testLoss, testError });

it("ranks by the error, then the loss; texts by the loss", () => {
  const [images, text] = [experiment.parse({}), experiment.parse({ dataset: { kind: "tiny-shakespeare" }, model: { kind: "charRnn" } })];
  expect(isBetter(evaluation(2, 3), evaluation(1, 4), images)).toBe(true);
  expect(isBetter(evaluation(2, 4, 0.5), evaluation(1, 4, 0.6), images)).toBe(true);
  expect(isBetter(evaluation(2, 4), evaluation(1, 4), images)).toBe(false);
  expect(isBetter(evaluation(2, 3, 1.2), evaluation(1, 4, 1.1), text)).toBe(false);
  expect(isBetter(evaluation(2, null, null), evaluation(1, 90), images)).toBe(false);
});

describe("kept weights", () => {
  const of = experiment.parse(small);
  const run = { id: "a-run", experiment: of };
  const arrays: NamedArray[] = [
    { name: "fc1.weight", shape: [2, 2], values: Float64Array.of(1, 0.1, -0, 3) },
    { name: "bn1.running_mean", shape: [1], values: Float64Array.of(0.1) },
  ];
  const weights = (one: Evaluation, changes: Partial<Weights> = {}): Weights => ({ run: "a-run", experiment: trajectoryOf(of), savedAt: 5, evaluation: one, arrays, ...changes });

  async function folderWith(...evaluations: Evaluation[]): Promise<WeightsFolder> {
    const folder = new WeightsFolder(freshFolder());
    folder.prepare();
    for (const one of evaluations) {
      const pending = folder.pendingFileOf("a-run", `one-${one.step}`);
      writeFileSync(pending, encodeWeights(weights(one)));
      (await folder.accepting(run, pending))();
    }
    return folder;
  }
  const steps = async (folder: WeightsFolder) => Object.fromEntries((await folder.list(run)).map(({ name, header: { evaluation: { step } } }) => [name, step]));

  it("are the run's own, whole, or refused", async () => {
    const file = encodeWeights(weights(evaluation(10, 5)));
    expect(decodeWeights(file)).toEqual(weights(evaluation(10, 5)));
    for (const at of [3, 9, 40, file.length - 60, file.length - 1]) {
      const damaged = Buffer.from(file);
      damaged[at]! ^= 4;
      expect(() => decodeWeights(damaged), `byte ${at}`).toThrow(CheckpointError);
    }
    const folder = await folderWith(evaluation(10, 5));
    await expect(folder.list({ ...run, experiment: experiment.parse({ ...small, seed: 9 }) })).rejects.toThrow(/a-run\.best\.weights cannot be used: it belongs to another experiment: seed is 0 there and 9 in the run$/);
  });

  it("are the best and the last, in one file where they are the same", async () => {
    expect(await (await folderWith()).list(run)).toEqual([]);
    expect(await steps(await folderWith(evaluation(10, 5)))).toEqual({ best: 10, last: 10 });
    const [falling, rising, equal] = await Promise.all([[5, 4, 3], [3, 4, 5], [4, 4, 4]].map((errors) => folderWith(...errors.map((error, i) => evaluation(10 * (i + 1), error)))));
    expect(await steps(falling!)).toEqual({ best: 30, last: 30 });
    expect(readdirSync(falling!.path)).toEqual(["a-run.best.weights"]);
    expect(await steps(rising!)).toEqual({ best: 10, last: 30 });
    expect(await steps(equal!)).toEqual({ best: 10, last: 30 });
  });

  it("are gone where a run begins anew, and leave other runs alone", async () => {
    const folder = await folderWith(evaluation(10, 5), evaluation(20, 6));
    const pending = ["a-run", "a-run-2"].map((id) => folder.pendingFileOf(id, "one-30"));
    for (const path of pending) writeFileSync(path, "half");
    expect(await steps(folder)).toEqual({ best: 10, last: 20 });
    expect(await folder.pendingFiles("a-run")).toEqual([pending[0]]);
    folder.remove("a-run");
    expect(readdirSync(folder.path)).toEqual(["a-run-2.one-30.pending", "a-run.one-30.pending"]);
  });

  it("are taken of every evaluation as it was measured", async () => {
    const taken: [Evaluation, readonly NamedArray[]][] = [];
    const { evaluations } = await trainHere({ ...small, evaluation: { every: 15 } }, undefined, undefined, { keep: (...one) => void taken.push(one) });
    expect(taken.map(([one]) => one)).toEqual(evaluations);
    const [[, first], [, last]] = taken as [(typeof taken)[0], (typeof taken)[0]];
    expect(last.map(({ name, shape }) => [name, shape])).toEqual([["layer1.weight", [8, 784]], ["layer1.bias", [8]], ["layer2.weight", [10, 8]], ["layer2.bias", [10]]]);
    expect(last[0]!.values).not.toEqual(first[0]!.values);
  });
});
