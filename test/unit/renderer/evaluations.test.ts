import { expect, it } from "vitest";
import type { Evaluation } from "@shared/run.ts";
import { withEvaluations } from "@/lib/evaluations.ts";

const at = (step: number, testError = 1) => ({ step, epoch: step / 40, testError }) as Evaluation;
const steps = (list: readonly Evaluation[]) => list.map(({ step }) => step);

it("are appended while a run trains", () => {
  expect(steps(withEvaluations([], [at(40), at(80)]))).toEqual([40, 80]);
  expect(steps(withEvaluations([at(40), at(80)], [at(120), at(160)]))).toEqual([40, 80, 120, 160]);
});

it("stay the same list where nothing came", () => {
  const list = [at(40)];
  expect(withEvaluations(list, [])).toBe(list);
});

it("come in order, once per step, whatever events brought while the list was read", () => {
  const merged = withEvaluations([at(40), at(80), at(160)], [at(120), at(80, 7)]);
  expect(steps(merged)).toEqual([40, 80, 120, 160]);
  expect(merged[1]!.testError).toBe(7);
  expect(steps(withEvaluations([], [at(80), at(40)]))).toEqual([40, 80]);
});
