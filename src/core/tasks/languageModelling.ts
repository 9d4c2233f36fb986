/** Next-symbol prediction; a recurrent model carries its hidden state from batch to batch. */
import { steps, tokensOf } from "../models/activations.ts";
import type { Model } from "../models/model.ts";
import type { Node } from "../program/node.ts";
import { add, constant, dot, input, logSoftmax, mul, reshape, slice, sub, transpose } from "../program/operations/index.ts";
import { bufferNodes, bufferUpdates, initialBuffers, type Use } from "./buffers.ts";
import { meansOfSums, misclassified, negativeLogLikelihood } from "./classification.ts";
import type { PredictiveTask } from "./task.ts";

export interface LanguageModellingOptions {
  readonly model: Model;
  /** Symbols per row of a batch; gradients reach back no further. */
  readonly steps: number;
  /** Factor of the mean of log^2 Z in the training loss, Z the softmax's denominator; 0 by default. */
  readonly zLoss?: number;
}

/**
 * Inputs `symbols` and `targets` (int32 `[batch, steps]`, the text and the text shifted by one) and
 * `carry` (a scalar: 1 continues the previous batch, 0 starts fresh). Loss: mean negative
 * log-likelihood of a character. Metrics: sums of `loss` and `errors`.
 */
export function languageModelling({ model, steps: count, zLoss = 0 }: LanguageModellingOptions): PredictiveTask {
  const forward = (parameters: readonly Node[], batchSize: number, use: Use) => {
    const buffers = bufferNodes(model, batchSize, use, input("carry", []));
    const symbols = tokensOf(input("symbols", [batchSize, count], "int32"));
    const result = model.forward(symbols, { parameters, buffers, training: use === "training" });
    const logits = steps(result.output);
    /** In the order of the logits: step by step. */
    const targets = reshape(transpose(input("targets", [batchSize, count], "int32")), [batchSize * count]);
    return { logits, logp: logSoftmax(logits), targets, buffers: bufferUpdates(model, result, use) };
  };

  return {
    parameters: model.parameters,
    buffers: initialBuffers(model),
    loss(parameters, batchSize) {
      const { logits, logp, targets, buffers } = forward(parameters, batchSize, "training");
      const loss = mul(constant(1 / (batchSize * count)), negativeLogLikelihood(logp, targets));
      return { loss: zLoss > 0 ? add(loss, mul(constant(zLoss), meanSquaredLogZ(logits, logp))) : loss, buffers };
    },
    metrics(parameters, batchSize) {
      const { logp, targets, buffers } = forward(parameters, batchSize, "evaluation");
      return { outputs: { loss: negativeLogLikelihood(logp, targets), errors: misclassified(logp, targets) }, updates: buffers };
    },
    measures: meansOfSums,
    scores: (parameters, batchSize) => forward(parameters, batchSize, "evaluation").logp,
  };
}

/** Mean over the rows of log^2 Z: logits less log probabilities are log Z in every column. */
function meanSquaredLogZ(logits: Node, logp: Node): Node {
  const [rows] = logits.shape as [number, number];
  const logZ = sub(slice(logits, 1, 0, 1), slice(logp, 1, 0, 1));
  return mul(constant(1 / rows), dot(logZ, logZ));
}
