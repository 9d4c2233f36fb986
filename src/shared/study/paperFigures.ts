/**
 * Values of the figures in "Gradient Descent: The Ultimate Optimizer" (Chandra et al., NeurIPS 2022),
 * read off the plots by eye: about half a point off, or more where a curve leaves its neighbours.
 */
import type { StudyMetricName } from "./metric.ts";
import type { Study } from "./study.ts";

export interface PaperFigure {
  readonly name: string;
  /** For a legend. */
  readonly label: string;
  readonly title: string;
  /** Initial step size of level 0. */
  readonly x: readonly number[];
  /** Null where no metric of this program is meant. */
  readonly metric: StudyMetricName | null;
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
    curves: [
      { height: 0, values: [88.6, 90.1, 87.3, 85.0, 35.7, 15.4, 9.1, 4.8, 2.4, 3.0, 55] },
      { height: 1, values: [78, 32.5, 16.2, 10.7, 8.2, 6.1, 4.1, 4.1, 4.0, 6.5, 58] },
      { height: 2, values: [13.5, 10.4, 8.7, 7.3, 5.6, 4.2, 4, 4, 4, 4, 59] },
      { height: 3, values: [10.1, 8.8, 7.6, 6.5, 5.2, 4.1, 4, 4, 4, 4.0, 29] },
    ],
  },
];

export function findPaperFigure(name: string): PaperFigure | undefined {
  return paperFigures.find((figure) => figure.name === name);
}

const equalValues = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((value, i) => value === b[i]);

/** The figure that a study repeats, on whatever part of its range: SGD towers of its heights, started as it says. */
export function paperFigureOf({ base, axes, heights }: Pick<Study, "base" | "axes" | "heights">): PaperFigure | undefined {
  const [axis] = axes;
  const isStepSize = axes.length === 1 && axis?.level === 0 && axis.hyperparameter === "alpha";
  const isModel = base.model.kind === "mlp" && base.dataset.kind === "mnist" && equalValues(base.model.hidden, [128]);
  if (!isStepSize || !isModel || base.tower[0]?.optimizer !== "sgd" || heights?.rule.kind !== "equal" || heights.upper !== null) return undefined;
  return findPaperFigure("figure4a");
}
