/** Classification as a training task. */
import type { Measures } from "../../shared/metrics.ts";
import { batchOf, rows } from "../models/activations.ts";
import type { Model } from "../models/model.ts";
import type { Node } from "../program/node.ts";
import { argMax, cast, constant, dot, equal, input, logSoftmax, mul, oneHot, reduceSum, sub } from "../program/operations/index.ts";
import { bufferNodes, bufferUpdates, initialBuffers, type Use } from "./buffers.ts";
import type { PredictiveTask } from "./task.ts";

export interface ClassificationOptions {
  readonly model: Model;
  readonly exampleShape: readonly number[];
  /** The network's input is `feature * scale`. */
  readonly scale: number;
  /** Stored type of features: bytes for pixels (the default), floats for measurements. */
  readonly features?: "uint8" | "float";
  /** Stored type of labels: bytes for up to 256 classes (the default), else int32. */
  readonly labels?: "uint8" | "int32";
}

/** The input `features`, scaled for the network. */
export function featuresOf({ exampleShape, scale, features: stored = "uint8" }: Omit<ClassificationOptions, "model" | "labels">, batchSize: number): Node {
  const given = input("features", [batchSize, ...exampleShape], stored);
  return mul(constant(scale), stored === "uint8" ? cast(given, "float") : given);
}

/**
 * Sum over a batch of -log p of the correct class. @param logp `[batch, classes]` @param target
 * int32 `[batch]`
 */
export function negativeLogLikelihood(logp: Node, target: Node): Node {
  return mul(constant(-1), dot(logp, oneHot(target, logp.shape[1]!)));
}

/** Number of examples whose most probable class is wrong. */
export function misclassified(logp: Node, target: Node): Node {
  return sub(constant(logp.shape[0]!), reduceSum(cast(equal(argMax(logp), target), "float")));
}

/**
 * Inputs `features` (`[batch, ...example]`) and `labels` (uint8 or int32 `[batch]`);
 * loss: mean negative log-likelihood. Metrics: sums of `loss` and of `errors`.
 */
export function classification({ model, exampleShape, scale, features: stored = "uint8", labels: labelType = "uint8" }: ClassificationOptions): PredictiveTask {
  const forward = (parameters: readonly Node[], batchSize: number, use: Use) => {
    const features = featuresOf({ exampleShape, scale, features: stored }, batchSize);
    const buffers = bufferNodes(model, batchSize, use);
    const result = model.forward(batchOf(features), { parameters, buffers, training: use === "training" });
    return { logp: logSoftmax(rows(result.output)), buffers: bufferUpdates(model, result, use) };
  };
  const labels = (batchSize: number) => {
    const given = input("labels", [batchSize], labelType);
    return labelType === "uint8" ? cast(given, "int32") : given;
  };

  return {
    parameters: model.parameters,
    buffers: initialBuffers(model),
    loss(parameters, batchSize) {
      const { logp, buffers } = forward(parameters, batchSize, "training");
      return { loss: mul(constant(1 / batchSize), negativeLogLikelihood(logp, labels(batchSize))), buffers };
    },
    metrics(parameters, batchSize) {
      const { logp, buffers } = forward(parameters, batchSize, "evaluation");
      const target = labels(batchSize);
      return { outputs: { loss: negativeLogLikelihood(logp, target), errors: misclassified(logp, target) }, updates: buffers };
    },
    measures: meansOfSums,
    scores: (parameters, batchSize) => forward(parameters, batchSize, "evaluation").logp,
  };
}

/** Means from the sums `loss` and `errors`. */
export function meansOfSums(sums: Readonly<Record<string, number>>, count: number): Measures {
  return { loss: sums["loss"]! / count, error: (100 * sums["errors"]!) / count };
}
