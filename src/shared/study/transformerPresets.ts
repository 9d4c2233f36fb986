/**
 * Sensitivity of a transformer to the step size, after Wortsman et al. 2023: warm-up over a twentieth
 * of the steps, a cosine, clipping, z-loss and normalized queries and keys; here by height.
 */
import { warmUpAndCosine } from "../gptMini.ts";
import type { StudyPreset } from "./presets.ts";
import type { StudyInput } from "./study.ts";

interface Edition {
  readonly model: object;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly points: number;
  readonly seeds: readonly number[];
}

const study = (name: string, { model, epochs, stepsPerEpoch, points, seeds }: Edition): StudyInput => ({
  name,
  base: {
    dataset: { kind: "tiny-shakespeare" },
    model: { kind: "transformer", qkNorm: true, zLoss: 1e-4, ...model },
    tower: [
      {
        optimizer: "adamBaydin",
        alpha: 1e-3,
        beta2: 0.95,
        convention: "pytorch",
        clipNorm: 1,
        schedules: { alpha: warmUpAndCosine((epochs * stepsPerEpoch) / 20) },
      },
    ],
    batchSize: 12,
    budget: { epochs, stepsPerEpoch },
    evaluation: { every: "end" },
  },
  axes: [{ level: 0, hyperparameter: "alpha", values: { kind: "grid", scale: "log", from: 1e-4, to: 1, points } }],
  heights: { values: [0, 1, 2], rule: { kind: "figure4b" }, upper: { optimizer: "sgd" } },
  seeds: [...seeds],
});

export const transformerPresets: readonly StudyPreset[] = [
  {
    name: "gpt-mini-steps",
    title: "Step size of a small transformer",
    description: "Loss of gpt-mini on tiny Shakespeare against Adam’s initial step size, 1e-4 to 1, after Wortsman et al. 2023. Heights 0 to 2, 2,000 steps, three seeds: hours.",
    study: study("Step size of gpt-mini", { model: {}, epochs: 8, stepsPerEpoch: 250, points: 9, seeds: [0, 1, 2] }),
  },
  {
    name: "gpt-mini-steps-quick",
    title: "Step size of a small transformer, quick",
    description: "The same question for two layers of width 64 on 32 characters, 300 steps, in minutes.",
    study: study("Step size of gpt-mini, quick", { model: { layers: 2, width: 64, context: 32 }, epochs: 1, stepsPerEpoch: 300, points: 5, seeds: [0] }),
  },
];
