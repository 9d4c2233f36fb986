/**
 * nanoGPT's configuration for a processor ("I only have a macbook" in its README): batches of 12
 * blocks of 64 characters, 4 layers of width 128, 4 heads, no biases, no dropout; its loss after
 * 2,000 steps is 1.88.
 */
import type { ExperimentInput } from "./experiment.ts";

/** Linear warm-up over some steps, then a cosine to a tenth at the end of the budget. */
export const warmUpAndCosine = (steps: number) => ({
  unit: "steps" as const,
  pieces: [
    { kind: "warmUp" as const, from: 1 / (steps + 1), to: 1, until: steps },
    { kind: "cosine" as const, from: 1, to: 0.1 },
  ],
});

export const gptMini: ExperimentInput = {
  name: "gpt-mini",
  dataset: { kind: "tiny-shakespeare" },
  model: { kind: "transformer", layers: 4, heads: 4, width: 128, context: 64 },
  tower: [
    {
      optimizer: "adam",
      alpha: 1e-3,
      beta1: 0.9,
      beta2: 0.99,
      weightDecay: 0.1,
      weightDecayAs: "decoupled",
      convention: "pytorch",
      clipNorm: 1,
      schedules: { alpha: warmUpAndCosine(100) },
      // nanoGPT decays matrices and embeddings, and not what scales after a normalization.
      groups: [{ name: "norms", match: "*ln_*", weightDecay: 0 }],
    },
  ],
  batchSize: 12,
  // nanoGPT evaluates every 250 steps.
  budget: { epochs: 8, stepsPerEpoch: 250 },
};
