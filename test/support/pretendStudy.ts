/** Studies with results from a formula, and every possible outcome of a run. */
import { validateStudy, type Study, type StudyInput } from "../../src/shared/study/study.ts";
import type { StudyDetail, StudyPoint } from "../../src/shared/study/result.ts";
import { expandStudy, type StudyCell } from "../../src/shared/study/expand.ts";
import type { RunSummary } from "../../src/shared/run.ts";
import { hyperparameterColumns } from "../../src/shared/tower.ts";
import type { Store } from "../../src/main/store/store.ts";
import { pointOf } from "../../src/main/studies/view.ts";
import { newRun } from "../../src/main/hosting/newRun.ts";

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

/** Deterministic pseudo-random number from 0 to 1. */
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
  /** Changes a point after it was made. */
  readonly change?: (point: StudyPoint) => StudyPoint;
}

/** All runs of a study, finished. */
export function pretendStudy(study: Study, { diverges = (height, [x = 1], seed) => Math.log10(x) + 0.4 * seed > 1.5 + 0.3 * height, change = (point) => point }: PretendOptions = {}): StudyDetail {
  const expansion = expandStudy(study);
  if (!expansion.ok) throw new Error(JSON.stringify(expansion.errors));
  const points = expansion.cells.map(({ key, height, stack, values, seed }, i): StudyPoint => {
    const broken = diverges(height, values, seed);
    const decades = Math.log10(values[0] ?? 0.01) + (values[1] === undefined ? 0 : Math.abs(values[1] - 0.5) * 3);
    const error = errorOf(height, decades, seed);
    const alpha = broken ? null : 0.05 * (values[0] ?? 0.01) ** (0.5 / (1 + height));
    return change({
      key,
      height,
      ...(stack !== undefined && { stack }),
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
    trained: { milliseconds: 240_000, from: "clock" },
    runningSince: null,
    total: points.length,
    finished: count("finished"),
    diverged: count("diverged"),
    failed: count("failed"),
    pruned: count("pruned"),
    skipped: count("skipped"),
    running: 0,
    millisecondsLeft: null,
    deletedAt: null,
    points,
  };
}

/**
 * Writes a study's runs to a store, each with `steps` logged steps of made-up values (a diverged run has fewer,
 * and the last is not finite). Returns the study as read from the store.
 */
export function storeStudy(store: Store, detail: StudyDetail, steps = 40): StudyDetail {
  const { points: _points, total, finished: _f, diverged: _d, failed: _x, pruned: _p, skipped: _s, running: _r, millisecondsLeft: _l, ...summary } = detail;
  store.studies.create({ ...summary, total, workers: 2 });
  const cells = new Map((expandStudy(detail.study) as { cells: StudyCell[] }).cells.map((cell) => [cell.key, cell]));
  for (const point of detail.points) {
    if (point.run === null) continue;
    const { experiment } = cells.get(point.key)!;
    const columns = hyperparameterColumns(experiment.tower);
    const metrics = ["loss", "stepTime", ...columns.map(({ metric }) => metric), ...columns.map(({ hypergradient }) => hypergradient)];
    const count = point.status === "diverged" ? Math.floor(steps / 2) : steps;
    const values = metrics.map((metric) =>
      Array.from({ length: count }, (_, step) => {
        if (metric === "loss" && point.status === "diverged" && step === count - 1) return NaN;
        const column = columns.find((one) => one.metric === metric);
        if (metric === "loss") return 0.2 + 2.1 * Math.exp(-step / 12) * (1 + 0.1 * noise(point.key, step));
        if (metric === "stepTime") return 1.5 + 0.3 * noise(point.key, "t", step);
        if (column) return column.level < experiment.tower.length - 1 ? column.initial * (0.1 / column.initial) ** (1 - Math.exp((-step * (column.level === 0 ? point.height : 1)) / steps)) : column.initial;
        return noise(point.key, metric, step) - 0.5;
      }),
    );
    const run = {
      ...newRun(experiment),
      id: point.run,
      study: detail.id,
      status: point.status as RunSummary["status"],
      reason: point.reason,
      createdAt: detail.createdAt,
      startedAt: detail.createdAt,
      finishedAt: detail.finishedAt,
      trained: detail.trained,
      steps: count,
      totalSteps: steps,
      testError: point.evaluations.at(-1)?.testError ?? null,
      hyperparameters: columns.map(({ level, spec, metric, initial }, i) => ({ level, name: spec.name, metric, initial, value: values[2 + i]!.at(-1)! })),
    };
    store.createRun(run, point.key);
    store.beginSeries(run.id, metrics, { hypertower: "0.1.0", node: "24.21.0", platform: "linux", cpu: "A processor", libraries: { "onnxruntime-node": "1.30.0" }, gitCommit: "1a2b3c4d5e6f" });
    const rows = new Float64Array(count * metrics.length);
    values.forEach((column, c) => column.forEach((value, row) => (rows[row * metrics.length + c] = value)));
    store.appendRows(run.id, { firstStep: 0, count, values: rows });
    for (const one of point.evaluations) store.addEvaluation(run.id, one);
    store.saveRun(run);
  }
  store.flush();
  const runs = new Map(store.studies.runs(detail.id).map((run) => [run.cell, run]));
  return { ...detail, points: [...cells.values()].map((cell) => pointOf(cell, runs.get(cell.key), () => undefined, null)) };
}
