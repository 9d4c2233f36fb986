/** Summarizes predictions: confusion matrix, residuals, and a selection of examples. */
import type { ClassificationReport, RegressionReport, SamplesRequest } from "../../shared/predictions.ts";
import { latestGenerator, seededGenerator, shuffled } from "../../shared/random.ts";
import type { Outputs } from "../trainer/jobs.ts";

export interface ClassifiedExample {
  readonly index: number;
  readonly actual: number;
  readonly predicted: number;
  /** Predicted probability of the actual class. */
  readonly probability: number;
}

type Labelled = NonNullable<Outputs["labelled"]>;

/** Most probable class of each example; the first one for ties. */
export function classified({ labels, scores, width }: Labelled): ClassifiedExample[] {
  return Array.from(labels, (actual, index) => {
    const row = scores.subarray(index * width, (index + 1) * width);
    let predicted = 0;
    for (let i = 1; i < width; i++) if (row[i]! > row[predicted]!) predicted = i;
    return { index, actual, predicted, probability: Math.exp(row[actual]!) };
  });
}

/** Confusion matrix of counts, `[actual][predicted]`. */
export function confusionOf(examples: readonly ClassifiedExample[], classes: number): ClassificationReport["confusion"] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { actual, predicted } of examples) counts[actual]![predicted]!++;
  return counts;
}

/** Maximum number of mistakes in a report without a matrix. */
const maxMistakes = 30;

/** The most frequent pairs of a class and another one that was predicted. */
export function mistakesOf(examples: readonly ClassifiedExample[], nameOf: (index: number) => string): NonNullable<ClassificationReport["mistakes"]> {
  const counts = new Map<string, { readonly actual: number; readonly predicted: number; count: number }>();
  for (const { actual, predicted } of examples) {
    if (actual === predicted) continue;
    const key = `${actual} ${predicted}`;
    const known = counts.get(key) ?? { actual, predicted, count: 0 };
    known.count++;
    counts.set(key, known);
  }
  const ordered = [...counts.values()].sort((a, b) => b.count - a.count || a.actual - b.actual || a.predicted - b.predicted);
  return ordered.slice(0, maxMistakes).map(({ actual, predicted, count }) => ({ actual: nameOf(actual), predicted: nameOf(predicted), count }));
}

/** The requested examples, in the requested order. */
export function chosen(examples: readonly ClassifiedExample[], { order, cell, seed }: Pick<SamplesRequest, "order" | "cell" | "seed">): ClassifiedExample[] {
  const inCell = cell ? examples.filter(({ actual, predicted }) => actual === cell.actual && predicted === cell.predicted) : examples;
  switch (order) {
    case "wrong":
      // All examples of a cell are wrong, or all are right: sort by certainty, least certain first.
      return inCell.filter(({ actual, predicted }) => cell !== null || actual !== predicted).sort((a, b) => a.probability - b.probability);
    case "random":
      return Array.from(shuffled(inCell.length, seededGenerator(seed, "samples", latestGenerator)), (at) => inCell[at]!);
    case "class":
      return roundRobin(inCell);
  }
}

/** Orders examples round-robin by class: one of each class, then the next of each. */
function roundRobin(examples: readonly ClassifiedExample[]): ClassifiedExample[] {
  const turns = new Map<number, number>();
  const placed = examples.map((example) => {
    const turn = turns.get(example.actual) ?? 0;
    turns.set(example.actual, turn + 1);
    return { example, turn };
  });
  return placed.sort((a, b) => a.turn - b.turn || a.example.actual - b.example.actual).map(({ example }) => example);
}

/** Maximum number of points in a scatter plot; more would overlap. */
const maxPoints = 2_000;
const bins = 41;

export type Residuals = Pick<RegressionReport, "rmse" | "mae" | "bias" | "r2" | "points" | "histogram">;

/** Residuals (predicted - actual) of one predicted value per example. */
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

/** Histogram with bins of equal width; 0 is the center of the middle bin. */
function histogramOf(residuals: readonly number[]): RegressionReport["histogram"] {
  const maxAbsolute = residuals.reduce((largest, residual) => Math.max(largest, Math.abs(residual)), 0) || 1;
  const width = (2 * maxAbsolute) / bins;
  const edges = Array.from({ length: bins + 1 }, (_, i) => -maxAbsolute + i * width);
  const counts = new Array<number>(bins).fill(0);
  for (const residual of residuals) counts[Math.min(bins - 1, Math.floor((residual + maxAbsolute) / width))]!++;
  return { edges, counts };
}
