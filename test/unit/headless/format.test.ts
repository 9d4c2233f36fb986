import { describe, expect, it } from "vitest";
import { epochLine, experimentLine, formatDuration, levelLines, levelValues, table } from "../../../src/main/headless/format.ts";
import { runOf } from "./runs.ts";
import { aRun } from "../../support/storeFixtures.ts";

const of = (epochs: number) => ({ budget: { epochs }, dataset: { kind: "mnist" as const, trainExamples: 100, testExamples: 10, validation: 0 } });
const evaluation = { step: 235, epoch: 1, trainLoss: 0.41234, testLoss: 0.2, testError: 5.214 };

describe("format", () => {
  it("tells an epoch as the seed example does", () => {
    expect(epochLine(evaluation, of(5))).toBe("epoch 1/5  training loss 0.4123  test error 5.21 %");
    expect(epochLine({ ...evaluation, trainLoss: null, testError: null }, of(5))).toBe("epoch 1/5  training loss not finite  test error –");
    expect(epochLine({ ...evaluation, epoch: 0.5 }, of(1))).toMatch(/^epoch 0\.50\/1 /);
  });

  it("tells a text's epoch by its perplexity", () => {
    const text = { ...of(2), dataset: { kind: "tiny-shakespeare" as const, trainExamples: 5000, testExamples: 500, validation: 0 } };
    expect(epochLine({ ...evaluation, testLoss: Math.log(6.5) }, text)).toBe("epoch 1/2  training loss 0.4123  test perplexity 6.5000");
  });

  it("tells an experiment in one line", () => {
    expect(experimentLine(runOf({}).experiment)).toBe(
      "mnist 60000  mlp 128 tanh/tanh  batch 256  5 epochs  seed 0  onnx-cpu, 1 thread",
    );
  });

  it("gives the hyperparameters of every level, constant ones included", () => {
    const run = runOf({});
    run.hyperparameters[0]!.value = 0.00213;
    run.hyperparameters[1]!.value = null;
    expect(levelValues(run)).toEqual([
      { level: 0, optimizer: "adam", alpha: 0.00213, beta1: null, beta2: 0.999, logEps: -8 },
      { level: 1, optimizer: "sgd", alpha: 1e-5, mu: 0 },
    ]);
    expect(levelLines(run)).toEqual([
      "level 0  Adam    α 0.00213 (from 0.001)  β₁ not finite (from 0.9)  β₂ 0.999  log₁₀ ε -8",
      "level 1  SGD     α 1e-5  μ 0",
    ]);
  });

  it("gives the hyperparameters of every group that moves", () => {
    const run = runOf({ tower: [{ optimizer: "adam", freeze: "layer1.*", groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1 }], frozen: true }] });
    expect(levelValues(run)).toEqual([{ level: 0, optimizer: "adam", "alpha[bias]": 0.1, "mu[bias]": 0 }]);
    expect(levelLines(run)).toEqual(["level 0  frozen + 2 groups  α[bias] 0.1  μ[bias] 0"]);
  });

  it("says what is in force where a schedule is followed", () => {
    const run = aRun({ tower: [{ optimizer: "sgd", alpha: 0.1, schedules: { alpha: "oneCycle" } }, { optimizer: "sgd" }] });
    const hyperparameters = run.hyperparameters.map((one) => (one.metric === "L0.alpha" ? { ...one, value: 0.2 } : one));
    expect(levelLines({ ...run, hyperparameters })[0]).toBe("level 0  SGD     α 0.2 (from 0.1, in force 0.004)  μ 0");
  });

  it.each([
    [0, "0.0 s"],
    [59_940, "59.9 s"],
    [59_960, "1 min 00 s"],
    [245_000, "4 min 05 s"],
    [7_380_000, "2 h 03 min"],
  ])("formats %d ms", (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it("aligns columns without trailing spaces", () => {
    expect(table([["A", "LONG"], ["wide", "x"], ["b", ""]])).toBe("A     LONG\nwide  x\nb");
  });
});
