/** Stacks of every kind: each optimizer at level 0 and above, each option, groups and frozen parts. */
import type { TowerLevel } from "../../src/core/hyperoptimizers/tower.ts";
import { level } from "./problems.ts";

export const stacks: Record<string, readonly TowerLevel[]> = {
  SGD: [level("sgd")],
  "SGD with momentum / SGD": [level("sgd", { mu: 0.9 }), level("sgd", { alpha: 1e-4 })],
  "SGD / SGD / SGD": [level("sgd"), level("sgd"), level("sgd")],
  "SGD / Adam": [level("sgd"), level("adam")],
  Adam: [level("adam")],
  "Adam / SGD(1e-5)": [level("adam"), level("sgd", { alpha: 1e-5 })],
  "Adam / Adam / SGD": [level("adam"), level("adam"), level("sgd", { alpha: 1e-6 })],
  "Adam^α / SGD with momentum": [level("adamBaydin"), level("sgd", { alpha: 1e-5, mu: 0.5 })],
  "AdaGrad / RMSProp / SGD": [level("adaGrad"), level("rmsProp", { alpha: 1e-4 }), level("sgd", { alpha: 1e-6 })],
  "RMSProp / AdaGrad": [level("rmsProp"), level("adaGrad", { alpha: 1e-4 })],
  "RMSProp^α / Adam": [level("rmsPropAlpha"), level("adam")],
  "every option": [
    level("sgd", { alpha: 0.1, mu: 0.9, nesterov: true, dampening: 0.3, weightDecay: 0.01, weightDecayAs: "coupled", clipNorm: 0.5, clipValue: 0.1, learned: ["alpha", "mu", "weightDecay"] }),
    level("adam", { alpha: 1e-3, alphaAs: "log", amsgrad: true, weightDecay: 1e-3, warmUp: 3, every: 2, until: 21, clipNorm: 1 }),
    level("sgd", { alpha: 1e-6, momentumFromZero: true, clipValue: 0.1 }),
  ],
  "AMSGrad / squared SGD": [
    level("adam", { amsgrad: true, weightDecay: 0.01, clipNorm: 0.1, learned: ["alpha", "beta1", "beta2", "logEps", "weightDecay"] }),
    level("sgd", { alpha: 1e-6, alphaAs: "squared" }),
  ],
  "within bounds and a largest change": [
    level("sgd", { alpha: 0.1, alphaAs: "log", bounds: { alpha: [0.05, 0.3] } }),
    level("adam", { alpha: 0.01, bounds: { alpha: [null, 0.011], beta1: [0.5, 0.99] }, atBounds: "reflect", maxChange: 0.05 }),
    level("sgd", { maxChange: 0.5 }),
  ],
  "groups with optimizers of their own": [
    level("adam", { groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1, mu: 0.9 }] }),
    level("sgd", { alpha: 1e-5, groups: [{ name: "bias", match: "*[bias]", optimizer: "adam", alpha: 1e-4, warmUp: 2 }] }),
  ],
  "a frozen layer": [level("adam", { freeze: "layer1.*" }), level("sgd", { alpha: 1e-5 })],
  "everything frozen": [level("adam", { frozen: true }), level("sgd", { alpha: 1e-5 })],
  "SGDPerParam / SGD": [level("sgdPerParam", { alphas: { "layer1.weight": 0.1, "layer2.bias": 0.05 } }), level("sgd", { alpha: 1e-4 })],
  "as in PyTorch: Adam / RMSProp / AdaGrad": [level("adam", { convention: "pytorch" }), level("rmsProp", { alpha: 1e-4, convention: "pytorch" }), level("adaGrad", { alpha: 1e-4, convention: "pytorch" })],
  "NAdam / Lion": [level("nAdam", { weightDecay: 0.01 }), level("lion", { alpha: 1e-5 })],
  "Lion / NAdam": [level("lion", { alpha: 1e-3, weightDecay: 0.1 }), level("nAdam", { alpha: 1e-5 })],
  "Schedule-Free AdamW / Schedule-Free SGD": [level("scheduleFreeAdam", { weightDecay: 0.01 }), level("scheduleFreeSgd", { alpha: 1e-5 })],
  "Schedule-Free SGD": [level("scheduleFreeSgd", { alpha: 0.1 })],
  "Prodigy / SGD": [level("prodigy", { d0: 1e-4, biasCorrection: true, growthRate: 1.5 }), level("sgd", { alpha: 1e-5 })],
  "SGD / Prodigy": [level("sgd"), level("prodigy", { d0: 1e-3, growthRate: 1.02 })],
  "D-Adaptation Adam / SGD": [level("dAdaptAdam", { d0: 1e-3, growthRate: 1.1, learned: ["alpha"] }), level("sgd", { alpha: 1e-5 })],
  "D-Adaptation SGD": [level("dAdaptSgd", { d0: 1e-3, mu: 0.5, growthRate: 1.1 })],
  "SGD / D-Adaptation Adam": [level("sgd"), level("dAdaptAdam", { d0: 1e-3, growthRate: 1.02 })],
  "DoG / SGD": [level("dog", { firstMove: 1e-2, weightDecay: 0.01 }), level("sgd", { alpha: 1e-5 })],
  "LDoG": [level("lDog", { firstMove: 1e-2 })],
  "SGD / DoG": [level("sgd"), level("dog", { firstMove: 0.1 })],
  "MoMo / SGD": [level("moMo", { alpha: 0.1 }), level("sgd", { alpha: 1e-5 })],
  "MoMo-Adam": [level("moMoAdam", { weightDecay: 0.01 })],
  "groups: DoG for biases": [level("adam", { groups: [{ name: "bias", match: "*.bias", optimizer: "dog", firstMove: 1e-3 }] }), level("sgd", { alpha: 1e-5 })],
  "schedules: one cycle of Adam's step size, falling decay, steps for biases / SGD": [
    level("adam", {
      alpha: 0.01,
      weightDecay: 0.01,
      schedules: { alpha: "oneCycle", weightDecay: "polynomial" },
      groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1, mu: 0.9, schedules: { alpha: { unit: "steps", pieces: [{ kind: "warmUp", until: 5 }, { kind: "step", at: [10, 15] }] } } }],
    }),
    level("sgd", { alpha: 1e-4 }),
  ],
  "SGD x 20": Array.from({ length: 20 }, () => level("sgd")),
};
