import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { jsonReport, textReport, type TrainReport } from "../../../src/main/headless/trainReport.ts";
import { runOf } from "./runs.ts";

const evaluation = { step: 235, epoch: 1, trainLoss: 0.5, testLoss: 0.25, testError: 4.5 };
const begun = runOf({ budget: { epochs: 1 } });
const ended = runOf({ budget: { epochs: 1 } }, { status: "finished", steps: 235, epoch: 1, testError: 4.5, loss: 0.3, finishedAt: 3_500, trained: { milliseconds: 2_500, from: "clock" } });

function tell(report: typeof jsonReport, isTTY: boolean, tale: (told: TrainReport) => void): { stdout: string; stderr: string } {
  const stdout = new PassThrough();
  const stderr = Object.assign(new PassThrough(), { isTTY, columns: 200 });
  const told = report({ stdout, stderr });
  tale(told);
  told.close();
  return { stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") };
}

function wholeTale(told: TrainReport): void {
  told.started(begun);
  told.progress({ ...begun, steps: 100 });
  told.evaluated(begun, evaluation);
  told.ended(ended);
}

describe("train's report", () => {
  it("--json: one object a line, the last with the error, every level and the run", () => {
    const { stdout, stderr } = tell(jsonReport, false, wholeTale);
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map((line) => line["type"])).toEqual(["started", "epoch", "finished"]);
    expect(lines[1]).toEqual({ event: "evaluated", type: "epoch", run: "r1", ...evaluation });
    expect(lines[2]).toMatchObject({
      run: "r1",
      testError: 4.5,
      steps: 235,
      hyperparameters: [
        { level: 0, optimizer: "adam", alpha: 0.001, beta1: 0.9, beta2: 0.999, logEps: -8 },
        { level: 1, optimizer: "sgd", alpha: 1e-5, mu: 0 },
      ],
    });
    expect(stderr).toBe("");
  });

  it("says how a run ended otherwise", () => {
    const { stdout } = tell(jsonReport, false, (told) => told.ended({ ...ended, status: "diverged", testError: null, reason: "the loss is NaN" }));
    expect(JSON.parse(stdout)).toMatchObject({ type: "diverged", testError: null, reason: "the loss is NaN" });
  });

  it("tells people the same in lines, and draws no bar off a terminal", () => {
    const { stdout, stderr } = tell(textReport, false, wholeTale);
    expect(stdout.trimEnd().split("\n")).toEqual([
      "run r1  Adam / SGD(1e-5)",
      "mnist 60000  mlp 128 tanh/tanh  batch 256  1 epoch  seed 0  onnx-cpu, 1 thread",
      "epoch 1/1  training loss 0.5000  test error 4.50 %",
      "finished after 235 steps in 2.5 s",
      "test error 4.50 %",
      "level 0  Adam    α 0.001  β₁ 0.9  β₂ 0.999  log₁₀ ε -8",
      "level 1  SGD     α 1e-5  μ 0",
      "run r1",
    ]);
    expect(stderr).toBe("");
  });

  it("draws the bar on a terminal's standard error only", () => {
    const { stdout, stderr } = tell(textReport, true, wholeTale);
    expect(stdout).not.toContain("░");
    expect(stderr).toMatch(/step 0\/235 .*loss –/);
  });
});
