/**
 * Values of the figures in "Gradient Descent: The Ultimate Optimizer" (Chandra et al., NeurIPS 2022),
 * read off the plots by eye, to about half a point; less exact where a curve leaves its neighbors.
 */
import type { StudyMetricName } from "./metric.ts";
import { totalSteps, type Experiment } from "../experiment.ts";
import { formatCount } from "../format.ts";
import { plural } from "../text.ts";
import type { Study } from "./study.ts";

export interface PaperFigure {
  readonly name: string;
  /** Name in a legend. */
  readonly label: string;
  readonly title: string;
  /** Initial step sizes of level 0. */
  readonly x: readonly number[];
  /** Null if no metric of this program corresponds. */
  readonly metric: StudyMetricName | null;
  /** Budget of its runs. */
  readonly budget: { readonly epochs: number } | { readonly steps: number };
  readonly curves: readonly { readonly height: number; readonly values: readonly number[] }[];
}

const decades = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => Number(`1e${from + i}`));

export const paperFigures: readonly PaperFigure[] = [
  {
    name: "figure4a",
    label: "paper, Figure 4a",
    title: "Figure 4a: MLP on MNIST, every level started at the same step size",
    x: decades(-8, 2),
    metric: "testError",
    budget: { epochs: 30 },
    curves: [
      { height: 0, values: [88.6, 90.1, 87.3, 85.0, 35.7, 15.4, 9.1, 4.8, 2.4, 3.0, 55] },
      { height: 1, values: [78, 32.5, 16.2, 10.7, 8.2, 6.1, 4.1, 4.1, 4.0, 6.5, 58] },
      { height: 2, values: [13.5, 10.4, 8.7, 7.3, 5.6, 4.2, 4, 4, 4, 4, 59] },
      { height: 3, values: [10.1, 8.8, 7.6, 6.5, 5.2, 4.1, 4, 4, 4, 4.0, 29] },
    ],
  },
  {
    name: "figure4c",
    label: "paper, Figure 4c",
    title: "Figure 4c: ResNet-20 on CIFAR-10",
    x: decades(-8, 0),
    metric: "testError",
    budget: { epochs: 200 },
    curves: [
      { height: 0, values: [90.3, 90.1, 78.5, 64.6, 40.7, 18.3, 13, 14, 59.7] },
      { height: 1, values: [32, 27.6, 19.7, 14.7, 17.7, 22.9, 12.5, 13.7, 39.4] },
      { height: 2, values: [16.3, 15.4, 14.2, 14.4, 13.9, 13.8, 15.5, 16, 21] },
      { height: 3, values: [13.4, 12.8, 13.7, 12.5, 12.6, 12.7, 12.8, 14.6, 13.7] },
    ],
  },
  {
    name: "figure4d",
    label: "paper, Figure 4d",
    title: "Figure 4d: character RNN on War and Peace",
    x: decades(-7, -2),
    metric: "testPerplexity",
    budget: { steps: 50_000 },
    curves: [
      { height: 0, values: [65, 51.6, 32.4, 14.9, 7.5, 6.5] },
      { height: 1, values: [26.9, 13.5, 10.7, 7.7, 6.9, 6.3] },
      { height: 2, values: [9.3, 8.2, 7.0, 6.8, 6.6, 6.6] },
      { height: 3, values: [6.2, 7.7, 6.8, 6.2, 7.6, 6.8] },
    ],
  },
];

export function findPaperFigure(name: string): PaperFigure | undefined {
  return paperFigures.find((figure) => figure.name === name);
}

type Repeated = Pick<Study, "base" | "axes" | "heights">;
type Model<K extends Study["base"]["model"]["kind"]> = Extract<Study["base"]["model"], { kind: K }>;

const equalValues = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((value, i) => value === b[i]);

const isPaperRnn = ({ cell, layers, hidden }: Model<"charRnn">) => cell === "lstm" && layers === 2 && hidden === 128;

/** Whether a study repeats a figure, by figure. Any rule matches 4c and 4d: the paper does not say how their upper levels started. */
const repeats: Readonly<Record<string, (study: Repeated) => boolean>> = {
  figure4a: ({ base: { model, dataset, tower }, heights }) =>
    model.kind === "mlp" && equalValues(model.hidden, [128]) && dataset.kind === "mnist" && tower[0]?.optimizer === "sgd" && heights?.rule.kind === "equal" && heights.upper === null,
  figure4c: ({ base: { model, dataset, tower } }) =>
    model.kind === "resnet" && model.depth === 20 && model.width === 16 && dataset.kind === "cifar10" && tower[0]?.optimizer === "sgd",
  figure4d: ({ base: { model, dataset, tower } }) =>
    model.kind === "charRnn" && isPaperRnn(model) && dataset.kind === "war-and-peace" && tower[0]?.optimizer === "adam",
};

/** The figure that a study repeats, on any part of its range: same model, data and lowest optimizer, with heights. */
export function paperFigureOf(study: Repeated): PaperFigure | undefined {
  const [axis] = study.axes;
  const isStepSize = study.axes.length === 1 && axis?.level === 0 && axis.hyperparameter === "alpha";
  return isStepSize && study.heights ? paperFigures.find(({ name }) => repeats[name]?.(study)) : undefined;
}

/** Relative difference up to which budgets count as equal: whole epochs rarely match a number of steps. */
const sameBudget = 0.05;

/** The paper's budget and the study's, `30 epochs, here 2`; null if they match within 5 %. */
export function budgetDifference({ budget }: PaperFigure, base: Experiment): string | null {
  const [theirs, ours, unit] = "epochs" in budget ? [budget.epochs, base.budget.epochs, "epoch"] as const : [budget.steps, totalSteps(base), "step"] as const;
  return Math.abs(ours - theirs) <= sameBudget * theirs ? null : `${plural(theirs, unit)}, here ${formatCount(ours)}`;
}

/** Warning that published values have another budget; empty if the budgets match. */
export function comparisonNote(figure: PaperFigure, base: Experiment): string {
  const difference = budgetDifference(figure, base);
  return difference === null ? "" : `The paper trained ${difference}: its values are no fair comparison.`;
}
