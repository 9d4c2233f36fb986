import { describe, expect, it } from "vitest";
import { chanceLevel, measure, metricLabel, penalty, type StudyMetric } from "../../../../src/shared/study/metric.ts";
import { makePoint } from "../../../support/studyPoints.ts";
import { validateExperiment } from "../../../../src/shared/experiment.ts";

const final: StudyMetric = { name: "testError", at: "final" };
const best: StudyMetric = { name: "testError", at: "best" };
const atStep = (step: number): StudyMetric => ({ name: "testError", at: { step } });
const errors = (status: Parameters<typeof makePoint>[3]["status"], ...values: (number | null)[]) =>
  makePoint(0, [0.1], 0, { status, evaluations: values.map((testError) => ({ testError })) });

describe("measure", () => {
  it("takes the last evaluation, the best, or the first one at or after a step or epoch", () => {
    const run = errors("finished", 9, 4, 5);
    expect(measure(run, final)).toEqual({ outcome: "measured", value: 5 });
    expect(measure(run, best)).toEqual({ outcome: "measured", value: 4 });
    expect(measure(run, atStep(100))).toEqual({ outcome: "measured", value: 9 });
    expect(measure(run, atStep(101))).toEqual({ outcome: "measured", value: 4 });
    expect(measure(run, { name: "testError", at: { epoch: 2 } })).toEqual({ outcome: "measured", value: 4 });
    expect(measure(run, atStep(999))).toEqual({ outcome: "measured", value: 5 });
  });

  it("gives a diverged run no final value, whatever it was evaluated at before", () => {
    const run = errors("diverged", 9, 4);
    expect(measure(run, final)).toEqual({ outcome: "diverged", value: null });
    expect(measure(run, best)).toEqual({ outcome: "measured", value: 4 });
    expect(measure(run, atStep(200))).toEqual({ outcome: "measured", value: 4 });
    expect(measure(run, atStep(201))).toEqual({ outcome: "diverged", value: null });
    expect(measure(errors("diverged"), best)).toEqual({ outcome: "diverged", value: null });
  });

  it("takes a finished run whose value is not finite for diverged", () => {
    expect(measure(errors("finished", 9, null), final)).toEqual({ outcome: "diverged", value: null });
    expect(measure(errors("finished", 9, null), best)).toEqual({ outcome: "measured", value: 9 });
  });

  it.each(["waiting", "queued", "running", "paused", "stopped", "interrupted"] as const)("waits for a run that is %s", (status) => {
    expect(measure(errors(status, 9, 4), final)).toEqual({ outcome: "pending", value: 4 });
    expect(measure(errors(status, 9, 4), best)).toEqual({ outcome: "pending", value: 4 });
    expect(measure(errors(status, 9, 4), atStep(100))).toEqual({ outcome: "measured", value: 9 });
    expect(measure(errors(status), final)).toEqual({ outcome: "pending", value: null });
  });

  it("tells failed, missing and pruned runs apart", () => {
    expect(measure(errors("failed", 9), final)).toEqual({ outcome: "failed", value: null });
    expect(measure(errors("missing", 9), final)).toEqual({ outcome: "missing", value: null });
    expect(measure(errors("finished"), final)).toEqual({ outcome: "missing", value: null });
    expect(measure(errors("pruned", 9, 8), final)).toEqual({ outcome: "early", value: 8 });
    expect(measure(errors("pruned", 9, 8), atStep(100))).toEqual({ outcome: "measured", value: 9 });
  });
});

describe("the chance level and the penalty", () => {
  const checked = validateExperiment({});
  const experiment = checked.ok ? checked.experiment : undefined;

  it("is that of guessing among ten digits", () => {
    expect(chanceLevel("testError", experiment!)).toBeCloseTo(90, 12);
    expect(chanceLevel("testLoss", experiment!)).toBeCloseTo(2.302585, 6);
  });

  it("is the chance level, or the worst value where that is worse", () => {
    expect(penalty(90, [3, 40])).toBe(90);
    expect(penalty(90, [3, 92.5])).toBe(92.5);
    expect(penalty(null, [3, 40])).toBe(40);
    expect(penalty(null, [])).toBeNull();
  });
});

describe("metricLabel", () => {
  it("reads inside a sentence", () => {
    expect(metricLabel(final)).toBe("test error");
    expect(metricLabel({ name: "testLoss", at: "best" })).toBe("best test loss");
    expect(metricLabel({ name: "trainLoss", at: { epoch: 3 } })).toBe("training loss at epoch 3");
  });
});
