/** Studies with made-up results, whose numbers are known in advance. */
import type { Evaluation } from "../../src/shared/run.ts";
import type { StudyPoint } from "../../src/shared/study/result.ts";
import { validateStudy, type Study, type StudyInput } from "../../src/shared/study/study.ts";

export function makeStudy(input: StudyInput): Study {
  const result = validateStudy(input);
  if (!result.ok) throw new Error(result.errors.map(({ path, message }) => `${path}: ${message}`).join("; "));
  return result.study;
}

/** A study of step sizes at powers of ten, over heights and seeds. */
export function stepSizeStudy(powers: readonly number[], heights: readonly number[], seeds: readonly number[]): Study {
  return makeStudy({
    base: { tower: [{ optimizer: "sgd" }] },
    axes: [{ values: { kind: "list", values: powers.map((power) => 10 ** power) } }],
    heights: { values: [...heights] },
    seeds: [...seeds],
  });
}

export interface Result {
  /** Test error in percent at the end; null: the run diverged. */
  readonly error?: number | null;
  readonly status?: StudyPoint["status"];
  readonly evaluations?: readonly Partial<Evaluation>[];
  /** Milliseconds per step. */
  readonly stepTime?: number | null;
}

const steps = 100;

export function makePoint(height: number, values: readonly number[], seed: number, result: Result): StudyPoint {
  const { error = null, stepTime = 1 } = result;
  const status = result.status ?? (error === null ? "diverged" : "finished");
  const evaluations = result.evaluations ?? (error === null ? [] : [{ testError: error }]);
  return {
    key: `h${height}|${values.join("|")}|s${seed}`,
    height,
    values: [...values],
    seed,
    run: status === "waiting" ? null : `run-${height}-${values.join("-")}-${seed}`,
    status,
    reason: null,
    attempts: 1,
    steps,
    totalSteps: steps,
    trainingTime: stepTime === null ? null : stepTime * steps,
    hyperparameters: [],
    evaluations: evaluations.map((evaluation, i) => ({ step: steps * (i + 1), epoch: i + 1, trainLoss: null, testLoss: null, testError: null, ...evaluation })),
  };
}

/** All points of a study with one or more axes; heights vary slowest, seeds fastest. */
export function makePoints(study: Study, result: (height: number, values: readonly number[], seed: number) => Result): StudyPoint[] {
  const axes = study.axes.map(({ values }) => {
    if (values.kind !== "list") throw new Error("made-up studies list their values");
    return values.values;
  });
  const combinations = axes.reduce<number[][]>((all, values) => all.flatMap((head) => values.map((value) => [...head, value])), [[]]);
  return (study.heights?.values ?? [0]).flatMap((height) =>
    combinations.flatMap((values) => study.seeds.map((seed) => makePoint(height, values, seed, result(height, values, seed)))),
  );
}
