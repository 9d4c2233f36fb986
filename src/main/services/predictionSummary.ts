/** What predictions say as a whole: confusion of classes, residuals, and which examples are worth a look. */
import type { ClassificationReport, RegressionReport, SamplesRequest } from "../../shared/predictions.ts";
import { latestGenerator, seededGenerator, shuffled } from "../../shared/random.ts";
import type { Outputs } from "../trainer/jobs.ts";

export interface ClassifiedExample {
  readonly index: number;
  readonly actual: number;
  readonly predicted: number;
  /** Of the class that is right. */
  readonly probability: number;
}

type Labelled = NonNullable<Outputs["labelled"]>;

/** Most probable class of each example; the first of equal ones. */
export function classified({ labels, scores, width }: Labelled): ClassifiedExample[] {
  return Array.from(labels, (actual, index) => {
    const row = scores.subarray(index * width, (index + 1) * width);
    let predicted = 0;
    for (let i = 1; i < width; i++) if (row[i]! > row[predicted]!) predicted = i;
    return { index, actual, predicted, probability: Math.exp(row[actual]!) };
  });
}

/** Examples by class and by predicted class. */
export function confusionOf(examples: readonly ClassifiedExample[], classes: number): ClassificationReport["confusion"] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { actual, predicted } of examples) counts[actual]![predicted]!++;
  return counts;
}

/** The examples that are asked for, in the order asked for. */
export function chosen(examples: readonly ClassifiedExample[], { order, cell, seed }: Pick<SamplesRequest, "order" | "cell" | "seed">): ClassifiedExample[] {
  const inCell = cell ? examples.filter(({ actual, predicted }) => actual === cell.actual && predicted === cell.predicted) : examples;
  switch (order) {
    case "wrong":
      // Of one cell all are wrong, or all are right: the least certain come first.
      return inCell.filter(({ actual, predicted }) => cell !== null || actual !== predicted).sort((a, b) => a.probability - b.probability);
    case "random":
      return Array.from(shuffled(inCell.length, seededGenerator(seed, "samples", latestGenerator)), (at) => inCell[at]!);
    case "class":
      return inTurn(inCell);
  }
}

/** One of each class, then the next of each. */
function inTurn(examples: readonly ClassifiedExample[]): ClassifiedExample[] {
  const turns = new Map<number, number>();
  const placed = examples.map((example) => {
    const turn = turns.get(example.actual) ?? 0;
    turns.set(example.actual, turn + 1);
    return { example, turn };
  });
  return placed.sort((a, b) => a.turn - b.turn || a.example.actual - b.example.actual).map(({ example }) => example);
}

/** Points of a scatter plot at most; more would cover one another. */
const maxPoints = 2_000;
const bins = 41;

export type Residuals = Pick<RegressionReport, "rmse" | "mae" | "bias" | "r2" | "points" | "histogram">;

/** Of one predicted value for each example. */
export function residualsOf({ labels, scores }: Pick<Labelled, "labels" | "scores">): Residuals {
  const count = labels.length;
  const mean = labels.reduce((sum, value) => sum + value, 0) / count;
  let [squares, absolute, sum, total] = [0, 0, 0, 0];
  labels.forEach((truth, i) => {
    const residual = scores[i]! - truth;
    squares += residual ** 2;
    absolute += Math.abs(residual);
    sum += residual;
    total += (truth - mean) ** 2;
  });
  const shown = Math.min(count, maxPoints);
  return {
    rmse: Math.sqrt(squares / count),
    mae: absolute / count,
    bias: sum / count,
    r2: total > 0 ? 1 - squares / total : null,
    points: Array.from({ length: shown }, (_, i): [number, number] => {
      const at = Math.floor((i * count) / shown);
      return [labels[at]!, scores[at]!];
    }),
    histogram: histogramOf(Array.from(labels, (truth, i) => scores[i]! - truth)),
  };
}

/** Bins of one width around 0, which lies in the middle of one. */
function histogramOf(residuals: readonly number[]): RegressionReport["histogram"] {
  const most = residuals.reduce((largest, residual) => Math.max(largest, Math.abs(residual)), 0) || 1;
  const width = (2 * most) / bins;
  const edges = Array.from({ length: bins + 1 }, (_, i) => -most + i * width);
  const counts = new Array<number>(bins).fill(0);
  for (const residual of residuals) counts[Math.min(bins - 1, Math.floor((residual + most) / width))]!++;
  return { edges, counts };
}
