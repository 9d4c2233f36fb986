/** Regression as a training task. */
import { batchOf, rows } from "../models/activations.ts";
import type { Node } from "../program/node.ts";
import { add, constant, dot, input, maximum, mul, neg, reduceSum, reshape, sub } from "../program/operations/index.ts";
import { bufferNodes, bufferUpdates, initialBuffers, type Use } from "./buffers.ts";
import { featuresOf, type ClassificationOptions } from "./classification.ts";
import type { PredictiveTask } from "./task.ts";

/**
 * Mean and standard deviation of the labels over the training examples; a deviation of 0 counts as
 * 1.
 */
export interface Scaling {
  readonly mean: number;
  readonly deviation: number;
}

/** @param of indices of the training examples */
export function scalingOf(values: Float32Array, of: Uint32Array): Scaling {
  const mean = of.reduce((sum, i) => sum + values[i]!, 0) / of.length;
  const deviation = Math.sqrt(of.reduce((sum, i) => sum + (values[i]! - mean) ** 2, 0) / of.length);
  return { mean, deviation: deviation > 0 ? deviation : 1 };
}

export interface RegressionOptions extends ClassificationOptions {
  readonly scaling: Scaling;
}

/**
 * Inputs `features` (`[batch, ...example]`) and `labels` (float `[batch]`). The model learns
 * (label - mean) / deviation, so that step sizes do not depend on the unit; loss: mean squared
 * error
 * of that. Metrics: sums of `loss`, and of `squares` and `absolutes` of the errors in the labels'
 * unit.
 */
export function regression({ model, scaling: { mean, deviation }, ...data }: RegressionOptions): PredictiveTask {
  /** The model's standardized prediction, and its error. */
  const forward = (parameters: readonly Node[], batchSize: number, use: Use) => {
    const buffers = bufferNodes(model, batchSize, use);
    const result = model.forward(batchOf(featuresOf(data, batchSize)), { parameters, buffers, training: use === "training" });
    const wanted = mul(constant(1 / deviation), sub(input("labels", [batchSize]), constant(mean)));
    const predicted = reshape(rows(result.output), [batchSize]);
    return { predicted, errors: sub(predicted, wanted), buffers: bufferUpdates(model, result, use) };
  };

  return {
    parameters: model.parameters,
    buffers: initialBuffers(model),
    loss(parameters, batchSize) {
      const { errors, buffers } = forward(parameters, batchSize, "training");
      return { loss: mul(constant(1 / batchSize), dot(errors, errors)), buffers };
    },
    metrics(parameters, batchSize) {
      const { errors, buffers } = forward(parameters, batchSize, "evaluation");
      const squares = dot(errors, errors);
      const outputs = { loss: squares, squares: mul(constant(deviation ** 2), squares), absolutes: mul(constant(deviation), reduceSum(maximum(errors, neg(errors)))) };
      return { outputs, updates: buffers };
    },
    scores(parameters, batchSize) {
      const standardized = reshape(forward(parameters, batchSize, "evaluation").predicted, [batchSize, 1]);
      return add(constant(mean), mul(constant(deviation), standardized));
    },
    measures: (sums, count) => ({ loss: sums["loss"]! / count, rmse: Math.sqrt(sums["squares"]! / count), mae: sums["absolutes"]! / count }),
  };
}
