/** Towers whose exported code is trained in its framework: each optimizer plain, and with learned hyperparameters. */
import type { ExperimentInput } from "../../src/shared/experiment.ts";

type LevelInput = NonNullable<ExperimentInput["tower"]>[number];

export interface ExportCase {
  readonly name: string;
  readonly tower: readonly LevelInput[];
  /** Largest difference of a loss, where rounding grows: while D-Adaptation overshoots, say. */
  readonly within?: number;
}

const rate = (alpha: number): LevelInput => ({ optimizer: "sgd", alpha });

export const exportCases: readonly ExportCase[] = [
  { name: "SGD", tower: [{ optimizer: "sgd", alpha: 0.5 }] },
  { name: "SGD, learned", tower: [{ optimizer: "sgd", alpha: 0.1 }, rate(1)] },
  { name: "momentum", tower: [{ optimizer: "sgd", alpha: 0.1, mu: 0.9 }] },
  { name: "momentum, learned", tower: [{ optimizer: "sgd", alpha: 0.05, mu: 0.5 }, rate(0.1)] },
  { name: "momentum from 0, learned", tower: [{ optimizer: "sgd", alpha: 0.05, momentumFromZero: true }, rate(0.1)] },
  { name: "dampened momentum", tower: [{ optimizer: "sgd", alpha: 0.2, mu: 0.9, dampening: 0.5 }] },
  { name: "dampened momentum, learned", tower: [{ optimizer: "sgd", alpha: 0.1, mu: 0.5, dampening: 0.3 }, rate(0.05)] },
  { name: "Nesterov, dampened", tower: [{ optimizer: "sgd", alpha: 0.1, mu: 0.9, dampening: 0.5, nesterov: true }] },
  { name: "Nesterov, coupled decay", tower: [{ optimizer: "sgd", alpha: 0.05, mu: 0.9, nesterov: true, weightDecay: 0.01, weightDecayAs: "coupled" }] },
  { name: "Nesterov, dampened, learned", tower: [{ optimizer: "sgd", alpha: 0.1, mu: 0.5, dampening: 0.3, nesterov: true, weightDecay: 0.01 }, rate(0.05)] },
  { name: "SGD, decoupled decay", tower: [{ optimizer: "sgd", alpha: 0.2, mu: 0.5, weightDecay: 0.01 }] },
  { name: "Adam", tower: [{ optimizer: "adam" }] },
  { name: "Adam, learned", tower: [{ optimizer: "adam" }, rate(1e-4)] },
  { name: "Adam, epsilon learned", tower: [{ optimizer: "adam", logEps: -6, learned: ["alpha", "logEps"] }, rate(1e-4)] },
  { name: "AMSGrad", tower: [{ optimizer: "adam", amsgrad: true }] },
  { name: "AMSGrad, learned", tower: [{ optimizer: "adam", amsgrad: true, weightDecay: 0.01 }, rate(1e-4)] },
  { name: "AdamW", tower: [{ optimizer: "adam", weightDecay: 0.1 }] },
  { name: "AdamW, learned", tower: [{ optimizer: "adam", weightDecay: 0.01, learned: ["alpha", "weightDecay"] }, rate(1e-4)] },
  { name: "Adam, coupled decay", tower: [{ optimizer: "adam", weightDecay: 0.01, weightDecayAs: "coupled" }] },
  { name: "Adam, decay on weights only", tower: [{ optimizer: "adam", weightDecay: 0.1, groups: [{ name: "biases", match: "*.bias", weightDecay: 0, alpha: 0.003 }] }] },
  { name: "groups of one rule, learned, one frozen", tower: [{ optimizer: "adam", groups: [{ name: "biases", match: "*.bias", alpha: 0.003 }, { name: "out", match: "layer2.*", frozen: true }] }, rate(1e-4)] },
  {
    name: "groups of several rules",
    tower: [{ optimizer: "adam", amsgrad: true, weightDecay: 0.1, groups: [{ name: "biases", match: "*.bias", optimizer: "sgd", alpha: 0.1, mu: 0.9, dampening: 0.5 }, { name: "out", match: "layer2.weight", optimizer: "adaGrad" }] }],
  },
  {
    name: "groups of several rules, learned",
    tower: [
      {
        optimizer: "sgd", alpha: 0.1, mu: 0.8, dampening: 0.3, nesterov: true, weightDecay: 0.01,
        groups: [{ name: "biases", match: "*.bias", optimizer: "sgd", alpha: 0.1, weightDecay: 0.01, weightDecayAs: "coupled" }, { name: "out", match: "layer2.weight", optimizer: "rmsProp", alpha: 0.001 }],
      },
      rate(1e-4),
    ],
  },
  { name: "groups of AdaGrad", tower: [{ optimizer: "adaGrad", groups: [{ name: "biases", match: "*.bias", alpha: 0.02 }] }] },
  { name: "clipped by value", tower: [{ optimizer: "sgd", alpha: 0.5, clipValue: 0.005 }] },
  { name: "Adam, clipped by norm, learned", tower: [{ optimizer: "adam", clipNorm: 0.02 }, rate(1e-4)] },
  { name: "clipped by value and norm, coupled decay", tower: [{ optimizer: "sgd", alpha: 0.3, mu: 0.5, weightDecay: 0.01, weightDecayAs: "coupled", clipValue: 0.01, clipNorm: 0.03 }] },
  {
    name: "groups, clipped apart and together, one frozen",
    tower: [{ optimizer: "adam", clipNorm: 0.03, groups: [{ name: "biases", match: "layer1.bias", optimizer: "sgd", alpha: 0.1, clipValue: 0.001 }, { name: "out", match: "layer2.*", frozen: true }] }],
  },
  { name: "AdaGrad", tower: [{ optimizer: "adaGrad" }] },
  { name: "AdaGrad, learned", tower: [{ optimizer: "adaGrad" }, { optimizer: "adaGrad", alpha: 1e-3 }] },
  { name: "RMSProp", tower: [{ optimizer: "rmsProp", alpha: 0.001 }] },
  { name: "Adam in PyTorch's convention", tower: [{ optimizer: "adam", convention: "pytorch" }] },
  { name: "AdamW in PyTorch's convention, cosine", tower: [{ optimizer: "adam", convention: "pytorch", weightDecay: 0.1, schedules: { alpha: [{ kind: "warmUp", until: 0.2 }, "cosine"] } }] },
  { name: "Adam in PyTorch's convention, AMSGrad, coupled decay", tower: [{ optimizer: "adam", convention: "pytorch", amsgrad: true, weightDecay: 0.01, weightDecayAs: "coupled" }] },
  { name: "AdaGrad in PyTorch's convention", tower: [{ optimizer: "adaGrad", convention: "pytorch" }] },
  { name: "RMSProp in PyTorch's convention", tower: [{ optimizer: "rmsProp", convention: "pytorch", alpha: 0.001 }] },
  { name: "NAdam", tower: [{ optimizer: "nAdam" }] },
  { name: "NAdamW, cosine", tower: [{ optimizer: "nAdam", weightDecay: 0.1, schedules: { alpha: "cosine" } }] },
  { name: "NAdam, coupled decay, learned", tower: [{ optimizer: "nAdam", weightDecay: 0.01, weightDecayAs: "coupled" }, rate(1e-4)] },
  { name: "Lion", tower: [{ optimizer: "lion", alpha: 0.001, weightDecay: 0.1 }] },
  { name: "Lion, cosine", tower: [{ optimizer: "lion", alpha: 0.001, schedules: { alpha: "cosine" } }] },
  { name: "Schedule-Free SGD", tower: [{ optimizer: "scheduleFreeSgd", weightDecay: 0.01 }] },
  { name: "Schedule-Free SGD, interpolation scheduled", tower: [{ optimizer: "scheduleFreeSgd", schedules: { beta1: [{ kind: "linear", to: 0.5 }] } }] },
  { name: "Schedule-Free AdamW", tower: [{ optimizer: "scheduleFreeAdam", weightDecay: 0.01 }] },
  { name: "Schedule-Free AdamW, warm-up, clipped", tower: [{ optimizer: "scheduleFreeAdam", clipNorm: 0.05, schedules: { alpha: [{ kind: "warmUp", until: 0.1 }, "constant"] } }] },
  { name: "Prodigy", tower: [{ optimizer: "prodigy", weightDecay: 0.01 }] },
  { name: "Prodigy, bias-corrected, cosine", tower: [{ optimizer: "prodigy", biasCorrection: true, schedules: { alpha: "cosine" } }] },
  { name: "Prodigy, growth limited, coupled decay", tower: [{ optimizer: "prodigy", d0: 1e-5, growthRate: 1.02, weightDecay: 0.01, weightDecayAs: "coupled" }] },
  { name: "D-Adaptation SGD", tower: [{ optimizer: "dAdaptSgd", d0: 1e-3, mu: 0.9, weightDecay: 0.001 }] },
  { name: "D-Adaptation Adam", within: 1e-4, tower: [{ optimizer: "dAdaptAdam", weightDecay: 0.01 }] },
  { name: "D-Adaptation Adam, bias-corrected", within: 1e-4, tower: [{ optimizer: "dAdaptAdam", biasCorrection: true }] },
  { name: "DoG", tower: [{ optimizer: "dog", firstMove: 1e-3, weightDecay: 0.001 }] },
  { name: "DoG without its average", tower: [{ optimizer: "dog", firstMove: 1e-3, averaging: null }] },
  { name: "LDoG", tower: [{ optimizer: "lDog", firstMove: 1e-3 }] },
  { name: "DoWG", tower: [{ optimizer: "dowg", alpha: 0.3, weightDecay: 0.001 }] },
  { name: "DoWG, linear", tower: [{ optimizer: "dowg", schedules: { alpha: "linear" } }] },
  { name: "MoMo", tower: [{ optimizer: "moMo", weightDecay: 0.01 }] },
  { name: "MoMo-Adam", tower: [{ optimizer: "moMoAdam", weightDecay: 0.01 }] },
  { name: "MoMo-Adam, learned", tower: [{ optimizer: "moMoAdam" }, rate(1e-4)] },
  { name: "Muon", tower: [{ optimizer: "muon", weightDecay: 0.01, adamScale: 0.1 }] },
  { name: "Muon, plain momentum, unscaled", tower: [{ optimizer: "muon", momentumAs: "plain", matrixScale: "none" }] },
  { name: "Muon, consistent size, learned", tower: [{ optimizer: "muon", consistentRms: 0.2, adamWeightDecay: 0.01 }, rate(1e-4)] },
  { name: "Muon, columns / rows", tower: [{ optimizer: "muon", matrixScale: "columns" }] },
  { name: "LAMB", tower: [{ optimizer: "lamb", weightDecay: 0.01 }] },
  { name: "LAMB, learned", tower: [{ optimizer: "lamb" }, rate(1e-4)] },
  { name: "groups of Prodigy and Lion", tower: [{ optimizer: "prodigy", groups: [{ name: "biases", match: "*.bias", optimizer: "prodigy", d0: 1e-5 }, { name: "out", match: "layer2.weight", optimizer: "lion", alpha: 0.001 }] }] },
  { name: "groups of Muon and Schedule-Free SGD", tower: [{ optimizer: "muon", groups: [{ name: "biases", match: "*.bias", optimizer: "scheduleFreeSgd", alpha: 0.1 }] }] },
  { name: "groups of DoG, DoWG and Adam", tower: [{ optimizer: "dog", firstMove: 1e-3, groups: [{ name: "biases", match: "*.bias", optimizer: "adam" }, { name: "out", match: "layer2.weight", optimizer: "dowg" }] }] },
  { name: "groups of MoMo and Adam", tower: [{ optimizer: "moMo", groups: [{ name: "biases", match: "*.bias", optimizer: "adam", convention: "pytorch" }] }] },
  { name: "RMSProp, learned", tower: [{ optimizer: "rmsProp", alpha: 0.001 }, rate(1e-5)] },
];
