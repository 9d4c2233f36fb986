/** What evaluations tell, by name. */
import { describe, expect, it } from "vitest";
import { experiment } from "../../../src/shared/experiment.ts";
import { chanceOf, headlineOf, metricsOf, metricValue, namedMetricText, resultOf, unitOf } from "../../../src/shared/metrics.ts";
import { metricFor, studyMetricsOf } from "../../../src/shared/study/metric.ts";

const none = { step: 1, epoch: 1, trainLoss: null, testLoss: null, testError: null };

describe("metrics", () => {
  it("follow from what is kept", () => {
    const one = { ...none, testLoss: Math.log(8), testError: 25, trainLoss: Math.LN2, validationLoss: 0 };
    expect(metricValue("testPerplexity", one)).toBeCloseTo(8, 12);
    expect(metricValue("testBitsPerCharacter", one)).toBeCloseTo(3, 12);
    expect(metricValue("testAccuracy", one)).toBe(75);
    expect(metricValue("trainPerplexity", one)).toBeCloseTo(2, 12);
    expect(metricValue("validationPerplexity", one)).toBe(1);
    expect(metricValue("validationError", one)).toBeNull();
    expect(metricValue("testRmse", { ...none, testRmse: 3.5 })).toBe(3.5);
  });

  it("belong to tasks, the one that runs are known by first", () => {
    expect(metricsOf("classification")[0]).toBe("testError");
    expect(metricsOf("text")).toEqual(expect.arrayContaining(["testPerplexity", "trainBitsPerCharacter"]));
    expect(metricsOf("text")[0]).toBe("testPerplexity");
    expect(metricsOf("regression")).toEqual(expect.arrayContaining(["testRmse", "testMae", "trainLoss"]));
    expect(metricsOf("regression")).not.toContain("testError");
    expect(headlineOf("regression", "validation")).toBe("validationRmse");
  });

  it("have the units of their task", () => {
    expect([unitOf("testLoss", "classification"), unitOf("trainLoss", "text"), unitOf("testLoss", "regression")]).toEqual(["nats", "nats", "squared deviations"]);
    expect([unitOf("testError", "text"), unitOf("testBitsPerCharacter", "text"), unitOf("testPerplexity", "text"), unitOf("testRmse", "regression")]).toEqual(["%", "bits", "", ""]);
  });

  it("of a study are those its runs have, and lower is better for all of them", () => {
    const mnist = experiment.parse({});
    expect(studyMetricsOf(mnist)).toEqual(["testError", "testLoss", "trainLoss"]);
    expect(studyMetricsOf(experiment.parse({ dataset: { validation: 0.1 } }))).toEqual(["testError", "testLoss", "validationError", "validationLoss", "trainLoss"]);
    const text = experiment.parse({ dataset: { kind: "tiny-shakespeare" } });
    expect(metricFor("testError", text)).toBe("testError");
    expect(metricFor("testRmse", text)).toBe("testPerplexity");
    expect(metricFor(undefined, text)).toBe("testPerplexity");
  });

  it("say what they are of where they stand among others, but for a test error", () => {
    expect([namedMetricText("testError", 4.213), namedMetricText("validationError", 4.4)]).toEqual(["4.21 %", "4.40 % val."]);
    expect([namedMetricText("testPerplexity", 5.41), namedMetricText("testRmse", 0.32), namedMetricText("validationRmse", 12.5)]).toEqual(["5.41 ppl", "RMSE 0.32", "RMSE 12.5 val."]);
    expect([namedMetricText("testPerplexity", null), namedMetricText("testPerplexity", Infinity)]).toEqual(["–", "–"]);
  });

  it("say what guessing gets", () => {
    expect(chanceOf("testError", experiment.parse({}))).toBe(90);
    expect(chanceOf("testLoss", experiment.parse({}))).toBe(Math.log(10));
    expect(chanceOf("testPerplexity", experiment.parse({ dataset: { kind: "tiny-shakespeare" } }))).toBe(65);
  });

  it("of a run: the test set's, or while that waits for the end, what is held out", () => {
    const held = experiment.parse({ dataset: { validation: 0.1 } });
    expect(resultOf({ experiment: held, testError: null, evaluation: { ...none, validationError: 4 } })).toEqual({ name: "validationError", value: 4 });
    expect(resultOf({ experiment: held, testError: 5, evaluation: { ...none, validationError: 4, testError: 5 } })).toEqual({ name: "testError", value: 5 });
    // A run of an older version kept its error alone.
    expect(resultOf({ experiment: experiment.parse({}), testError: 3, evaluation: null })).toEqual({ name: "testError", value: 3 });
  });
});
