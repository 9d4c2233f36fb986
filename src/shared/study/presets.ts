/** Predefined studies by name. */
import { newExperiment } from "../presets.ts";
import { robustTower } from "../robust.ts";
import { table1Rows } from "../table1.ts";
import { methodPresets } from "./methodPresets.ts";
import { transformerPresets } from "./transformerPresets.ts";
import type { StudyInput } from "./study.ts";
import { table1Seeds, table1Study } from "./table1.ts";

export interface StudyPreset {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly study: StudyInput;
}

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed);

/** log10 of the step size from -8 to 2, heights 0 to 3, SGD throughout. */
const stepSizes = (rule: "equal" | "figure4b", base: StudyInput["base"]): StudyInput => ({
  base: { tower: [{ optimizer: "sgd" }], ...base },
  axes: [{ level: 0, hyperparameter: "alpha", values: { kind: "grid", scale: "log", from: 1e-8, to: 1e2, points: 11 } }],
  heights: { values: [0, 1, 2, 3], rule: { kind: rule } },
});

/**
 * The paper's Figures 4a and 4b: an MLP on MNIST. Its batches were the same in every epoch
 * (docs/figure4a).
 */
const figure4 = (rule: "equal" | "figure4b", epochs: number) => stepSizes(rule, { budget: { epochs }, shuffle: false });

/** He et al. 2016, section 4.2. */
const augmentation = { crop: 4, flip: true };

/**
 * ResNet-20 on CIFAR-10. The paper does not say how the upper levels started in Figures 4c and 4d.
 * Both use the scheme of 4b here: with equal step sizes, runs diverge that did not in the paper.
 */
const figure4c = (base: StudyInput["base"] = {}): StudyInput => ({
  base: {
    dataset: { kind: "cifar10", augmentation },
    model: { kind: "resnet" },
    tower: [{ optimizer: "sgd", alpha: 0.1, mu: 0.9, weightDecay: 1e-4, weightDecayAs: "coupled", learned: ["alpha"] }],
    batchSize: 128,
    budget: { epochs: 200 },
    ...base,
  },
  axes: [{ level: 0, hyperparameter: "alpha", values: { kind: "grid", scale: "log", from: 1e-8, to: 1, points: 9 } }],
  heights: { values: [0, 1, 2, 3], rule: { kind: "figure4b" }, upper: { optimizer: "sgd" } },
});

/** The paper's 50,000 steps are about 56 epochs. */
const figure4d = (base: StudyInput["base"] = {}): StudyInput => ({
  base: {
    dataset: { kind: "war-and-peace" },
    model: { kind: "charRnn" },
    tower: [{ optimizer: "adamBaydin", alpha: 2e-3 }],
    batchSize: 64,
    budget: { epochs: 56 },
    ...base,
  },
  axes: [{ level: 0, hyperparameter: "alpha", values: { kind: "grid", scale: "log", from: 1e-7, to: 1e-2, points: 6 } }],
  heights: { values: [0, 1, 2, 3], rule: { kind: "figure4b" }, upper: { optimizer: "sgd" } },
});

/** Adam alone, under the paper's level and under the robust one, from step sizes four decades apart. */
const robust = (name: string, base: StudyInput["base"]): StudyInput => ({
  name,
  base: { ...base, guard: { on: true } },
  axes: [{ level: 0, hyperparameter: "alpha", values: { kind: "grid", scale: "log", from: 1e-6, to: 1e-2, points: 5 } }],
  stacks: [
    { name: "Adam", tower: [{ optimizer: "adam" }] },
    { name: "Adam / SGD(1e-5)", tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }] },
    { name: "robust", tower: robustTower({ optimizer: "adam" }) },
  ],
});

