/** Losses and metrics on a model's outputs and a batch's targets. */
import { constant, mul, sub } from "../core/program/operations/index.ts";
import type { Node, Shape } from "../core/program/node.ts";
import { misclassified, negativeLogLikelihood } from "../core/tasks/classification.ts";
import { mean } from "./ops.ts";
import type { InputSpec } from "./model.ts";

/** Mean loss of a batch; a scalar. `targets` are float and have the outputs' shape. */
export type LossFunction = (outputs: Node, targets: Node) => Node;

/** Sum of a metric over the examples of a batch (not its mean); a scalar. */
export type Metric = (outputs: Node, targets: Node) => Node;

export interface Loss {
  /** Shape and type of one example's target; float of the outputs' shape by default. */
  readonly targets?: InputSpec;
  readonly loss: LossFunction;
  /** Metrics that evaluate() returns besides the loss, per example. */
  readonly metrics?: Readonly<Record<string, Metric>>;
  /** Describes what is wrong with a batch's targets; null when they are valid. */
  check?(targets: ArrayLike<number>, outputs: Shape): string | null;
}

/**
 * Negative log-likelihood of log-probabilities `[batch, classes]`; targets: class indices.
 * evaluate() also returns `error`, the share of wrong predictions.
 */
export const nll: Loss = {
  targets: { shape: [], dtype: "int32" },
  loss: (logp, target) => mul(constant(1 / logp.shape[0]!), negativeLogLikelihood(logp, target)),
  metrics: { error: misclassified },
  check(targets, [, classes = 0]) {
    for (let i = 0; i < targets.length; i++) {
      const label = targets[i]!;
      if (!(label >= 0 && label < classes)) return `targets[${i}] is ${label}; allowed: classes 0 to ${classes - 1}`;
    }
    return null;
  },
};

/** Mean squared difference over all entries; targets have the outputs' shape. */
export const meanSquaredError: Loss = {
  loss(outputs, targets) {
    const difference = sub(outputs, targets);
    return mean(mul(difference, difference));
  },
};
