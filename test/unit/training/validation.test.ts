/** Examples held out for validation. */
import { expect, it } from "vitest";
import { heldOut } from "../../../src/core/datasets/split.ts";
import { RunControl } from "../../../src/core/training/control.ts";
import { prepareRun } from "../../../src/core/training/prepare.ts";
import { TrainingRun } from "../../../src/core/training/run.ts";
import { experiment, stepsPerEpoch, totalSteps, validationExamples, type ExperimentInput } from "../../../src/shared/experiment.ts";
import type { Evaluation } from "../../../src/shared/run.ts";

it("are drawn by the seed, and never trained on", () => {
  const { training, held } = heldOut(100, 20, 7, 1);
  expect([training.length, held.length]).toEqual([80, 20]);
  expect([...training, ...held].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(heldOut(100, 20, 7, 1)).toEqual({ training, held });
  expect(heldOut(100, 20, 8, 1).held).not.toEqual(held);
  expect([...heldOut(100, 0, 7, 1).training]).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

async function trained(input: ExperimentInput) {
  const prepared = await prepareRun(experiment.parse(input));
  const evaluations: Evaluation[] = [];
  const losses: number[] = [];
  const ignore = () => undefined;
  const listener = { step: ({ values }: { values: readonly number[] }) => losses.push(values[0]!), evaluation: (one: Evaluation) => evaluations.push(one), paused: ignore, resumed: ignore, rolledBack: ignore };
  await new TrainingRun(prepared, new RunControl(), listener).train();
  await prepared.executable.dispose();
  return { evaluations, losses };
}

it("are evaluated after each epoch, the test set at the end alone", async () => {
  const input: ExperimentInput = { dataset: { kind: "digits", validation: 0.25 }, model: { hidden: [8] }, batchSize: 100, budget: { epochs: 3 } };
  const e = experiment.parse(input);
  expect(validationExamples(e.dataset)).toBe(359);
  expect(stepsPerEpoch(e)).toBe(Math.ceil((1437 - 359) / 100));
  const { evaluations, losses } = await trained(input);
  expect(losses).toHaveLength(totalSteps(e));
  expect(evaluations.map(({ testError, validationError }) => [testError === null, typeof validationError])).toEqual([[true, "number"], [true, "number"], [false, "number"]]);

  const other = await trained({ ...input, dataset: { kind: "digits", validation: 0.25, splitSeed: 1 } });
  expect(other.losses).not.toEqual(losses);
  expect((await trained(input)).losses).toEqual(losses);
});
