/** The methods that people choose among, each at its published defaults, and studies that compare them. */
import { robustTower } from "../robust.ts";
import type { MethodInput, StudyInput } from "./study.ts";

const cosine = { pieces: [{ kind: "cosine" }] } as const;

/** A twentieth of the run warms up, whatever its length. */
const warmUpAndCosine = { unit: "shares", pieces: [{ kind: "warmUp", until: 0.05 }, { kind: "cosine" }] } as const;

/** Multiplier of the step size that an optimizer finds itself. */
const multiplier = { level: 0, hyperparameter: "alpha" } as const;

/** Published defaults: PyTorch's for SGD, Adam, AdamW and NAdam, the authors' own for all others. */
export function commonMethods(): MethodInput[] {
  return [
    { name: "SGD", tower: [{ optimizer: "sgd", alpha: 0.01 }] },
    { name: "Adam", tower: [{ optimizer: "adam", convention: "pytorch" }] },
    { name: "AdamW, warm-up and cosine", tower: [{ optimizer: "adam", convention: "pytorch", weightDecay: 0.01, schedules: { alpha: warmUpAndCosine } }] },
    { name: "NAdamW, cosine", tower: [{ optimizer: "nAdam", weightDecay: 0.01, schedules: { alpha: cosine } }] },
    { name: "Schedule-Free AdamW", tower: [{ optimizer: "scheduleFreeAdam" }] },
    { name: "Prodigy", tower: [{ optimizer: "prodigy" }], knobs: [multiplier] },
    { name: "D-Adaptation Adam", tower: [{ optimizer: "dAdaptAdam" }], knobs: [multiplier] },
    { name: "DoG", tower: [{ optimizer: "dog" }], knobs: [multiplier] },
    // Adam moves all but matrices, by the author's default at 3e-4.
    { name: "Muon with Adam", tower: [{ optimizer: "muon", adamScale: 0.015 }], knobs: [{ level: 0, hyperparameter: "adamScale" }] },
    // Mechanic finds the scale of the step size 1. Another step size is the same as another first scale.
    { name: "Mechanic with Adam", tower: [{ optimizer: "adam", convention: "pytorch", alpha: 1, mechanic: true }] },
    { name: "Adam / SGD", tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }], knobs: [{ level: 1, hyperparameter: "alpha" }] },
    // The preset without its guard, which a study has for all methods or for none (`safe`).
    { name: "Adam, robust", tower: robustTower({ optimizer: "adam" }), knobs: [{ level: 1, hyperparameter: "alpha" }] },
  ];
}

/** Starting values a decade apart, `decades` to either side of each published default. */
const study = (name: string, base: NonNullable<StudyInput["base"]>, { decades, seeds }: { readonly decades: number; readonly seeds: number }): StudyInput => ({
  name,
  base,
  methods: { factors: { kind: "grid", from: Number(`1e-${decades}`), to: Number(`1e${decades}`), points: 2 * decades + 1 }, list: commonMethods() },
  seeds: Array.from({ length: seeds }, (_, seed) => seed),
});

const whole = { decades: 4, seeds: 3 };
/** Two seeds are the least that have intervals. */
const quick = { decades: 3, seeds: 2 };

export const methodPresets: readonly { readonly name: string; readonly title: string; readonly description: string; readonly study: StudyInput }[] = [
  {
    name: "methods-mlp",
    title: "Methods on an MLP",
    description: "Twelve methods on MNIST, each from nine starting values around its published default, its other knobs swept too. Five epochs, three seeds: about half an hour on two cores.",
    study: study("Methods, MLP", { budget: { epochs: 5 } }, whole),
  },
  {
    name: "methods-mlp-quick",
    title: "Methods on an MLP, quick",
    description: "The same from seven starting values, one epoch and two seeds, in minutes.",
    study: study("Methods, MLP, quick", { budget: { epochs: 1 } }, quick),
  },
  {
    name: "methods-cnn",
    title: "Methods on a small CNN",
    description: "The same methods on Fashion-MNIST with two convolutions. Three epochs, three seeds: hours on a processor.",
    study: study("Methods, CNN", { dataset: { kind: "fashion-mnist" }, model: { kind: "cnn" }, batchSize: 64, budget: { epochs: 3 } }, whole),
  },
  {
    name: "methods-cnn-quick",
    title: "Methods on a small CNN, quick",
    description: "The same from seven starting values on a fifth of the images, one epoch and two seeds, in minutes.",
    study: study("Methods, CNN, quick", { dataset: { kind: "fashion-mnist", trainExamples: 12_000, testExamples: 2_000 }, model: { kind: "cnn" }, batchSize: 64, budget: { epochs: 1 } }, quick),
  },
  {
    name: "methods-char-rnn",
    title: "Methods on a character RNN",
    description: "The same methods on War and Peace with the paper's two LSTM layers of 128. Five epochs, three seeds: days on a processor.",
    study: study("Methods, character RNN", { dataset: { kind: "war-and-peace" }, model: { kind: "charRnn" }, batchSize: 64, budget: { epochs: 5 } }, whole),
  },
  {
    name: "methods-char-rnn-quick",
    title: "Methods on a character RNN, quick",
    description: "The same from seven starting values with one LSTM layer of 64 on a fifth of the text, 800 steps and two seeds, in minutes.",
    study: study(
      "Methods, character RNN, quick",
      {
        dataset: { kind: "war-and-peace", trainExamples: 640_032, testExamples: 64_032 },
        model: { kind: "charRnn", layers: 1, hidden: 64, embedding: 32, steps: 25 },
        batchSize: 32,
        budget: { epochs: 1 },
      },
      quick,
    ),
  },
];
