import { describe, expect, it } from "vitest";
import { rungsOf, type Contender } from "../../../src/main/studies/halving.ts";
import { described } from "../../../src/main/headless/commands/evaluate.ts";
import type { PredictionReport } from "../../../src/shared/predictions.ts";
import { choiceNote, choiceText, chosenOn } from "../../../src/shared/kept.ts";
import type { Evaluation } from "../../../src/shared/run.ts";
import { makeStudy } from "../../support/studyPoints.ts";

const contender = (key: string, of: Partial<Evaluation>): Contender => ({ key, out: false, evaluations: [{ step: 10, epoch: 1, trainLoss: null, testLoss: null, testError: null, ...of }] });
const { base } = makeStudy({});
const held = { ...base, dataset: { ...base.dataset, validation: 0.1 } };
const halving = { rungs: [1], keep: 0.5 };

describe("successive halving", () => {
  const two = [contender("a", { testError: 3, validationError: 9, validationLoss: 1 }), contender("b", { testError: 8, validationError: 4, validationLoss: 1 })];

  it("compares runs on validation data if the study has some, else on the test set", () => {
    expect([...rungsOf(halving, two, held).alive]).toEqual(["b"]);
    expect([...rungsOf(halving, two, base).alive]).toEqual(["a"]);
    expect([chosenOn(held), chosenOn(base)]).toEqual(["validation", "test"]);
    expect(choiceText(held)).toBe("chosen on validation data");
    const report: PredictionReport = {
      task: "regression", kept: { name: "best", bytes: 1, savedAt: 0, evaluation: { step: 4, epoch: 1, trainLoss: 1, testLoss: 1, testError: null } },
      examples: 3, loss: 0.1, rmse: 1, mae: 1, bias: 0, r2: 0.5, points: [], histogram: { edges: [0, 1], counts: [3] },
    };
    // What the command line says of the best weights, and nothing of the last.
    const line = (of: typeof held, name: "best" | "last") => described("r", { ...report, kept: { ...report.kept, name } }, of).split("\n")[1];
    expect(line(held, "best")).toMatch(/^checkpoint +best, after 4 steps \(epoch 1\), chosen on validation data$/);
    expect(line(base, "best")).toMatch(/chosen on the test set, for want of validation data$/);
    expect(line(base, "last")).toMatch(/\(epoch 1\)$/);
    expect([choiceNote(held), choiceNote(base)]).toEqual(["", "chosen on the test set, for want of validation data"]);
  });

  it("never compares one run's test set with another's validation data", () => {
    // Its validation values are not finite: the test error it has must not save it.
    const broken = contender("c", { testError: 1, validationError: null, validationLoss: null });
    expect([...rungsOf(halving, [broken, two[1]!], held).alive]).toEqual(["b"]);
  });
});