const readyMade: readonly StudyPreset[] = [
  {
    name: "demo",
    title: "Sensitivity of SGD towers, a first picture",
    description: "All of MNIST, heights 0 to 3, a coarse grid of step sizes, two seeds, two epochs: a few minutes on two cores.",
    study: { ...stepSizes("equal", { budget: { epochs: 2 } }), name: "Sensitivity of SGD towers", seeds: seeds(2) },
  },
  {
    name: "figure4a",
    title: "Figure 4a of the paper",
    description: "Test error of the MLP against the initial step size, all levels started at the same value. Heights 0 to 3, 30 epochs, the same batches in every epoch, three seeds.",
    study: { ...figure4("equal", 30), name: "Figure 4a", seeds: seeds(3) },
  },
  {
    name: "figure4a-quick",
    title: "Figure 4a, quick",
    description: "The same picture from three epochs and one seed, in minutes.",
    study: { ...figure4("equal", 3), name: "Figure 4a, quick" },
  },
  {
    name: "figure4b",
    title: "Figure 4b of the paper",
    description: "As Figure 4a, with the paper's other scheme for the levels above. Heights 0 to 3, 30 epochs, three seeds.",
    study: { ...figure4("figure4b", 30), name: "Figure 4b", seeds: seeds(3) },
  },
  {
    name: "figure4b-quick",
    title: "Figure 4b, quick",
    description: "The same picture from three epochs and one seed, in minutes.",
    study: { ...figure4("figure4b", 3), name: "Figure 4b, quick" },
  },
  {
    name: "figure4c",
    title: "Figure 4c of the paper",
    description: "Test error of ResNet-20 on CIFAR-10 against the initial step size. Heights 0 to 3, 200 epochs: weeks on a processor.",
    study: { ...figure4c(), name: "Figure 4c" },
  },
  {
    name: "figure4c-quick",
    title: "Figure 4c, quick",
    description: "The same question for a narrow ResNet-8 on 5,000 images, three epochs: which step sizes learn at all, in minutes.",
    study: {
      ...figure4c({ dataset: { kind: "cifar10", trainExamples: 5_000, testExamples: 1_000, augmentation }, model: { kind: "resnet", depth: 8, width: 8 }, batchSize: 64, budget: { epochs: 3 } }),
      name: "Figure 4c, quick",
    },
  },
  {
    name: "figure4d",
    title: "Figure 4d of the paper",
    description: "Perplexity of two LSTM layers of 128 on War and Peace against Adam's initial step size. Heights 0 to 3, 50,000 steps: days on a processor.",
    study: { ...figure4d(), name: "Figure 4d" },
  },
  {
    name: "figure4d-quick",
    title: "Figure 4d, quick",
    description: "The same question for one LSTM layer of 64 on a fifth of the text, 800 steps, in minutes.",
    study: {
      ...figure4d({
        dataset: { kind: "war-and-peace", trainExamples: 640_032, testExamples: 64_032 },
        model: { kind: "charRnn", layers: 1, hidden: 64, embedding: 32, steps: 25 },
        batchSize: 32,
        budget: { epochs: 1 },
      }),
      name: "Figure 4d, quick",
    },
  },
  {
    name: "robust-mlp",
    title: "Robust tower: MLP on MNIST",
    description: "Adam alone, under the paper's level and under the robust one, from step sizes of 1e-6 to 1e-2. Five epochs, three seeds: minutes.",
    study: { ...robust("Robust tower, MLP", {}), seeds: seeds(3) },
  },
  {
    name: "robust-cnn",
    title: "Robust tower: small CNN on Fashion-MNIST",
    description: "The same upper level on a small CNN. Five epochs, three seeds: hours on a processor.",
    study: { ...robust("Robust tower, small CNN", { dataset: { kind: "fashion-mnist" }, model: { kind: "cnn" }, batchSize: 128 }), seeds: seeds(3) },
  },
  {
    name: "robust-resnet",
    title: "Robust tower: ResNet-8 on CIFAR-10",
    description: "The same upper level on a ResNet-8. Ten epochs, three seeds: a day on a processor.",
    study: { ...robust("Robust tower, ResNet-8", { dataset: { kind: "cifar10", augmentation }, model: { kind: "resnet", depth: 8 }, batchSize: 128, budget: { epochs: 10 } }), seeds: seeds(3) },
  },
  {
    name: "robust-char-rnn",
    title: "Robust tower: character RNN on War and Peace",
    description: "The same upper level on two LSTM layers of 128. Two epochs, three seeds: a day on a processor.",
    study: { ...robust("Robust tower, character RNN", { dataset: { kind: "war-and-peace" }, model: { kind: "charRnn" }, batchSize: 64, budget: { epochs: 2 } }), seeds: seeds(3) },
  },
  {
    name: "table1",
    title: "Table 1 of the paper",
    description: "The paper's 18 stacks on MNIST and, as its second column, each tower's plain optimizer at the values that the run learned. Three seeds: about 10 minutes on two cores.",
    study: table1Study(table1Seeds(table1Rows, seeds(3), false), { quick: false }),
  },
  {
    name: "table1-quick",
    title: "Table 1, quick",
    description: "Both columns from two epochs and one seed: which stacks learn at all, in minutes.",
    study: table1Study(table1Seeds(table1Rows, seeds(1), false), { quick: true }),
  },
  ...transformerPresets,
  ...methodPresets,
];

export const studyPresets: readonly StudyPreset[] = readyMade.map((preset) => ({ ...preset, study: { ...preset.study, base: { ...newExperiment, ...preset.study.base } } }));

export function findStudyPreset(name: string): StudyPreset | undefined {
  return studyPresets.find((preset) => preset.name === name);
}

/** Name of a preset's quick edition; undefined where it has none. */
export function quickEdition(name: string): string | undefined {
  return findStudyPreset(`${name}-quick`)?.name;
}

export const studyPresetNames = studyPresets.map(({ name }) => name);
