/** Tables and axes say what is measured in the unit of the run's task. */
import { expect, it } from "vitest";
import { metricTitle } from "../../../src/charts/studyText.ts";
import { metricColumn } from "../../../src/main/reports/report/columns.ts";
import { evaluationsTable } from "../../../src/main/reports/report/runTables.ts";
import { experiment } from "../../../src/shared/experiment.ts";
import type { RunDetail } from "../../../src/shared/run.ts";

const facts = { title: "Houses", task: "regression", trainExamples: 80, testExamples: 20, exampleShape: [3], classNames: [] } as const;
const houses = experiment.parse({ dataset: { kind: "own/houses-1", facts: { ...facts, exampleShape: [3], classNames: [] } }, batchSize: 16 });
const shakespeare = experiment.parse({ dataset: { kind: "tiny-shakespeare" }, batchSize: 32 });
const mnist = experiment.parse({});

const unitsOf = (of: typeof mnist) => Object.fromEntries(evaluationsTable({ id: "r", evaluations: [], experiment: of } as unknown as RunDetail).columns.map(({ name, unit }) => [name, unit]));

it("of a quantity: no nats", () => {
  expect(unitsOf(houses)).toEqual({ run: "", step: "updates", epoch: "epochs", testRmse: "", testLoss: "squared deviations", testMae: "", trainLoss: "squared deviations" });
  expect(metricColumn("loss", "regression").unit).toBe("squared deviations");
  expect(metricColumn("L0.alpha.hypergradient", "regression").unit).toBe("squared deviations");
  expect(metricTitle({ name: "testLoss", at: "best" }, houses)).toBe("Best test loss (squared deviations)");
  expect(metricTitle({ name: "testRmse", at: "final" }, houses)).toBe("Test RMSE");
});

it("of classes and texts", () => {
  expect(unitsOf(mnist)).toMatchObject({ testError: "%", testAccuracy: "%", testLoss: "nats", trainLoss: "nats" });
  expect(unitsOf(shakespeare)).toMatchObject({ testPerplexity: "", testBitsPerCharacter: "bits", testLoss: "nats", testError: "%" });
  expect(metricColumn("loss", "text").unit).toBe("nats");
  expect(metricTitle({ name: "testBitsPerCharacter", at: "final" }, shakespeare)).toBe("Test bits per character (bits)");
  expect(metricTitle({ name: "testError", at: "final" }, mnist)).toBe("Test error (%)");
});
