import { expect, it } from "vitest";
import { experiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { plainAtLearnedValues } from "../../../src/shared/rerun.ts";
import type { RunSummary } from "../../../src/shared/run.ts";
import { newRun } from "../../../src/main/hosting/newRun.ts";

/** A run whose level 0 ended at `values`. */
function ended(input: ExperimentInput, values: Record<string, number | null>, changes: Partial<RunSummary> = {}): RunSummary {
  const run = newRun(experiment.parse(input));
  const hyperparameters = run.hyperparameters.map((h) => (h.level === 0 && h.name in values ? { ...h, value: values[h.name]! } : h));
  return { ...run, status: "finished", hyperparameters, ...changes };
}

const seedExample: ExperimentInput = { name: "seed", seed: 7, batchSize: 64, budget: { epochs: 3 } };
const learned = { alpha: 0.004, beta1: 0.89, beta2: 0.9985 };

function planned(run: RunSummary) {
  const plan = plainAtLearnedValues(run);
  if ("impossible" in plan) throw new Error(plan.impossible);
  return plan.experiment;
}

function refusal(run: RunSummary): string {
  const plan = plainAtLearnedValues(run);
  return "impossible" in plan ? plan.impossible : "granted";
}

it("keeps level 0 alone, at its final values, and all else as it was", () => {
  const run = ended({ ...seedExample, tower: [{ optimizer: "adam", logEps: -6 }, { optimizer: "sgd", alpha: 1e-5 }, { optimizer: "sgd" }] }, learned);
  const { name, tower, ...rest } = planned(run);
  const { name: _name, tower: _tower, ...before } = run.experiment;
  expect(rest).toEqual(before);
  expect(name).toBe("seed, plain at the learned values");
  expect(tower).toHaveLength(1);
  expect(tower[0]).toMatchObject({ optimizer: "adam", ...learned, logEps: -6 });
});

it("goes by the run's name as it is now, and keeps within the limit of names", () => {
  expect(planned(ended(seedExample, learned, { name: "renamed" })).name).toBe("renamed, plain at the learned values");
  const { name } = planned(ended(seedExample, learned, { name: "x".repeat(200) }));
  expect(name).toHaveLength(200);
  expect(name).toMatch(/^x+, plain at the learned values$/);
});

it("keeps what was not learned as it was set", () => {
  const run = ended({ tower: [{ optimizer: "adamBaydin", beta1: 0.8 }, { optimizer: "sgd" }] }, { alpha: 0.002 });
  expect(planned(run).tower[0]).toMatchObject({ optimizer: "adam", alpha: 0.002, beta1: 0.8, beta2: 0.999 });
});

it("starts every group from what it learned; what was frozen stays frozen", () => {
  const groups = [{ name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1 } as const, { name: "first", match: "layer1.*", frozen: true }];
  const run = ended({ tower: [{ optimizer: "adam", groups }, { optimizer: "sgd" }] }, { ...learned, "alpha[bias]": 0.3 });
  expect(planned(run).tower[0]).toEqual({
    ...run.experiment.tower[0],
    ...learned,
    groups: [{ ...run.experiment.tower[0]!.groups[0], alpha: 0.3 }, run.experiment.tower[0]!.groups[1]],
  });
  expect(refusal(ended({ tower: run.experiment.tower }, { ...learned, "alpha[bias]": -0.3 }))).toMatch(/^SGD’s α\[bias\] ended at -0\.3, /);
});

it.each(["queued", "running", "paused", "stopped", "diverged", "failed", "interrupted"] as const)("refuses a run that is %s", (status) => {
  expect(refusal(ended(seedExample, learned, { status }))).toContain(`The run is ${status}; only a finished run can be rerun.`);
});

it("refuses a run that was plain already", () => {
  expect(refusal(ended({ tower: [{ optimizer: "adam" }] }, {}))).toMatch(/plain already/);
});

it("names the value that is not finite, or outside its domain with what is allowed", () => {
  expect(refusal(ended(seedExample, { ...learned, beta2: null }))).toMatch(/^Adam’s β₂ ended at a value that is not finite/);
  const sgd: ExperimentInput = { tower: [{ optimizer: "sgd", mu: 0.5 }, { optimizer: "sgd" }] };
  expect(refusal(ended(sgd, { alpha: -0.03, mu: 0.5 }))).toMatch(/^SGD’s α ended at -0\.03, .*; allowed: 0 or more\.$/);
  expect(refusal(ended(sgd, { alpha: 0.1, mu: 1.25 }))).toMatch(/^SGD’s μ ended at 1\.25, .*; allowed: from 0 to 1 \(excluded\)\.$/);
});
