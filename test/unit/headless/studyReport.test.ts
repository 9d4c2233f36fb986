import { expect, it } from "vitest";
import { jsonReport } from "../../../src/main/headless/study/report.ts";
import type { StudyPoint } from "../../../src/shared/study/result.ts";

const point: StudyPoint = {
  key: "1", height: 1, values: [0.1], seed: 0, run: "r", status: "running", reason: null, attempts: 1, steps: 10, totalSteps: 20,
  trainingTime: null, hyperparameters: [], evaluations: [],
};

it("tells the end of a run once in JSON, also when its point changes afterwards", () => {
  let told = "";
  const stream = { isTTY: false, write: (text: string) => ((told += text), true) };
  const report = jsonReport({ stdout: stream, stderr: { ...stream, write: () => true } } as unknown as Parameters<typeof jsonReport>[0]);
  report.advanced(point);
  report.advanced({ ...point, status: "finished", steps: 20 });
  report.advanced({ ...point, status: "finished", steps: 20, trainingTime: 5 });
  report.advanced({ ...point, run: "other", status: "diverged" });
  expect(told.trim().split("\n").map((line) => JSON.parse(line) as { run: string })).toMatchObject([{ type: "run", run: "r", status: "finished" }, { run: "other", status: "diverged" }]);
});
