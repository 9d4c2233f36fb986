/** Ready-made experiments, by name. */
import type { ExperimentInput } from "./experiment.ts";

export interface Preset {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly experiment: ExperimentInput;
}

export const presets: readonly Preset[] = [
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
    name: "quick-look",
    title: "Quick look",
    description: "The seed example on 12,800 images for one epoch: a first curve within seconds.",
    experiment: {
      name: "quick-look",
      dataset: { trainExamples: 12_800, testExamples: 2_000 },
      budget: { epochs: 1 },
    },
  },
];

export function findPreset(name: string): Preset | undefined {
  return presets.find((preset) => preset.name === name);
}

export const presetNames = presets.map((preset) => preset.name);
