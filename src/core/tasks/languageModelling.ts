/** Next-character prediction: truncated backpropagation with a carried hidden state. */
import { steps, tokensOf } from "../models/activations.ts";
import type { Model } from "../models/model.ts";
import type { Node } from "../program/node.ts";
import { constant, input, logSoftmax, mul, reshape, transpose } from "../program/operations/index.ts";
import { bufferNodes, bufferUpdates, initialBuffers, type Use } from "./buffers.ts";
import { meansOfSums, misclassified, negativeLogLikelihood } from "./classification.ts";
import type { PredictiveTask } from "./task.ts";

export interface LanguageModellingOptions {
  readonly model: Model;
  /** Characters per step; gradients reach back no further. */
  readonly steps: number;
}

/**
 * Inputs `symbols` and `targets` (int32 `[batch, steps]`, the text and the text shifted by one) and
 * `carry` (a scalar: 1 continues the previous batch, 0 starts fresh). Loss: mean negative
 * log-likelihood of a character. Metrics: sums of `loss` and `errors`.
 */
export function languageModelling({ model, steps: count }: LanguageModellingOptions): PredictiveTask {
  const forward = (parameters: readonly Node[], batchSize: number, use: Use) => {
    const buffers = bufferNodes(model, batchSize, use, input("carry", []));
    const symbols = tokensOf(input("symbols", [batchSize, count], "int32"));
    const result = model.forward(symbols, { parameters, buffers, training: use === "training" });
    return { logp: logSoftmax(steps(result.output)), buffers: bufferUpdates(model, result, use) };
  };
  /** In the order of the logits: step by step. */
  const targets = (batchSize: number) => reshape(transpose(input("targets", [batchSize, count], "int32")), [batchSize * count]);

  return {
    parameters: model.parameters,
    buffers: initialBuffers(model),
    loss(parameters, batchSize) {
      const { logp, buffers } = forward(parameters, batchSize, "training");
      return { loss: mul(constant(1 / (batchSize * count)), negativeLogLikelihood(logp, targets(batchSize))), buffers };
    },
    metrics(parameters, batchSize) {
      const { logp, buffers } = forward(parameters, batchSize, "evaluation");
      const target = targets(batchSize);
      return { outputs: { loss: negativeLogLikelihood(logp, target), errors: misclassified(logp, target) }, updates: buffers };
    },
    measures: meansOfSums,
    scores: (parameters, batchSize) => forward(parameters, batchSize, "evaluation").logp,
  };
}
