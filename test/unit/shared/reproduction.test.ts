import { expect, it } from "vitest";
import { compareRuns, environmentDifferences } from "../../../src/shared/reproduction.ts";

const metrics = ["loss", "stepTime", "L0.alpha"];
const run = (rows: readonly (readonly number[])[], names = metrics) => ({ metrics: names, steps: rows.map((values, step) => ({ step, values })) });
const rows = [[2, 1.5, 0.1], [1, 1.4, 0.2], [NaN, 1.6, 0.3]];

it("runs are identical when every value is, whatever a step took and in whatever order metrics are logged", () => {
  const other = rows.map(([loss, , alpha]) => [alpha!, 99, loss!]);
  expect(compareRuns(run(rows), run(other, ["L0.alpha", "stepTime", "loss"]))).toEqual({ identical: true, steps: 3, metrics: 2 });
});

it("the first difference is named: step, metric, both values", () => {
  const other = rows.map((row) => [...row]);
  other[1]![2] = 0.2 + Number.EPSILON;
  other[2]![0] = 5;
  expect(compareRuns(run(rows), run(other))).toEqual({ identical: false, steps: 1, step: 1, metric: "L0.alpha", original: 0.2, repeated: 0.2 + Number.EPSILON });
});

it("a value that is finite in only one of the two differs", () => {
  const other = rows.map((row) => [...row]);
  other[2]![0] = 1;
  expect(compareRuns(run(rows), run(other))).toMatchObject({ identical: false, step: 2, metric: "loss", original: NaN, repeated: 1 });
});

it("a run that is shorter differs where it ends, unless no more was asked for", () => {
  expect(compareRuns(run(rows), run(rows.slice(0, 2)))).toEqual({ identical: false, steps: 2, step: 2, metric: "step", original: 2, repeated: null });
  expect(compareRuns(run(rows.slice(0, 2)), run(rows))).toEqual({ identical: false, steps: 2, step: 2, metric: "step", original: null, repeated: 2 });
  expect(compareRuns(run(rows.slice(0, 2)), run(rows), 2)).toEqual({ identical: true, steps: 2, metrics: 2 });
});

it("a metric that only one logs differs", () => {
  expect(compareRuns(run(rows), run(rows, ["loss", "stepTime", "L1.alpha"]))).toMatchObject({ identical: false, metric: "L0.alpha" });
});

it("where they were trained is compared, library by library", () => {
  const environment = { hypertower: "1", node: "24", platform: "linux", cpu: "a", libraries: { onnx: "1" }, gitCommit: null };
  expect(environmentDifferences(environment, { ...environment, libraries: { onnx: "2" }, gitCommit: "abc" })).toEqual(["gitCommit was null, now abc", "onnx was 1, now 2"]);
});
