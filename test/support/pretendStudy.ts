/** Studies as if they had been trained: results out of a formula, with everything that can happen to a run. */
import { validateStudy, type Study, type StudyInput } from "../../src/shared/study/study.ts";
import type { StudyDetail, StudyPoint } from "../../src/shared/study/result.ts";
import { expandStudy } from "../../src/shared/study/expand.ts";

export function studyOf(input: StudyInput): Study {
  const result = validateStudy(input);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.study;
}

/** The paper's Figure 4a on a grid of step sizes. */
export const figureStudy = (extra: StudyInput = {}): Study =>
  studyOf({
    name: "Sensitivity of SGD towers",
    base: { tower: [{ optimizer: "sgd" }], budget: { epochs: 2 } },
    axes: [{ level: 0, hyperparameter: "alpha", values: { kind: "grid", scale: "log", from: 1e-8, to: 1e2, points: 11 } }],
    heights: { values: [0, 1, 2, 3] },
    seeds: [0, 1, 2],
    ...extra,
  });

/** A number from 0 to 1 that looks random and never changes. */
function noise(...parts: readonly (number | string)[]): number {
  let hash = 2166136261;
  for (const char of parts.join("|")) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 2246822519);
  hash ^= hash >>> 13;
  return ((hash >>> 0) % 100_000) / 100_000;
}

const errorOf = (height: number, decades: number, seed: number): number => {
  const low = 3.4 + 86 / (1 + Math.exp(1.9 * (decades + 4.1 + 2.1 * height)));
  const high = decades > 0 ? decades * decades * (6 - height) : 0;
  return Math.min(90.2, (low + high) * (1 + 0.12 * (noise(height, decades, seed) - 0.5)));
};

export interface PretendOptions {
  /** Whether a run diverges. */
  readonly diverges?: (height: number, values: readonly number[], seed: number) => boolean;
  /** Changes a point after it is made. */
  readonly change?: (point: StudyPoint) => StudyPoint;
}

/** Every run of a study, finished. */
export function pretendStudy(study: Study, { diverges = (height, [x = 1], seed) => Math.log10(x) + 0.4 * seed > 1.5 + 0.3 * height, change = (point) => point }: PretendOptions = {}): StudyDetail {
  const expansion = expandStudy(study);
  if (!expansion.ok) throw new Error(JSON.stringify(expansion.errors));
  const points = expansion.cells.map(({ key, height, values, seed }, i): StudyPoint => {
    const broken = diverges(height, values, seed);
    const decades = Math.log10(values[0] ?? 0.01) + (values[1] === undefined ? 0 : Math.abs(values[1] - 0.5) * 3);
    const error = errorOf(height, decades, seed);
    const alpha = broken ? null : 0.05 * (values[0] ?? 0.01) ** (0.5 / (1 + height));
    return change({
      key,
      height,
      values: [...values],
      seed,
      run: `20261124-101500-${String(i).padStart(5, "0")}`,
      status: broken ? "diverged" : "finished",
      reason: broken ? "the loss is not finite" : null,
      attempts: 1,
      steps: broken ? 31 : 470,
      totalSteps: 470,
      trainingTime: (broken ? 31 : 470) * (1.5 + 0.03 * height),
      hyperparameters: [{ level: 0, name: "alpha", metric: "L0.alpha", initial: values[0] ?? 0.01, value: alpha }],
      evaluations: broken ? [] : [1, 2].map((epoch) => ({ step: 235 * epoch, epoch, trainLoss: error / 25, testLoss: error / 27, testError: error * (epoch === 1 ? 1.15 : 1) })),
    });
  });
  const count = (status: string) => points.filter((point) => point.status === status).length;
  return {
    id: "20261124-101400-study",
    name: study.name,
    status: "finished",
    reason: null,
    study,
    createdAt: Date.UTC(2026, 10, 24, 10, 14),
    startedAt: Date.UTC(2026, 10, 24, 10, 14),
    finishedAt: Date.UTC(2026, 10, 24, 10, 18),
    total: points.length,
    finished: count("finished"),
    diverged: count("diverged"),
    failed: count("failed"),
    pruned: count("pruned"),
    running: 0,
    millisecondsLeft: null,
    deletedAt: null,
    points,
  };
}
