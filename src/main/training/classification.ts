/** Classification of byte-valued examples as a training task. */
import type { Model } from "../models/model.ts";
import type { Node } from "../program/node.ts";
import { argMax, cast, constant, dot, equal, input, mul, oneHot, reduceSum, sub } from "../program/operations/index.ts";
import type { Task } from "./trainingProgram.ts";

export interface ClassificationOptions {
  readonly model: Model;
  readonly exampleShape: readonly number[];
  readonly classes: number;
  /** The network sees `byte * scale`. */
  readonly scale: number;
}

/**
 * Inputs `features` (uint8 `[batch, ...example]`) and `labels` (uint8 `[batch]`);
 * loss: mean negative log-likelihood. Metrics: sums of `loss` and of `errors`.
 */
export function classification({ model, exampleShape, classes, scale }: ClassificationOptions): Task {
  const logProbabilities = (parameters: readonly Node[], batchSize: number) =>
    model.forward(mul(constant(scale), cast(input("features", [batchSize, ...exampleShape], "uint8"), "float")), parameters);
  const labels = (batchSize: number) => cast(input("labels", [batchSize], "uint8"), "int32");
  const negativeLogLikelihood = (logp: Node, target: Node) => mul(constant(-1), dot(logp, oneHot(target, classes)));

  return {
    parameters: model.parameters,
    loss: (parameters, batchSize) =>
      mul(constant(1 / batchSize), negativeLogLikelihood(logProbabilities(parameters, batchSize), labels(batchSize))),
    metrics(parameters, batchSize) {
      const logp = logProbabilities(parameters, batchSize);
      const target = labels(batchSize);
      const right = reduceSum(cast(equal(argMax(logp), target), "float"));
      return { loss: negativeLogLikelihood(logp, target), errors: sub(constant(batchSize), right) };
    },
  };
}
