/** Predefined experiments by name. */
import type { ExperimentInput } from "./experiment.ts";
import { gptMini } from "./gptMini.ts";
import { robustTower } from "./robust.ts";

export interface Preset {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly experiment: ExperimentInput;
}

/** The default experiment on the fastest engine. */
export const newExperiment: ExperimentInput = { engine: "auto" };

const readyMade: readonly Preset[] = [
  {
    name: "seed-example",
    title: "Adam / SGD(1e-5) on MNIST",
    description: "The paper's seed example: an MLP 784-128-10 whose Adam learns its α, β₁ and β₂. Paper: 3.03 % test error.",
    experiment: { name: "seed-example" },
  },
  {
    name: "plain-adam",
    title: "Plain Adam on MNIST",
    description: "The same network under Adam alone, for comparison. Paper: 4.67 % test error.",
    experiment: { name: "plain-adam", tower: [{ optimizer: "adam" }] },
  },
  {
    name: "sgd-sgd",
    title: "SGD / SGD on MNIST, 30 epochs",
    description: "SGD that learns its step size, as in the paper's Table 1. Paper: 4.81 % test error.",
    experiment: { name: "sgd-sgd", tower: [{ optimizer: "sgd" }, { optimizer: "sgd" }], budget: { epochs: 30 } },
  },
  {
    name: "robust",
    title: "Robust: Adam that needs no step size",
    description: "The level above multiplies Adam’s step size by up to 22 % a step, by the cosine between gradient and last move. It starts at 1e-6, far too low, on purpose.",
    experiment: { name: "robust", tower: robustTower({ optimizer: "adam", alpha: 1e-6 }), guard: { on: true } },
  },
  {
    name: "quick-look",
    title: "Quick look",
    description: "The seed example on 12,800 images for one epoch: a first curve within seconds.",
    experiment: {
      name: "quick-look",
      dataset: { trainExamples: 12_800, testExamples: 2_000 },
      budget: { epochs: 1 },
    },
  },
  {
    name: "cnn",
    title: "Small CNN on MNIST",
    description: "Two convolutions under Adam / SGD(1e-5): about 1 % test error after three epochs.",
    experiment: { name: "cnn", model: { kind: "cnn" }, batchSize: 64, budget: { epochs: 3 } },
  },
  {
    name: "resnet-20",
    title: "ResNet-20 on CIFAR-10",
    description: "The paper’s setting: SGD 0.1 with momentum 0.9 and weight decay 1e-4, both learned by SGD; images shifted and mirrored at random. An epoch takes minutes.",
    experiment: {
      name: "resnet-20",
      dataset: { kind: "cifar10", augmentation: { crop: 4, flip: true } },
      model: { kind: "resnet" },
      // The paper's step sizes: alpha^2 * 1e-3 for alpha, 1 / (1 - mu) * 1e-6 for mu.
      tower: [
        { optimizer: "sgd", alpha: 0.1, mu: 0.9, weightDecay: 1e-4, weightDecayAs: "coupled", learned: ["alpha", "mu"] },
        { optimizer: "sgd", alpha: 1e-5 },
      ],
      batchSize: 128,
      budget: { epochs: 20 },
    },
  },
  {
    name: "char-rnn",
    title: "Character RNN on War and Peace",
    description: "The paper’s two LSTM layers of 128 under Adam(2e-3), which learns its hyperparameters. An epoch takes minutes.",
    experiment: {
      name: "char-rnn",
      dataset: { kind: "war-and-peace" },
      model: { kind: "charRnn" },
      // The paper's step sizes: alpha * 1e-2 for alpha, 1e-4 for beta1, 2e-4 for beta2.
      tower: [
        { optimizer: "adam", alpha: 2e-3 },
        { optimizer: "sgd", alpha: 2e-5, groups: [{ name: "beta1", match: "beta1", alpha: 1e-4 }, { name: "beta2", match: "beta2", alpha: 2e-4 }] },
      ],
      batchSize: 64,
      budget: { epochs: 5 },
    },
  },
  {
    name: "gpt-mini",
    title: "GPT on tiny Shakespeare",
    description: "nanoGPT’s configuration for a processor: four blocks of width 128 on 64 characters, 2,000 steps of AdamW. nanoGPT’s loss: 1.88. A few minutes.",
    experiment: gptMini,
  },
];

export const presets: readonly Preset[] = readyMade.map((preset) => ({ ...preset, experiment: { ...newExperiment, ...preset.experiment } }));

export function findPreset(name: string): Preset | undefined {
  return presets.find((preset) => preset.name === name);
}

export const presetNames = presets.map((preset) => preset.name);
