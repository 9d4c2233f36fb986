import { expect, it } from "vitest";
import { jsonReport, textReport } from "../../../src/main/headless/study/report.ts";
import type { StudyDetail, StudyPoint } from "../../../src/shared/study/result.ts";
import { makePoints, stepSizeStudy } from "../../support/studyPoints.ts";

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

it("withholds times that the runs of one program share, and says why", () => {
  const plain = stepSizeStudy([-2, -1], [0, 1], [0, 1]);
  const points = makePoints(plain, (height) => ({ error: 5, stepTime: 1 + height }));
  const told = (cohort: number, make: typeof textReport) => {
    let text = "";
    const stdout = { write: (piece: string) => ((text += piece), true) };
    const detail = { id: "s", name: "s", status: "finished", reason: null, study: { ...plain, cohort }, total: points.length, finished: points.length, diverged: 0, failed: 0, pruned: 0, skipped: 0, startedAt: 0, finishedAt: 1, trained: null, points };
    make({ stdout, stderr: { isTTY: false, write: () => true } } as unknown as Parameters<typeof textReport>[0]).ended(detail as unknown as StudyDetail);
    return text;
  };
  const why = "Heights are not compared by time, because up to 4 runs were trained as one program and share its time; to compare it, train them with --cohort 1.";
  expect(told(1, textReport)).toMatch(/more time per step/);
  expect(told(1, textReport)).not.toContain("by time");
  expect(told(4, textReport)).not.toMatch(/time per step/);
  expect(told(4, textReport)).toContain(`\n${why}\n`);
  expect(JSON.parse(told(1, jsonReport))).not.toHaveProperty("noTimes");
  expect(JSON.parse(told(4, jsonReport))).toMatchObject({ noTimes: why });
});
