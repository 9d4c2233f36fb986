import { describe, expect, it } from "vitest";
import { chanceLevel, choosesOnTest, explosionLoss, measure, metricLabel, penalty, type StudyMetric } from "../../../../src/shared/study/metric.ts";
import { makePoint } from "../../../support/studyPoints.ts";
import { validateExperiment } from "../../../../src/shared/experiment.ts";

const final: StudyMetric = { name: "testError", at: "final" };
const best: StudyMetric = { name: "testError", at: "best" };
const atStep = (step: number): StudyMetric => ({ name: "testError", at: { step } });
const errors = (status: Parameters<typeof makePoint>[3]["status"], ...values: (number | null)[]) =>
  makePoint(0, [0.1], 0, { status, evaluations: values.map((testError) => ({ testError })) });

const experimentOn = (dataset: object, rest: object = {}) => {
  const checked = validateExperiment({ dataset, ...rest });
  if (!checked.ok) throw new Error(JSON.stringify(checked.errors));
  return checked.experiment;
};
const digits = experimentOn({ kind: "mnist" });

describe("measure", () => {
  it("takes the last evaluation, the best, or the first one at or after a step or epoch", () => {
    const run = errors("finished", 9, 4, 5);
    expect(measure(run, final, digits)).toEqual({ outcome: "measured", value: 5 });
    expect(measure(run, best, digits)).toEqual({ outcome: "measured", value: 4 });
    expect(measure(run, atStep(100), digits)).toEqual({ outcome: "measured", value: 9 });
    expect(measure(run, atStep(101), digits)).toEqual({ outcome: "measured", value: 4 });
    expect(measure(run, { name: "testError", at: { epoch: 2 } }, digits)).toEqual({ outcome: "measured", value: 4 });
    expect(measure(run, atStep(999), digits)).toEqual({ outcome: "measured", value: 5 });
  });

  it("gives a diverged run no final value, whatever it was evaluated at before", () => {
    const run = errors("diverged", 9, 4);
    expect(measure(run, final, digits)).toEqual({ outcome: "diverged", value: null });
    expect(measure(run, best, digits)).toEqual({ outcome: "measured", value: 4 });
    expect(measure(run, atStep(200), digits)).toEqual({ outcome: "measured", value: 4 });
    expect(measure(run, atStep(201), digits)).toEqual({ outcome: "diverged", value: null });
    expect(measure(errors("diverged"), best, digits)).toEqual({ outcome: "diverged", value: null });
  });

  it("takes a finished run whose value is not finite for exploded, never for missing", () => {
    expect(measure(errors("finished", 9, null), final, digits)).toEqual({ outcome: "exploded", value: null });
    expect(measure(errors("finished", 9, null), best, digits)).toEqual({ outcome: "measured", value: 9 });
    expect(measure(errors("finished", null, null), best, digits)).toEqual({ outcome: "exploded", value: null });
  });

  it("takes a value far worse than guessing for exploded: a loss more than 2.3 nats above that of guessing, and what follows from it", () => {
    const losses = (...values: number[]) => makePoint(0, [0.1], 0, { status: "finished", evaluations: values.map((testLoss) => ({ testLoss, testError: 12 })) });
    const loss: StudyMetric = { name: "testLoss", at: "final" };
    expect(explosionLoss(digits)).toBeCloseTo(2 * Math.LN10, 12);
    expect(measure(losses(4.5), loss, digits)).toEqual({ outcome: "measured", value: 4.5 });
    expect(measure(losses(4.7), loss, digits)).toEqual({ outcome: "exploded", value: null });
    // The error is bounded, and says what it says.
    expect(measure(losses(4.7), final, digits)).toEqual({ outcome: "measured", value: 12 });
    expect(measure(losses(1, 3390), { ...loss, at: "best" }, digits)).toEqual({ outcome: "measured", value: 1 });
    const text = experimentOn({ kind: "war-and-peace" }, { model: { kind: "charRnn" } });
    expect(measure(losses(3390), { name: "testPerplexity", at: "final" }, text)).toEqual({ outcome: "exploded", value: null });
    expect(measure(losses(3390), { name: "testBitsPerCharacter", at: "final" }, text)).toEqual({ outcome: "exploded", value: null });
  });

  it("chooses the best evaluation on validation data where there is any", () => {
    const held = makePoint(0, [0.1], 0, { status: "finished", evaluations: [[5, 8], [6, 7], [4, 9]].map(([testError, validationError]) => ({ testError: testError!, validationError: validationError! })) });
    expect(measure(held, best, digits)).toEqual({ outcome: "measured", value: 6 });
    expect(choosesOnTest(best, digits)).toBe(true);
    expect(choosesOnTest(best, experimentOn({ kind: "mnist", validation: 0.1 }))).toBe(false);
    expect(choosesOnTest(final, digits)).toBe(false);
  });

  it("takes a test set that waits for the end of the run for missing, not for exploded", () => {
    const waits = makePoint(0, [0.1], 0, { status: "finished", evaluations: [{ validationError: 9, validationLoss: 1 }, { testError: 5, testLoss: 1, validationError: 6, validationLoss: 1 }] });
    expect(measure(waits, atStep(100), digits)).toEqual({ outcome: "missing", value: null });
    expect(measure(waits, final, digits)).toEqual({ outcome: "measured", value: 5 });
  });

  it.each(["waiting", "queued", "running", "paused", "stopped", "interrupted"] as const)("waits for a run that is %s", (status) => {
    expect(measure(errors(status, 9, 4), final, digits)).toEqual({ outcome: "pending", value: 4 });
    expect(measure(errors(status, 9, 4), best, digits)).toEqual({ outcome: "pending", value: 4 });
    expect(measure(errors(status, 9, 4), atStep(100), digits)).toEqual({ outcome: "measured", value: 9 });
    expect(measure(errors(status), final, digits)).toEqual({ outcome: "pending", value: null });
  });

  it("tells failed, missing and pruned runs apart", () => {
    expect(measure(errors("failed", 9), final, digits)).toEqual({ outcome: "failed", value: null });
    expect(measure(errors("missing", 9), final, digits)).toEqual({ outcome: "missing", value: null });
    expect(measure(errors("finished"), final, digits)).toEqual({ outcome: "missing", value: null });
    expect(measure(errors("pruned", 9, 8), final, digits)).toEqual({ outcome: "early", value: 8 });
    expect(measure(errors("pruned", 9, 8), atStep(100), digits)).toEqual({ outcome: "measured", value: 9 });
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
