/** Experiments on the datasets that come with the program, besides MNIST: measures as floats, small images as bytes. */
import { expect, it } from "vitest";
import { experiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { RunControl } from "../../../src/core/training/control.ts";
import { prepareRun } from "../../../src/core/training/prepare.ts";
import { TrainingRun } from "../../../src/core/training/run.ts";

async function testError(input: ExperimentInput): Promise<number> {
  const prepared = await prepareRun(experiment.parse(input));
  const errors: number[] = [];
  const ignore = () => undefined;
  await new TrainingRun(prepared, new RunControl(), {
    step: ignore,
    evaluation: ({ testError }) => errors.push(testError ?? NaN),
    paused: ignore,
    resumed: ignore,
    rolledBack: ignore,
  }).train();
  await prepared.executable.dispose();
  return errors.at(-1)!;
}

const tower: ExperimentInput["tower"] = [{ optimizer: "adam", alpha: 0.01 }, { optimizer: "sgd", alpha: 1e-5 }];

it("iris is learned by softmax regression", async () => {
  expect(await testError({ dataset: { kind: "iris" }, model: { kind: "linear" }, batchSize: 24, budget: { epochs: 40 }, tower })).toBeLessThanOrEqual(10);
});

it("UCI digits are learned by a perceptron", async () => {
  expect(await testError({ dataset: { kind: "digits" }, model: { hidden: [32] }, batchSize: 64, budget: { epochs: 12 }, tower })).toBeLessThan(8);
});
